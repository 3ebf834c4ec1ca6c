package builtins

// This file copies files of containers onto this machine. Whatever an engine or a
// container sends, nothing is written outside of the destination: package archive
// extracts it into a directory of its own beside the destination, and from there it
// is moved, all below one os.Root.

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/archive"
	"github.com/dscript/dscript/runtime"
)

const copyOutTexts = `
links  a link that leads out of what is copied: "refuse" is an error of kind invalid,
       "keep" makes it as it stands, "skip" leaves it out
limit  of the bytes of all files; more is an error of kind limit
`

const copyOutDoc = `
copy_out(container, src, dst, *, links="refuse", limit="8g")

Copy a file or directory of a container onto this machine. Modes, times and links are
kept; all belongs to who runs the script, and set-user-id bits are dropped. It works on
containers that do not run. Files of a tmpfs mount and of /proc are not seen: use read.

src    a path of the container; a directory with /. behind it: its content; a link is followed
dst    a path of this machine: into it when it is a directory, else it becomes it
` + copyOutTexts

// copyOutOptions are what copy_out and volume.dump share.
type copyOutOptions struct {
	Links linksForm
	Limit runtime.Size
}

type linksForm archive.Links

func (l *linksForm) Unpack(v starlark.Value) error {
	s, _ := starlark.AsString(v)
	known := []string{archive.RefuseLinks: "refuse", archive.KeepLinks: "keep", archive.SkipLinks: "skip"}
	i := slices.Index(known, s)
	if i < 0 {
		return fmt.Errorf(`got %s, want "refuse", "keep" or "skip"`, describe(v))
	}
	*l = linksForm(i)
	return nil
}

type copyOutArgs struct {
	Container containerRef
	Src       containerPath
	Dst       string
	copyOutOptions
}

func (e *dockerEngine) copyOut(call *runtime.Call, a copyOutArgs) error {
	return e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		src, err := lookFromOutside(ctx, client, c.id, a.Src.clean())
		if err != nil {
			return err
		}
		at, err := a.Src.land(call, a.Dst, src.name, src.stat.Mode.IsDir())
		if err != nil {
			return err
		}
		defer at.root.Close()
		return receive(ctx, call, client, c.id, src.name, at, a.copyOutOptions)
	})
}

// A landing is where a copy goes on this machine: what is named name below root, or
// the content of root for ".".
type landing struct {
	root *os.Root
	name string
}

// land applies the rules of docker cp: into a directory that exists, else to that name.
func (p containerPath) land(call *runtime.Call, dst, src string, isDir bool) (landing, error) {
	info, err := call.Stat(dst)
	missing := runtime.KindOf(err) == "not_found"
	switch {
	case err != nil && !missing:
		return landing{}, err
	case !missing && info.IsDir():
		root, err := call.WriteRoot(dst)
		name := path.Base(p.clean())
		if p.content() && isDir || name == "/" {
			name = "."
		}
		return landing{root, name}, err
	case !missing && isDir:
		return landing{}, runtime.Errorf("conflict", "%s is a file, and %s a directory", dst, src)
	case missing && !isDir && strings.HasSuffix(dst, "/"):
		return landing{}, runtime.Errorf("not_found", "%s: no such directory", dst)
	}
	abs := call.Path(dst)
	root, err := call.WriteRoot(filepath.Dir(abs))
	return landing{root, filepath.Base(abs)}, err
}

// receive extracts a path of a container, which is no link, to at.
func receive(ctx context.Context, call *runtime.Call, client *engine.Client, id, src string, at landing, o copyOutOptions) (err error) {
	body, _, err := client.CopyFrom(ctx, id, src)
	if err != nil {
		return err
	}
	defer body.Close() // until then the engine holds the container
	temp := ".dscript-" + strings.ToLower(rand.Text()[:12])
	if err := at.root.Mkdir(temp, 0o700); err != nil {
		return hostError(err)
	}
	defer func() { err = errors.Join(err, hostError(removeTree(at.root, temp))) }()
	into, err := at.root.OpenRoot(temp)
	if err != nil {
		return hostError(err)
	}
	defer into.Close()
	var left []string
	base, limit := path.Base(src), int64(o.Limit)
	if limit == 0 {
		limit = -1
	}
	err = archive.Extract(ctx, bufio.NewReaderSize(body, pieceSize), into, archive.ExtractOptions{
		MaxBytes: limit, Links: archive.Links(o.Links),
		Rename: func(name string) string { return landed(name, base) },
		Skipped: func(name, reason string) {
			left = append(left, fmt.Sprintf("%q (%s)", strings.TrimPrefix(name, landedName+"/"), reason))
		},
	})
	if err != nil {
		return archiveError(err)
	}
	if len(left) > 0 {
		call.Warn("%s of what was copied left out: %s", plural(len(left), "file"), strings.Join(left[:min(5, len(left))], ", "))
	}
	return hostError(place(at.root, path.Join(temp, landedName), at.name))
}

// landedName is what the root of a copy is called while it is extracted.
const landedName = "copy"

// landed puts an archive's entry below landedName. Docker's names begin with the
// copied path's last element, and with a slash for the root directory.
func landed(name, base string) string {
	name = strings.TrimPrefix(name, "/")
	if base != "/" && (name == base || strings.HasPrefix(name, base+"/")) {
		name = name[len(base):]
	}
	return path.Clean(landedName + "/" + name)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// place moves from to to, both below root. Directories are merged, files replaced;
// what is a file on one side and a directory on the other stays, and is an error.
func place(root *os.Root, from, to string) error {
	info, err := root.Lstat(from)
	if err != nil {
		return err
	}
	old, err := root.Lstat(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return move(root, from, to, info)
	case err != nil:
		return err
	case info.IsDir() != old.IsDir():
		return runtime.Errorf("conflict", "%s is there as a %s, and is to be a %s", to, fileType(old.Mode()), fileType(info.Mode()))
	case !info.IsDir():
		return root.Rename(from, to)
	}
	if err := root.Chmod(from, 0o700); err != nil {
		return err
	}
	entries, err := fs.ReadDir(root.FS(), from)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := place(root, path.Join(from, entry.Name()), path.Join(to, entry.Name())); err != nil {
			return err
		}
	}
	if to == "." {
		return nil // the destination's own mode is its owner's
	}
	if err := root.Chtimes(to, info.ModTime(), info.ModTime()); err != nil {
		return err
	}
	return root.Chmod(to, info.Mode().Perm())
}

// move renames. A directory must be writable to get another parent.
func move(root *os.Root, from, to string, info fs.FileInfo) error {
	if !info.IsDir() || info.Mode().Perm()&0o200 != 0 {
		return root.Rename(from, to)
	}
	if err := root.Chmod(from, info.Mode().Perm()|0o700); err != nil {
		return err
	}
	if err := root.Rename(from, to); err != nil {
		return err
	}
	return root.Chmod(to, info.Mode().Perm())
}

// removeTree removes a directory and all below it, also below directories that
// cannot be written.
func removeTree(root *os.Root, name string) error {
	err := root.RemoveAll(name)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = fs.WalkDir(root.FS(), name, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = root.Chmod(name, 0o700)
		}
		return nil
	})
	return root.RemoveAll(name)
}

// archiveError gives what package archive refuses its kind.
func archiveError(err error) error {
	kind, hint := "", ""
	switch {
	case errors.Is(err, archive.ErrUnsafe):
		kind = "invalid"
		if strings.Contains(err.Error(), "outside of the destination") {
			hint = `links="skip" leaves such links out, links="keep" makes them as they stand`
		}
	case errors.Is(err, archive.ErrLimit):
		kind = "limit"
	case errors.Is(err, archive.ErrTruncated):
		kind = "truncated"
	case errors.Is(err, archive.ErrInvalid):
		kind = "invalid"
	default:
		return hostError(err)
	}
	return &runtime.Error{Kind: kind, Message: strings.ReplaceAll(err.Error(), `"`+landedName+"/", `"`), Hint: hint, Err: err}
}

// hostError gives an error of this machine's files a kind.
func hostError(err error) error {
	var file *fs.PathError
	var link *os.LinkError
	if runtime.KindOf(err) != "" || !errors.As(err, &file) && !errors.As(err, &link) {
		return err
	}
	kind := "fail"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kind = "not_found"
	case errors.Is(err, fs.ErrExist):
		kind = "conflict"
	case errors.Is(err, fs.ErrPermission):
		kind = "forbidden"
	case strings.Contains(err.Error(), "path escapes from parent"):
		kind = "denied"
	}
	return &runtime.Error{Kind: kind, Message: err.Error(), Err: err}
}

// newBuffered gathers an archive's small writes.
func newBuffered(w io.Writer) *bufio.Writer { return bufio.NewWriterSize(w, pieceSize) }

// pieceSize is how much of an archive is moved at once.
const pieceSize = 32 << 10
