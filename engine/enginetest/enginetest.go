// Package enginetest is for tests that need an engine: it finds one, makes
// containers that go away with the test, and puts a proxy before the engine that
// breaks things at a chosen place.
package enginetest

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/host"
)

// Image is there wherever tests run.
const Image = "busybox:latest"

// patience is for things that take well under a second on a machine that is not busy.
const patience = time.Minute

// Options give the machine's engine, as engine/host finds it. Where there is
// none, the test fails when the environment variable CI is set, else it is skipped.
func Options(t testing.TB) engine.Options {
	t.Helper()
	home, _ := os.UserHomeDir()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	found, err := host.Find(ctx, host.FindOptions{Getenv: os.Getenv, Home: home})
	if err == nil {
		return found.Options
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("no engine: %v", err)
	}
	t.Skipf("no engine: %v", err)
	return engine.Options{}
}

// Client gives a client of the machine's engine, see Options. It is closed at the
// end of the test.
func Client(t testing.TB) *engine.Client {
	t.Helper()
	return Connect(t, Options(t))
}

// Connect gives a client, which is closed at the end of the test.
func Connect(t testing.TB, o engine.Options) *engine.Client {
	t.Helper()
	c, err := engine.New(o)
	if err != nil {
		t.Fatalf("engine.New: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close the client: %v", err)
		}
	})
	return c
}

// Container gives the id of a running container that does nothing, and is removed
// at the end of the test.
func Container(t testing.TB, c *engine.Client) string {
	t.Helper()
	id := Create(t, c, engine.ContainerSpec{Config: container.Config{Cmd: []string{"sleep", "2000000"}}})
	if err := c.StartContainer(t.Context(), id); err != nil {
		t.Fatalf("start a container: %v", err)
	}
	return id
}

// Create creates a container of Image, without a network unless the spec says
// otherwise. It is removed at the end of the test.
func Create(t testing.TB, c *engine.Client, spec engine.ContainerSpec) string {
	t.Helper()
	if spec.Config.Image == "" {
		spec.Config.Image = Image
	}
	if spec.Host.NetworkMode == "" && len(spec.Host.PortBindings) == 0 {
		spec.Host.NetworkMode = "none"
	}
	made, err := c.CreateContainer(t.Context(), spec)
	if err != nil {
		t.Fatalf("create a container: %v", err)
	}
	t.Cleanup(func() { remove(t, c, made.ID) })
	return made.ID
}

func remove(t testing.TB, c *engine.Client, id string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := c.RemoveContainer(ctx, id, engine.RemoveContainerOptions{Force: true, Volumes: true})
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("remove container %s: %v", id, err)
	}
}

// IsPodman reports whether the machine's engine is Podman.
func IsPodman(t testing.TB) bool {
	t.Helper()
	podman, err := Client(t).IsPodman(t.Context())
	if err != nil {
		t.Fatalf("ask what the engine is: %v", err)
	}
	return podman
}
