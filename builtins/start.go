package builtins

// This file starts a container whose process 1 is an init, and finds out that the
// program behind the init could not be run: the engine itself cannot say it.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// launch starts a container. A program that cannot be run is an error of kind
// command_not_found or start_failed, with an init as without one.
func launch(ctx context.Context, client *engine.Client, c *Container) error {
	if err := client.StartContainer(ctx, c.id); err != nil {
		return err
	}
	got, err := client.InspectContainer(ctx, c.id)
	if err != nil || !hasInit(got) || ended(got) && !notRun(got) {
		return err
	}
	if got.State.Running && runnable(ctx, client, got) {
		return nil
	}
	got, err = awaitInit(ctx, client, got)
	if err != nil || !notRun(got) {
		return err
	}
	kind := "start_failed"
	if got.State.ExitCode == 127 {
		kind = "command_not_found"
	}
	return &runtime.Error{Kind: kind, Message: fmt.Sprintf("%s: its init could not run %q%s", c.label(), got.Path, lastLog(ctx, client, c.id))}
}

func hasInit(c engine.Container) bool {
	return c.HostConfig != nil && c.HostConfig.Init != nil && *c.HostConfig.Init
}

func ended(c engine.Container) bool {
	return c.State.Status == container.StateExited || c.State.Status == container.StateDead
}

// notRun reports whether the container ended as inits end that could not run their
// program: tini with 127 or 126, catatonit likewise.
func notRun(c engine.Container) bool {
	return ended(c) && (c.State.ExitCode == 126 || c.State.ExitCode == 127)
}

// awaitInit gives an init whose program seems to be missing the time to fail.
func awaitInit(ctx context.Context, client *engine.Client, got engine.Container) (engine.Container, error) {
	const patience = 2 * time.Second
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for pause := 5 * time.Millisecond; !ended(got); pause = min(2*pause, 100*time.Millisecond) {
		select {
		case <-ctx.Done():
			return got, context.Cause(ctx)
		case <-limit.C:
			return got, nil // it runs: the program is where it could not be seen
		case <-time.After(pause):
		}
		var err error
		if got, err = client.InspectContainer(ctx, got.ID); err != nil {
			return got, err
		}
	}
	return got, nil
}

// runnable looks for the container's program in its files. What cannot be seen
// counts as runnable.
func runnable(ctx context.Context, client *engine.Client, c engine.Container) bool {
	for _, place := range programPlaces(c) {
		stat, err := client.StatPath(ctx, c.ID, place)
		switch {
		case errors.Is(err, engine.ErrNotFound):
			continue
		case err != nil, stat.Mode&fs.ModeSymlink != 0:
			return true
		case !stat.Mode.IsDir() && stat.Mode&0o111 != 0:
			return true
		}
	}
	return false
}

// programPlaces are the paths where the container's program may lie.
func programPlaces(c engine.Container) []string {
	if strings.Contains(c.Path, "/") {
		return []string{path.Join("/", c.Config.WorkingDir, c.Path), c.Path}
	}
	search := "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	for _, env := range c.Config.Env {
		if value, ok := strings.CutPrefix(env, "PATH="); ok {
			search = value
		}
	}
	var places []string
	for dir := range strings.SplitSeq(search, ":") {
		places = append(places, path.Join("/", dir, c.Path))
	}
	return places
}
