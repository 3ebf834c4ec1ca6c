package repl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
)

// handle runs a block, or a command of the loop. The error ends the loop.
func (l *loop) handle(ctx context.Context, block string) error {
	if isCommand(block) {
		return l.command(ctx, strings.TrimSpace(block))
	}
	began := time.Now()
	err := l.exec(ctx, block)
	if l.timed {
		l.note("[%s]", roundTime(time.Since(began)))
	}
	return err
}

// exec runs the statements of a block until one fails, and shows the values of
// those that have one. The error ends the loop; a statement's is shown.
func (l *loop) exec(ctx context.Context, block string) error {
	for _, s := range statements(block) {
		if err := l.interruptible(ctx, func(ctx context.Context) error { return l.statement(ctx, s) }); err != nil {
			return l.failed(ctx, err)
		}
	}
	return nil
}

func (l *loop) statement(ctx context.Context, s statement) error {
	if !s.expr {
		before := l.session.Globals()
		err := l.session.ExecNamed(ctx, fileName, s.text)
		l.noteShadows(before)
		return err
	}
	v, err := l.session.EvalNamed(ctx, fileName, s.text)
	if err != nil || v == starlark.None {
		return err
	}
	if err := l.session.Set("_", v); err != nil {
		return err
	}
	return l.show(ctx, v)
}

// failed shows what went wrong, and gives the error when that ends the loop.
func (l *loop) failed(ctx context.Context, err error) error {
	var exit *runtime.ExitError
	if errors.As(err, &exit) {
		return exit
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, ErrInterrupt) {
		if !l.someoneThere() {
			return ErrInterrupt
		}
		if l.Terminal {
			fmt.Fprintln(l.Err) // it shows ^C
		}
		l.note("interrupted")
		return nil
	}
	l.showError(l.Runtime.FormatError(err))
	return nil
}

// interruptible runs fn under a context that an interrupt ends.
func (l *loop) interruptible(ctx context.Context, fn func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	select { // one that came while nothing ran is not about fn
	case <-l.Interrupts:
	default:
	}
	done, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-l.Interrupts:
			cancel(ErrInterrupt)
		case <-done:
		}
	}()
	err := fn(ctx)
	close(done)
	<-watched
	if err != nil && errors.Is(context.Cause(ctx), ErrInterrupt) {
		return fmt.Errorf("%w: %w", ErrInterrupt, err)
	}
	return err
}

// noteShadows tells of names of ours that a chunk has taken over.
func (l *loop) noteShadows(before starlark.StringDict) {
	var taken []string
	for name := range l.session.Globals() {
		if l.predeclared[name] && !before.Has(name) {
			taken = append(taken, name)
		}
	}
	slices.Sort(taken)
	for _, name := range taken {
		l.note("note: %s is a variable of yours now; :restore %s brings dscript's back", name, name)
	}
}

// show writes a value as it is shown at a prompt.
func (l *loop) show(ctx context.Context, v starlark.Value) error {
	text, err := l.display(ctx, v)
	if err != nil || text == "" {
		return err
	}
	if l.Terminal {
		text = sanitizeAll(text)
	}
	_, err = io.WriteString(l.Out, strings.TrimRight(text, "\n")+"\n")
	return err
}

func (l *loop) display(ctx context.Context, v starlark.Value) (string, error) {
	if d, ok := v.(runtime.Displayer); ok {
		return d.Display(l.Runtime.Config().Live), nil
	}
	if values := tabled(v); values != nil {
		header, rows, err := values[0].(runtime.Tabler).Table(ctx, values)
		if err != nil {
			return "", err
		}
		return table(header, rows, l.width()), nil
	}
	return v.String(), nil
}

// tabled gives the values that a table is drawn of: v itself, or those of a list
// or tuple that are all of one type.
func tabled(v starlark.Value) []starlark.Value {
	if _, ok := v.(runtime.Tabler); ok {
		return []starlark.Value{v}
	}
	seq, ok := v.(starlark.Indexable)
	if !ok || seq.Len() == 0 {
		return nil
	}
	switch v.(type) {
	case *starlark.List, starlark.Tuple:
	default:
		return nil
	}
	values := make([]starlark.Value, seq.Len())
	for i := range values {
		values[i] = seq.Index(i)
		if _, ok := values[i].(runtime.Tabler); !ok || values[i].Type() != values[0].Type() {
			return nil
		}
	}
	return values
}

const (
	red   = "\x1b[31m"
	plain = "\x1b[0m"
)

// showError writes an error's text, its first line in colour.
func (l *loop) showError(text string) {
	text = strings.TrimRight(text, "\n")
	if l.Terminal {
		text = sanitizeAll(text)
	}
	if l.Color {
		first, rest, _ := strings.Cut(text, "\n")
		text = strings.TrimRight(red+first+plain+"\n"+rest, "\n")
	}
	fmt.Fprintln(l.Err, text)
}

func roundTime(d time.Duration) time.Duration {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond)
	case d < time.Second:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(10 * time.Millisecond)
}
