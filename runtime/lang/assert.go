package lang

// This file defines assert: claims whose failure says what was seen.

import (
	"fmt"
	"regexp"
	"strings"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
)

const assertDoc = `
assert

Claims: when one does not hold, the script fails and says what was seen.
`

const assertEqDoc = `
assert.eq(got, want, msg="")

Claim that got and want are equal.

>>> assert.eq(1 + 1, 2)
>>> attempt(assert.eq, [1, 2, 3], [1, 5, 3]).error.message
"not equal\n  got:  [1, 2, 3]\n  want: [1, 5, 3]\n  [1]: got 2, want 5"
`

const assertNeDoc = `
assert.ne(got, unwanted, msg="")

Claim that got and unwanted are not equal.

>>> assert.ne("a", "b")
`

const assertTrueDoc = `
assert.true(got, msg="")

Claim that got is true, as if would see it.

>>> assert.true([0])
`

const assertContainsDoc = `
assert.contains(whole, part, msg="")

Claim that part is in whole: in a string, list, tuple, dict or set.

>>> assert.contains("abc", "b")
`

const assertMatchesDoc = `
assert.matches(text, pattern, msg="")

Claim that a regular expression matches somewhere in text.

pattern  in the syntax of RE2

>>> assert.matches("v1.42", r"^v\d+\.\d+$")
`

const assertFailsDoc = `
assert.fails(fn, pattern="", *, kind="", msg="") -> error

Claim that calling fn fails, and return the error.

pattern  a regular expression that must match the error's text
kind     the kind that the error must have

>>> assert.fails(lambda: {}["x"], "not in dict").kind
"fail"
`

func assertNoun() *runtime.NounDecl {
	return runtime.Noun(assertDoc, nil,
		runtime.Func(assertEqDoc, assertEq),
		runtime.Func(assertNeDoc, assertNe),
		runtime.Func(assertTrueDoc, assertTrue),
		runtime.Func(assertContainsDoc, assertContains),
		runtime.Func(assertMatchesDoc, assertMatches),
		runtime.Func(assertFailsDoc, assertFails),
	)
}

// failed is a claim that does not hold.
func failed(call *runtime.Call, msg, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if msg != "" {
		text = msg + ": " + text
	}
	return &runtime.Error{Kind: runtime.KindFail, Op: call.Name(), Message: text}
}

type assertEqArgs struct {
	Got, Want starlark.Value
	Msg       string
}

func assertEq(call *runtime.Call, a assertEqArgs) error {
	equal, err := starlark.Equal(a.Got, a.Want)
	if err != nil || equal {
		return err
	}
	return failed(call, a.Msg, "%s", difference(a.Got, a.Want))
}

type assertNeArgs struct {
	Got, Unwanted starlark.Value
	Msg           string
}

func assertNe(call *runtime.Call, a assertNeArgs) error {
	equal, err := starlark.Equal(a.Got, a.Unwanted)
	if err != nil || !equal {
		return err
	}
	return failed(call, a.Msg, "both are %s", short(a.Got))
}

type assertTrueArgs struct {
	Got starlark.Value
	Msg string
}

func assertTrue(call *runtime.Call, a assertTrueArgs) error {
	if a.Got.Truth() {
		return nil
	}
	return failed(call, a.Msg, "%s is not true", short(a.Got))
}

type assertContainsArgs struct {
	Whole, Part starlark.Value
	Msg         string
}

func assertContains(call *runtime.Call, a assertContainsArgs) error {
	in, err := starlark.Binary(inToken, a.Part, a.Whole)
	if err != nil {
		return &runtime.Error{Kind: runtime.KindInvalid, Op: call.Name(), Message: err.Error(), Err: err}
	}
	if in.Truth() {
		return nil
	}
	return failed(call, a.Msg, "%s is not in %s", short(a.Part), short(a.Whole))
}

// A pattern is a regular expression that a script gives.
type pattern struct{ *regexp.Regexp }

// Wants says what a script gives.
func (p *pattern) Wants() string { return "string" }

// Unpack compiles the expression.
func (p *pattern) Unpack(v starlark.Value) (err error) {
	text, ok := starlark.AsString(v)
	if !ok {
		return fmt.Errorf("want string, got %s", v.Type())
	}
	p.Regexp, err = regexp.Compile(text)
	return err
}

type assertMatchesArgs struct {
	Text    string
	Pattern pattern
	Msg     string
}

func assertMatches(call *runtime.Call, a assertMatchesArgs) error {
	if a.Pattern.MatchString(a.Text) {
		return nil
	}
	return failed(call, a.Msg, "%s does not match %s", short(starlark.String(a.Text)), a.Pattern)
}

type assertFailsArgs struct {
	Fn      starlark.Callable
	Pattern pattern
	Kind    string
	Msg     string
}

func assertFails(call *runtime.Call, a assertFailsArgs) (starlark.Value, error) {
	v, err := call.Callback(a.Fn)
	if err == nil {
		return nil, failed(call, a.Msg, "%s did not fail, it returned %s", a.Fn.Name(), short(v))
	}
	if !call.Catchable(err) {
		return nil, err
	}
	if !a.Pattern.MatchString(err.Error()) {
		return nil, failed(call, a.Msg, "the error is %q, which does not match %s", err, a.Pattern)
	}
	if kind := runtime.KindOf(err); a.Kind != "" && kind != a.Kind {
		return nil, failed(call, a.Msg, "the error is of kind %s, not %s: %s", kind, a.Kind, strings.TrimSpace(err.Error()))
	}
	return runtime.NewErrorValue(err), nil
}
