package builtins_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine/enginetest"
	"github.com/dscript/dscript/runtime"
)

// Eight branches change one global dict and list; the engine's work overlaps.
func TestParallelExec(t *testing.T) {
	rt, err := runtime.New(config(t, enginetest.Client(t)))
	require.NoError(t, err)
	start := time.Now()
	s, err := rt.Run(t.Context(), "parallel.star", `
c = container("busybox", ["sleep", "300"])
counts, order = {}, []
def work(i):
    r = c.exec("sleep 1; echo " + str(i))
    for _ in range(100):
        counts["n"] = counts.get("n", 0) + 1
        order.append(i)
    return int(r.stdout.strip())
took = time.now()
results = parallel.map(work, range(8))
took = (time.now() - took).seconds
total, length = counts["n"], len(order)
`)
	require.NoError(t, err, "after %s", time.Since(start))
	t.Cleanup(func() { assert.NoError(t, s.Close()) })

	results, err := runtime.Get[[]int](s, "results")
	require.NoError(t, err)
	assert.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7}, results)
	for _, name := range []string{"total", "length"} {
		n, err := runtime.Get[int](s, name)
		require.NoError(t, err)
		assert.Equal(t, 800, n)
	}
	took, err := runtime.Get[float64](s, "took")
	require.NoError(t, err)
	assert.Less(t, took, 7.0, "seconds for eight execs of a second each")
}
