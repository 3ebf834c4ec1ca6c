package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
)

func TestErrorValue(t *testing.T) {
	code := 3
	run := runtime.Func("run()", func(*runtime.Call, struct{}) error {
		return errors.Join(errors.New("about it"), &runtime.Error{
			Kind: "conflict", Op: "exec", Message: "exit code 3", Hint: "look at stderr",
			ExitCode: &code, Stdout: starlark.String("out"), Stderr: starlark.Bytes("err"),
		})
	})
	s := newSession(t, runtime.Config{}, run)
	require.NoError(t, s.Exec(context.Background(), `
e = attempt(run).error
assert.eq([e.kind, e.op, e.message, e.hint, e.exit_code, e.stdout, e.stderr], ["conflict", "exec", "exit code 3", "look at stderr", 3, "out", b"err"])
assert.eq(e.trace, "<exec>:2:12: in <toplevel>\n")
assert.eq(dir(e), ["exit_code", "hint", "kind", "message", "op", "stderr", "stdout", "trace"])
assert.eq({e: 1}[e], 1)
assert.true(e)
assert.eq(type(e), "error")
`))
	err, getErr := runtime.Get[error](s, "e")
	require.NoError(t, getErr)
	assert.ErrorContains(t, err, "about it")
}

func TestLive(t *testing.T) {
	for _, live := range []bool{false, true} {
		var stdout, stderr bytes.Buffer
		cfg := runtime.Config{Stdout: &stdout, Stderr: &stderr, Live: live, Stdin: bytes.NewBufferString("in")}
		err := inCall(t, cfg, func(c *runtime.Call) error {
			if !live {
				assert.Nil(t, c.Live(true))
				return nil
			}
			_, err := c.Live(false).Write([]byte("out"))
			_, err2 := c.Live(true).Write([]byte("err"))
			return errors.Join(err, err2)
		})
		require.NoError(t, err)
		if live {
			assert.Equal(t, "out err", stdout.String()+" "+stderr.String())
		}
	}
}

// TestModuleLoadedByTwo loads one module from two evaluations at once: it
// runs once, and the second waits for the first.
func TestModuleLoadedByTwo(t *testing.T) {
	loading, goOn := make(chan struct{}, 2), make(chan struct{})
	gate := runtime.Func("gate()", func(c *runtime.Call, _ struct{}) error {
		return c.Block(func(context.Context) error {
			loading <- struct{}{}
			<-goOn
			return nil
		})
	})
	files := map[string]string{"slow.star": "gate()\nprint('runs')\nx = [1]"}
	var out bytes.Buffer
	s := newSession(t, runtime.Config{Files: mapFS(files), Stdout: &out}, gate)
	done := make(chan error, 2)
	load := func() { done <- s.Exec(context.Background(), `load("./slow.star", "x")`) }
	go load()
	await(t, loading)
	go load()
	require.NoError(t, s.Exec(context.Background(), "y = 1"), "the lock is free while a module waits")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.Error(t, s.Exec(ctx, `load("./slow.star", "x")`))
	close(goOn)
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	assert.Equal(t, "runs\n", out.String())
}
