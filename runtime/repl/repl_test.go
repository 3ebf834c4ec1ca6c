package repl_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/lang"
	"github.com/dscript/dscript/runtime/repl"
)

var update = flag.Bool("update", false, "write the expected output again")

// Each file of testdata is input and what it gives: values and errors as they come.
func TestSessions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			require.NoError(t, err)
			require.Len(t, a.Files, 2, "want files in and out")
			var out buffer
			err = repl.Run(t.Context(), repl.Options{Runtime: newRuntime(t, &out), In: bytes.NewReader(a.Files[0].Data), Out: &out, Err: &out})
			if err != nil {
				fmt.Fprintf(&out, "Run: %s\n", err)
			}
			if *update {
				a.Files[1].Data = []byte(scrub(out.String()))
				require.NoError(t, os.WriteFile(file, txtar.Format(a), 0o644))
				return
			}
			assert.Equal(t, string(a.Files[1].Data), scrub(out.String()))
		})
	}
}

// scrub takes out how long things took.
func scrub(s string) string {
	return regexp.MustCompile(`\[[0-9.]+[mµ]?s\]`).ReplaceAllString(s, "[TIME]")
}

// buffer may be written and read at once.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newRuntime has, besides the language, things that are drawn as tables, that say
// how they are shown, that wait, and that must be removed.
func newRuntime(t *testing.T, out io.Writer) *runtime.Runtime {
	rt, err := runtime.New(runtime.Config{
		Libraries: []*runtime.Library{lang.Library(), things()},
		Stdout:    out, Stderr: out,
		Files: os.DirFS("testdata"),
	})
	require.NoError(t, err)
	require.NoError(t, rt.Check())
	return rt
}

func things() *runtime.Library {
	return &runtime.Library{Name: "things", Members: []runtime.Member{
		runtime.Func("thing(name) -> Thing\n\nMake a thing; it is removed at the end.", func(c *runtime.Call, a struct{ Name string }) (starlark.Value, error) {
			out := c.Stdout()
			c.Scope().Defer("remove thing "+a.Name, c.Pos(), func(context.Context) error {
				fmt.Fprintf(out, "removed %s\n", a.Name)
				return nil
			})
			return thing(a.Name), nil
		}),
		runtime.Func("result(text) -> string\n\nA value that says how it is shown.", func(_ *runtime.Call, a struct{ Text string }) (starlark.Value, error) {
			return shown(a.Text), nil
		}),
		runtime.Func("wait()\n\nWait for ever.", func(c *runtime.Call, _ struct{}) error {
			return c.Block(func(ctx context.Context) error {
				fmt.Fprintln(c.Stdout(), "waiting")
				<-ctx.Done()
				return context.Cause(ctx)
			})
		}),
	}}
}

// thing is drawn as a row of a table.
type thing string

func (t thing) String() string        { return fmt.Sprintf("thing(%q)", string(t)) }
func (thing) Type() string            { return "Thing" }
func (thing) Freeze()                 {}
func (thing) Truth() starlark.Bool    { return true }
func (t thing) Hash() (uint32, error) { return starlark.String(t).Hash() }

func (thing) Table(_ context.Context, values []starlark.Value) ([]string, [][]string, error) {
	var rows [][]string
	for i, v := range values {
		rows = append(rows, []string{fmt.Sprint(i), string(v.(thing))})
	}
	return []string{"#", "NAME"}, rows, nil
}

// shown says how it is shown.
type shown string

func (s shown) String() string        { return "shown(" + string(s) + ")" }
func (shown) Type() string            { return "Shown" }
func (shown) Freeze()                 {}
func (shown) Truth() starlark.Bool    { return true }
func (s shown) Hash() (uint32, error) { return starlark.String(s).Hash() }
func (s shown) Display(bool) string   { return string(s) + "\n[exit 7]" }
