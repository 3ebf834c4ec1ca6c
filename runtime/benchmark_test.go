package runtime_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.starlark.net/starlark"

	dscript "github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/lang"
)

type benchArgs struct {
	Name  string
	Count int
	Check bool
}

// BenchmarkDeclaredCall calls a declared function beside one that unpacks its
// arguments by Starlark's UnpackArgs.
func BenchmarkDeclaredCall(b *testing.B) {
	declared := dscript.Func(`bench(name, count=1, *, check=False)`, func(*dscript.Call, benchArgs) (starlark.Value, error) {
		return starlark.None, nil
	})
	bare := starlark.NewBuiltin("bench", func(_ *starlark.Thread, fn *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var name string
		count, check := 1, false
		err := starlark.UnpackArgs(fn.Name(), args, kwargs, "name", &name, "count?", &count, "check?", &check)
		return starlark.None, err
	})
	for name, fn := range map[string]starlark.Value{"declared": declared, "unpackargs": bare} {
		b.Run(name, func(b *testing.B) {
			lib := &dscript.Library{Members: []dscript.Member{dscript.Const("f", fn)}}
			rt, err := dscript.New(dscript.Config{Libraries: []*dscript.Library{lib}})
			require.NoError(b, err)
			s, err := rt.Run(context.Background(), "bench.star", "def loop(n):\n    for i in range(n):\n        f(\"x\", i, check=True)\n")
			require.NoError(b, err)
			defer s.Close()
			b.ReportAllocs()
			b.ResetTimer()
			_, err = s.Call(context.Background(), "loop", b.N)
			require.NoError(b, err)
		})
	}
}

// BenchmarkNew makes a Runtime with the language's library.
func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dscript.New(dscript.Config{Libraries: []*dscript.Library{lang.Library()}}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkThousandSessions runs one Program in a thousand sessions and
// reports the memory of each while it lives.
func BenchmarkThousandSessions(b *testing.B) {
	rt, err := dscript.New(dscript.Config{Libraries: []*dscript.Library{lang.Library()}})
	require.NoError(b, err)
	program, err := rt.Compile("app.star", "x = [1, 2, 3]\ndef f(y):\n    return len(x) + y\n")
	require.NoError(b, err)
	const n = 1000
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		sessions := make([]*dscript.Session, n)
		for i := range sessions {
			if sessions[i], err = rt.Run(context.Background(), "", program); err != nil {
				b.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(int64(after.HeapAlloc)-int64(before.HeapAlloc))/n, "B/session")
		for _, s := range sessions {
			if err := s.Close(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/n, "µs/session")
}
