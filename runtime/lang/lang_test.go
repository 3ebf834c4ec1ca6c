package lang_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/docs"
	"github.com/dscript/dscript/runtime/lang"
	"github.com/dscript/dscript/runtime/lang/langtest"
)

func config() runtime.Config {
	return runtime.Config{
		Libraries: []*runtime.Library{lang.Library()},
		Args:      []string{"one", "two"},
		Files:     fstest.MapFS{},
		Root:      "/project",
	}
}

func TestLanguage(t *testing.T) {
	langtest.Files(t, "testdata/*.star", config())
}

func TestDeclarations(t *testing.T) {
	rt, err := runtime.New(config())
	require.NoError(t, err)
	require.NoError(t, rt.Check())
	for _, m := range rt.Declarations() {
		assert.NotEmpty(t, m.Doc().Summary, m.MemberName())
	}
}

// TestExamples runs every >>> of the documentation.
func TestExamples(t *testing.T) {
	lib := lang.Library()
	for _, m := range lib.Members {
		t.Run(m.MemberName(), func(t *testing.T) {
			var out bytes.Buffer
			cfg := config()
			cfg.Stdout = &out
			rt, err := runtime.New(cfg)
			require.NoError(t, err)
			session := rt.NewSession(context.Background())
			defer session.Close()
			for _, example := range docs.Examples(m) {
				out.Reset()
				v, err := session.Eval(context.Background(), example.Source)
				if runtime.IsStatic(err) {
					err = session.Exec(context.Background(), example.Source)
				} else if v != nil && v.String() != "None" {
					out.WriteString(v.String() + "\n")
				}
				require.NoError(t, err, example.Source)
				assert.Equal(t, example.Want, strings.TrimSuffix(out.String(), "\n"), example.Source)
			}
		})
	}
}
