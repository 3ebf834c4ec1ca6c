package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
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

	t.Chdir(t.TempDir())
	assert.Contains(t, relative(root)(filepath.Join(root, "x.star")), "..")
}
