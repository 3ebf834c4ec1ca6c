package docs_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/docs"
	"github.com/dscript/dscript/runtime/lang"
)

var update = flag.Bool("update", false, "write the golden files anew")

const boxDoc = `
box(label, *, colour="red", size="64m", content=None) -> Box

Make a box. It is empty unless content says otherwise, which may take a long sentence to explain.

label    what is written on it
content  what is put in: a string or bytes,
         or nothing

>>> box("a").label
"a"
>>> [
...     box("b"),
... ]
`

type boxArgs struct {
	Label, Colour string
	Size          runtime.Size
	Content       runtime.Opt[string]
}

// sample is a library with one of everything.
func sample() *runtime.Library {
	call := func(*runtime.Call, boxArgs) (starlark.Value, error) { return starlark.None, nil }
	open := runtime.Func("open(box, *tools, **how) -> bytes\n\nOpen a box.", func(*runtime.Call, struct {
		Box   string
		Tools starlark.Tuple
		How   []starlark.Tuple
	}) error {
		return nil
	})
	return &runtime.Library{
		Name: "boxes",
		Doc:  "What one does with boxes.",
		Members: []runtime.Member{
			runtime.Noun(boxDoc, call,
				runtime.Func("box.get(label, default=None) -> Box\n\nFind a box.", func(*runtime.Call, struct{ Label, Default starlark.Value }) error { return nil }),
				runtime.Const("box.limit -> int\n\nHow many there may be.", starlark.MakeInt(3)),
			),
			open,
			runtime.Noun("assert\n\nClaims.", nil),
		},
		Types: []*runtime.TypeDecl{runtime.Type[starlark.Int]("Box\n\nA box.",
			runtime.Attr("label -> string\n\nWhat is written on it. Never empty.", func(*runtime.Call, starlark.Int) (any, error) { return nil, nil }),
			open.As("box"),
		)},
	}
}

// golden compares got with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}

func TestRendering(t *testing.T) {
	libs := []*runtime.Library{sample()}
	golden(t, "box.txt", docs.Text(libs[0].Members[0], 60))
	golden(t, "type.txt", docs.Text(libs[0].Types[0], 0))
	golden(t, "reference.md", docs.Markdown(libs))
	golden(t, "stubs.pyi", docs.Stubs(libs))
	text, err := docs.JSON(libs)
	require.NoError(t, err)
	golden(t, "reference.json", string(text)+"\n")
	rt, err := runtime.New(runtime.Config{Libraries: libs})
	require.NoError(t, err)
	golden(t, "overview.txt", docs.Overview(rt))
}

func TestLookup(t *testing.T) {
	rt, err := runtime.New(runtime.Config{Libraries: []*runtime.Library{sample()}})
	require.NoError(t, err)
	for name, want := range map[string]string{
		"box": "noun", "box.get": "function", "box.limit": "constant", "Box": "type", "Box.label": "attribute", "Box.open": "method",
	} {
		m, err := docs.Lookup(rt, name)
		if assert.NoError(t, err, name) {
			assert.Equal(t, want, m.Doc().Kind, name)
		}
	}
	for name, want := range map[string]string{
		"box.gte": "nothing is called box.gte (did you mean box.get?) (not_found)",
		"bix":     "nothing is called bix (did you mean box?) (not_found)",
		"zzzz":    "nothing is called zzzz (not_found)",
		"open.x":  "nothing is called open.x (not_found)",
		"":        "nothing is called  (not_found)",
	} {
		_, err := docs.Lookup(rt, name)
		assert.EqualError(t, err, want, name)
	}
}

func TestExamples(t *testing.T) {
	assert.Equal(t, []runtime.Example{
		{Source: `box("a").label`, Want: `"a"`},
		{Source: "[\n    box(\"b\"),\n]"},
	}, docs.Examples(sample().Members[0]))
}

// TestLanguageReference renders all that the language has.
func TestLanguageReference(t *testing.T) {
	libs := []*runtime.Library{lang.Library()}
	text, err := docs.JSON(libs)
	require.NoError(t, err)
	assert.True(t, json.Valid(text))
	markdown, stubs := docs.Markdown(libs), docs.Stubs(libs)
	for _, m := range libs[0].Members {
		assert.Contains(t, markdown, "### "+m.MemberName()+"\n")
		assert.Contains(t, stubs, m.MemberName())
		for line := range strings.SplitSeq(docs.Text(m, 80), "\n") {
			assert.LessOrEqual(t, len([]rune(line)), 120, line)
		}
	}
	assert.Contains(t, stubs, "\nassert_: _Assert\n")
	assert.NotContains(t, stubs, "\nassert:")
}
