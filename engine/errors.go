// Errors: what every operation of this package returns when it fails.

package engine

import (
	"errors"
	"strconv"
	"strings"
)

// A Kind says what went wrong in one word. It is the same on Docker and Podman,
// and the same in scripts, in Go and in exit codes.
type Kind string

// The kinds that an engine, or the way to it, can give.
const (
	KindNotFound        Kind = "not_found"         // no such container, image, exec, path
	KindConflict        Kind = "conflict"          // the name is taken, or the object is in the wrong state
	KindGone            Kind = "gone"              // it was there when the operation began, and was removed meanwhile
	KindInvalid         Kind = "invalid"           // the request makes no sense to the engine
	KindUnauthorized    Kind = "unauthorized"      // credentials are missing or wrong
	KindForbidden       Kind = "forbidden"         // the engine refuses, whoever asks
	KindUnavailable     Kind = "unavailable"       // no engine answers, or the connection was lost
	KindTooOld          Kind = "too_old"           // no API version that both sides speak
	KindUnsupported     Kind = "unsupported"       // this engine cannot do that
	KindTimeout         Kind = "timeout"           // a deadline passed
	KindCancelled       Kind = "cancelled"         // the context was cancelled
	KindTruncated       Kind = "truncated"         // an answer or a stream ended too early, or was corrupt
	KindLimit           Kind = "limit"             // more than the limit
	KindPullFailed      Kind = "pull_failed"       // the image could not be pulled
	KindBuildFailed     Kind = "build_failed"      // the image could not be built
	KindStartFailed     Kind = "start_failed"      // the process never started
	KindCommandNotFound Kind = "command_not_found" // the process never started: there is no such program
	KindDenied          Kind = "denied"            // the policy said no
	KindInternal        Kind = "internal"          // a bug, in the engine or here
)

// Sentinels for errors.Is, one per kind.
var (
	ErrNotFound        error = kindError(KindNotFound)
	ErrConflict        error = kindError(KindConflict)
	ErrGone            error = kindError(KindGone)
	ErrInvalid         error = kindError(KindInvalid)
	ErrUnauthorized    error = kindError(KindUnauthorized)
	ErrForbidden       error = kindError(KindForbidden)
	ErrUnavailable     error = kindError(KindUnavailable)
	ErrTooOld          error = kindError(KindTooOld)
	ErrUnsupported     error = kindError(KindUnsupported)
	ErrTimeout         error = kindError(KindTimeout)
	ErrCancelled       error = kindError(KindCancelled)
	ErrTruncated       error = kindError(KindTruncated)
	ErrLimit           error = kindError(KindLimit)
	ErrPullFailed      error = kindError(KindPullFailed)
	ErrBuildFailed     error = kindError(KindBuildFailed)
	ErrStartFailed     error = kindError(KindStartFailed)
	ErrCommandNotFound error = kindError(KindCommandNotFound)
	ErrDenied          error = kindError(KindDenied)
	ErrInternal        error = kindError(KindInternal)
)

// ErrStop, returned by IO.Each, ends an operation early and without an error.
var ErrStop = errors.New("stop")

// kindError is a sentinel: it equals every Error of its kind.
type kindError Kind

func (k kindError) Error() string { return strings.ReplaceAll(string(k), "_", " ") }

// An Error is what an operation on an engine returns when it fails.
type Error struct {
	Op      string // what was done: "exec", "create", "pull"
	Object  string // to what, as the caller named it; may be empty
	Kind    Kind
	Status  int    // HTTP status of the engine's answer; 0 where there was none
	Message string // in the engine's words, control characters escaped, at most 4 KiB
	Hint    string // what helps, where that is known
	Err     error  // the cause, where there is one
}

// Error gives all but the hint, in one line: `exec: container x is not running (conflict)`.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		b.WriteString(": ")
	}
	if e.Object != "" && !strings.Contains(e.Message, e.Object) {
		b.WriteString(strconv.Quote(e.Object))
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if kind := " (" + string(e.Kind) + ")"; !strings.HasSuffix(e.Message, kind) { // a cause may have said it
		b.WriteString(kind)
	}
	return b.String()
}

// ErrorKind, ErrorOp, ErrorMessage and ErrorHint are how the runtime finds what
// an error says without importing this package.
func (e *Error) ErrorKind() string { return string(e.Kind) }

// ErrorOp is the operation, see ErrorKind.
func (e *Error) ErrorOp() string { return e.Op }

// ErrorMessage is the message, see ErrorKind.
func (e *Error) ErrorMessage() string { return e.Message }

// ErrorHint is the hint, see ErrorKind.
func (e *Error) ErrorHint() string { return e.Hint }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is the sentinel of e's kind.
func (e *Error) Is(target error) bool {
	k, ok := target.(kindError)
	return ok && Kind(k) == e.Kind
}

// An ExecError is a failed exec or run with what it had put out until then.
type ExecError struct {
	Result ExecResult // ExitCode means nothing here
	Err    error      // an *Error
}

func (e *ExecError) Error() string { return e.Err.Error() }

// Unwrap gives the *Error.
func (e *ExecError) Unwrap() error { return e.Err }
