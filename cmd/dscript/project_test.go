package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRelative(t *testing.T) {
	root := t.TempDir()
	t.Chdir(root)
	file := filepath.Join(root, "a b", "x.star")
	assert.Equal(t, "x.star:1:2: error", relative(root)(filepath.Join(root, "x.star")+":1:2: error"))
	assert.Equal(t, "a b/x.star"[:1], relative(root)(file)[:1])
	assert.Equal(t, `called from "lib/y.star" (z.star)`, relative(root)(`called from "`+root+`/lib/y.star" (`+root+`/z.star)`))
	assert.Equal(t, "/else"+root+"/x", relative(root)("/else"+root+"/x"), "a path that only contains the root's")
	assert.Equal(t, root+"x", relative(root)(root+"x"))
	assert.Equal(t, "/x.star", relative("/")("/x.star"))

	require.NoError(t, os.Mkdir(filepath.Join(root, "sub"), 0o755))
	t.Chdir(filepath.Join(root, "sub"))
	assert.Equal(t, "../x.star", relative(root)(filepath.Join(root, "x.star")))

	deep := filepath.Join(t.TempDir(), "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z")
	require.NoError(t, os.MkdirAll(deep, 0o755))
	t.Chdir(deep)
	assert.Equal(t, root+"/x.star", relative(root)(root+"/x.star"), "the way from here is longer")
}
