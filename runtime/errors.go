package runtime

// This file defines what an error of a script is: a kind, what was done,
// what went wrong and what helps.

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// The kinds that runtime itself gives. Libraries may give others.
const (
	KindInvalid   = "invalid"   // a wrong call, a syntax error, an undefined name
	KindFail      = "fail"      // fail(), a failed assertion, an error of Starlark itself
	KindInternal  = "internal"  // a panic in Go code
	KindDenied    = "denied"    // the host does not allow it
	KindLimit     = "limit"     // a budget of the session is used up
	KindTimeout   = "timeout"   // a deadline passed
	KindCancelled = "cancelled" // stopped from outside
	KindNotFound  = "not_found" // no such file, module or name
	KindForbidden = "forbidden" // the operating system does not allow it
	KindExit      = "exit"      // exit()
)

// An Error is an error with a kind. Its text is
//
//	op: message (kind)
//
// where the kind is left out when it is fail or invalid.
// Other packages may have error types of their own with the same methods:
// runtime looks at the methods, not at the type.
type Error struct {
	Kind    string
	Op      string // what the script did: the builtin's name as written; "" when unknown
	Message string // "": that of Err
	Hint    string // a remedy, where one is known

	ExitCode       *int           // of the command that failed, else nil
	Stdout, Stderr starlark.Value // its output, else nil

	Err error // the cause, or nil
}

// Errorf returns an error of the given kind; %w in the format keeps the cause.
func Errorf(kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Message: err.Error(), Err: errors.Unwrap(err)}
}

// Error returns the text of the error.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		b.WriteString(": ")
	}
	b.WriteString(e.ErrorMessage())
	return withKind(b.String(), e.Kind)
}

// withKind adds the kind to the first line of a text, before a colon at its end:
// what follows is output, and not ours.
func withKind(text, kind string) string {
	suffix := " (" + kind + ")"
	if !saysMuch(kind) || strings.HasSuffix(text, suffix) {
		return text
	}
	line, rest, more := strings.Cut(text, "\n")
	if !more {
		return text + suffix
	}
	line, colon := strings.CutSuffix(line, ":")
	if !strings.HasSuffix(line, suffix) {
		line += suffix
	}
	if colon {
		line += ":"
	}
	return line + "\n" + rest
}

// ErrorKind returns the kind.
func (e *Error) ErrorKind() string { return e.Kind }

// ErrorOp returns what the script did.
func (e *Error) ErrorOp() string { return e.Op }

// ErrorMessage returns what went wrong, without operation, kind and hint.
func (e *Error) ErrorMessage() string {
	if e.Message == "" && e.Err != nil {
		return e.Err.Error()
	}
	return e.Message
}

// ErrorHint returns the remedy, or "".
func (e *Error) ErrorHint() string { return e.Hint }

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.Err }

// An ExitError says that the script called exit. It ends the session, never
// the program; no attempt catches it. Its kind is exit.
type ExitError struct{ Code int }

// Error returns "exit(code)".
func (e *ExitError) Error() string { return fmt.Sprintf("exit(%d)", e.Code) }

// ErrorKind returns "exit".
func (e *ExitError) ErrorKind() string { return KindExit }

// A StaticError lists what is wrong with a source text before any of it runs:
// syntax errors and undefined names. Its kind is invalid.
type StaticError struct {
	Problems []Problem // not empty, in the order of the text
}

// A Problem is one thing that is wrong with a source text.
type Problem struct {
	Pos     syntax.Position
	Message string // may end in "(did you mean …?)"
}

// Error returns the first problem, and how many more there are.
func (e *StaticError) Error() string {
	first := e.Problems[0]
	text := first.Pos.String() + ": " + first.Message
	if n := len(e.Problems) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return text
}

// ErrorKind returns "invalid".
func (e *StaticError) ErrorKind() string { return KindInvalid }

// ErrorMessage returns the first problem without its position.
func (e *StaticError) ErrorMessage() string { return e.Problems[0].Message }

// IsStatic reports whether err is about a source text that could not be
// compiled, the main file's or that of a module it loads.
func IsStatic(err error) bool {
	var static *StaticError
	var parse syntax.Error
	var names resolve.ErrorList
	return errors.As(err, &static) || errors.As(err, &parse) || errors.As(err, &names)
}

// KindOf returns the kind of the first error in err's tree that has one.
// A context's error is of kind timeout or cancelled; an error of Starlark
// itself is of kind fail; "" means that nothing is known about err.
func KindOf(err error) string {
	if err == nil {
		return ""
	}
	var kinded interface{ ErrorKind() string }
	if errors.As(err, &kinded) {
		return kinded.ErrorKind()
	}
	switch {
	case IsStatic(err):
		return KindInvalid
	case errors.Is(err, context.DeadlineExceeded):
		return KindTimeout
	case errors.Is(err, context.Canceled):
		return KindCancelled
	}
	var eval *starlark.EvalError
	if errors.As(err, &eval) {
		return KindFail
	}
	return ""
}

// HintOf returns the first hint in err's tree, or "".
func HintOf(err error) string {
	var hinted interface{ ErrorHint() string }
	if errors.As(err, &hinted) {
		return hinted.ErrorHint()
	}
	return ""
}

// failures is a script's error and those of the cleanup after it.
type failures []error

func (f failures) Error() string {
	texts := make([]string, len(f))
	for i, err := range f {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "\n")
}

func (f failures) Unwrap() []error { return f }

// joined returns the errors that are not nil as one, or nil.
func joined(errs ...error) error {
	var all failures
	for _, err := range errs {
		switch err := err.(type) {
		case nil:
		case failures:
			all = append(all, err...)
		default:
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}
