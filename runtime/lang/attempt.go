package lang

// This file defines attempt and fail: errors as values.

import (
	"strings"
	"sync"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
)

const attemptDoc = `
attempt(fn, *args, **kwargs) -> Attempt

Call fn and return what came of it, also when it failed.

The Attempt is true when fn returned. It never catches cancellation from
outside, exit, or a budget of the session that is used up.

>>> attempt(lambda: 1 // 0).error.message
"floored division by zero"
>>> attempt(int, "7").value
7
>>> r = attempt(fail, "no luck")
>>> (r.ok, r.error.kind)
(False, "fail")
`

func attempt(call *runtime.Call, a callArgs) (starlark.Value, error) {
	v, err := call.CallbackKw(a.Fn, a.Args, a.Kwargs)
	if err == nil {
		return &Attempt{value: v}, nil
	}
	if !call.Catchable(err) {
		return nil, err
	}
	return &Attempt{value: starlark.None, err: runtime.NewErrorValue(err)}, nil
}

// An Attempt is what came of a call: a value, or an error.
type Attempt struct {
	value starlark.Value
	err   *runtime.ErrorValue // nil: fn returned value
}

var _ starlark.HasAttrs = (*Attempt)(nil)

// attemptDecl is made when it is first needed and never changes.
var attemptDecl = sync.OnceValue(func() *runtime.TypeDecl {
	return runtime.Type[*Attempt](`
Attempt

What came of a call that attempt made. It is true when the call returned.`,
		runtime.Attr("ok -> bool\n\nWhether the call returned.", func(_ *runtime.Call, a *Attempt) (any, error) {
			return a.err == nil, nil
		}),
		runtime.Attr("value -> value\n\nWhat the call returned; None when it failed.", func(_ *runtime.Call, a *Attempt) (any, error) {
			return a.value, nil
		}),
		runtime.Attr("error -> error\n\nWhy the call failed; None when it returned.", func(_ *runtime.Call, a *Attempt) (any, error) {
			return a.err, nil
		}),
	)
})

// String returns "Attempt(value)" or "Attempt(error: …)".
func (a *Attempt) String() string {
	if a.err != nil {
		return "Attempt(error: " + a.err.String() + ")"
	}
	return "Attempt(" + a.value.String() + ")"
}

// Type returns "Attempt".
func (a *Attempt) Type() string { return "Attempt" }

// Freeze freezes the value.
func (a *Attempt) Freeze() { a.value.Freeze() }

// Truth reports whether the call returned.
func (a *Attempt) Truth() starlark.Bool { return a.err == nil }

// Hash hashes the value or the error.
func (a *Attempt) Hash() (uint32, error) {
	if a.err != nil {
		return a.err.Hash()
	}
	return a.value.Hash()
}

// Attr returns ok, value or error.
func (a *Attempt) Attr(name string) (starlark.Value, error) { return attemptDecl().Attr(nil, a, name) }

// AttrNames returns the names that Attr knows.
func (a *Attempt) AttrNames() []string { return attemptDecl().AttrNames() }

const failDoc = `
fail(*args, sep=" ")

Stop with an error that says args; fail(err) raises an error again.

An error that attempt caught keeps its kind and its trace.

>>> attempt(fail, "only", 3, "left").error.message
"only 3 left"
`

func fail(_ *runtime.Call, a printArgs) error {
	if len(a.Args) == 1 {
		if e, ok := a.Args[0].(*runtime.ErrorValue); ok {
			return e.Err()
		}
	}
	return &runtime.Error{Kind: runtime.KindFail, Op: "fail", Message: a.text()}
}

type printArgs struct {
	Args starlark.Tuple
	Sep  string
}

// text joins the arguments as print shows them.
func (a printArgs) text() string {
	texts := make([]string, len(a.Args))
	for i, v := range a.Args {
		texts[i] = display(v)
	}
	return strings.Join(texts, a.Sep)
}

// display is str(v): a string is itself.
func display(v starlark.Value) string {
	if s, ok := starlark.AsString(v); ok {
		return s
	}
	return v.String()
}
