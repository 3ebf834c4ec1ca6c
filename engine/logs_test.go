package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
)

// entries reads a log, and gives what stands in it by stream.
func entries(t *testing.T, c *engine.Client, id string, o engine.LogsOptions, each func(engine.LogEntry)) [3]string {
	t.Helper()
	var texts [3]strings.Builder
	err := c.ReadLogs(t.Context(), id, o, func(e engine.LogEntry) error {
		if e.Restarted {
			texts[engine.Stdout].WriteString("|")
		}
		texts[e.Stream].Write(e.Data)
		if each != nil {
			each(e)
		}
		return nil
	})
	require.NoError(t, err)
	return [3]string{"", texts[engine.Stdout].String(), texts[engine.Stderr].String()}
}

func started(t *testing.T, c *engine.Client, spec engine.ContainerSpec) string {
	t.Helper()
	id := enginetest.Create(t, c, spec)
	require.NoError(t, c.StartContainer(t.Context(), id))
	return id
}

func TestLogsFollowToTheLastByte(t *testing.T) {
	c := enginetest.Client(t)
	for _, tty := range []bool{false, true} {
		t.Run(fmt.Sprintf("tty=%v", tty), func(t *testing.T) {
			t.Parallel()
			long := `head -c 40000 /dev/zero | tr '\0' x; echo; `
			id := started(t, c, engine.ContainerSpec{Config: container.Config{Tty: tty,
				Cmd: sh("echo begin; " + long + "for i in 1 2 3 4 5; do echo $i; sleep 0.1; done; printf 'a last line'")}})
			got := entries(t, c, id, engine.LogsOptions{Follow: true}, nil)
			want := "begin\n" + strings.Repeat("x", 40000) + "\n1\n2\n3\n4\n5\na last line"
			assert.Equal(t, want, strings.ReplaceAll(got[engine.Stdout], "\r", ""))
			assert.Empty(t, got[engine.Stderr])
		})
	}
}

func TestLogsFollowOverRestarts(t *testing.T) {
	c := enginetest.Client(t)
	id := started(t, c, engine.ContainerSpec{Config: container.Config{
		Cmd: sh("trap 'printf open; exit 0' TERM; echo out; echo err >&2; echo ready; while :; do sleep 0.1; done")}})
	runs := 0
	got := entries(t, c, id, engine.LogsOptions{Follow: true}, func(e engine.LogEntry) {
		if string(e.Data) != "ready\n" {
			return
		}
		runs++
		if runs < 3 {
			assert.NoError(t, c.RestartContainer(t.Context(), id, engine.StopOptions{}))
		} else {
			assert.NoError(t, c.StopContainer(t.Context(), id, engine.StopOptions{}))
		}
	})
	out := strings.ReplaceAll(got[engine.Stdout], "|", "")
	if enginetest.IsPodman(t) {
		// It does not say that a container was stopped: one that ends with 0 has ended.
		assert.True(t, strings.HasPrefix("out\nready\nopenout\nready\nopenout\nready\nopen", out), out)
		return
	}
	assert.Equal(t, "out\nready\nopen|out\nready\nopen|out\nready\nopen", got[engine.Stdout])
	assert.Equal(t, "err\nerr\nerr\n", strings.ReplaceAll(got[engine.Stderr], "|", ""))
}

func TestLogsFollowARestartPolicy(t *testing.T) {
	c := enginetest.Client(t)
	id := started(t, c, engine.ContainerSpec{
		Config: container.Config{Cmd: sh("echo run; echo err >&2; sleep 0.2; echo end; exit 3")},
		Host:   container.HostConfig{RestartPolicy: container.RestartPolicy{Name: "on-failure", MaximumRetryCount: 2}}})
	got := entries(t, c, id, engine.LogsOptions{Follow: true}, nil)
	assert.Equal(t, strings.Repeat("run\nend\n", 3), strings.ReplaceAll(got[engine.Stdout], "|", ""))
	assert.Equal(t, strings.Repeat("err\n", 3), strings.ReplaceAll(got[engine.Stderr], "|", ""))
}

func TestLogsTailAndUntil(t *testing.T) {
	c := enginetest.Client(t)
	id := started(t, c, engine.ContainerSpec{Config: container.Config{Cmd: sh("for i in 1 2 3 4 5; do echo $i; done; sleep 1; echo 6; sleep 60")}})
	first := make(chan struct{})
	go func() {
		defer close(first)
		_ = c.ReadLogs(t.Context(), id, engine.LogsOptions{Follow: true}, func(e engine.LogEntry) error {
			if string(e.Data) == "5\n" {
				return engine.ErrStop
			}
			return nil
		})
	}()
	<-first
	var seen []string
	err := c.ReadLogs(t.Context(), id, engine.LogsOptions{Follow: true, Tail: "2"}, func(e engine.LogEntry) error {
		seen = append(seen, string(e.Data))
		if string(e.Data) == "6\n" {
			return engine.ErrStop
		}
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, []string{"4\n", "5\n", "6\n"}, seen)
	until := time.Now().Add(2 * time.Second).Format(time.RFC3339Nano)
	got := entries(t, c, id, engine.LogsOptions{Follow: true, Until: until}, nil)
	assert.Equal(t, "1\n2\n3\n4\n5\n6\n", got[engine.Stdout])
}

func TestLogsOfARemovedContainer(t *testing.T) {
	c := enginetest.Client(t)
	id := started(t, c, engine.ContainerSpec{Config: container.Config{Cmd: sh("echo here; sleep 60")}})
	err := c.ReadLogs(t.Context(), id, engine.LogsOptions{Follow: true}, func(e engine.LogEntry) error {
		return c.RemoveContainer(t.Context(), id, engine.RemoveContainerOptions{Force: true})
	})
	require.ErrorIs(t, err, engine.ErrGone)
}

// What stands before the tail is not given when the following ends, whichever stream it is of.
func TestLogsTailOfTwoStreams(t *testing.T) {
	c := enginetest.Client(t)
	for _, test := range []struct {
		tail     string
		out, err string
		tty      bool
	}{
		{tail: "0", out: "", err: ""},
		{tail: "2", out: "2\n3\n", err: ""},
		{tail: "4", out: "1\n2\n3\n", err: "old\n"},
		{tail: "0", tty: true},
		{tail: "2", tty: true, out: "2\n3\n"},
	} {
		t.Run(fmt.Sprintf("%s tty=%v", test.tail, test.tty), func(t *testing.T) {
			t.Parallel()
			id := started(t, c, engine.ContainerSpec{Config: container.Config{Tty: test.tty, Cmd: sh(
				"echo older >&2; echo old >&2; sleep 0.2; for i in 1 2 3; do echo $i; done; touch /printed; while [ ! -e /end ]; do sleep 0.1; done")}})
			_, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh("until [ -e /printed ]; do sleep 0.05; done; sleep 0.2")})
			require.NoError(t, err)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh("sleep 0.5; touch /end")})
				assert.NoError(t, err)
			}()
			got := entries(t, c, id, engine.LogsOptions{Follow: true, Tail: test.tail}, nil)
			<-ended
			assert.Equal(t, test.out, strings.ReplaceAll(got[engine.Stdout], "\r", ""))
			assert.Equal(t, test.err, got[engine.Stderr])
		})
	}
}
