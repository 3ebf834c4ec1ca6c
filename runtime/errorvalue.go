package runtime

// This file defines errors as scripts see them.

import (
	"errors"
	"sync"

	"go.starlark.net/starlark"
)

// An ErrorValue is an error that a script holds: what attempt caught.
// It is immutable, and Decode gives its error back.
type ErrorValue struct{ err error }

var _ starlark.HasAttrs = (*ErrorValue)(nil)

// NewErrorValue returns err as a value.
func NewErrorValue(err error) *ErrorValue { return &ErrorValue{err} }

// Err returns the error.
func (e *ErrorValue) Err() error { return e.err }

// errorDecl is made when it is first needed and never changes.
var errorDecl = sync.OnceValue(func() *TypeDecl {
	return Type[*ErrorValue](`
error

What went wrong, as attempt gives it. fail(err) raises it again.`,
		Attr("kind -> string\n\nThe kind: not_found, conflict, timeout, fail, invalid, …", func(_ *Call, e *ErrorValue) (any, error) {
			return KindOf(e.err), nil
		}),
		Attr("message -> string\n\nWhat went wrong, without operation and kind.", func(_ *Call, e *ErrorValue) (any, error) {
			return messageOf(e.err), nil
		}),
		Attr("hint -> string\n\nA remedy, or \"\".", func(_ *Call, e *ErrorValue) (any, error) {
			return HintOf(e.err), nil
		}),
		Attr("op -> string\n\nThe builtin that failed, or \"\".", func(_ *Call, e *ErrorValue) (any, error) {
			var with interface{ ErrorOp() string }
			if errors.As(e.err, &with) {
				return with.ErrorOp(), nil
			}
			return "", nil
		}),
		Attr("exit_code -> int or None\n\nThe exit code of a command that failed.", func(_ *Call, e *ErrorValue) (any, error) {
			return first(e.err, func(err *Error) any {
				if err.ExitCode == nil {
					return nil
				}
				return *err.ExitCode
			}), nil
		}),
		Attr("stdout -> string or None\n\nThe output of a command that failed.", func(_ *Call, e *ErrorValue) (any, error) {
			return first(e.err, func(err *Error) any { return orNil(err.Stdout) }), nil
		}),
		Attr("stderr -> string or None\n\nThe error output of a command that failed.", func(_ *Call, e *ErrorValue) (any, error) {
			return first(e.err, func(err *Error) any { return orNil(err.Stderr) }), nil
		}),
		Attr("trace -> string\n\nThe lines of the script that led to the error, outermost first.", func(_ *Call, e *ErrorValue) (any, error) {
			return traceOf(e.err), nil
		}),
	)
})

// ErrorType returns the declaration of error values.
func ErrorType() *TypeDecl { return errorDecl() }

// first returns what get finds in the outermost *Error of err's chain that has it.
func first(err error, get func(*Error) any) any {
	var e *Error
	for errors.As(err, &e) {
		if v := get(e); v != nil {
			return v
		}
		err = e.Err
	}
	return nil
}

func orNil(v starlark.Value) any {
	if v == nil {
		return nil
	}
	return v
}

// messageOf returns what went wrong without operation and kind.
func messageOf(err error) string {
	var with interface{ ErrorMessage() string }
	if errors.As(err, &with) {
		return with.ErrorMessage()
	}
	return err.Error()
}

// String returns the error's text.
func (e *ErrorValue) String() string { return e.err.Error() }

// Type returns "error".
func (e *ErrorValue) Type() string { return "error" }

// Freeze does nothing: error values are immutable.
func (e *ErrorValue) Freeze() {}

// Truth returns True.
func (e *ErrorValue) Truth() starlark.Bool { return true }

// Hash hashes the text.
func (e *ErrorValue) Hash() (uint32, error) { return starlark.String(e.err.Error()).Hash() }

// Attr returns kind, message, hint, op, exit_code, stdout, stderr or trace.
func (e *ErrorValue) Attr(name string) (starlark.Value, error) {
	return errorDecl().Attr(nil, e, name)
}

// AttrNames returns the names that Attr knows.
func (e *ErrorValue) AttrNames() []string { return errorDecl().AttrNames() }
