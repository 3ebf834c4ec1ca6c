package lang

// This file defines what governs time and order: defer, scope, parallel,
// deadline, sleep, exit.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
)

const deferDoc = `
defer(fn, *args, **kwargs)

Call fn at the end of the innermost scope, not of the function.

The innermost scope is that of scope(…), of a test, or of the whole script.
Calls are made newest first, each with a time limit of its own, and also when
the script failed or was stopped.

>>> scope(lambda: [defer(print, "last"), print("first")])
first
last
[None, None]
`

func deferCall(call *runtime.Call, a callArgs) error {
	session, scope, pos := call.Session(), call.Scope(), call.Pos()
	scope.Defer("defer "+a.Fn.Name(), pos, func(ctx context.Context) error {
		return session.Cleanup(ctx, scope, pos, a.Fn, a.Args, a.Kwargs)
	})
	return nil
}

const scopeDoc = `
scope(fn, *args, **kwargs) -> value

Call fn and return its value; what fn made ends with it.

>>> scope(lambda x: x + 1, 41)
42
`

func scope(call *runtime.Call, a callArgs) (starlark.Value, error) {
	return call.Scoped(a.Fn, a.Args, a.Kwargs)
}

const parallelDoc = `
parallel(*fns) -> list

Call functions at the same time and return their results in order.

Script code still runs one function at a time; what overlaps is waiting, for
engines, timers and commands. The first error stops the others, and parallel
waits for them. What a function made belongs to the scope around parallel.

>>> parallel(lambda: 1, lambda: 2)
[1, 2]
`

type parallelArgs struct{ Fns starlark.Tuple }

func parallel(call *runtime.Call, a parallelArgs) (starlark.Value, error) {
	fns := make([]starlark.Callable, len(a.Fns))
	for i, v := range a.Fns {
		fn, ok := v.(starlark.Callable)
		if !ok {
			return nil, &runtime.Error{
				Kind: runtime.KindInvalid, Op: "parallel",
				Message: fmt.Sprintf("argument %d: want function, got %s; usage: parallel(*fns)", i+1, v.Type()),
				Hint:    "write lambda: f(x) for a call with arguments, or parallel.map(f, items)",
			}
		}
		fns[i] = fn
	}
	return inOrder(call, len(fns), 0, func(branch *runtime.Call, i int) (starlark.Value, error) {
		return branch.Callback(fns[i])
	})
}

const parallelMapDoc = `
parallel.map(fn, items, *, limit=None) -> list

Call fn(item) for each item at the same time and return the results in order.

limit  how many at a time; None: all

>>> parallel.map(lambda x: x * x, [1, 2, 3], limit=2)
[1, 4, 9]
`

type parallelMapArgs struct {
	Fn    starlark.Callable
	Items starlark.Iterable
	Limit runtime.Opt[int]
}

func parallelMap(call *runtime.Call, a parallelMapArgs) (starlark.Value, error) {
	if a.Limit.Set && a.Limit.Value < 1 {
		return nil, runtime.Errorf(runtime.KindInvalid, "parallel.map: limit must be 1 or more, not %d", a.Limit.Value)
	}
	var items []starlark.Value
	for item := range starlark.Elements(a.Items) {
		items = append(items, item)
	}
	return inOrder(call, len(items), a.Limit.Value, func(branch *runtime.Call, i int) (starlark.Value, error) {
		return branch.Callback(a.Fn, items[i])
	})
}

func inOrder(call *runtime.Call, n, limit int, run func(branch *runtime.Call, i int) (starlark.Value, error)) (starlark.Value, error) {
	results := make([]starlark.Value, n)
	err := call.Branches(n, limit, func(branch *runtime.Call, i int) (err error) {
		results[i], err = run(branch, i)
		return err
	})
	if err != nil {
		return nil, err
	}
	return starlark.NewList(results), nil
}

const deadlineDoc = `
deadline(d, fn, *args, **kwargs) -> value

Call fn and stop it when d has passed: the error is of kind timeout.

d  "5s", a number of seconds, or a duration of time

>>> attempt(deadline, "10ms", sleep, "1h").error.kind
"timeout"
`

type deadlineArgs struct {
	D      time.Duration
	Fn     starlark.Callable
	Args   starlark.Tuple
	Kwargs []starlark.Tuple
}

func deadline(call *runtime.Call, a deadlineArgs) (starlark.Value, error) {
	passed := &runtime.Error{Kind: runtime.KindTimeout, Op: "deadline", Message: a.D.String() + " have passed"}
	ctx, cancel := context.WithTimeoutCause(call.Context(), a.D, passed)
	defer cancel()
	v, err := call.In(ctx, call.Scope(), a.Fn, a.Args, a.Kwargs)
	if err == nil || ctx.Err() == nil || call.Context().Err() != nil {
		return v, err
	}
	if errors.Is(err, passed) || runtime.KindOf(err) == runtime.KindLimit || errors.As(err, new(*runtime.ExitError)) {
		return nil, err
	}
	return nil, &runtime.Error{Kind: passed.Kind, Op: passed.Op, Message: passed.Message, Err: err}
}

const sleepDoc = `
sleep(d)

Wait for d.

d  "5s", a number of seconds, or a duration of time

>>> sleep("1ms")
`

type sleepArgs struct{ D time.Duration }

func sleep(call *runtime.Call, a sleepArgs) error {
	return call.Block(func(ctx context.Context) error {
		timer := time.NewTimer(a.D)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
}

const exitDoc = `
exit(code=0)

End the script, clean up, and give the program's exit code.

It ends the session, never a program that embeds dscript.
`

type exitArgs struct{ Code int }

func exit(_ *runtime.Call, a exitArgs) error {
	if a.Code < 0 || a.Code > 255 {
		return runtime.Errorf(runtime.KindInvalid, "exit: code must be from 0 to 255, not %d", a.Code)
	}
	return &runtime.ExitError{Code: a.Code}
}
