package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/dscript/dscript/runtime"
)

func TestScopeClosesNewestFirst(t *testing.T) {
	s := newRuntime(t, runtime.Config{}).NewSession(context.Background())
	var order []string
	step := func(name string, err error) func(context.Context) error {
		return func(ctx context.Context) error {
			_, bounded := ctx.Deadline()
			assert.True(t, bounded, "a step has a deadline")
			assert.NoError(t, ctx.Err(), "a step's context is not the cancelled one")
			order = append(order, name)
			return err
		}
	}
	root := s.Scope()
	child := root.Child()
	child.Defer("one", syntax.Position{}, step("child 1", errors.New("broken")))
	root.Defer("two", syntax.Position{}, step("root", nil))
	child.Child().Defer("three", syntax.Position{}, step("grandchild", errors.New("also broken")))
	kept := child.Defer("four", syntax.Position{}, step("kept", nil))
	child.Defer("five", syntax.Position{}, func(context.Context) error { panic("in cleanup") })
	kept.Cancel()
	kept.Cancel()
	ctx := child.Context()
	require.NoError(t, ctx.Err())
	err := s.Close()
	assert.Equal(t, []string{"grandchild", "root", "child 1"}, order)
	assert.ErrorContains(t, err, "one: broken")
	assert.ErrorContains(t, err, "three: also broken")
	assert.ErrorContains(t, err, "five: panic: in cleanup")
	assert.Error(t, ctx.Err(), "a scope's context ends with it")
	assert.NoError(t, s.Close(), "closing again does nothing")
}

func TestDeferAfterTheEnd(t *testing.T) {
	s := newRuntime(t, runtime.Config{}).NewSession(context.Background())
	var order []string
	add := func(name string) func(context.Context) error {
		return func(context.Context) error { order = append(order, name); return nil }
	}
	child := s.Scope().Child()
	require.NoError(t, child.Close(context.Background()))
	child.Defer("x", syntax.Position{}, add("late, on the parent"))
	assert.Empty(t, order)
	require.NoError(t, s.Close())
	child.Defer("x", syntax.Position{}, add("too late, at once"))
	assert.Equal(t, []string{"late, on the parent", "too late, at once"}, order)
}

func TestNotes(t *testing.T) {
	var warnings []runtime.Warning
	s := newRuntime(t, runtime.Config{Warn: func(w runtime.Warning) { warnings = append(warnings, w) }}).NewSession(context.Background())
	var looked atomic.Bool
	for i := range 1_000_000 {
		s.Scope().Note(func() (syntax.Position, string, bool) {
			return syntax.Position{}, fmt.Sprint(i), i == 17 || !looked.Load() && i == 18
		})
	}
	looked.Store(true)
	require.NoError(t, s.Close())
	require.Len(t, warnings, 1)
	assert.Equal(t, "17", warnings[0].Message)
}

func TestNotesThatStayDueAreBounded(t *testing.T) {
	var warnings []runtime.Warning
	s := newRuntime(t, runtime.Config{Warn: func(w runtime.Warning) { warnings = append(warnings, w) }}).NewSession(context.Background())
	const n = 100_000
	for i := range n {
		s.Scope().Note(func() (syntax.Position, string, bool) { return syntax.Position{}, fmt.Sprint(i), true })
	}
	require.NoError(t, s.Close())
	assert.LessOrEqual(t, len(warnings), 5000)
	assert.Contains(t, warnings[0].Message, "more like the following")
	assert.Equal(t, fmt.Sprint(n-1), warnings[len(warnings)-1].Message)
}

// waiter is a builtin that waits for its context and says when it began.
func waiter(began chan<- struct{}) *runtime.Builtin {
	return runtime.Func("wait_forever()", func(c *runtime.Call, _ struct{}) error {
		return c.Block(func(ctx context.Context) error {
			began <- struct{}{}
			<-ctx.Done()
			return context.Cause(ctx)
		})
	})
}

func TestCancellation(t *testing.T) {
	for name, src := range map[string]string{
		"loop":      "signal()\nwhile True: pass",
		"blocked":   "wait_forever()",
		"attempt":   "def f():\n    signal()\n    while True: attempt(sleep, '1h')\nf()",
		"parallel":  "parallel(wait_forever, lambda: sleep('1h'))",
		"callback":  "each(signal)",
		"recursion": "def f(n):\n    while n == 900: pass\n    if n == 899: signal()\n    f(n + 1)\nf(0)",
	} {
		for _, which := range []string{"call", "session", "close"} {
			t.Run(name+"/"+which, func(t *testing.T) {
				began := make(chan struct{}, 1000)
				each := runtime.Func("each(fn)", func(c *runtime.Call, a struct {
					Fn runtime.Opt[starlark.Callable]
				}) error {
					return c.Block(func(context.Context) error {
						for {
							if _, err := c.Callback(a.Fn.Value); err != nil {
								return err
							}
						}
					})
				})
				var out bytes.Buffer
				rt := newRuntime(t, runtime.Config{Stdout: &out}, waiter(began), signalOnce(began), each)
				life, endLife := context.WithCancel(context.Background())
				defer endLife()
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				s := rt.NewSession(life)
				done := make(chan error, 1)
				go func() { done <- s.Exec(ctx, "defer(print, 'cleaned')\n"+src) }()
				await(t, began)
				switch which {
				case "call":
					cancel()
				case "session":
					endLife()
				case "close":
					go func() { _ = s.Close() }()
				}
				select {
				case err := <-done:
					assert.Equal(t, "cancelled", runtime.KindOf(err), "%v", err)
					if which != "close" {
						assert.ErrorIs(t, err, context.Canceled)
					}
				case <-time.After(patience):
					t.Fatal("still running")
				}
				if which == "call" {
					assert.NoError(t, s.Exec(context.Background(), "x = 1"), "the session goes on")
				}
				require.NoError(t, s.Close())
				assert.Equal(t, "cleaned\n", out.String())
			})
		}
	}
}

func await(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
}

// signalOnce is signal that does not wait for anybody.
func signalOnce(called chan<- struct{}) *runtime.Builtin {
	return runtime.Func("signal()", func(*runtime.Call, struct{}) error {
		select {
		case called <- struct{}{}:
		default:
		}
		return nil
	})
}

func TestDeadlineOfACall(t *testing.T) {
	s := newSession(t, runtime.Config{})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err := s.Exec(ctx, "while True: pass")
	assert.Equal(t, "timeout", runtime.KindOf(err))
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestThreadLocalContext(t *testing.T) {
	f := runtime.Func("f()", func(c *runtime.Call, _ struct{}) (bool, error) {
		ctx, ok := c.Thread().Local("context").(context.Context)
		return ok && ctx.Value(f0{}) == "value" && ctx == c.Context(), nil
	})
	s := newSession(t, runtime.Config{}, f)
	ctx := context.WithValue(context.Background(), f0{}, "value")
	require.NoError(t, s.Exec(ctx, "assert.true(f())\nassert.true(deadline('1h', f))\nassert.eq(parallel(f), [True])"))
}

type f0 struct{}

func TestBlockGivesUpTheLock(t *testing.T) {
	began := make(chan struct{})
	goOn := make(chan struct{})
	meet := runtime.Func("meet()", func(c *runtime.Call, _ struct{}) error {
		return c.Block(func(ctx context.Context) error {
			began <- struct{}{}
			<-goOn
			return nil
		})
	})
	s := newSession(t, runtime.Config{}, meet)
	done := make(chan error, 1)
	go func() { done <- s.Exec(context.Background(), "meet()") }()
	await(t, began)
	require.NoError(t, s.Exec(context.Background(), "x = 1"), "while the other is blocked")
	close(goOn)
	require.NoError(t, <-done)
}

func TestCallbacksFromManyGoroutines(t *testing.T) {
	each := runtime.Func("each(fn)", func(c *runtime.Call, a struct{ Fn starlark.Callable }) error {
		return c.Block(func(context.Context) error {
			errs := make(chan error, 8)
			for range cap(errs) {
				go func() { _, err := c.Callback(a.Fn); errs <- err }()
			}
			var all error
			for range cap(errs) {
				all = errors.Join(all, <-errs)
			}
			return all
		})
	})
	s := newSession(t, runtime.Config{}, each)
	require.NoError(t, s.Exec(context.Background(), "n = [0]\ndef f():\n    x = n[0]\n    sleep(0)\n    n[0] = x + 1\neach(f)"))
	n, err := runtime.Get[[]int](s, "n")
	require.NoError(t, err)
	assert.Equal(t, []int{8}, n, "one callback of a call at a time")
}

func TestPosOfACall(t *testing.T) {
	var got []string
	f := runtime.Func("f()", func(c *runtime.Call, _ struct{}) error { got = append(got, c.Pos().String()); return nil })
	rt := newRuntime(t, runtime.Config{}, f)
	s, err := rt.Run(context.Background(), "x.star", "f()\nattempt(f)\nparallel(f)\ndef g():\n    f()\nparallel(g)\ndefer(f)")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	assert.Equal(t, []string{"x.star:1:2", "x.star:2:8", "x.star:3:9", "x.star:5:6", "x.star:7:6"}, got)
}
