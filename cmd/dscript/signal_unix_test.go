//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
)

// A program is a dscript that runs.
type program struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  output // stdout and stderr
	done chan struct{}
}

type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start starts dscript: TestMain put it on PATH.
func start(t *testing.T, args ...string) *program {
	p := &program{t: t, cmd: exec.Command("dscript", args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	in, err := p.cmd.StdinPipe()
	require.NoError(t, err)
	p.in = in
	require.NoError(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	return p
}

func (p *program) sees(text string) {
	p.t.Helper()
	require.Eventually(p.t, func() bool { return strings.Contains(p.out.String(), text) },
		30*time.Second, 5*time.Millisecond, "waiting for %q", text)
}

// ends waits for the program's end and gives its exit code.
func (p *program) ends() int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(30 * time.Second):
		p.t.Fatalf("dscript does not end; it said: %s", p.out.String())
		return 0
	}
}

// scriptFile writes a script into a directory of its own.
func scriptFile(t *testing.T, text string) string {
	file := filepath.Join(t.TempDir(), "script.star")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	return file
}

// runs reports whether a process of a container has text in its command line.
func runs(c *engine.Client, id, text string) bool {
	r, err := c.Exec(context.Background(), id, engine.ExecOptions{Cmd: []string{"sh", "-c", "ps | grep '" + text + "' | grep -v grep"}})
	return err == nil && len(r.Stdout) > 0
}

// waitFor waits until a process of a container runs, or runs no longer.
func waitFor(t *testing.T, c *engine.Client, id, text string, runsThen bool) {
	t.Helper()
	require.Eventually(t, func() bool { return runs(c, id, text) == runsThen }, 30*time.Second, 50*time.Millisecond, "processes %s", text)
}

const hanging = `
c = container("busybox", ["sleep", "600"])
print("made", c.name)
kept = container.get(args[0])
exec(kept, "echo started >/started; sleep 12345 & sleep 54321")
`

// A signal stops the script where it is; the exec's process is gone, with its
// children, and so is what the script made.
func TestSignals(t *testing.T) {
	c := enginetest.Client(t)
	for sig, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143, syscall.SIGHUP: 129} {
		t.Run(sig.String(), func(t *testing.T) {
			id := enginetest.Container(t, c)
			p := start(t, scriptFile(t, hanging), id)
			waitFor(t, c, id, "[s]leep 54321", true)
			require.NoError(t, p.cmd.Process.Signal(sig))
			assert.Equal(t, code, p.ends())
			assert.Contains(t, p.out.String(), "cleaning up")
			name := strings.Fields(strings.SplitAfter(p.out.String(), "made ")[1])[0]
			assert.Contains(t, p.out.String(), "removing container "+name)
			_, err := c.InspectContainer(t.Context(), name)
			assert.ErrorIs(t, err, engine.ErrNotFound)
			waitFor(t, c, id, "[s]leep [15]", false)
		})
	}
}

func TestTimeoutKillsTheExec(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	p := start(t, "--timeout", "4s", scriptFile(t, hanging), id)
	assert.Equal(t, 124, p.ends())
	waitFor(t, c, id, "[s]leep [15]", false)
}

func TestInterruptDuringCleanup(t *testing.T) {
	p := start(t, "-c", "defer(print, 'cleaned up'); defer(sleep, 1); defer(print, 'cleaning')")
	p.sees("cleaning\n")
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	assert.Equal(t, 130, p.ends())
	assert.Contains(t, p.out.String(), "cleaned up\n")
}

func TestSecondInterruptEndsAtOnce(t *testing.T) {
	p := start(t, "-c", `
defer(sleep, 600)
print("ready")
sleep(600)
`)
	p.sees("ready")
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	p.sees("cleaning up")
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	assert.Equal(t, 130, p.ends())
}

// At the prompt an interrupt stops what runs, and the session goes on.
func TestInterruptAtThePrompt(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	p := start(t, "repl", "--prompt")
	p.types("exec(container.get(%q), 'sleep 54321')\n", id)
	waitFor(t, c, id, "[s]leep 54321", true)
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	p.sees("interrupted\n")
	p.types("while True: print('loops') or sleep(0.01)\n\n")
	p.sees("loops")
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	p.types("40 + 2\n")
	p.sees("42\n")
	waitFor(t, c, id, "[s]leep 54321", false)
	require.NoError(t, p.in.Close())
	assert.Equal(t, 0, p.ends())
}

// dscript FILE | head: the script ends, and what it made is gone.
func TestNobodyReadsTheOutput(t *testing.T) {
	c := enginetest.Client(t)
	for name, args := range map[string][]string{"script": {"-"}, "prompt": {"repl"}} {
		t.Run(name, func(t *testing.T) {
			script := "print(container('busybox', ['sleep', '600']).name)\nwhile True: print('more')\n\n"
			cmd := exec.Command("dscript", args...)
			cmd.Stdin = strings.NewReader(script)
			var errs output
			cmd.Stderr = &errs
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			made, err := bufio.NewReader(out).ReadString('\n')
			assert.NoError(t, err)
			require.NoError(t, out.Close())
			var exit *exec.ExitError
			require.ErrorAs(t, cmd.Wait(), &exit)
			assert.Equal(t, 128+int(syscall.SIGPIPE), exit.ExitCode())
			assert.NotContains(t, errs.String(), "error")
			_, err = c.InspectContainer(t.Context(), strings.TrimSpace(made))
			assert.ErrorIs(t, err, engine.ErrNotFound)
		})
	}
}

func TestInterruptOfPipedInput(t *testing.T) {
	p := start(t, "repl")
	p.types("print('ready'); sleep(600)\n")
	p.sees("ready")
	require.NoError(t, p.cmd.Process.Signal(os.Interrupt))
	assert.Equal(t, 130, p.ends())
}

func TestTerminatedAtThePrompt(t *testing.T) {
	p := start(t, "repl", "--prompt")
	p.types("defer(print, 'cleaned up'); print('ready')\n")
	p.sees("ready\n")
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	assert.Equal(t, 143, p.ends())
	assert.Contains(t, p.out.String(), "cleaned up\n")
}

func (p *program) types(format string, args ...any) {
	p.t.Helper()
	_, err := fmt.Fprintf(p.in, format, args...)
	require.NoError(p.t, err)
}
