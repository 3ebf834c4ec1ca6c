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

// A build sends of this machine what the program allows, and nothing else.
func TestBuildWithoutHost(t *testing.T) {
	client := enginetest.Client(t)
	id := enginetest.Container(t, client)
	allowed, outside := t.TempDir(), filepath.Join(t.TempDir(), "ignore")
	require.NoError(t, os.WriteFile(outside, []byte("secret\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(allowed, "Dockerfile"), []byte("FROM busybox\n"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(allowed, ".dockerignore")))

	c := config(t, client)
	c.Dir, c.Host = allowed, runtime.Host{}
	assert.Equal(t, "denied", runtime.KindOf(runIn(t, c, id, `image.build(".")`)))
	assert.NoError(t, runIn(t, c, id, `image.build(files = {"Dockerfile": "FROM busybox\nENV a=b\n"})`))

	c.Host.Read = runtime.Everything()
	c.Dir = allowed
	assert.Equal(t, "denied", runtime.KindOf(runIn(t, c, id, `image.build(".")`)), "a .dockerignore that links out of the context")
}
