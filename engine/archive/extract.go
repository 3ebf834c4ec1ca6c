// Package archive moves trees of files between this machine and tar streams, as
// engines send and take them.
//
// Whatever an archive says, Extract writes nothing outside of its destination: every
// name goes through an os.Root, links are made last and only where they stay inside,
// and devices are not made at all. It keeps modes, times and links, and drops owners
// and the set-user-id, set-group-id and sticky bits.
package archive

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Errors of an archive that cannot be extracted as it is.
var (
	ErrUnsafe    = errors.New("unsafe archive")             // it names something outside of its destination
	ErrLimit     = errors.New("archive exceeds a limit")    // entries, bytes or the length of a path
	ErrTruncated = errors.New("archive is cut short")       // it has no end
	ErrInvalid   = errors.New("archive is not well-formed") // it contradicts itself
)

// Links says what becomes of a symbolic link whose target lies outside of the
// destination. The link itself writes nothing there, but who follows it does.
type Links int

const (
	RefuseLinks Links = iota // the extraction fails with ErrUnsafe
	KeepLinks                // the link is made as it stands; Extract itself never follows it
	SkipLinks                // the link is left out, and Skipped is told
)

// ExtractOptions bounds an extraction. The zero value has the limits named below.
type ExtractOptions struct {
	MaxEntries int                       // 0: 1,000,000
	MaxBytes   int64                     // of file content; 0: 8 GiB; negative: no limit
	Links      Links                     // links that lead outside
	Rename     func(name string) string  // gives each entry's place below the destination, of its name without a leading slash; nil: its own name
	Skipped    func(name, reason string) // told of what is not made: devices, pipes, sockets; nil: nobody is
}

const (
	defaultMaxEntries = 1_000_000
	defaultMaxBytes   = 8 << 30
	maxPath           = 4096
	blockSize         = 512
)

// Extract reads a tar stream to its end and makes its entries below dst. A later
// entry of a name replaces an earlier one. It fails when the stream has no
// end-of-archive blocks, since then something may be missing. What was made before
// an error stays; extract into a new directory to be able to drop it.
//
// Nothing else may change the tree below dst meanwhile.
func Extract(ctx context.Context, r io.Reader, dst *os.Root, o ExtractOptions) error {
	counted := &countingReader{r: r}
	x := &extraction{ctx: ctx, in: counted, root: dst, o: o, kinds: map[string]byte{}, buf: make([]byte, 128<<10)}
	if x.o.MaxEntries == 0 {
		x.o.MaxEntries = defaultMaxEntries
	}
	if x.o.MaxBytes == 0 {
		x.o.MaxBytes = defaultMaxBytes
	}
	if err := x.entries(tar.NewReader(counted)); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, counted); err != nil {
		return err
	}
	if err := x.makeLinks(); err != nil {
		return err
	}
	return x.finishDirs()
}

// An extraction is the state of one Extract.
type extraction struct {
	ctx   context.Context
	in    *countingReader
	root  *os.Root
	o     ExtractOptions
	count int
	bytes int64
	kinds map[string]byte // tar.TypeReg, TypeDir or TypeSymlink by cleaned name
	links []link
	dirs  []dir
	buf   []byte

	parent     *os.Root // of the last entry: most follow one another in a directory
	parentName string
}

type link struct {
	name, target string
	hard         bool // another name for the symbolic link target
}

type dir struct {
	name string
	mode fs.FileMode
	time time.Time
}

func (x *extraction) entries(t *tar.Reader) error {
	defer x.leaveParent()
	var end int64 // of the last entry's content
	for {
		h, err := t.Next()
		if err == io.EOF {
			return x.checkEnd(end)
		}
		if err != nil {
			return readError(err)
		}
		if err := x.ctx.Err(); err != nil {
			return context.Cause(x.ctx)
		}
		if err := x.entry(t, h); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, t); err != nil { // the rest of an entry that is not made
			return readError(err)
		}
		end = x.in.n
	}
}

// checkEnd tells an archive that ended from one that was cut between two entries:
// only the first has its two empty blocks.
func (x *extraction) checkEnd(end int64) error {
	padded := (end + blockSize - 1) / blockSize * blockSize
	if x.in.n-padded < 2*blockSize {
		return fmt.Errorf("%w: it has no end-of-archive blocks", ErrTruncated)
	}
	return nil
}

func readError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %w", ErrTruncated, err)
	case errors.Is(err, tar.ErrHeader):
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return err
}

func (x *extraction) entry(t *tar.Reader, h *tar.Header) error {
	if x.count++; x.count > x.o.MaxEntries {
		return fmt.Errorf("%w: more than %d entries", ErrLimit, x.o.MaxEntries)
	}
	name, err := x.place(h.Name)
	if err != nil {
		return err
	}
	if name == "." && h.Typeflag != tar.TypeDir {
		return fmt.Errorf("%w: %q would replace the destination itself", ErrUnsafe, h.Name)
	}
	switch h.Typeflag {
	case tar.TypeDir:
		return x.dir(name, h)
	case tar.TypeReg, tar.TypeGNUSparse:
		return x.file(t, name, h)
	case tar.TypeSymlink:
		return x.symlink(name, h)
	case tar.TypeLink:
		return x.hardLink(name, h)
	case tar.TypeXGlobalHeader:
		return nil
	case tar.TypeChar, tar.TypeBlock:
		x.skip(name, "a device")
	case tar.TypeFifo:
		x.skip(name, "a named pipe")
	default:
		x.skip(name, fmt.Sprintf("an entry of the unknown type %q", h.Typeflag))
	}
	return nil
}

func (x *extraction) skip(name, what string) {
	if x.o.Skipped != nil {
		x.o.Skipped(name, what)
	}
}

// place gives an entry's cleaned name below the destination.
func (x *extraction) place(name string) (string, error) {
	if len(name) > maxPath {
		return "", fmt.Errorf("%w: a name of %d bytes", ErrLimit, len(name))
	}
	if x.o.Rename != nil { // engines name the root directory, and all below it, from the root on
		name = strings.TrimLeft(name, "/")
	}
	if err := checkName(name); err != nil {
		return "", err
	}
	if x.o.Rename != nil {
		name = x.o.Rename(path.Clean(name))
		if err := checkName(name); err != nil {
			return "", err
		}
	}
	return path.Clean(name), nil
}

func checkName(name string) error {
	switch {
	case strings.ContainsRune(name, 0):
		return fmt.Errorf("%w: the name %q has a NUL in it", ErrUnsafe, name)
	case path.IsAbs(name):
		return fmt.Errorf("%w: the name %q is absolute", ErrUnsafe, name)
	case slices.Contains(strings.Split(name, "/"), ".."):
		return fmt.Errorf("%w: the name %q leads upwards", ErrUnsafe, name)
	case !filepath.IsLocal(filepath.FromSlash(path.Clean(name))):
		return fmt.Errorf("%w: the name %q is not one of a file here", ErrUnsafe, name)
	}
	return nil
}

// enter opens the directory of name, made when it is missing. No part of it may be
// a link of this archive.
func (x *extraction) enter(name string) (*os.Root, error) {
	parent := path.Dir(name)
	if x.parent != nil && x.parentName == parent {
		return x.parent, nil
	}
	for part := parent; part != "."; part = path.Dir(part) {
		switch x.kinds[part] {
		case tar.TypeSymlink:
			return nil, fmt.Errorf("%w: %q lies behind the link %q", ErrUnsafe, name, part)
		case tar.TypeReg:
			return nil, fmt.Errorf("%w: %q lies below the file %q", ErrInvalid, name, part)
		}
	}
	x.leaveParent()
	if parent == "." {
		return x.root, nil
	}
	if err := x.root.MkdirAll(filepath.FromSlash(parent), 0o755); err != nil {
		return nil, err
	}
	root, err := x.root.OpenRoot(filepath.FromSlash(parent))
	if err != nil {
		return nil, err
	}
	x.parent, x.parentName = root, parent
	return root, nil
}

func (x *extraction) leaveParent() {
	if x.parent != nil {
		x.parent.Close()
		x.parent = nil
	}
}

// clear makes room for name when it is there as something that cannot be written over.
func (x *extraction) clear(parent *os.Root, name string) error {
	x.dropLink(name)
	delete(x.kinds, name)
	err := parent.Remove(path.Base(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// dropLink forgets a link of this name that was to be made at the end.
func (x *extraction) dropLink(name string) {
	if x.kinds[name] == tar.TypeSymlink {
		x.links = slices.DeleteFunc(x.links, func(l link) bool { return l.name == name })
	}
}

func (x *extraction) dir(name string, h *tar.Header) error {
	if x.kinds[name] == tar.TypeSymlink {
		return fmt.Errorf("%w: %q is a link and a directory", ErrUnsafe, name)
	}
	if name != "." {
		parent, err := x.enter(name)
		if err != nil {
			return err
		}
		base := path.Base(name)
		if info, err := parent.Lstat(base); err == nil && !info.IsDir() {
			if err := x.clear(parent, name); err != nil {
				return err
			}
		}
		if err := parent.Mkdir(base, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		// Until the end it must be writable, whatever its mode is to be.
		if err := parent.Chmod(base, 0o700); err != nil {
			return err
		}
	}
	x.kinds[name] = tar.TypeDir
	x.dirs = append(x.dirs, dir{name, h.FileInfo().Mode().Perm(), h.ModTime})
	return nil
}

func (x *extraction) file(t *tar.Reader, name string, h *tar.Header) error {
	if x.bytes += h.Size; x.o.MaxBytes >= 0 && (h.Size < 0 || x.bytes < 0 || x.bytes > x.o.MaxBytes) {
		return fmt.Errorf("%w: more than %d bytes", ErrLimit, x.o.MaxBytes)
	}
	parent, err := x.enter(name)
	if err != nil {
		return err
	}
	x.dropLink(name)
	base := path.Base(name)
	f, err := parent.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		if err := x.clear(parent, name); err != nil {
			return err
		}
		f, err = parent.OpenFile(base, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if err != nil {
		return err
	}
	x.kinds[name] = tar.TypeReg
	if _, err := io.CopyBuffer(onlyWriter{f}, t, x.buf); err != nil {
		f.Close()
		return readError(err)
	}
	if err := f.Chmod(h.FileInfo().Mode().Perm()); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return parent.Chtimes(base, h.ModTime, h.ModTime)
}

// onlyWriter hides os.File's ReadFrom, which would not use the buffer.
type onlyWriter struct{ io.Writer }

// symlink notes a link; it is made at the end, so that nothing is extracted through it.
func (x *extraction) symlink(name string, h *tar.Header) error {
	if x.kinds[name] == tar.TypeDir {
		return fmt.Errorf("%w: %q is a directory and a link", ErrUnsafe, name)
	}
	if !staysInside(name, h.Linkname) {
		switch x.o.Links {
		case RefuseLinks:
			return fmt.Errorf("%w: the link %q leads to %q, outside of the destination", ErrUnsafe, name, h.Linkname)
		case SkipLinks:
			x.skip(name, fmt.Sprintf("a link to %q, outside of the destination", h.Linkname))
			return nil
		}
	}
	return x.addLink(link{name: name, target: h.Linkname})
}

func (x *extraction) addLink(l link) error {
	parent, err := x.enter(l.name)
	if err != nil {
		return err
	}
	if err := x.clear(parent, l.name); err != nil {
		return err
	}
	x.kinds[l.name] = tar.TypeSymlink
	x.links = append(x.links, l)
	return nil
}

// staysInside reports whether a link at name leads to a place below the
// destination. Upward steps count only at the start of the target: the way there is
// made of true directories, while behind another name they may start from wherever
// that name, if it is a link, leads.
func staysInside(name, target string) bool {
	if target == "" || path.IsAbs(target) || strings.ContainsRune(target, 0) {
		return false
	}
	parts := strings.Split(target, "/")
	down := slices.IndexFunc(parts, func(p string) bool { return p != ".." && p != "." && p != "" })
	if down >= 0 && slices.Contains(parts[down:], "..") {
		return false
	}
	return filepath.IsLocal(filepath.FromSlash(path.Join(path.Dir(name), target)))
}

// hardLink makes one more name for a file of this archive; a file that was there
// before is not one.
func (x *extraction) hardLink(name string, h *tar.Header) error {
	target, err := x.place(h.Linkname)
	if err != nil {
		return err
	}
	if target == name {
		return nil
	}
	switch x.kinds[target] {
	case tar.TypeReg:
	case tar.TypeSymlink:
		return x.addLink(link{name: name, target: target, hard: true})
	default:
		return fmt.Errorf("%w: %q is a hard link to %q, which is no file of the archive", ErrUnsafe, name, h.Linkname)
	}
	parent, err := x.enter(name)
	if err != nil {
		return err
	}
	if err := x.clear(parent, name); err != nil {
		return err
	}
	if err := x.root.Link(filepath.FromSlash(target), filepath.FromSlash(name)); err != nil {
		return err
	}
	x.kinds[name] = tar.TypeReg
	return nil
}

func (x *extraction) makeLinks() error {
	targets := map[string]string{}
	for _, l := range x.links {
		target := l.target
		if l.hard {
			if target = targets[l.target]; !staysInside(l.name, target) && x.o.Links != KeepLinks {
				return fmt.Errorf("%w: the link %q leads to %q, outside of the destination", ErrUnsafe, l.name, target)
			}
		}
		targets[l.name] = target
		if err := x.root.Symlink(target, filepath.FromSlash(l.name)); err != nil {
			return err
		}
	}
	return nil
}

// finishDirs gives directories their modes and times, the deepest first: making
// what is in them changes the times.
func (x *extraction) finishDirs() error {
	for _, d := range slices.Backward(x.dirs) {
		if x.kinds[d.name] != tar.TypeDir {
			continue
		}
		name := filepath.FromSlash(d.name)
		if err := x.root.Chtimes(name, d.time, d.time); err != nil {
			return err
		}
		if d.name == "." {
			continue // the destination's own mode is its owner's
		}
		if err := x.root.Chmod(name, d.mode); err != nil {
			return err
		}
	}
	return nil
}

// countingReader counts what was read of r.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
