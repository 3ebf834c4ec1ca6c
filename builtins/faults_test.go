package builtins_test

import (
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine/enginetest"
	"github.com/dscript/dscript/runtime"
)

// all=True is the engine's own prune. The proxy answers in its place: the engine of
// this machine may not be ours alone.
func TestPruneAll(t *testing.T) {
	proxy := enginetest.NewProxy(t, enginetest.Options(t))
	proxy.Add(enginetest.Fault{Method: http.MethodPost, Path: "^/networks/prune", Status: 200, Body: `{"NetworksDeleted":["a","b"]}`})
	proxy.Add(enginetest.Fault{Method: http.MethodPost, Path: "^/volumes/prune", Status: 200, Body: `{"VolumesDeleted":["v"],"SpaceReclaimed":7}`})
	rt, err := runtime.New(config(t, proxy.Client(t)))
	require.NoError(t, err)
	s, err := rt.Run(t.Context(), "x.star", "networks, volumes = network.prune(all=True), volume.prune(all=True)")
	require.NoError(t, err)
	defer func() { assert.NoError(t, s.Close()) }()
	networks, err := runtime.Get[[]string](s, "networks")
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, networks)
	volumes, err := runtime.Get[[]string](s, "volumes")
	require.NoError(t, err)
	assert.Equal(t, []string{"v"}, volumes)
}

// The engine has no image: what is missing is said.
func TestSeedWithoutImage(t *testing.T) {
	proxy := enginetest.NewProxy(t, enginetest.Options(t))
	proxy.Add(enginetest.Fault{Method: http.MethodGet, Path: "^/images/json", Status: 200, Body: "[]"})
	rt, err := runtime.New(config(t, proxy.Client(t)))
	require.NoError(t, err)
	_, err = rt.Run(t.Context(), "x.star", `volume().seed({"a": "b"})`)
	assert.Equal(t, "not_found", runtime.KindOf(err))
	assert.ErrorContains(t, err, "no image")
	assert.Contains(t, rt.FormatError(err), `image("busybox")`)
}

// An archive that is cut on its way is an error, and leaves nothing behind.
func TestCopyCutShort(t *testing.T) {
	client := enginetest.Client(t)
	id := enginetest.Container(t, client)
	proxy := enginetest.NewProxy(t, enginetest.Options(t))
	through := proxy.Client(t)
	for _, after := range []int{0, 100, 512, 1500} {
		for _, script := range []string{`c.copy_out("/etc/passwd", "out")`, `c.read("/etc/passwd")`} {
			proxy.Clear()
			proxy.Add(enginetest.Fault{Method: http.MethodGet, Path: "^/containers/[^/]*/archive", Nth: 1, Cut: true, After: after})
			c := config(t, through)
			err := runIn(t, c, id, script)
			assert.Contains(t, []string{"truncated", "unavailable"}, runtime.KindOf(err), "%s, cut after %d: %v", script, after, err)
			left, err := os.ReadDir(c.Dir)
			require.NoError(t, err)
			assert.Empty(t, left)
		}
	}
}
