// Package lang is the language's own builtins: what a script can call
// wherever it runs, besides Starlark's universe.
package lang

import (
	starmath "go.starlark.net/lib/math"
	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
)

const mathDoc = `
math

Functions on numbers: ceil, floor, sqrt, pow, log and more, and the constants pi and e.

>>> math.floor(2.7)
2
`

const timeDoc = `
time

Times and durations: time.now(), time.parse_time(…), time.parse_duration("5s"), and the constants second, minute, hour.

>>> time.parse_duration("90s") + time.minute
2m30s
`

// Library returns the language's own library. It holds no state and may be
// shared by any number of Runtimes.
func Library() *runtime.Library {
	return &runtime.Library{
		Name: "lang",
		Doc:  "What every script can call, besides Starlark's own universe.",
		Members: []runtime.Member{
			runtime.Func(attemptDoc, attempt),
			runtime.Func(deferDoc, deferCall),
			runtime.Func(scopeDoc, scope),
			runtime.Noun(parallelDoc, parallel, runtime.Func(parallelMapDoc, parallelMap)),
			runtime.Func(deadlineDoc, deadline),
			runtime.Func(sleepDoc, sleep),
			runtime.Given(argsDoc, args),
			runtime.Func(hereDoc, here),
			runtime.Func(printDoc, printLine),
			runtime.Func(failDoc, fail),
			runtime.Func(exitDoc, exit),
			runtime.Func(helpDoc, help),
			runtime.Func(structDoc, makeStruct),
			jsonNoun(),
			runtime.Const(mathDoc, starmath.Module),
			runtime.Const(timeDoc, startime.Module),
			assertNoun(),
		},
		Types: []*runtime.TypeDecl{attemptDecl(), runtime.ErrorType()},
	}
}

// callArgs is "a function and its arguments", as many builtins take them.
type callArgs struct {
	Fn     starlark.Callable
	Args   starlark.Tuple
	Kwargs []starlark.Tuple
}
