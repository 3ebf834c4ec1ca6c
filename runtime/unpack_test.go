package runtime_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
)

const execDoc = `
exec(container, cmd, *, env={}, user="", workdir="", stdin=None, check=False, limit="64m", timeout=None) -> Result

Run cmd in a running container.

container  a Container, or the name or id of one
`

type execArgs struct {
	Container, Cmd string
	Env            map[string]string
	User, Workdir  string
	Stdin          []byte
	Check          bool
	Limit          runtime.Size
	Timeout        runtime.Opt[time.Duration]
}

func show(_ *runtime.Call, a execArgs) (string, error) { return fmt.Sprintf("%+v", a), nil }

// evalWith evaluates an expression in a session with the given members.
func evalWith(t *testing.T, expr string, members ...runtime.Member) (starlark.Value, error) {
	t.Helper()
	return newSession(t, runtime.Config{}, members...).Eval(context.Background(), expr)
}

func TestUnpack(t *testing.T) {
	const defaults = "{Container:c Cmd:x Env:map[] User: Workdir: Stdin:[] Check:false Limit:67108864 Timeout:{Value:0s Set:false}}"
	for expr, want := range map[string]string{
		`exec("c", "x")`:                           defaults,
		`exec(cmd="x", container="c")`:             defaults,
		`exec("c", "x", stdin=None, timeout=None)`: defaults,
		`exec("c", cmd="x", env={"A": 1, "B": "2"}, user="u", check=True, limit="1.5k", timeout=1.5)`: "{Container:c Cmd:x Env:map[A:1 B:2] User:u Workdir: Stdin:[] Check:true Limit:1536 Timeout:{Value:1.5s Set:true}}",
		`exec("c", cmd="x", env=["A=1=2"], stdin="in", limit=7, timeout=time.minute)`:                 "{Container:c Cmd:x Env:map[A:1=2] User: Workdir: Stdin:[105 110] Check:false Limit:7 Timeout:{Value:1m0s Set:true}}",
	} {
		v, err := evalWith(t, expr, runtime.Func(execDoc, show))
		require.NoError(t, err, expr)
		s, _ := starlark.AsString(v)
		assert.Equal(t, want, s, expr)
	}
}

func TestUnpackErrors(t *testing.T) {
	const usage = "; usage: exec(container, cmd, *, …)"
	for expr, want := range map[string]string{
		`exec("c", "x", usr="root")`:             "exec: no parameter usr (did you mean user?)" + usage,
		`exec("c", "x", tiemout=1)`:              "exec: no parameter tiemout (did you mean timeout?)" + usage,
		`exec("c", "x", zzzzzz=1)`:               "exec: no parameter zzzzzz" + usage,
		`exec("c")`:                              "exec: missing parameter cmd" + usage,
		`exec("c", "x", "y")`:                    "exec: takes at most 2 positional arguments, got 3" + usage,
		`exec("c", "x", cmd="y")`:                "exec: parameter cmd is given twice" + usage,
		`exec("c", 5)`:                           "exec: parameter cmd: want string, got int" + usage,
		`exec("c", None)`:                        "exec: parameter cmd: want string, got NoneType" + usage,
		`exec("c", "x", check=1)`:                "exec: parameter check: want bool, got int" + usage,
		`exec("c", "x", env={"A": True})`:        `exec: parameter env: ["A"]: want string or number, got bool` + usage,
		`exec("c", "x", env=["A"])`:              `exec: parameter env: item 0: want "name=value", got "A"` + usage,
		`exec("c", "x", limit="lots")`:           `exec: parameter limit: want size ("512m", or a number of bytes), got "lots"` + usage,
		`exec("c", "x", timeout=[])`:             `exec: parameter timeout: want duration ("5s", a number of seconds, or a time.duration), got list` + usage,
		`short(1)`:                               "short: takes no positional arguments, got 1; usage: short(*, a=[])",
		`short(a=[1])`:                           "short: parameter a: item 0: want string, got int; usage: short(*, a=[])",
		`parallel.map(fn=len, items=[], lmit=1)`: "parallel.map: no parameter lmit (did you mean limit?); usage: parallel.map(fn, items, *, limit=None)",
	} {
		short := runtime.Func("short(*, a=[])", func(*runtime.Call, struct{ A []string }) error { return nil })
		_, err := evalWith(t, expr, runtime.Func(execDoc, show), short)
		assert.EqualError(t, err, want, expr)
		assert.Equal(t, "invalid", runtime.KindOf(err), expr)
		var e *runtime.Error
		assert.ErrorAs(t, err, &e, expr)
	}
}

// A picky argument has a cause for what it refuses.
type picky struct{}

var errPicky = errors.New("not that one")

func (*picky) Unpack(v starlark.Value) error { return fmt.Errorf("%s: %w", v, errPicky) }

func TestUnpackKeepsCauses(t *testing.T) {
	f := runtime.Func("f(x)", func(*runtime.Call, struct{ X picky }) error { return nil })
	_, err := evalWith(t, "f(5)", f)
	assert.ErrorIs(t, err, errPicky)
	assert.ErrorContains(t, err, "f: parameter x: 5: not that one; usage: f(x)")
}

func TestDefaultsAreFresh(t *testing.T) {
	f := runtime.Func("f(x=[1], y={})", func(_ *runtime.Call, a struct {
		X *starlark.List
		Y starlark.Value
	}) (starlark.Value, error) {
		if err := a.X.Append(starlark.None); err != nil {
			return nil, err
		}
		return a.X, a.Y.(*starlark.Dict).SetKey(starlark.None, starlark.None)
	})
	v, err := evalWith(t, "[f(), f()]", f)
	require.NoError(t, err)
	assert.Equal(t, "[[1, None], [1, None]]", v.String())
}

func TestNoneAndAbsent(t *testing.T) {
	f := runtime.Func("f(x=None)", func(_ *runtime.Call, a struct{ X starlark.Value }) (bool, error) { return a.X == nil, nil })
	v, err := evalWith(t, "[f(), f(None), f(x=1)]", f)
	require.NoError(t, err)
	assert.Equal(t, "[True, False, False]", v.String())
}

func TestVariadic(t *testing.T) {
	f := runtime.Func("f(a, *args, b=1, **kwargs)", func(_ *runtime.Call, a struct {
		A, B   int
		Args   starlark.Tuple
		Kwargs []starlark.Tuple
	}) (string, error) {
		return fmt.Sprint(a.A, a.Args, a.B, a.Kwargs), nil
	})
	v, err := evalWith(t, "[f(1), f(1, 2, 3, b=4, c=5)]", f)
	require.NoError(t, err)
	assert.Equal(t, `["1 () 1 []", "1 (2, 3) 4 [(\"c\", 5)]"]`, v.String())
	_, err = evalWith(t, "f()", f)
	assert.ErrorContains(t, err, "missing parameter a")
}

// A crate is a value with attributes and methods.
type crate struct {
	session *runtime.Session
	label   string
}

func crateType(pack *runtime.Builtin) *runtime.TypeDecl {
	return runtime.Type[*crate]("Crate\n\nA crate.",
		runtime.Attr("label -> string", func(c *runtime.Call, v *crate) (any, error) { return v.label, nil }),
		runtime.Attr("slow -> int", func(c *runtime.Call, v *crate) (any, error) {
			return 7, c.Block(func(ctx context.Context) error { return ctx.Err() })
		}),
		pack.As("crate"),
		pack.As("stow"),
	)
}

func (c *crate) String() string        { return "crate " + c.label }
func (c *crate) Type() string          { return "Crate" }
func (c *crate) Freeze()               {}
func (c *crate) Truth() starlark.Bool  { return true }
func (c *crate) Hash() (uint32, error) { return starlark.String(c.label).Hash() }

func (c *crate) Attr(name string) (starlark.Value, error) {
	return crateType(packFunc()).Attr(c.session, c, name)
}
func (c *crate) AttrNames() []string { return crateType(packFunc()).AttrNames() }

func packFunc() *runtime.Builtin {
	return runtime.Func("pack(crate, what, *, gently=False) -> string\n\nPack what.", func(c *runtime.Call, a struct {
		Crate  *crate
		What   string
		Gently bool
	}) (string, error) {
		return fmt.Sprint(a.Crate.label, a.What, " ", a.Gently), nil
	})
}

func TestTypes(t *testing.T) {
	makeCrate := runtime.Func("crate(label)", func(c *runtime.Call, a struct{ Label string }) (*crate, error) {
		return &crate{c.Session(), a.Label}, nil
	})
	for expr, want := range map[string]string{
		`crate("a").label`:                     `"a"`,
		`crate("a").slow`:                      `7`,
		`pack(crate("a"), "b")`:                `"ab false"`,
		`crate("a").pack("b", gently=True)`:    `"ab true"`,
		`crate("a").stow(what="b")`:            `"ab false"`,
		`dir(crate("a"))`:                      `["label", "pack", "slow", "stow"]`,
		`hasattr(crate("a"), "lable")`:         `False`,
		`getattr(crate("a"), "nothing", None)`: `None`,
		`str(crate("a").pack)`:                 `"<method pack of Crate>"`,
	} {
		v, err := evalWith(t, expr, makeCrate, packFunc())
		if assert.NoError(t, err, expr) {
			assert.Equal(t, want, v.String(), expr)
		}
	}
	for expr, want := range map[string]string{
		`crate("a").lable`:         "Crate has no .lable field or method (did you mean .label?)",
		`crate("a").pak("x")`:      "Crate has no .pak field or method (did you mean .pack?)",
		`crate("a").pack()`:        "pack: missing parameter what; usage: pack(what, *, gently=False)",
		`crate("a").pack(crate=1)`: "pack: no parameter crate; usage: pack(what, *, gently=False)",
		`pack("a", "b")`:           "pack: parameter crate: want crate, got string; usage: pack(crate, what, *, gently=False)",
	} {
		_, err := evalWith(t, expr, makeCrate, packFunc())
		assert.EqualError(t, err, want, expr)
		assert.Equal(t, "invalid", runtime.KindOf(err), expr)
	}
}

func TestAttributesReadInBranches(t *testing.T) {
	makeCrate := runtime.Func("crate(label)", func(c *runtime.Call, a struct{ Label string }) (*crate, error) {
		return &crate{c.Session(), a.Label}, nil
	})
	v, err := evalWith(t, `parallel.map(lambda i: crate(str(i)).slow * int(crate(str(i)).label), range(20))`, makeCrate)
	require.NoError(t, err)
	assert.Equal(t, "[0, 7, 14, 21, 28, 35, 42, 49, 56, 63, 70, 77, 84, 91, 98, 105, 112, 119, 126, 133]", v.String())
}

func TestAttributeReadByGo(t *testing.T) {
	s := newSession(t, runtime.Config{})
	v, err := (&crate{s, "x"}).Attr("slow")
	require.NoError(t, err)
	assert.Equal(t, "7", v.String())
}

func TestWrongDeclarations(t *testing.T) {
	none := func(*runtime.Call, struct{}) error { return nil }
	one := func(*runtime.Call, struct{ Name string }) error { return nil }
	for want, m := range map[string]runtime.Member{
		"has no field for parameter cmd":               runtime.Func("f(cmd)", none),
		"Name is not a parameter":                      runtime.Func("f()", one),
		"a default must be a literal":                  runtime.Func("f(name=x)", one),
		"default of name: want string, got int":        runtime.Func("f(name=1)", one),
		"is not a signature":                           runtime.Func("f(name", one),
		"parameters name and na_me are too alike":      runtime.Func("f(name, na_me)", one),
		"must begin with its name":                     runtime.Func("(name)", one),
		"the signature has no parentheses":             runtime.Func("f", none),
		"a parameter cannot be a chan int":             runtime.Func("f(c)", func(*runtime.Call, struct{ C chan int }) error { return nil }),
		"the field of *args must be a starlark.Tuple":  runtime.Func("f(*args)", func(*runtime.Call, struct{ Args []string }) error { return nil }),
		"the field of **kw must be a []starlark.Tuple": runtime.Func("f(**kw)", func(*runtime.Call, struct{ Kw []string }) error { return nil }),
		"f: signature:":                                runtime.Func("f(1)", none),
		"noun: x is declared twice":                    runtime.Noun("noun", nil, runtime.Func("x()", none), runtime.Func("noun.x()", none)),
	} {
		lib := &runtime.Library{Name: "x", Members: []runtime.Member{runtime.Noun("holder", nil, m)}}
		rt, err := runtime.New(runtime.Config{Libraries: []*runtime.Library{lib}})
		require.NoError(t, err)
		assert.ErrorContains(t, rt.Check(), want)
	}
	assert.PanicsWithValue(t, "runtime: f is declared with a func(), not a func(*Call, Args) (R, error)", func() { runtime.Func("f()", func() {}) })
	_, err := evalWith(t, "f()", runtime.Func("f(cmd)", none))
	assert.Equal(t, "internal", runtime.KindOf(err))
	assert.Panics(t, func() { runtime.Func("f(cmd)", none).Doc() })
}

func TestParsedDoc(t *testing.T) {
	doc := runtime.Func(execDoc+`           more of it
cmd        what to run

More prose.

>>> exec(
...     c, "x")
result
  indented
>>> exec(c, "y")

The end.
`, show).Doc()
	assert.Equal(t, `exec(container, cmd, *, env={}, user="", workdir="", stdin=None, check=False, limit="64m", timeout=None) -> Result`, doc.Signature)
	assert.Equal(t, "exec(container, cmd, *, …)", doc.Usage)
	assert.Equal(t, "Result", doc.Returns)
	assert.Equal(t, "Run cmd in a running container.", doc.Summary)
	assert.Equal(t, "Run cmd in a running container.\n\nMore prose.\n\nThe end.", doc.Text)
	assert.Equal(t, runtime.Param{Name: "container", Required: true, Type: "string", Doc: "a Container, or the name or id of one more of it"}, doc.Params[0])
	assert.Equal(t, runtime.Param{Name: "limit", Default: `"64m"`, KeywordOnly: true, Type: "size"}, doc.Params[7])
	assert.Equal(t, []runtime.Example{{Source: "exec(\n    c, \"x\")", Want: "result\n  indented"}, {Source: `exec(c, "y")`}}, doc.Examples)
}
