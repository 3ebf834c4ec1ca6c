package engine_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
)

// An engine of our own dies in the middle of everything: nothing that was under
// way is a success.
func TestTheEngineIsKilled(t *testing.T) {
	daemon, c := privateDocker(t)
	made, err := c.CreateContainer(t.Context(), engine.ContainerSpec{
		Config: container.Config{Image: enginetest.Image, Cmd: []string{"sleep", "2000000"}},
		Host:   container.HostConfig{NetworkMode: "none"},
	})
	require.NoError(t, err)
	id := made.ID
	require.NoError(t, c.StartContainer(t.Context(), id))
	endless, err := c.StartExec(t.Context(), id, engine.ExecOptions{Cmd: []string{"sleep", "2000000"}})
	require.NoError(t, err)
	defer endless.Stream.Close()

	waited := make(chan error, 1)
	go func() {
		_, err := c.WaitContainer(context.WithoutCancel(t.Context()), id, "")
		waited <- err
	}()
	first := true
	_, err = c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh("echo up; sleep 2000000"), IO: engine.IO{
		Each: func(engine.Stdio, []byte) error {
			if first {
				first = false
				return daemon.Kill()
			}
			return nil
		},
	}})
	require.Error(t, err)
	assert.Equal(t, engine.KindUnavailable, kindOf(err), err)
	var partial *engine.ExecError
	require.ErrorAs(t, err, &partial)
	assert.Equal(t, "up\n", string(partial.Result.Stdout))

	assert.ErrorIs(t, <-waited, engine.ErrUnavailable)
	_, err = c.Ping(t.Context())
	assert.ErrorIs(t, err, engine.ErrUnavailable)
}

// privateDocker starts a Docker engine in a network namespace of its own: one
// beside another in the same would take away its bridge.
func privateDocker(t *testing.T) (*os.Process, *engine.Client) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("starting an engine needs root")
	}
	for _, program := range []string{"dockerd", "unshare"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("there is no %s here", program)
		}
	}
	dir, err := os.MkdirTemp("", "engine")
	require.NoError(t, err)
	log, err := os.Create(filepath.Join(dir, "log"))
	require.NoError(t, err)
	socket := filepath.Join(dir, "s")
	cmd := exec.Command("unshare", "-n", "dockerd", "--host", "unix://"+socket, "--data-root", filepath.Join(dir, "data"),
		"--exec-root", filepath.Join(dir, "exec"), "--pidfile", filepath.Join(dir, "pid"),
		"--bridge", "none", "--iptables=false", "--ip6tables=false")
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	c := enginetest.Connect(t, engine.Options{Host: "unix://" + socket})
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // its containerd, too
		_ = cmd.Wait()
		killBelow(dir)
		_ = log.Close()
		_ = os.RemoveAll(dir)
	})
	deadline := time.Now().Add(time.Minute)
	for {
		_, err := c.Ping(t.Context())
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			text, _ := os.ReadFile(log.Name())
			t.Skipf("dockerd does not come up here: %v\n%s", err, text)
		}
		time.Sleep(50 * time.Millisecond) // there is no event to wait for
	}
	here := enginetest.Client(t)
	copyImage(t, here, c)
	return cmd.Process, c
}

// copyImage gives an engine the tests' image.
func copyImage(t *testing.T, from, to *engine.Client) {
	t.Helper()
	id := enginetest.Create(t, from, engine.ContainerSpec{Config: container.Config{Cmd: []string{"true"}}})
	files, _, err := from.CopyFrom(t.Context(), id, "/.")
	require.NoError(t, err)
	defer files.Close()
	_, err = to.ImportImage(t.Context(), files, engine.ImportOptions{Ref: enginetest.Image, Changes: []string{`CMD ["/bin/sh"]`}})
	require.NoError(t, err)
}

// killBelow kills what still runs for the engine with the directory: the shims of
// its containers name it in their command line, and the containers are their
// children. Then it unmounts what the engine mounted there.
func killBelow(dir string) {
	_ = exec.Command("sh", "-c", `for p in $(pgrep -f "$0/exec"); do [ $p = $$ ] || { pkill -9 -P $p; kill -9 $p; }; done
		for m in $(awk -v d="$0/" 'index($2, d) == 1 { print $2 }' /proc/self/mounts | sort -r); do umount -l $m; done`, dir).Run()
}
