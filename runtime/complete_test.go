package runtime_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/lang"
)

// A boxRef is an argument that names a box.
type boxRef struct{ name string }

func (*boxRef) NamesOf() string { return "Box" }

func (b *boxRef) Unpack(v starlark.Value) error {
	b.name, _ = starlark.AsString(v)
	return nil
}

// boxLibrary has a noun, a type and live names, none of which may be called.
func boxLibrary(t *testing.T, names func(context.Context, *runtime.Session) []string) *runtime.Library {
	type getArgs struct {
		Name    boxRef
		Default starlark.Value
	}
	type putArgs struct {
		Box  boxRef
		What string
		Hard bool
	}
	get := func(*runtime.Call, getArgs) (starlark.Value, error) { t.Error("box.get was called"); return nil, nil }
	put := runtime.Func("put(box, what, *, hard=False)", func(*runtime.Call, putArgs) error { t.Error("put was called"); return nil })
	return &runtime.Library{
		Name: "box",
		Members: []runtime.Member{
			runtime.Noun("box\n\nBoxes.", nil, runtime.Func("box.get(name, default=None) -> Box", get)),
			put,
		},
		Types: []*runtime.TypeDecl{runtime.Type[starlark.Int]("Box\n\nA box.",
			runtime.Attr("label -> string", func(*runtime.Call, starlark.Int) (any, error) { t.Error("label was read"); return nil, nil }),
			put.As("box"),
		)},
		Names: map[string]func(context.Context, *runtime.Session) []string{"Box": names},
	}
}

func TestComplete(t *testing.T) {
	lib := boxLibrary(t, func(context.Context, *runtime.Session) []string { return []string{"blue", "black", "red"} })
	rt, err := runtime.New(runtime.Config{Libraries: []*runtime.Library{lib, lang.Library()}})
	require.NoError(t, err)
	s := rt.NewSession(context.Background())
	defer s.Close()
	require.NoError(t, s.Exec(context.Background(), "total = 5\ntotals = struct(first='x', inner=struct(deep=1))\ndef paint(colour, coats=1): pass\nword = 'x'"))
	for _, test := range []struct {
		text string
		from int
		want []string
	}{
		{"tot", 0, []string{"total", "totals"}},
		{"x = [attem", 5, []string{"attempt"}},
		{"bo", 0, []string{"bool", "box"}},
		{"whil", 0, []string{"while"}},
		{"box.", 4, []string{"get"}},
		{"box.g", 4, []string{"get"}},
		{`box.get("x").`, 13, []string{"label", "put"}},
		{`box.get(")").l`, 13, []string{"label"}},
		{`box.get("x").label.upp`, 19, []string{"upper"}},
		{`total.pu`, 6, []string{"put"}},
		{"totals.", 7, []string{"first", "inner"}},
		{"totals.inner.", 13, []string{"deep"}},
		{"word.star", 5, []string{"startswith"}},
		{"math.flo", 5, []string{"floor"}},
		{"json.dec", 5, []string{"decode"}},
		{"print(json.enc", 11, []string{"encode", "encode_indent"}},
		{"put(b, h", 7, []string{"hard=", "hasattr", "hash", "help", "here"}},
		{"put(b, what='x', wh", 17, []string{"while"}},
		{"paint(co", 6, []string{"colour=", "coats=", "continue"}},
		{`put("bl`, 5, []string{"black", "blue"}},
		{`put(what="x", box='r`, 19, []string{"red"}},
		{`put("blue", "bl`, 13, nil},
		{`box.get("x").put("bl`, 18, nil},
		{`box.get(name="`, 14, []string{"black", "blue", "red"}},
		{`box.get([1, (2)], "`, 19, nil},
		{"# tot", 5, nil},
		{"'# ' + tot", 7, []string{"total", "totals"}},
		{"nothing.", 8, nil},
		{"5", 1, nil},
		{"def f():\n    tota", 13, []string{"total", "totals"}},
	} {
		from, candidates := s.Complete(test.text)
		var texts []string
		for _, c := range candidates {
			texts = append(texts, c.Text)
		}
		assert.Equal(t, test.want, texts, test.text)
		assert.Equal(t, test.from, from, test.text)
	}
	_, candidates := s.Complete("put(what='', bo")
	assert.Equal(t, runtime.Candidate{Text: "box="}, candidates[0])
	_, candidates = s.Complete("box.ge")
	assert.Equal(t, "box.get(name, default=None) -> Box", candidates[0].Detail)
}

func TestCompleteDoesNotWaitForSlowNames(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	lib := boxLibrary(t, func(context.Context, *runtime.Session) []string { <-release; return nil })
	rt, err := runtime.New(runtime.Config{Libraries: []*runtime.Library{lib}})
	require.NoError(t, err)
	s := rt.NewSession(context.Background())
	defer s.Close()
	begin := time.Now()
	_, candidates := s.Complete(`put("`)
	assert.Empty(t, candidates)
	assert.Less(t, time.Since(begin), patience)
}
