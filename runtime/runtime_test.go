package runtime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/lang"
	"github.com/dscript/dscript/runtime/lang/langtest"
)

// patience is how long a test waits before it calls something hung.
const patience = 30 * time.Second

func newRuntime(t testing.TB, cfg runtime.Config, members ...runtime.Member) *runtime.Runtime {
	t.Helper()
	cfg.Libraries = append(cfg.Libraries, lang.Library(), &runtime.Library{Name: "test", Members: members})
	rt, err := runtime.New(cfg)
	require.NoError(t, err)
	return rt
}

// newSession returns a session that is closed at the end of the test.
func newSession(t testing.TB, cfg runtime.Config, members ...runtime.Member) *runtime.Session {
	t.Helper()
	s := newRuntime(t, cfg, members...).NewSession(context.Background())
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func TestLanguage(t *testing.T) {
	langtest.Files(t, "testdata/*.star", runtime.Config{Libraries: []*runtime.Library{lang.Library()}})
}

// mapFS is a file system of texts.
func mapFS(texts map[string]string) fstest.MapFS {
	files := make(fstest.MapFS)
	for name, text := range texts {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

func TestZeroConfig(t *testing.T) {
	rt, err := runtime.New(runtime.Config{})
	require.NoError(t, err)
	s, err := rt.Run(context.Background(), "x.star", "x = [len('abc')]\nprint(x)")
	require.NoError(t, err)
	x, err := runtime.Get[[]int](s, "x")
	require.NoError(t, err)
	assert.Equal(t, []int{3}, x)
	require.NoError(t, s.Close())
	_, err = rt.Run(context.Background(), "x.star", "attempt(len)")
	assert.True(t, runtime.IsStatic(err))
}

func TestRunFailsAfterCleanup(t *testing.T) {
	var out bytes.Buffer
	rt := newRuntime(t, runtime.Config{Stdout: &out})
	s, err := rt.Run(context.Background(), "x.star", "defer(print, 'cleaned')\ndefer(fail, 'second')\nfail('first')")
	assert.Nil(t, s)
	assert.Equal(t, "cleaned\n", out.String())
	assert.ErrorContains(t, err, "first")
	assert.ErrorContains(t, err, "second")
	assert.Equal(t, "fail", runtime.KindOf(err))
}

func TestExecEvalCall(t *testing.T) {
	ctx := context.Background()
	s := newSession(t, runtime.Config{})
	require.NoError(t, s.Exec(ctx, "def add(a, b=0, *, c=0): return a + b + c\nx = 1"))
	require.NoError(t, s.Exec(ctx, "x += 1"))
	v, err := s.Eval(ctx, "add(x, b=10)")
	require.NoError(t, err)
	assert.Equal(t, "12", v.String())
	v, err = s.Call(ctx, "add", 1, 2, runtime.Kwargs{"c": 3})
	require.NoError(t, err)
	assert.Equal(t, "6", v.String())
	_, err = s.Call(ctx, "ad")
	assert.ErrorContains(t, err, "no function ad (did you mean add?)")
	_, err = s.Call(ctx, "x")
	assert.ErrorContains(t, err, "x is of type int, not a function")
	_, err = s.Call(ctx, "add", make(chan int))
	assert.ErrorContains(t, err, "argument 1 of add")
	assert.ElementsMatch(t, []string{"add", "x"}, s.Globals().Keys())
}

func TestChunkCanTakeAPredeclaredName(t *testing.T) {
	ctx := context.Background()
	s := newSession(t, runtime.Config{})
	require.NoError(t, s.Exec(ctx, "scope = scope(lambda: 5)"))
	assert.Equal(t, []string{"scope"}, s.Globals().Keys())
	_, err := s.Eval(ctx, "scope(len)")
	assert.ErrorContains(t, err, "no longer the predeclared scope")
	s.Forget("scope")
	_, err = s.Eval(ctx, "scope(lambda: 5)")
	assert.NoError(t, err)
}

func TestSet(t *testing.T) {
	s := newSession(t, runtime.Config{})
	require.NoError(t, s.Set("n", 41))
	require.NoError(t, s.Set("_", []string{"a"}))
	v, err := s.Eval(t.Context(), "[n + 1, _[0]]")
	require.NoError(t, err)
	assert.Equal(t, `[42, "a"]`, v.String())
	assert.Equal(t, "invalid", runtime.KindOf(s.Set("no name", 1)))
	assert.Error(t, s.Set("ch", make(chan int)))
}

func TestFailedChunkKeepsWhatItAssigned(t *testing.T) {
	s := newSession(t, runtime.Config{})
	require.Error(t, s.Exec(context.Background(), "a = 1\nfail('x')\nb = 2"))
	assert.Equal(t, []string{"a"}, s.Globals().Keys())
}

func TestExit(t *testing.T) {
	rt := newRuntime(t, runtime.Config{})
	for _, src := range []string{"exit(3)", "attempt(exit, 3)", "parallel(lambda: sleep('1h'), lambda: exit(3))", "deadline('1h', exit, 3)", "scope(exit, 3)"} {
		s, err := rt.Run(context.Background(), "x.star", src)
		assert.Nil(t, s, src)
		var exit *runtime.ExitError
		require.ErrorAs(t, err, &exit, src)
		assert.Equal(t, 3, exit.Code, src)
		assert.Equal(t, "exit", runtime.KindOf(err), src)
	}
	s := rt.NewSession(context.Background())
	defer s.Close()
	require.Error(t, s.Exec(context.Background(), "exit()"))
	assert.ErrorContains(t, s.Exec(context.Background(), "x = 1"), "exit(0)", "exit ends the session")
}

func TestPanicIsAnErrorAndCleanupRuns(t *testing.T) {
	var out bytes.Buffer
	broken := runtime.Func("broken()", func(c *runtime.Call, _ struct{}) error {
		return c.Block(func(context.Context) error {
			panic("oh no")
		})
	})
	rt := newRuntime(t, runtime.Config{Stdout: &out}, broken)
	_, err := rt.Run(context.Background(), "x.star", "defer(print, 'cleaned')\nbroken()")
	assert.Equal(t, "internal", runtime.KindOf(err))
	assert.Equal(t, "cleaned\n", out.String())
	text := rt.FormatError(err)
	assert.Contains(t, text, "x.star:2:7: error: broken: panic: oh no (internal)")
	assert.Contains(t, text, "runtime_test.go")
}

func TestErrorsKeepTheirCause(t *testing.T) {
	sentinel := errors.New("sentinel")
	f := runtime.Func("f()", func(*runtime.Call, struct{}) error { return fmt.Errorf("wrapped: %w", sentinel) })
	rt := newRuntime(t, runtime.Config{}, f)
	for _, src := range []string{"f()", "parallel(f)", "scope(f)", "deadline('1h', f)", "fail(attempt(f).error)", "parallel.map(lambda x: scope(f), [1])"} {
		_, err := rt.Run(context.Background(), "x.star", src)
		assert.ErrorIs(t, err, sentinel, src)
	}
}

func TestGlobalsUnderParallel(t *testing.T) {
	s, err := newRuntime(t, runtime.Config{}).Run(context.Background(), "x.star", `
shared = {}
order = []
total = 0

def change(n):
    global_dict = shared
    for i in range(200):
        shared[i] = shared.get(i, 0) + 1
        order.append(n)
        if i % 50 == 0:
            sleep(0)

parallel(*[(lambda n: lambda: change(n))(n) for n in range(8)])
`)
	require.NoError(t, err)
	defer s.Close()
	shared, err := runtime.Get[map[int]int](s, "shared")
	require.NoError(t, err)
	order, err := runtime.Get[[]int](s, "order")
	require.NoError(t, err)
	assert.Len(t, order, 1600)
	require.Len(t, shared, 200)
	for i, n := range shared {
		assert.Equal(t, 8, n, "shared[%d]", i)
	}
}

func TestSessionsInParallel(t *testing.T) {
	rt := newRuntime(t, runtime.Config{})
	program, err := rt.Compile("x.star", "x = []\ndef f(n):\n    for i in range(n): x.append(i)\n    return len(x)")
	require.NoError(t, err)
	done := make(chan error, 16)
	for range cap(done) {
		go func() {
			s, err := rt.Run(context.Background(), "", program)
			if err == nil {
				_, err = s.Call(context.Background(), "f", 500)
				err = errors.Join(err, s.Close())
			}
			done <- err
		}()
	}
	for range cap(done) {
		assert.NoError(t, <-done)
	}
}

func TestHostCallsOneSessionFromManyGoroutines(t *testing.T) {
	s := newSession(t, runtime.Config{})
	require.NoError(t, s.Exec(context.Background(), "n = [0]\ndef inc():\n    x = n[0]\n    sleep(0)\n    n[0] += 1\n    return x"))
	done := make(chan error, 20)
	for range cap(done) {
		go func() {
			_, err := s.Call(context.Background(), "inc")
			done <- err
		}()
	}
	for range cap(done) {
		require.NoError(t, <-done)
	}
	n, err := runtime.Get[[]int](s, "n")
	require.NoError(t, err)
	assert.Equal(t, []int{20}, n)
}

func TestSessionUsedInsideItsOwnCall(t *testing.T) {
	f := runtime.Func("f()", func(c *runtime.Call, _ struct{}) error {
		_, err := c.Session().Eval(c.Context(), "1")
		return err
	})
	s := newSession(t, runtime.Config{}, f)
	assert.ErrorContains(t, s.Exec(context.Background(), "f()"), "use Call.Callback")
}

var modules = fstest.MapFS{
	"main.star":      {Data: []byte(`load("./lib/a.star", "a")` + "\n" + `load("//lib/b.star", "b", bb="b2")` + "\nx = [a, b, bb]")},
	"lib/a.star":     {Data: []byte(`load("../top.star", "top")` + "\n" + `load("@std//s.star", "s")` + "\nprint('a runs')\na = top + s")},
	"lib/b.star":     {Data: []byte(`load("./a.star", a2="a")` + "\nb = a2 + '!'\nb2 = here('f')")},
	"top.star":       {Data: []byte("top = 'top'")},
	"cycle1.star":    {Data: []byte(`load("./cycle2.star", "x")`)},
	"cycle2.star":    {Data: []byte(`load("./cycle3.star", "x")`)},
	"cycle3.star":    {Data: []byte(`load("./cycle2.star", "x")`)},
	"self.star":      {Data: []byte(`load("//self.star", "x")`)},
	"broken.star":    {Data: []byte("x = 1\nif x\n")},
	"fails.star":     {Data: []byte("def f():\n    fail('in module')\nf()\n")},
	"escape.star":    {Data: []byte(`load("../../etc/x.star", "x")`)},
	"missing.star":   {Data: []byte(`load("./nothing.star", "x")`)},
	"bare.star":      {Data: []byte(`load("top.star", "x")`)},
	"badname.star":   {Data: []byte(`load("./top.star", "topp")`)},
	"fails2.star":    {Data: []byte("load('./fails.star', 'f')")},
	"uses.star":      {Data: []byte("load('./broken.star', 'x')")},
	"stdescape.star": {Data: []byte(`load("@std//../x.star", "x")`)},
}

func TestLoad(t *testing.T) {
	var out bytes.Buffer
	rt := newRuntime(t, runtime.Config{
		Stdout: &out, Files: modules, Root: "/project",
		Std: fstest.MapFS{"s.star": {Data: []byte(`load("./t.star", "t")` + "\ns = t")}, "t.star": {Data: []byte("t = '-std'")}},
	})
	s, err := rt.Run(context.Background(), "main.star", nil)
	require.NoError(t, err)
	defer s.Close()
	x, err := runtime.Get[[]string](s, "x")
	require.NoError(t, err)
	assert.Equal(t, []string{"top-std", "top-std!", "/project/lib/f"}, x)
	assert.Equal(t, "a runs\n", out.String(), "a module runs once")
	require.NoError(t, s.ExecNamed(context.Background(), "<prompt>", `load("./lib/a.star", "a")`))
	assert.Equal(t, "a runs\n", out.String())
	s.ForgetModules()
	require.NoError(t, s.ExecNamed(context.Background(), "<prompt>", `load("./lib/a.star", "a")`))
	assert.Equal(t, "a runs\na runs\n", out.String())
}

func TestLoadErrors(t *testing.T) {
	rt := newRuntime(t, runtime.Config{Files: modules, Std: fstest.MapFS{}})
	for file, want := range map[string]string{
		"cycle1.star":    "cycle of loads: cycle2.star → cycle3.star → cycle2.star",
		"self.star":      "cycle of loads: self.star → self.star",
		"broken.star":    "broken.star:3:1: got newline, want ':'",
		"uses.star":      "cannot load ./broken.star: broken.star:3:1: got newline, want ':'",
		"escape.star":    `"../../etc/x.star" leaves the project's root`,
		"stdescape.star": `leaves the project's root`,
		"missing.star":   "no such file: nothing.star",
		"bare.star":      `not "top.star"`,
		"badname.star":   "name topp not found in module ./top.star (did you mean top?)",
		"fails2.star":    "fail: in module",
		"nowhere.star":   "no such file",
	} {
		_, err := rt.Run(context.Background(), file, nil)
		if assert.Error(t, err, file) && file != "broken.star" {
			assert.Contains(t, err.Error(), want, file)
		}
		assert.Equal(t, strings.HasPrefix(file, "broken") || file == "uses.star", runtime.IsStatic(err), file)
	}
}

func TestMaxSteps(t *testing.T) {
	var out bytes.Buffer
	rt := newRuntime(t, runtime.Config{MaxSteps: 100_000, Stdout: &out})
	loops := map[string]string{
		"loop":     "while True: pass",
		"attempt":  "def f():\n    while True: pass\nattempt(f)\nattempt(f)\nprint('went on')",
		"parallel": "def f():\n    while True: sleep(0)\nparallel(f, f, f)",
		"deadline": "def f():\n    while True: pass\ndeadline('1h', f)",
	}
	for name, src := range loops {
		_, err := rt.Run(context.Background(), "x.star", "defer(print, 'cleaned')\n"+src)
		assert.Equal(t, "limit", runtime.KindOf(err), name)
		assert.ErrorContains(t, err, "used up its 100000 steps", name)
	}
	assert.Equal(t, strings.Repeat("cleaned\n", len(loops)), out.String())
	s := rt.NewSession(context.Background())
	defer s.Close()
	for range 100 { // threads give back what they did not use
		require.NoError(t, s.Exec(context.Background(), "x = 1"))
	}
}

func TestCleanupHasABudgetOfItsOwn(t *testing.T) {
	var out bytes.Buffer
	rt := newRuntime(t, runtime.Config{MaxSteps: 50_000, Stdout: &out})
	_, err := rt.Run(context.Background(), "x.star", `
def loop():
    while True:
        pass

def tidy():
    print(deadline("1h", lambda: "in time"))
    for i in range(1000):
        pass
    print("tidied")

defer(tidy)
defer(loop)
loop()
`)
	assert.Equal(t, "in time\ntidied\n", out.String())
	assert.Equal(t, 2, strings.Count(err.Error(), "used up its 50000 steps"), "%v", err)
}

func TestLoadFromCodeThatIsNoFile(t *testing.T) {
	files := fstest.MapFS{"sub/a.star": {Data: []byte("a = 1")}}
	rt := newRuntime(t, runtime.Config{Files: files, Root: "/project", Dir: "/project/sub"})
	for name, src := range map[string]string{"<stdin>": `load("./a.star", "a")`, "-c": `load("../sub/a.star", "a")`, "/project/sub/x.star": `load("./a.star", "a")`, "/other/x.star": `load("//sub/a.star", "a")`} {
		s, err := rt.Run(context.Background(), name, src)
		if assert.NoError(t, err, name) {
			assert.NoError(t, s.Close())
		}
	}
	_, err := rt.Run(context.Background(), "/other/x.star", `load("./a.star", "a")`)
	assert.ErrorContains(t, err, "does not lie below the project's root")
}

func TestMaxOutput(t *testing.T) {
	var out bytes.Buffer
	rt := newRuntime(t, runtime.Config{MaxOutput: 10, Stdout: &out})
	_, err := rt.Run(context.Background(), "x.star", "attempt(print, 'x' * 8)\nattempt(print, 'y' * 8)\nattempt(print, 'z')")
	assert.Equal(t, "limit", runtime.KindOf(err))
	assert.Equal(t, "xxxxxxxx\ny", out.String())
}

func TestPrintThatFails(t *testing.T) {
	full := errors.New("disk full")
	cfg := runtime.Config{Stdout: failingWriter{full}}
	bare, err := runtime.New(cfg) // print is Starlark's own
	require.NoError(t, err)
	for _, rt := range []*runtime.Runtime{bare, newRuntime(t, cfg)} {
		_, err := rt.Run(t.Context(), "x.star", "x = 1\nprint(x)\nwhile True: pass")
		assert.ErrorIs(t, err, full)
		assert.Regexp(t, `^x.star:2:6: error: (print: )?disk full`, rt.FormatError(err))
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestMaxObjects(t *testing.T) {
	f := runtime.Func("f()", func(c *runtime.Call, _ struct{}) error { return c.Count() })
	rt := newRuntime(t, runtime.Config{MaxObjects: 2}, f)
	_, err := rt.Run(context.Background(), "x.star", "f()\nf()\nattempt(f)")
	assert.Equal(t, "limit", runtime.KindOf(err))
}

func TestWarn(t *testing.T) {
	f := runtime.Func("f()", func(c *runtime.Call, _ struct{}) error { c.Warn("careful: %d", 1); return nil })
	var stderr bytes.Buffer
	rt := newRuntime(t, runtime.Config{Stderr: &stderr}, f)
	s, err := rt.Run(context.Background(), "x.star", "\nf()")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	assert.Equal(t, "x.star:2:2: warning: careful: 1\n", stderr.String())
}

func TestMemberCollisions(t *testing.T) {
	f := runtime.Func("f()", func(*runtime.Call, struct{}) error { return nil })
	_, err := runtime.New(runtime.Config{Libraries: []*runtime.Library{{Name: "x", Members: []runtime.Member{f, f}}}})
	assert.ErrorContains(t, err, "library x: f is declared twice")
	_, err = runtime.New(runtime.Config{Libraries: []*runtime.Library{{Name: "x", Members: []runtime.Member{runtime.Const("(x)", starlark.None)}}}})
	assert.ErrorContains(t, err, "must begin with a name")
}
