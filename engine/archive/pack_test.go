package archive_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine/archive"
)

// tree makes a directory with one of each that is packed.
func tree(t *testing.T) *os.Root {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "top/sub"), 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "top/b"), []byte("b\x00\xff"), 0o640))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "top/sub/a"), nil, 0o755))
	require.NoError(t, os.Symlink("sub/a", filepath.Join(dir, "top/link")))
	old := time.Unix(1e9, 0)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "top/b"), old, old))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	t.Cleanup(func() { root.Close() })
	return root
}

func packed(t *testing.T, root *os.Root, name string, o archive.PackOptions) []byte {
	var buf bytes.Buffer
	require.NoError(t, archive.Pack(t.Context(), &buf, root.FS().(archive.Source), name, o))
	return buf.Bytes()
}

func TestPackAndExtract(t *testing.T) {
	data := packed(t, tree(t), "top", archive.PackOptions{Name: "copy"})
	around, err := extractInside(t, data, archive.ExtractOptions{})
	require.NoError(t, err)
	assert.Equal(t, []string{"copy", "copy/b", "copy/link", "copy/sub", "copy/sub/a"}, names(t, around.dst))

	content, err := os.ReadFile(filepath.Join(around.dst, "copy/b"))
	require.NoError(t, err)
	assert.Equal(t, "b\x00\xff", string(content))
	info, err := os.Stat(filepath.Join(around.dst, "copy/b"))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), info.Mode())
	assert.Equal(t, int64(1e9), info.ModTime().Unix())
	target, err := os.Readlink(filepath.Join(around.dst, "copy/link"))
	require.NoError(t, err)
	assert.Equal(t, "sub/a", target)
}

func TestPackOneFile(t *testing.T) {
	around, err := extractInside(t, packed(t, tree(t), "top/b", archive.PackOptions{Name: "renamed"}), archive.ExtractOptions{})
	require.NoError(t, err)
	assert.Equal(t, []string{"renamed"}, names(t, around.dst))
}

func TestPackSkips(t *testing.T) {
	skip := func(name string, isDir bool) (bool, error) { return name == "sub" && isDir || name == "b", nil }
	around, err := extractInside(t, packed(t, tree(t), "top", archive.PackOptions{Skip: skip}), archive.ExtractOptions{Links: archive.KeepLinks})
	require.NoError(t, err)
	assert.Equal(t, []string{"link"}, names(t, around.dst))
}

// The same files make the same bytes, whenever they were written.
func TestPackFixed(t *testing.T) {
	a := packed(t, tree(t), "top", archive.PackOptions{Fixed: true})
	b := packed(t, tree(t), "top", archive.PackOptions{Fixed: true})
	assert.Equal(t, a, b)
}
