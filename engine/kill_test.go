package engine_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
)

// assertNoProcess asserts that nothing in the container has the command line,
// within a time that allows for a busy machine.
func assertNoProcess(t *testing.T, c *engine.Client, id, command string) {
	t.Helper()
	var processes string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		r, err := c.Exec(context.Background(), id, engine.ExecOptions{Cmd: []string{"ps", "-o", "stat,args"}})
		require.NoError(t, err)
		processes = ""
		for line := range strings.Lines(string(r.Stdout)) {
			if strings.Contains(line, command) && !strings.HasPrefix(line, "Z") {
				processes += line
			}
		}
		if processes == "" {
			return
		}
	}
	assert.Fail(t, "a process is left", processes)
}

// family is a command with a child in the background and one in a session of its own.
var family = sh(`sleep 1003 & setsid sleep 1003 & echo up; sleep 1003`)

// inside is a client that may not look for processes on this machine.
func inside(t *testing.T) *engine.Client {
	o := enginetest.Options(t)
	network, addr, _ := strings.Cut(o.Host, "://")
	o.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, addr)
	}
	return enginetest.Connect(t, o)
}

func TestExecTimeoutKillsTheFamily(t *testing.T) {
	for name, connect := range map[string]func(*testing.T) *engine.Client{
		"from outside": func(t *testing.T) *engine.Client { return enginetest.Client(t) },
		"from inside":  inside,
	} {
		t.Run(name, func(t *testing.T) {
			c := connect(t)
			id := enginetest.Container(t, c)
			start := time.Now()
			_, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: family, Timeout: time.Second})
			took := time.Since(start)
			require.ErrorIs(t, err, engine.ErrTimeout)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			assert.Less(t, took, 3*time.Second)
			assert.ErrorContains(t, err, "1s")
			assert.NotContains(t, err.Error(), "still runs")
			var partial *engine.ExecError
			require.ErrorAs(t, err, &partial)
			assert.Equal(t, "up\n", string(partial.Result.Stdout))
			assertNoProcess(t, c, id, "sleep 1003")
			r, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: []string{"true"}})
			require.NoError(t, err, "the container lives on")
			assert.Zero(t, r.ExitCode)
		})
	}
}

func TestExecCancelKillsTheFamily(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := c.Exec(ctx, id, engine.ExecOptions{Cmd: family, IO: engine.IO{
		Each: func(engine.Stdio, []byte) error { cancel(); return nil },
	}})
	require.ErrorIs(t, err, engine.ErrCancelled)
	require.ErrorIs(t, err, context.Canceled)
	assertNoProcess(t, c, id, "sleep 1003")
}

func TestExecOfAnotherUserIsKilledWithoutCapabilities(t *testing.T) {
	c := inside(t)
	id := enginetest.Create(t, c, engine.ContainerSpec{
		Config: container.Config{Cmd: []string{"sleep", "2000000"}},
		Host:   container.HostConfig{CapDrop: []string{"ALL"}},
	})
	require.NoError(t, c.StartContainer(t.Context(), id))
	_, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: family, User: "65534", Timeout: time.Second})
	require.ErrorIs(t, err, engine.ErrTimeout)
	require.NoError(t, c.Close(), "waits for the killing")
	assertNoProcess(t, c, id, "sleep 1003")
}

// Where there is no shell, a distant client can only say so.
func TestExecThatCannotBeKilledSaysSo(t *testing.T) {
	c := inside(t)
	id := enginetest.Container(t, c)
	r, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh("cp /bin/busybox /tmp/sleep && rm /bin/sh")})
	require.NoError(t, err)
	require.Zero(t, r.ExitCode)
	e, err := c.StartExec(t.Context(), id, engine.ExecOptions{Cmd: []string{"/tmp/sleep", "1004"}})
	require.NoError(t, err)
	defer e.Stream.Close()
	err = e.Kill(t.Context())
	require.ErrorIs(t, err, engine.ErrUnsupported)
	assert.ErrorContains(t, err, "still runs")

	here := enginetest.Client(t)
	_, err = here.Exec(t.Context(), id, engine.ExecOptions{Cmd: []string{"/tmp/sleep", "1005"}, Timeout: time.Second})
	require.ErrorIs(t, err, engine.ErrTimeout)
	if !strings.Contains(err.Error(), "still runs") { // as root on this machine it needs no shell
		assertNoProcess(t, here, id, "1005")
	}
}
