package archive_test

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine/archive"
)

// Engines name the root directory "/": a caller that gives each entry its place may
// take such an archive, one that does not may not.
func TestNamesFromTheRoot(t *testing.T) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	require.NoError(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "/", Mode: 0o755}))
	require.NoError(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "/f", Mode: 0o644, Size: 1}))
	_, err := w.Write([]byte("x"))
	require.NoError(t, err)
	require.NoError(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeLink, Name: "/hard", Linkname: "/f"}))
	require.NoError(t, w.Close())

	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	err = archive.Extract(t.Context(), bytes.NewReader(buf.Bytes()), root, archive.ExtractOptions{})
	require.ErrorIs(t, err, archive.ErrUnsafe)
	err = archive.Extract(t.Context(), bytes.NewReader(buf.Bytes()), root, archive.ExtractOptions{
		Rename: func(name string) string { return filepath.Join("copy", name) }})
	require.NoError(t, err)
	for _, name := range []string{"f", "hard"} {
		data, err := os.ReadFile(filepath.Join(dir, "copy", name))
		require.NoError(t, err)
		assert.Equal(t, "x", string(data))
	}
}
