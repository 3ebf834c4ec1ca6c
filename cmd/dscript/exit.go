package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/repl"
)

// What the program's exit code says.
const (
	exitFailed  = 1   // the script failed
	exitUsage   = 2   // wrong flags, or a script that does not compile
	exitNone    = 69  // no engine (EX_UNAVAILABLE)
	exitDenied  = 77  // the policy or the host said no (EX_NOPERM)
	exitTimeout = 124 // as timeout(1)
	exitSignal  = 128 // plus the signal's number: 130 interrupted, 143 terminated
)

// usageError is about how the program was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// signalError is the cause with which a signal ends a context.
type signalError struct {
	name   string
	number int
}

func (e signalError) Error() string     { return e.name }
func (e signalError) ErrorKind() string { return "cancelled" }

// timeoutError is the cause with which --timeout ends a context.
type timeoutError struct{ after time.Duration }

func (e timeoutError) Error() string        { return "stopped after --timeout " + e.after.String() }
func (e timeoutError) ErrorKind() string    { return "timeout" }
func (e timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// scriptError is a script's, with how it is shown.
type scriptError struct {
	err  error
	text string
}

func (e scriptError) Error() string { return e.text }
func (e scriptError) Unwrap() error { return e.err }

// report says what went wrong, on stderr, and gives the exit code.
func report(o *options, err error) int {
	if err == nil {
		return 0
	}
	code := exitCode(err)
	var exit *runtime.ExitError
	var script scriptError
	var usage usageError
	switch {
	case errors.Is(err, outputGone):
	case errors.As(err, &script):
		if script.text != "" {
			fmt.Fprintln(o.err, o.paintError(script.text))
		}
	case errors.As(err, &exit):
	case errors.As(err, &usage):
		o.note("%s", err)
		fmt.Fprintln(o.err, "See dscript --help.")
	default:
		fmt.Fprintln(o.err, o.paintError("dscript: "+err.Error()))
		if hint := runtime.HintOf(err); hint != "" {
			fmt.Fprintln(o.err, o.paint(o.err, cyan, "hint: "+hint))
		}
	}
	return code
}

// paintError colours the lines that say what is wrong and what helps.
func (o *options) paintError(text string) string {
	if !o.colored(o.err) {
		return text
	}
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, l := range lines {
		switch {
		case i == 0:
			lines[i] = red + l + plain
		case strings.HasPrefix(strings.TrimSpace(l), "hint:"):
			lines[i] = cyan + l + plain
		}
	}
	return strings.Join(lines, "\n")
}

func exitCode(err error) int {
	var exit *runtime.ExitError
	var usage usageError
	var sig signalError
	var late timeoutError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.Code & 0xff
	case errors.As(err, &sig):
		return exitSignal + sig.number
	case errors.Is(err, repl.ErrInterrupt):
		return exitSignal + int(syscall.SIGINT)
	case errors.As(err, &usage), runtime.IsStatic(err):
		return exitUsage
	case errors.As(err, &late):
		return exitTimeout
	}
	switch runtime.KindOf(err) {
	case "unavailable", "too_old":
		return exitNone
	case "denied":
		return exitDenied
	case "timeout":
		return exitTimeout
	}
	return exitFailed
}

// endedBy gives err the cause with which the program ended ctx, where it did:
// the exit code is the signal's then, whatever the script made of it.
func endedBy(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	var sig signalError
	var late timeoutError
	if err == nil && errors.As(cause, &sig) { // it came while the script was cleaned up after
		return cause
	}
	if err == nil {
		return nil
	}
	if errors.As(cause, &sig) || errors.As(cause, &late) {
		return &endedError{cause, err}
	}
	return err
}

type endedError struct{ cause, err error }

func (e *endedError) Error() string   { return e.err.Error() }
func (e *endedError) Unwrap() []error { return []error{e.cause, e.err} }

// exitNow ends the program without cleaning up.
func exitNow(code int) { os.Exit(code) }
