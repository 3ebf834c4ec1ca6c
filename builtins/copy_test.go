package builtins_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine/enginetest"
	"github.com/dscript/dscript/runtime"
)

// What is more than a limit ends the script with kind limit; of a copy nothing is left.
func TestCopyLimits(t *testing.T) {
	client := enginetest.Client(t)
	id := enginetest.Container(t, client)
	for _, script := range []string{
		`container.get("` + id + `").read("/etc/passwd", limit = 3)`,
		`container.get("` + id + `").copy_out("/etc", "out", limit = 3)`,
	} {
		c := config(t, client)
		rt, err := runtime.New(c)
		require.NoError(t, err)
		_, err = rt.Run(t.Context(), "x.star", script)
		assert.Equal(t, "limit", runtime.KindOf(err), "%v", err)
		left, err := os.ReadDir(c.Dir)
		require.NoError(t, err)
		assert.Empty(t, left)
	}
}

// Copies reach of this machine what the program allows, and nothing else.
func TestCopyWithoutHost(t *testing.T) {
	client := enginetest.Client(t)
	id := enginetest.Container(t, client)
	outside := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "f"), []byte("secret"), 0o600))
	for _, test := range []struct{ name, script, kind string }{
		{"in, no host", `c.copy_in("f", "/tmp/f")`, "denied"},
		{"out, no host", `c.copy_out("/etc/passwd", "f")`, "denied"},
		{"seed, no host", `volume().seed("d")`, "denied"},
		{"dump, no host", `volume().dump("d")`, "denied"},
		{"data needs none", `c.write("/tmp/x", "y"); volume().seed({"a": "b"})`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config(t, client)
			c.Host = runtime.Host{}
			assert.Equal(t, test.kind, runtime.KindOf(runIn(t, c, id, test.script)))
		})
	}
	for _, test := range []struct{ name, script, kind string }{
		{"in, outside", `c.copy_in("` + outside + `/f", "/tmp/f")`, "denied"},
		{"in, a link outside", `c.copy_in("link", "/tmp/f")`, "denied"},
		{"in, a directory link outside", `c.copy_in("dirlink", "/tmp/f")`, "denied"},
		{"out, outside", `c.copy_out("/etc/passwd", "` + outside + `/new")`, "denied"},
		{"out, through a link outside", `c.copy_out("/etc/passwd", "dirlink")`, "denied"},
		{"out, through a link to its name", `c.copy_out("/etc/passwd", "dirlink/new")`, "denied"},
		{"out, below a link outside", `c.copy_out("/tmp/merge/.", "into")`, "conflict"},
		{"within", `c.copy_out("/etc/passwd", "own"); c.copy_in("own", "/tmp/own"); c.copy_out("/tmp/own", ".")`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := config(t, client)
			c.Host = runtime.Host{Read: runtime.Below(c.Dir), Write: runtime.Below(c.Dir)}
			require.NoError(t, os.Symlink(filepath.Join(outside, "f"), filepath.Join(c.Dir, "link")))
			require.NoError(t, os.Symlink(outside, filepath.Join(c.Dir, "dirlink")))
			require.NoError(t, os.Mkdir(filepath.Join(c.Dir, "into"), 0o755))
			require.NoError(t, os.Symlink(outside, filepath.Join(c.Dir, "into", "sub")))
			err := runIn(t, c, id, `c.mkdir("/tmp/merge/sub"); c.write("/tmp/merge/sub/f", "x"); `+test.script)
			assert.Equal(t, test.kind, runtime.KindOf(err), "%v", err)
		})
	}
	left, err := os.ReadDir(outside)
	require.NoError(t, err)
	require.Len(t, left, 1)
	data, err := os.ReadFile(filepath.Join(outside, "f"))
	require.NoError(t, err)
	assert.Equal(t, "secret", string(data))
}

func runIn(t *testing.T, c runtime.Config, id, script string) error {
	rt, err := runtime.New(c)
	require.NoError(t, err)
	s, err := rt.Run(t.Context(), "x.star", `c = container.get("`+id+`"); `+script)
	if err == nil {
		require.NoError(t, s.Close())
	}
	return err
}
