package runtime

// This file defines Call: all that a builtin may know and do.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// A Call is one call of a builtin by a script, or one reading of an
// attribute. It is valid until the builtin returns; what outlives it may use
// its Session and Scope.
type Call struct {
	strand *strand // nil only for an attribute read without a session
	ctx    context.Context
	scope  *Scope
	op     string
	depth  int // of the thread's stack when the call began

	callbacks sync.Mutex // one callback of a call at a time
	blocked   bool       // inside Block: the lock is not held
}

func newCall(st *strand, op string) *Call {
	return &Call{strand: st, ctx: st.ctx, scope: st.scope, op: op, depth: st.thread.CallStackDepth()}
}

// Context ends with the call, its deadline, its session, or Ctrl-C.
func (c *Call) Context() context.Context {
	if c.ctx == nil {
		return context.Background()
	}
	return c.ctx
}

// Session returns the session that the call belongs to.
func (c *Call) Session() *Session { return c.strand.s }

// Scope returns the innermost scope: what the call makes ends with it.
func (c *Call) Scope() *Scope { return c.scope }

// Thread returns the Starlark thread of the call.
func (c *Call) Thread() *starlark.Thread { return c.strand.thread }

// Name returns the builtin's name as declared: "exec", "container.get".
func (c *Call) Name() string { return c.op }

// Pos returns the innermost script line that led to the call.
func (c *Call) Pos() syntax.Position {
	if c.strand == nil {
		return syntax.Position{}
	}
	thread := c.strand.thread
	for i := thread.CallStackDepth() - c.depth; i >= 0 && i < thread.CallStackDepth(); i++ {
		if pos := thread.CallFrame(i).Pos; pos.Filename() != builtinFile {
			return pos
		}
	}
	return c.strand.origin
}

// Block gives up the session's lock while fn waits for an engine, a timer or
// I/O, so that other branches of the session go on. fn must not touch
// Starlark values except through Callback. It gets the call's context and is
// not called when that has ended.
func (c *Call) Block(fn func(ctx context.Context) error) error {
	if c.Context().Err() != nil {
		return context.Cause(c.ctx)
	}
	if c.strand == nil || c.blocked {
		return fn(c.Context())
	}
	c.blocked = true
	c.strand.release()
	defer func() {
		c.strand.reacquire()
		c.blocked = false
	}()
	return fn(c.ctx)
}

// Callback runs script code on behalf of the call, inside or outside Block:
// it takes the session's lock when it is not held. One callback of a call
// runs at a time. Outside Block it must be called on the builtin's goroutine.
func (c *Call) Callback(fn starlark.Callable, args ...starlark.Value) (starlark.Value, error) {
	return c.CallbackKw(fn, args, nil)
}

// CallbackKw is Callback with named arguments.
func (c *Call) CallbackKw(fn starlark.Callable, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return c.In(c.ctx, c.scope, fn, args, kwargs)
}

// In is Callback under another context, which must be made from the call's,
// and in another scope. When ctx ends the script code is interrupted.
func (c *Call) In(ctx context.Context, scope *Scope, fn starlark.Callable, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if c.blocked {
		c.callbacks.Lock()
		defer c.callbacks.Unlock()
		if err := c.strand.acquire(ctx); err != nil {
			return nil, &stopError{cause: err}
		}
		defer c.strand.release()
	}
	return c.strand.with(ctx, scope, func() (starlark.Value, error) {
		return starlark.Call(c.strand.thread, fn, args, kwargs)
	})
}

// Branches runs run(0) to run(n-1), at most limit at a time (0: all), each on
// a goroutine of its own with a Starlark thread, a child scope and a context
// of its own. The first error cancels the others; Branches waits for all and
// returns it. A branch's scope ends with the call's scope. Branches inside
// branches have a limit of depth, as calls have: else a recursion through
// them would end only with the machine's memory.
func (c *Call) Branches(n, limit int, run func(branch *Call, i int) error) error {
	if c.strand.nested >= maxNested {
		return Errorf(KindInvalid, "%s is nested more than %d deep", c.op, maxNested)
	}
	ctx, cancel := context.WithCancelCause(c.Context())
	defer cancel(nil)
	if limit <= 0 || limit > n {
		limit = n
	}
	b := &branches{call: c, pos: c.Pos(), cancel: cancel, run: run}
	err := c.Block(func(context.Context) error {
		var wg sync.WaitGroup
		slots := make(chan struct{}, max(limit, 1))
		for i := range n {
			slots <- struct{}{}
			if ctx.Err() != nil {
				break
			}
			wg.Go(func() {
				defer func() { <-slots }()
				b.branch(ctx, i)
			})
		}
		wg.Wait()
		return nil
	})
	if b.err != nil {
		return &branchError{b.err}
	}
	if err == nil && c.ctx.Err() != nil {
		err = context.Cause(c.ctx)
	}
	return err
}

// maxNested is how deep Branches may be nested.
const maxNested = 100

type branches struct {
	call   *Call
	pos    syntax.Position
	cancel context.CancelCauseFunc
	run    func(*Call, int) error

	mu  sync.Mutex
	err error // the first
}

func (b *branches) branch(ctx context.Context, i int) {
	parent := b.call.strand
	st := parent.s.newStrand(ctx, b.call.scope.Child())
	st.loading, st.cleanup, st.origin, st.nested = parent.loading, parent.cleanup, b.pos, parent.nested+1
	_, err := st.run(func(st *strand) (starlark.Value, error) {
		return starlark.None, b.run(newCall(st, b.call.op), i)
	})
	if err == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
	b.cancel(errSibling)
}

// errSibling is why the other branches are stopped.
var errSibling error = &Error{Kind: KindCancelled, Message: "another branch failed"}

// A branchError keeps the error of a branch apart from the stack of the call
// that started it: both are shown.
type branchError struct{ err error }

func (e *branchError) Error() string { return e.err.Error() }
func (e *branchError) Unwrap() error { return e.err }

// Stdout is where print goes. Writes are serialised and count against
// Config.MaxOutput.
func (c *Call) Stdout() io.Writer { return c.strand.s.Stdout() }

// Stderr is for what is not a script's result.
func (c *Call) Stderr() io.Writer { return c.strand.s.Stderr() }

// Stdin is the script's input.
func (c *Call) Stdin() io.Reader { return c.strand.s.rt.cfg.Stdin }

// Live returns where output that is captured is also shown as it comes, or
// nil when it is not shown.
func (c *Call) Live(stderr bool) io.Writer {
	if c.strand == nil || !c.strand.s.rt.cfg.Live {
		return nil
	}
	if stderr {
		return c.Stderr()
	}
	return c.Stdout()
}

// Warn reports something that is not an error, about the script's line.
func (c *Call) Warn(format string, args ...any) {
	c.strand.s.warn(Warning{Pos: c.Pos(), Message: fmt.Sprintf(format, args...)})
}

// Count counts one more object against Config.MaxObjects; past it the error
// is of kind limit.
func (c *Call) Count() error { return c.strand.s.countObject() }

// Scoped is In with a child scope that ends when fn does: what fn made is
// removed, whatever it returned.
func (c *Call) Scoped(fn starlark.Callable, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	child := c.scope.Child()
	v, err := c.In(c.ctx, child, fn, args, kwargs)
	if closing := c.closeScope(child); closing != nil {
		err = joined(err, closing)
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// closeScope closes a scope without the lock, also after the call was
// cancelled: cleanup has deadlines of its own.
func (c *Call) closeScope(scope *Scope) error {
	if !c.blocked {
		c.blocked = true
		c.strand.release()
		defer func() {
			c.strand.reacquire()
			c.blocked = false
		}()
	}
	return scope.Close(c.ctx)
}

// Catchable reports whether a script may go on after err: not after exit, a
// used-up budget, or when the call itself is being stopped from outside.
func (c *Call) Catchable(err error) bool {
	var exit *ExitError
	return !errors.As(err, &exit) && KindOf(err) != KindLimit && c.Context().Err() == nil
}
