package repl_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/runtime/repl"
)

// A user is someone at a prompt.
type user struct {
	t         *testing.T
	out       *buffer
	in        io.WriteCloser
	interrupt chan os.Signal
	seen      int // how much of out
	left      chan error
}

// startPrompt starts a loop that shows prompts.
func startPrompt(t *testing.T, ctx context.Context) *user {
	r, w := io.Pipe()
	u := &user{t: t, out: &buffer{}, in: w, interrupt: make(chan os.Signal, 1), left: make(chan error, 1)}
	o := repl.Options{Runtime: newRuntime(t, u.out), In: r, Out: u.out, Err: u.out, Prompt: true, Interrupts: u.interrupt}
	go func() { u.left <- repl.Run(ctx, o) }()
	t.Cleanup(func() { w.Close() })
	return u
}

func (u *user) types(text string) {
	u.t.Helper()
	_, err := io.WriteString(u.in, text)
	require.NoError(u.t, err)
}

// sees waits until text is shown after what was seen before, and gives all that came until its end.
func (u *user) sees(text string) string {
	u.t.Helper()
	var part string
	require.Eventually(u.t, func() bool {
		all := u.out.String()
		i := strings.Index(all[u.seen:], text)
		if i < 0 {
			return false
		}
		part = all[u.seen : u.seen+i+len(text)]
		u.seen += i + len(text)
		return true
	}, 20*time.Second, time.Millisecond, "waiting for %q; shown: %s", text, lateString(u.out.String))
	return part
}

type lateString func() string

func (s lateString) String() string { return s() }

func (u *user) leaves() error {
	u.t.Helper()
	select {
	case err := <-u.left:
		return err
	case <-time.After(20 * time.Second):
		u.t.Fatalf("the loop does not end; shown: %s", u.out)
		return nil
	}
}

func TestInterrupt(t *testing.T) {
	for name, code := range map[string]string{
		"a builtin that waits": "thing('x')\nwait()\n",
		"a pure loop":          "thing('x')\nif True:\n    print('waiting')\n    while True: pass\n\n",
	} {
		t.Run(name, func(t *testing.T) {
			u := startPrompt(t, t.Context())
			u.types(code)
			u.sees("waiting\n")
			u.interrupt <- os.Interrupt
			u.sees("interrupted\n")
			u.types("x = 41\nx + 1\n")
			u.sees("42\n")
			u.in.Close()
			assert.NoError(t, u.leaves())
			assert.Equal(t, "removed x\n", strings.TrimPrefix(u.sees("removed x\n"), "dscript> "))
		})
	}
}

func TestInterruptAtThePromptSaysHowToLeave(t *testing.T) {
	u := startPrompt(t, t.Context())
	u.sees("dscript> ")
	u.interrupt <- os.Interrupt
	u.sees("Ctrl-D or :quit leaves")
	u.types("def f():\n")
	u.sees("...")
	u.interrupt <- os.Interrupt
	u.sees("dscript> ")
	u.types("1 + 1\n:quit\n")
	u.sees("2\n")
	assert.NoError(t, u.leaves())
}

func TestInterruptOfPipedInputEndsIt(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	var out buffer
	interrupts := make(chan os.Signal, 1)
	left := make(chan error, 1)
	o := repl.Options{Runtime: newRuntime(t, &out), In: r, Out: &out, Err: &out, Interrupts: interrupts}
	go func() { left <- repl.Run(t.Context(), o) }()
	u := &user{t: t, out: &out, in: w, left: left}
	u.types("wait()\n")
	u.sees("waiting\n")
	interrupts <- os.Interrupt
	assert.ErrorIs(t, u.leaves(), repl.ErrInterrupt)
}

func TestTheEndOfTheContextEndsTheLoopAndCleansUp(t *testing.T) {
	cause := fmt.Errorf("terminated")
	for name, code := range map[string]string{"at the prompt": "thing('x')\nprint('waiting')\n", "in a call": "thing('x')\nwait()\n"} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			u := startPrompt(t, ctx)
			u.types(code)
			u.sees("waiting\n")
			cancel(cause)
			assert.ErrorIs(t, u.leaves(), cause)
			u.sees("removed x\n")
		})
	}
}
