package archive_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine/archive"
)

// entry is one entry of an archive, by hand.
type entry struct {
	kind byte // 0: a file
	name string
	link string
	data string
	mode int64 // 0: 0644
}

// pack makes an archive of entries as they are, whatever they say.
func pack(t testing.TB, entries []entry) []byte {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		h := &tar.Header{Typeflag: e.kind, Name: e.name, Linkname: e.link, Mode: e.mode, Size: int64(len(e.data)), ModTime: time.Unix(1e9, 0), Format: tar.FormatPAX}
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		require.NoError(t, w.WriteHeader(h))
		_, err := io.WriteString(w, e.data)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return buf.Bytes()
}

const (
	dir     = tar.TypeDir
	symlink = tar.TypeSymlink
	hard    = tar.TypeLink
)

// hostile are archives that try to write, or to make something lead, outside of
// their destination, or to contradict or exhaust. Each must end with err; where err
// is nil the archive is taken, without harm, and must leave what want says.
var hostile = []struct {
	name    string
	entries []entry
	err     error
	want    string // the names that are there, in order
}{
	{"dot-dot", []entry{{name: "../x"}}, archive.ErrUnsafe, ""},
	{"dot-dot twice", []entry{{name: "../../x"}}, archive.ErrUnsafe, ""},
	{"dot-dot inside", []entry{{name: "a/../../x"}}, archive.ErrUnsafe, ""},
	{"dot-dot that stays inside", []entry{{name: "a/../x"}}, archive.ErrUnsafe, ""},
	{"dot-dot at the end", []entry{{kind: dir, name: "a/.."}}, archive.ErrUnsafe, ""},
	{"only dot-dot", []entry{{kind: dir, name: ".."}}, archive.ErrUnsafe, ""},
	{"dot-dot behind dot", []entry{{name: "./../x"}}, archive.ErrUnsafe, ""},
	{"absolute", []entry{{name: "/tmp/dscript-hostile"}}, archive.ErrUnsafe, ""},
	{"absolute with two slashes", []entry{{name: "//tmp/dscript-hostile"}}, archive.ErrUnsafe, ""},
	{"absolute directory", []entry{{kind: dir, name: "/dscript-hostile"}}, archive.ErrUnsafe, ""},
	{"link to an absolute path", []entry{{kind: symlink, name: "l", link: "/etc/passwd"}}, archive.ErrUnsafe, ""},
	{"link upwards", []entry{{kind: symlink, name: "l", link: ".."}}, archive.ErrUnsafe, ""},
	{"link upwards from a directory", []entry{{kind: symlink, name: "a/l", link: "../../x"}}, archive.ErrUnsafe, ""},
	{"link upwards behind a name", []entry{{kind: symlink, name: "l", link: "a/../../x"}}, archive.ErrUnsafe, ""},
	{"link upwards through a link to here", []entry{{kind: symlink, name: "d", link: "."}, {kind: symlink, name: "l", link: "d/../x"}}, archive.ErrUnsafe, ""},
	{"link without a target", []entry{{kind: symlink, name: "l", link: ""}}, archive.ErrUnsafe, ""},
	{"file through a link outside", []entry{{kind: symlink, name: "l", link: "/tmp"}, {name: "l/x"}}, archive.ErrUnsafe, ""},
	{"file through a link inside", []entry{{kind: dir, name: "d"}, {kind: symlink, name: "l", link: "d"}, {name: "l/x"}}, archive.ErrUnsafe, ""},
	{"directory through a link", []entry{{kind: symlink, name: "l", link: "d"}, {kind: dir, name: "l/x"}}, archive.ErrUnsafe, ""},
	{"file through a link of a link", []entry{{kind: symlink, name: "a", link: "b"}, {kind: symlink, name: "b", link: "c"}, {name: "a/x"}}, archive.ErrUnsafe, ""},
	{"link through a link", []entry{{kind: symlink, name: "a", link: "b"}, {kind: symlink, name: "a/l", link: "x"}}, archive.ErrUnsafe, ""},
	{"link over a directory", []entry{{name: "d/x"}, {kind: dir, name: "d"}, {kind: symlink, name: "d", link: "e"}}, archive.ErrUnsafe, ""},
	{"directory over a link", []entry{{kind: symlink, name: "d", link: "e"}, {kind: dir, name: "d"}}, archive.ErrUnsafe, ""},
	{"hard link outside", []entry{{kind: hard, name: "h", link: "../x"}}, archive.ErrUnsafe, ""},
	{"hard link to an absolute path", []entry{{kind: hard, name: "h", link: "/etc/passwd"}}, archive.ErrUnsafe, ""},
	{"hard link to what is not of the archive", []entry{{kind: hard, name: "h", link: "before"}}, archive.ErrUnsafe, ""},
	{"hard link to a directory", []entry{{kind: dir, name: "d"}, {kind: hard, name: "h", link: "d"}}, archive.ErrUnsafe, ""},
	{"hard link through a link", []entry{{kind: symlink, name: "l", link: "d"}, {name: "f"}, {kind: hard, name: "l/h", link: "f"}}, archive.ErrUnsafe, ""},
	{"hard link to a link, from elsewhere", []entry{{kind: symlink, name: "a/b/l", link: "../../x"}, {kind: hard, name: "h", link: "a/b/l"}}, archive.ErrUnsafe, ""},
	{"hard link to what comes later", []entry{{kind: hard, name: "h", link: "f"}, {name: "f"}}, archive.ErrUnsafe, ""},
	{"file for the destination", []entry{{name: "."}}, archive.ErrUnsafe, ""},
	{"link for the destination", []entry{{kind: symlink, name: "./", link: "x"}}, archive.ErrUnsafe, ""},
	{"file below a file", []entry{{name: "f"}, {name: "f/x"}}, archive.ErrInvalid, ""},
	{"name of more than 4096 bytes", []entry{{name: strings.Repeat("a/", 2100) + "x"}}, archive.ErrLimit, ""},
	{"more entries than allowed", many(101), archive.ErrLimit, ""},
	{"more bytes than allowed", []entry{{name: "a", data: strings.Repeat("x", 600)}, {name: "b", data: strings.Repeat("x", 600)}}, archive.ErrLimit, ""},

	{"character device", []entry{{kind: tar.TypeChar, name: "null"}, {name: "x"}}, nil, "x"},
	{"block device", []entry{{kind: tar.TypeBlock, name: "sda"}, {name: "x"}}, nil, "x"},
	{"named pipe", []entry{{kind: tar.TypeFifo, name: "p"}, {name: "x"}}, nil, "x"},
	{"unknown type", []entry{{kind: 'Z', name: "z"}, {name: "x"}}, nil, "x"},
	{"set-user-id", []entry{{name: "x", mode: 0o6755}}, nil, "x"},
	{"sticky directory", []entry{{kind: dir, name: "x", mode: 0o1777}}, nil, "x"},
	{"directory that cannot be written", []entry{{kind: dir, name: "d", mode: 0o500}, {name: "d/x"}}, nil, "d d/x"},
	{"same file twice", []entry{{name: "x", data: "1"}, {name: "x", data: "2"}}, nil, "x"},
	{"link over a file", []entry{{name: "x"}, {kind: symlink, name: "x", link: "y"}}, nil, "x"},
	{"file over a link", []entry{{kind: symlink, name: "x", link: "y"}, {name: "x"}}, nil, "x"},
	{"link to itself", []entry{{kind: symlink, name: "l", link: "l"}}, nil, "l"},
	{"links in a circle", []entry{{kind: symlink, name: "a", link: "b"}, {kind: symlink, name: "b", link: "a"}}, nil, "a b"},
	{"links that stay inside", []entry{{name: "d/f"}, {kind: symlink, name: "l", link: "d/f"}, {kind: symlink, name: "d/u", link: "../l"}}, nil, "d d/f d/u l"},
	{"hard link to itself", []entry{{name: "x"}, {kind: hard, name: "x", link: "x"}}, nil, "x"},
	{"hard link to a file", []entry{{name: "x", data: "1"}, {kind: hard, name: "d/h", link: "x"}}, nil, "d d/h x"},
	{"control characters in a name", []entry{{name: "a\x1b[2Jb"}}, nil, "a\x1b[2Jb"},
	{"bytes that are not UTF-8 in a name", []entry{{name: "a\xffb"}}, nil, "a\xffb"},
	{"dots that are no dot-dot", []entry{{name: "..."}, {name: "..x"}}, nil, "... ..x"},
	{"many slashes", []entry{{name: "d////x"}}, nil, "d d/x"},
}

func many(n int) []entry {
	entries := make([]entry, n)
	for i := range entries {
		entries[i] = entry{kind: dir, name: strings.Repeat("d/", i%7+1)}
	}
	return entries
}

func TestHostile(t *testing.T) {
	for _, test := range hostile {
		t.Run(test.name, func(t *testing.T) {
			around, err := extractInside(t, pack(t, test.entries), archive.ExtractOptions{MaxEntries: 100, MaxBytes: 1000})
			if test.err != nil {
				assert.ErrorIs(t, err, test.err)
			} else {
				require.NoError(t, err)
				assert.Equal(t, test.want, strings.Join(names(t, around.dst), " "))
			}
			around.assertUntouched(t)
		})
	}
}

func TestExtractNeedsAnEnd(t *testing.T) {
	whole := pack(t, []entry{{name: "a", data: "1"}, {name: "b", data: strings.Repeat("\x00", 4096)}, {name: "c", data: "3"}})
	for cut := range len(whole) {
		if cut%512 > 1 && cut%61 != 0 { // each end of a block, and some places within
			continue
		}
		around, err := extractInside(t, whole[:cut], archive.ExtractOptions{})
		require.Error(t, err, "cut at %d of %d", cut, len(whole))
		require.True(t, errors.Is(err, archive.ErrTruncated) || errors.Is(err, archive.ErrInvalid), "cut at %d: %v", cut, err)
		around.assertUntouched(t)
	}
	_, err := extractInside(t, whole, archive.ExtractOptions{})
	require.NoError(t, err)
}

func TestLinksThatLeadOutside(t *testing.T) {
	data := pack(t, []entry{{name: "f"}, {kind: symlink, name: "l", link: "/etc/passwd"}})

	around, err := extractInside(t, data, archive.ExtractOptions{Links: archive.KeepLinks})
	require.NoError(t, err)
	target, err := os.Readlink(filepath.Join(around.dst, "l"))
	require.NoError(t, err)
	assert.Equal(t, "/etc/passwd", target)

	var skipped []string
	around, err = extractInside(t, data, archive.ExtractOptions{Links: archive.SkipLinks, Skipped: func(name, reason string) { skipped = append(skipped, name+": "+reason) }})
	require.NoError(t, err)
	assert.Equal(t, []string{"f"}, names(t, around.dst))
	assert.Equal(t, []string{`l: a link to "/etc/passwd", outside of the destination`}, skipped)
}

func TestModesAndTimesAreKept(t *testing.T) {
	around, err := extractInside(t, pack(t, []entry{{kind: dir, name: "d", mode: 0o750}, {name: "d/x", mode: 0o6711}}), archive.ExtractOptions{})
	require.NoError(t, err)
	for name, mode := range map[string]fs.FileMode{"d": fs.ModeDir | 0o750, "d/x": 0o711} {
		info, err := os.Stat(filepath.Join(around.dst, name))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode(), name)
		assert.Equal(t, int64(1e9), info.ModTime().Unix(), name)
	}
}

func TestExtractEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	root, err := os.OpenRoot(t.TempDir())
	require.NoError(t, err)
	defer root.Close()
	err = archive.Extract(ctx, bytes.NewReader(pack(t, []entry{{name: "x"}})), root, archive.ExtractOptions{})
	assert.ErrorIs(t, err, context.Canceled)
}

// surroundings are a destination with something beside it that must stay as it is.
type surroundings struct{ parent, dst string }

func extractInside(t testing.TB, data []byte, o archive.ExtractOptions) (surroundings, error) {
	parent := t.TempDir()
	s := surroundings{parent, filepath.Join(parent, "dst")}
	require.NoError(t, os.Mkdir(s.dst, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(parent, "before"), []byte("before"), 0o644))
	root, err := os.OpenRoot(s.dst)
	require.NoError(t, err)
	defer root.Close()
	return s, archive.Extract(context.Background(), bytes.NewReader(data), root, o)
}

func (s surroundings) assertUntouched(t testing.TB) {
	entries, err := os.ReadDir(s.parent)
	require.NoError(t, err)
	require.Len(t, entries, 2, "something was made beside the destination")
	data, err := os.ReadFile(filepath.Join(s.parent, "before"))
	require.NoError(t, err)
	require.Equal(t, "before", string(data))
	_, err = os.Lstat("/tmp/dscript-hostile")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func names(t testing.TB, root string) []string {
	var names []string
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rel, err := filepath.Rel(root, path)
		names = append(names, filepath.ToSlash(rel))
		return err
	})
	require.NoError(t, err)
	return names
}

func FuzzExtract(f *testing.F) {
	for _, test := range hostile {
		f.Add(pack(f, test.entries))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		around, err := extractInside(t, data, archive.ExtractOptions{MaxEntries: 1000, MaxBytes: 1 << 20})
		around.assertUntouched(t)
		if err != nil {
			return
		}
		// Whatever was taken, no link of it leads outside.
		require.NoError(t, filepath.WalkDir(around.dst, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.Type()&fs.ModeSymlink == 0 {
				return err
			}
			real, err := filepath.EvalSymlinks(path)
			if err != nil {
				return nil // it leads nowhere, or in a circle
			}
			base, err := filepath.EvalSymlinks(around.dst)
			require.NoError(t, err)
			require.True(t, real == base || strings.HasPrefix(real, base+string(filepath.Separator)), "%s leads to %s", path, real)
			return nil
		}))
	})
}
