package builtins_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/docs"
)

// The reference page is rendered from the declarations; it is stale when they differ.
func TestReference(t *testing.T) {
	golden(t, "../docs/reference.md", docs.Markdown(config(t, nil).Libraries))
}

// Every example of a declaration is run: it must give what stands under it. c is a
// container that runs.
func TestDeclaredExamples(t *testing.T) {
	client := enginetest.Client(t)
	id := enginetest.Container(t, client)
	ran := 0
	for _, lib := range config(t, nil).Libraries {
		members := lib.Members
		for _, typ := range lib.Types {
			members = append(members, typ)
		}
		walk(members, func(m runtime.Member) {
			if len(m.Doc().Examples) == 0 {
				return
			}
			ran++
			t.Run(m.Doc().FullName, func(t *testing.T) { runExamples(t, client, id, m.Doc().Examples) })
		})
	}
	assert.NotZero(t, ran)
}

func walk(members []runtime.Member, visit func(runtime.Member)) {
	for _, m := range members {
		visit(m)
		walk(m.Members(), visit)
	}
}

func runExamples(t *testing.T, client *engine.Client, id string, examples []runtime.Example) {
	var out bytes.Buffer
	c := config(t, client)
	c.Stdout = &out
	rt, err := runtime.New(c)
	require.NoError(t, err)
	s := rt.NewSession(t.Context())
	defer func() { assert.NoError(t, s.Close()) }()
	require.NoError(t, s.Exec(t.Context(), `c = container.get("`+id+`")`))
	for _, example := range examples {
		if example.Want == "" {
			require.NoError(t, s.Exec(t.Context(), example.Source), example.Source)
			continue
		}
		out.Reset()
		got, err := s.Eval(t.Context(), example.Source)
		require.NoError(t, err, example.Source)
		if got != starlark.None {
			out.WriteString(got.String())
		}
		assert.Equal(t, example.Want, strings.TrimSuffix(out.String(), "\n"), example.Source)
	}
}
