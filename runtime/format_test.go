package runtime_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/runtime"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestFormatError runs each testdata/errors/*.txt: a script, a line of "-----",
// and how its error is shown.
func TestFormatError(t *testing.T) {
	files, err := filepath.Glob("testdata/errors/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	modules := fstest.MapFS{
		"module.star": {Data: []byte("def f(x):\n    return x[5]\n")},
		"bad.star":    {Data: []byte("x = 1\ny = prnt(x)\n")},
	}
	hinted := runtime.Func("hinted()", func(*runtime.Call, struct{}) error {
		return &runtime.Error{Kind: "conflict", Op: "exec", Message: `container "db" is not running`, Hint: "start it with c.start()"}
	})
	network := runtime.Noun("network(name) -> int\n\nMake one.", func(_ *runtime.Call, a struct{ Name string }) (int, error) { return 5, nil },
		runtime.Func("network.get(name) -> int", func(_ *runtime.Call, a struct{ Name string }) (int, error) { return 5, nil }))
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			src, want, _ := strings.Cut(string(text), "-----\n")
			rt := newRuntime(t, runtime.Config{Files: modules}, hinted, network)
			session, err := rt.Run(context.Background(), "app.star", src)
			assert.Nil(t, session)
			got := rt.FormatError(err) + "\n"
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(src+"-----\n"+got), 0o644))
				return
			}
			assert.Equal(t, want, got)
		})
	}
}

func TestFormatOtherErrors(t *testing.T) {
	rt := newRuntime(t, runtime.Config{})
	assert.Equal(t, "", rt.FormatError(nil))
	assert.Equal(t, "error: plain", rt.FormatError(errors.New("plain")))
	assert.Equal(t, "error: x: y (gone)\nhint: z", rt.FormatError(&runtime.Error{Kind: "gone", Op: "x", Message: "y", Hint: "z"}))
}

func TestKindOf(t *testing.T) {
	for want, err := range map[string]error{
		"":          errors.New("x"),
		"timeout":   context.DeadlineExceeded,
		"cancelled": context.Canceled,
		"exit":      &runtime.ExitError{},
		"gone":      errors.Join(errors.New("x"), runtime.Errorf("gone", "y: %w", errors.New("z"))),
	} {
		assert.Equal(t, want, runtime.KindOf(err))
	}
	assert.Equal(t, "", runtime.KindOf(nil))
	assert.ErrorIs(t, runtime.Errorf("gone", "y: %w", context.Canceled), context.Canceled)
}
