package runtime

// This file defines how script code runs: one function of a session at a
// time, each evaluation on a thread of its own, interrupted by its context.

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// A strand is one line of execution of a session: an evaluation, or a branch
// of parallel. Its fields are used by whoever holds the session's lock.
type strand struct {
	s       *Session
	thread  *starlark.Thread
	ctx     context.Context
	scope   *Scope
	origin  syntax.Position // the line that began it, for calls that no script code made
	loading []string        // the modules being loaded, outermost first
	cleanup bool            // it has a budget of steps of its own
	limit   uint64          // steps given to the thread so far
	nested  int             // how many Branches are around it
	spent   bool            // all that a cleanup may have
	broken  error           // why print, which cannot fail, has stopped the thread
}

const strandKey = "dscript.strand"

type strandContextKey struct{}

// A strandContext is a strand's context: it knows its strand, and its
// deadline at once. (Contexts without one of their own look for it through
// all those around: nested deadlines would cost the square of their number.)
type strandContext struct {
	context.Context
	st       *strand
	deadline time.Time
	limited  bool
}

func (st *strand) newContext(ctx context.Context) context.Context {
	deadline, limited := ctx.Deadline()
	return &strandContext{ctx, st, deadline, limited}
}

func (c *strandContext) Deadline() (time.Time, bool) { return c.deadline, c.limited }

func (c *strandContext) Value(key any) any {
	if key == (strandContextKey{}) {
		return c.st
	}
	return c.Context.Value(key)
}

// newStrand makes a strand that ends with ctx.
func (s *Session) newStrand(ctx context.Context, scope *Scope) *strand {
	st := &strand{s: s, scope: scope}
	st.ctx = st.newContext(ctx)
	st.thread = &starlark.Thread{
		Name:       "dscript",
		Print:      st.print,
		Load:       st.load,
		OnMaxSteps: st.moreSteps,
	}
	st.thread.SetLocal(strandKey, st)
	st.thread.SetLocal("context", st.ctx) // for builtins made for Starlark's own REPL
	return st
}

// strandOf returns the strand that thread belongs to, or nil.
func strandOf(thread *starlark.Thread) *strand {
	st, _ := thread.Local(strandKey).(*strand)
	return st
}

// acquire takes the session's lock for st, unless ctx ends before.
func (st *strand) acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	select {
	case st.s.lock <- struct{}{}:
		st.s.current.Store(st)
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// reacquire takes the lock whatever happens: a thread has to hold it to unwind.
func (st *strand) reacquire() {
	st.s.lock <- struct{}{}
	st.s.current.Store(st)
}

// release gives up the lock.
func (st *strand) release() {
	st.s.current.Store(nil)
	<-st.s.lock
}

// watch interrupts the thread when ctx ends. The function it returns ends the
// watch; after it no interruption comes any more.
func (st *strand) watch(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	stopped := context.AfterFunc(ctx, func() {
		st.thread.Cancel(context.Cause(ctx).Error())
		close(done)
	})
	return func() {
		if !stopped() {
			<-done
		}
	}
}

// evaluate runs fn as a fresh evaluation of the session, with its lock.
func (s *Session) evaluate(ctx context.Context, scope *Scope, fn func(*strand) (starlark.Value, error)) (starlark.Value, error) {
	if outer, _ := ctx.Value(strandContextKey{}).(*strand); outer != nil && outer == s.current.Load() {
		return nil, Errorf(KindInternal, "a session is used from inside one of its own calls: use Call.Callback")
	}
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.running.Done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	unbind := context.AfterFunc(s.ctx, func() { cancel(context.Cause(s.ctx)) })
	defer unbind()
	v, err := s.newStrand(ctx, scope).run(fn)
	s.noteExit(err)
	return v, err
}

// run runs fn on the strand with the session's lock.
func (st *strand) run(fn func(*strand) (starlark.Value, error)) (v starlark.Value, err error) {
	if err := st.acquire(st.ctx); err != nil {
		return nil, &stopError{cause: err}
	}
	defer st.release()
	stop := st.watch(st.ctx)
	defer stop()
	defer st.giveBack()
	defer func() { err = st.explain(err) }()
	defer recoverInto(&err, "")
	if err := st.firstSteps(); err != nil {
		return nil, err
	}
	return fn(st)
}

// with runs fn with another context and scope. The lock is held.
func (st *strand) with(ctx context.Context, scope *Scope, fn func() (starlark.Value, error)) (v starlark.Value, err error) {
	oldCtx, oldScope := st.ctx, st.scope
	st.scope = scope
	defer func() { st.scope = oldScope }()
	if ctx == oldCtx {
		v, err = fn()
		return v, st.explain(err)
	}
	st.setContext(st.newContext(ctx))
	stop := st.watch(ctx)
	defer func() {
		stop()
		st.setContext(oldCtx)
		st.thread.Uncancel()
		if oldCtx.Err() != nil || st.overLimit() != nil { // an interruption from outside must not be lost
			st.thread.Cancel("stopped")
		}
	}()
	v, err = fn()
	return v, st.explain(err)
}

func (st *strand) setContext(ctx context.Context) {
	st.ctx = ctx
	st.thread.SetLocal("context", ctx)
}

// explain replaces Starlark's words for an interruption by what caused it.
func (st *strand) explain(err error) error {
	eval := deepest(err)
	if eval == nil {
		return err
	}
	if strings.HasPrefix(eval.Msg, "Starlark computation cancelled: ") {
		if is[*stopError](err) {
			return err
		}
		return &stopError{cause: st.stopCause(), at: err}
	}
	st.s.rt.explainReassigned(eval)
	return err
}

// stopCause is why the strand's thread was interrupted.
func (st *strand) stopCause() error {
	if limit := st.overLimit(); limit != nil {
		return limit
	}
	if cause := context.Cause(st.ctx); cause != nil {
		return cause
	}
	if st.broken != nil {
		return st.broken
	}
	return context.Canceled
}

// A stopError says why script code was stopped, and where it was.
type stopError struct {
	cause error
	at    error // an EvalError, or nil
}

func (e *stopError) Error() string {
	kind := e.ErrorKind()
	text := e.ErrorMessage()
	if e.cause != context.Canceled && e.cause != context.DeadlineExceeded {
		text = e.cause.Error()
	}
	if suffix := " (" + kind + ")"; saysMuch(kind) && kind != text && !strings.HasSuffix(text, suffix) {
		text += suffix
	}
	return text
}

func (e *stopError) ErrorKind() string {
	if kind := KindOf(e.cause); kind != "" {
		return kind
	}
	return KindCancelled
}

func (e *stopError) ErrorMessage() string {
	switch e.cause {
	case context.Canceled:
		return "cancelled"
	case context.DeadlineExceeded:
		return "the time allowed has passed"
	}
	return messageOf(e.cause)
}

func (e *stopError) Unwrap() []error {
	if e.at == nil {
		return []error{e.cause}
	}
	return []error{e.cause, e.at}
}

// recoverInto makes a panic of Go code an error of kind internal. It is
// called deferred.
func recoverInto(err *error, op string) {
	if r := recover(); r != nil {
		*err = &Error{
			Kind: KindInternal, Op: op,
			Message: fmt.Sprintf("panic: %v", r),
			Hint:    "this is a fault of the program, not of the script",
			Err:     &panicError{value: r, stack: string(debug.Stack())},
		}
	}
}

// A panicError keeps where Go code panicked.
type panicError struct {
	value any
	stack string
}

func (e *panicError) Error() string { return fmt.Sprint(e.value) }

func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}
