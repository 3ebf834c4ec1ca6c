package engine_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
)

// sh is a command line for a shell in the container.
func sh(script string, args ...string) []string {
	return append([]string{"sh", "-c", script, "sh"}, args...)
}

func TestExecBytesAreExact(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	for _, test := range []struct{ name, script, stdout, stderr string }{
		{"nothing", "true", "", ""},
		{"both streams", `printf out; printf err >&2`, "out", "err"},
		{"NUL", `printf 'a\000b\000'`, "a\x00b\x00", ""},
		{"invalid UTF-8", `printf '\377\376\200'; printf '\303' >&2`, "\xff\xfe\x80", "\xc3"},
		{"like frames", `printf '\001\000\000\000\000\000\000\004abcd'`, "\x01\x00\x00\x00\x00\x00\x00\x04abcd", ""},
		{"no newline, then newlines", `printf 'a\r\n\n\n'`, "a\r\n\n\n", ""},
		{"like an engine's error", `printf 'OCI runtime exec failed: no'; printf 'Error: no' >&2`, "OCI runtime exec failed: no", "Error: no"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh(test.script)})
			require.NoError(t, err)
			assert.Equal(t, test.stdout, string(r.Stdout))
			assert.Equal(t, test.stderr, string(r.Stderr))
			assert.Len(t, r.Output, len(test.stdout)+len(test.stderr))
			assert.Zero(t, r.ExitCode)
			assert.False(t, r.Truncated)
			assert.Positive(t, r.Duration)
		})
	}
}

func TestExecExitCodes(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	for script, code := range map[string]int{
		"exit 0": 0, "exit 7": 7, "exit 300": 44, "kill -9 $$": 137, "kill -15 $$": 143,
		"exit 125": 125, "exit 126": 126, "echo 'Error: x' >&2; exit 127": 127, "nosuch": 127,
	} {
		t.Run(script, func(t *testing.T) {
			r, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh(script)})
			require.NoError(t, err)
			assert.Equal(t, code, r.ExitCode)
		})
	}
}

func TestExecOptions(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	r, err := c.Exec(t.Context(), id, engine.ExecOptions{
		Cmd: sh(`echo "$A $(pwd) $(id -u)"`), Env: []string{"A=b c"}, Workdir: "/tmp", User: "65534",
	})
	require.NoError(t, err)
	assert.Equal(t, "b c /tmp 65534\n", string(r.Stdout))

	r, err = c.Exec(t.Context(), id, engine.ExecOptions{
		Cmd: sh(`echo $A; pwd`), Env: []string{"A=lost"}, Raw: map[string]any{"env": []string{"A=raw"}, "workingdir": "/etc"},
	})
	require.NoError(t, err)
	assert.Equal(t, "raw\n/etc\n", string(r.Stdout), "raw parameters come last, in any letter case")
}

func TestExecTTY(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	r, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh(`echo out; echo err >&2; exit 3`), TTY: true})
	require.NoError(t, err)
	assert.Equal(t, "out\r\nerr\r\n", string(r.Stdout))
	assert.Empty(t, r.Stderr)
	assert.Equal(t, 3, r.ExitCode)

	r, err = c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh(`sleep 0.3; stty size`), TTY: true, Width: 77, Height: 33})
	require.NoError(t, err)
	assert.Equal(t, "33 77\r\n", string(r.Stdout))
}

func TestExecOutputLimit(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	r, err := c.Exec(t.Context(), id, engine.ExecOptions{
		Cmd: sh(`head -c 100000 /dev/zero; printf err >&2; exit 5`), IO: engine.IO{Limit: 1000},
	})
	require.NoError(t, err)
	assert.True(t, r.Truncated)
	assert.Len(t, r.Stdout, 1000)
	assert.Equal(t, "err", string(r.Stderr))
	assert.Equal(t, 5, r.ExitCode, "the command runs to its end")

	r, err = c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh(`head -c 1000 /dev/zero`), IO: engine.IO{Limit: 1000}})
	require.NoError(t, err)
	assert.False(t, r.Truncated)
}

func TestExecStdinWhole(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	const size = 64 << 20
	source := io.LimitReader(rand.NewChaCha8([32]byte{1}), size)
	sum := sha256.New()
	r, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: []string{"sha256sum"}, IO: engine.IO{Stdin: io.TeeReader(source, sum)}})
	require.NoError(t, err)
	assert.Equal(t, fmt.Sprintf("%x  -\n", sum.Sum(nil)), string(r.Stdout))
}

func TestExecStdinBothWaysAtOnce(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	data := bytes.Repeat([]byte("0123456789abcdef"), 1<<19)
	r, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: []string{"cat"}, IO: engine.IO{Stdin: bytes.NewReader(data)}})
	require.NoError(t, err)
	assert.True(t, bytes.Equal(data, r.Stdout))
}

func TestExecThatDoesNotReadStdin(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	endless := rand.NewChaCha8([32]byte{})
	r, err := c.Exec(ctx, id, engine.ExecOptions{Cmd: sh("exit 4"), IO: engine.IO{Stdin: endless}})
	require.NoError(t, err)
	assert.Equal(t, 4, r.ExitCode)

	silent, writer := io.Pipe()
	defer writer.Close()
	r, err = c.Exec(ctx, id, engine.ExecOptions{Cmd: sh("exit 4"), IO: engine.IO{Stdin: silent}})
	require.NoError(t, err)
	assert.Equal(t, 4, r.ExitCode)
}

func TestExecStdinFails(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	broken := errors.New("the disk is on fire")
	in := io.MultiReader(strings.NewReader("abc"), failingReader{broken})
	_, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: []string{"cat"}, IO: engine.IO{Stdin: in}})
	assert.ErrorIs(t, err, broken)
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

func TestExecWriters(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	var out, err1, both bytes.Buffer
	r, err := c.Exec(t.Context(), id, engine.ExecOptions{
		Cmd: sh(`echo a; echo b >&2; sleep 0.05; echo c`),
		IO:  engine.IO{Stdout: &out, Stderr: &err1, Output: &both},
	})
	require.NoError(t, err)
	assert.Equal(t, "a\nc\n", out.String())
	assert.Equal(t, "b\n", err1.String())
	assert.Equal(t, 6, both.Len())
	assert.Empty(t, r.Stdout)

	full := errors.New("no space left")
	_, err = c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh(`echo a; sleep 1000`), IO: engine.IO{Stdout: failingWriter{full}}})
	assert.ErrorIs(t, err, full)
	assertNoProcess(t, c, id, "sleep 1000")
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestExecEach(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	var seen strings.Builder
	r, err := c.Exec(t.Context(), id, engine.ExecOptions{
		Cmd: sh(`for i in 1 2 3; do echo $i; done; sleep 1001`),
		IO: engine.IO{Each: func(s engine.Stdio, p []byte) error {
			seen.Write(p)
			if strings.Contains(seen.String(), "3\n") {
				return engine.ErrStop
			}
			return nil
		}},
	})
	require.NoError(t, err)
	assert.Equal(t, "1\n2\n3\n", seen.String())
	assert.Equal(t, "1\n2\n3\n", string(r.Stdout))
	assert.True(t, r.Stopped)
	assert.Equal(t, 137, r.ExitCode)
	assertNoProcess(t, c, id, "sleep 1001")

	// Docker notes 126 for a command that still had output to send.
	r, err = c.Exec(t.Context(), id, engine.ExecOptions{Cmd: []string{"yes", "1002"}, IO: engine.IO{
		Each: func(engine.Stdio, []byte) error { return engine.ErrStop },
	}})
	require.NoError(t, err)
	assert.True(t, r.Stopped)
	assert.Equal(t, 137, r.ExitCode)
	assertNoProcess(t, c, id, "yes 1002")
}

// A consumer that is slow to take output must not make the engine give up on it.
func TestExecSlowConsumerLosesNothing(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	const size = 8 << 20
	n, first := 0, true
	_, err := c.Exec(t.Context(), id, engine.ExecOptions{
		Cmd: sh(fmt.Sprintf("head -c %d /dev/zero", size)),
		IO: engine.IO{Limit: 1, Each: func(_ engine.Stdio, p []byte) error {
			if first {
				first = false
				time.Sleep(4 * time.Second) // it is the slowness itself that is tested
			}
			n += len(p)
			return nil
		}},
	})
	require.NoError(t, err)
	assert.Equal(t, size, n)
}

func TestExec200AtOnce(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			script := fmt.Sprintf("printf out%d; printf err%d >&2; exit %d", i, i, i%120)
			r, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh(script)})
			if assert.NoError(t, err) {
				assert.Equal(t, fmt.Sprint("out", i), string(r.Stdout))
				assert.Equal(t, fmt.Sprint("err", i), string(r.Stderr))
				assert.Equal(t, i%120, r.ExitCode)
			}
		})
	}
	all.Wait()
}

// The engine's words about a command that never started are the error, and are
// nowhere in the output.
func TestExecThatNeverStarts(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	for _, test := range []struct {
		name string
		o    engine.ExecOptions
		kind engine.Kind
		text string
	}{
		{"no such program", engine.ExecOptions{Cmd: []string{"nosuch"}}, engine.KindCommandNotFound, "nosuch"},
		{"no such path", engine.ExecOptions{Cmd: []string{"/nope/x"}}, engine.KindCommandNotFound, "/nope/x"},
		{"empty name", engine.ExecOptions{Cmd: []string{""}}, engine.KindCommandNotFound, "executable file not found"},
		{"not executable", engine.ExecOptions{Cmd: []string{"/etc/passwd"}}, engine.KindStartFailed, "permission denied"},
		{"a directory", engine.ExecOptions{Cmd: []string{"/etc"}}, engine.KindStartFailed, "/etc"},
		{"no such user", engine.ExecOptions{Cmd: []string{"true"}, User: "nobodyx"}, engine.KindStartFailed, "unable to find user nobodyx"},
		{"no such group", engine.ExecOptions{Cmd: []string{"true"}, User: "root:nogroupx"}, engine.KindStartFailed, "unable to find group nogroupx"},
		{"no such directory", engine.ExecOptions{Cmd: []string{"true"}, Workdir: "/nope"}, engine.KindStartFailed, "/nope"},
		{"relative directory", engine.ExecOptions{Cmd: []string{"true"}, Workdir: "rel"}, engine.KindStartFailed, "absolute"},
		{"malformed variable", engine.ExecOptions{Cmd: []string{"true"}, Env: []string{"=z"}}, engine.KindStartFailed, "environment variable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			for _, streams := range []engine.IO{{}, {Stdout: &out, Stderr: &out}} {
				test.o.IO = streams
				r, err := c.Exec(t.Context(), id, test.o)
				var failed *engine.Error
				require.ErrorAs(t, err, &failed)
				assert.Equal(t, test.kind, failed.Kind, failed.Message)
				assert.Contains(t, failed.Message, test.text)
				assert.NotContains(t, failed.Message, "connection reset by peer")
				assert.Empty(t, r.Stdout)
				assert.Empty(t, r.Stderr)
				assert.Empty(t, out.String())
			}
		})
	}
}

func TestExecOnWrongContainers(t *testing.T) {
	c := enginetest.Client(t)
	_, err := c.Exec(t.Context(), "nosuchcontainer", engine.ExecOptions{Cmd: []string{"true"}})
	require.ErrorIs(t, err, engine.ErrNotFound)
	assert.ErrorContains(t, err, "exec: ")

	_, err = c.Exec(t.Context(), "../images", engine.ExecOptions{Cmd: []string{"true"}})
	assert.ErrorIs(t, err, engine.ErrInvalid)

	id := enginetest.Container(t, c)
	_, err = c.Exec(t.Context(), id, engine.ExecOptions{})
	assert.ErrorIs(t, err, engine.ErrInvalid)

	require.NoError(t, c.KillContainer(t.Context(), id, ""))
	_, err = c.WaitContainer(t.Context(), id, "")
	require.NoError(t, err)
	_, err = c.Exec(t.Context(), id, engine.ExecOptions{Cmd: []string{"true"}})
	assert.ErrorIs(t, err, engine.ErrConflict)
	assert.ErrorContains(t, err, "running")

	require.NoError(t, c.RemoveContainer(t.Context(), id, engine.RemoveContainerOptions{}))
	_, err = c.Exec(t.Context(), id, engine.ExecOptions{Cmd: []string{"true"}})
	assert.ErrorIs(t, err, engine.ErrNotFound)
}

func TestExecWhenTheContainerIsKilled(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	r, err := c.Exec(t.Context(), id, engine.ExecOptions{
		Cmd: sh("echo up; sleep 1002"),
		IO:  engine.IO{Each: func(engine.Stdio, []byte) error { return c.KillContainer(t.Context(), id, "") }},
	})
	require.NoError(t, err)
	assert.Equal(t, 137, r.ExitCode)

	id = enginetest.Container(t, c)
	_, err = c.Exec(t.Context(), id, engine.ExecOptions{
		Cmd: sh("echo up; sleep 1002"),
		IO: engine.IO{Each: func(engine.Stdio, []byte) error {
			return c.RemoveContainer(t.Context(), id, engine.RemoveContainerOptions{Force: true})
		}},
	})
	assert.ErrorIs(t, err, engine.ErrGone)
	var partial *engine.ExecError
	require.ErrorAs(t, err, &partial)
	assert.Equal(t, "up\n", string(partial.Result.Stdout))
}

func TestStartExecIsADialogue(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	e, err := c.StartExec(t.Context(), id, engine.ExecOptions{Cmd: sh(`while read x; do echo "got $x"; done; exit 9`)})
	require.NoError(t, err)
	defer e.Stream.Close()
	for _, word := range []string{"one", "two"} {
		_, err = io.WriteString(e.Stream, word+"\n")
		require.NoError(t, err)
		f, err := e.Stream.Next()
		require.NoError(t, err)
		assert.Equal(t, "got "+word+"\n", string(f.Data))
	}
	require.NoError(t, e.Stream.CloseWrite())
	_, err = e.Stream.Next()
	require.Equal(t, io.EOF, err)
	code, err := e.Wait(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 9, code)
}
