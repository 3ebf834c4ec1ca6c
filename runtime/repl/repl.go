// Package repl is the interactive loop: what a user types is run in a session,
// statement by statement, and values are shown.
//
// On a terminal it edits lines, keeps a history and completes names; elsewhere it
// reads lines. It knows the runtime, and nothing of any library: values say by
// runtime.Tabler and runtime.Displayer how they are shown.
package repl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dscript/dscript/runtime"
)

// Options say what a loop reads and shows, and how.
type Options struct {
	Runtime *runtime.Runtime // not nil

	In       io.Reader
	Out, Err io.Writer // values and help, errors and notes; what scripts print goes where the Runtime's Config says

	Terminal    bool   // edit lines: In and Out are a terminal, and both an *os.File
	Prompt      bool   // show prompts when Terminal is false, too
	HistoryFile string // of a Terminal; "": no history is kept
	Banner      string // shown first; "": nothing
	Color       bool

	// Interrupts ends what is being evaluated at each value received, and keeps
	// the session; a signal.Notify channel of os.Interrupt. nil: nothing does.
	// On a terminal Ctrl-C at the prompt does not need it.
	Interrupts <-chan os.Signal

	// Closing is called when the loop has ended and before what the session made
	// is removed; nil: nothing is.
	Closing func(*runtime.Session)
}

const (
	prompt       = "dscript> "
	continuation = "...      "

	leaveHint = "(Ctrl-D or :quit leaves)"
	fileName  = "<prompt>" // in the positions of errors
)

// Run reads, evaluates and shows until the input or ctx ends, or the user leaves.
// What the session made is removed then. The error is that of the removal, of
// exit(n) (a *runtime.ExitError), or the context's cause.
func Run(ctx context.Context, o Options) error {
	session := o.Runtime.NewSession(ctx)
	l := &loop{Options: o, session: session, predeclared: map[string]bool{}}
	for _, m := range o.Runtime.Declarations() {
		l.predeclared[m.MemberName()] = true
	}
	err := l.start(ctx)
	if err == nil {
		err = l.run(ctx)
		l.editor.Close()
	}
	if o.Closing != nil {
		o.Closing(session)
	}
	return errors.Join(err, session.Close())
}

type loop struct {
	Options
	session     *runtime.Session
	editor      lineEditor
	predeclared map[string]bool
	width       func() int // of the terminal; 0: no limit
	timed       bool       // say how long each evaluation took
}

// start makes the editor.
func (l *loop) start(ctx context.Context) error {
	l.width = func() int { return 0 }
	if l.Banner != "" {
		fmt.Fprintln(l.Out, l.Banner)
	}
	in, isFile := l.In.(*os.File)
	out, alsoFile := l.Out.(*os.File)
	if !l.Terminal || !isFile || !alsoFile || os.Getenv("TERM") == "dumb" {
		l.editor = newPlainEditor(ctx, l.In, l.Out, l.Prompt || l.Terminal, l.Interrupts)
		return nil
	}
	e, err := newReadlineEditor(ctx, in, out, history{l.HistoryFile}, l.complete)
	if err != nil {
		return err
	}
	l.editor, l.width = e, e.width
	return nil
}

func (l *loop) run(ctx context.Context) error {
	for ctx.Err() == nil {
		block, err := l.readBlock()
		switch {
		case errors.Is(err, ErrInterrupt):
			if !l.someoneThere() {
				return err
			}
			continue
		case err != nil && block == "":
			return context.Cause(ctx)
		case isBlank(block):
			continue
		}
		if !isPrivate(block) {
			l.editor.Remember(strings.TrimRight(block, "\n \t"))
		}
		if err := l.handle(ctx, block); err != nil {
			if errors.Is(err, errQuit) {
				return nil
			}
			return err
		}
	}
	return context.Cause(ctx)
}

// someoneThere reports whether a user sees the prompt, and can go on after an interrupt.
func (l *loop) someoneThere() bool { return l.Terminal || l.Prompt }

// readBlock reads lines until they are something to run. Ctrl-C throws away what
// has been read.
func (l *loop) readBlock() (string, error) {
	var lines []string
	for shown := prompt; ; shown = continuation {
		before := ""
		if len(lines) > 0 {
			before = strings.Join(lines, "\n") + "\n"
		}
		got, err := l.editor.ReadLine(shown, before)
		if errors.Is(err, ErrInterrupt) {
			if len(lines) == 0 && got.text == "" {
				l.note(leaveHint)
			}
			return "", err
		}
		if err != nil {
			return strings.Join(lines, "\n"), err
		}
		lines = append(lines, strings.Split(got.text, "\n")...)
		if !got.more && isComplete(lines, !got.pasted) {
			return strings.Join(lines, "\n") + "\n", nil
		}
	}
}

// note says something of the loop's own.
func (l *loop) note(format string, args ...any) {
	fmt.Fprintf(l.Err, format+"\n", args...)
}
