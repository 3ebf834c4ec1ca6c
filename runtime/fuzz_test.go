package runtime_test

import (
	"context"
	"testing"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
)

// FuzzComplete types anything at a prompt.
func FuzzComplete(f *testing.F) {
	for _, text := range []string{"", "x.", `print("`, "scope(fn=", "a(b)[c](", `"""`, "'\\", "json.decode(", "))(.(", "x = [1, (2, {'a': b."} {
		f.Add(text)
	}
	rt := newRuntime(f, runtime.Config{})
	s := rt.NewSession(context.Background())
	f.Cleanup(func() { _ = s.Close() })
	f.Fuzz(func(t *testing.T, text string) {
		from, _ := s.Complete(text)
		if from < 0 || from > len(text) {
			t.Errorf("replaces from %d of %d bytes", from, len(text))
		}
	})
}

// FuzzDeclaration declares anything: it is refused or parsed, never a panic.
func FuzzDeclaration(f *testing.F) {
	for _, text := range []string{"", "f()", "f(a, b=1, *, c) -> x\n\na  b\n>>> f()\n1", "f(*a, **b)", "f(a=[{}])", "a.b.c(", "f(a=-x)", "(", "->"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m := runtime.Const(text, starlark.None)
		rt, err := runtime.New(runtime.Config{Libraries: []*runtime.Library{{Name: "x", Members: []runtime.Member{m}}}})
		if err == nil {
			_ = rt.Check()
		}
	})
}
