package archive

import (
	"archive/tar"
	"context"
	"io"
	"io/fs"
	"path"
	"time"
)

// PackOptions says how files are written into an archive. The zero value packs all
// of them, owned by root, with their own modes and times.
type PackOptions struct {
	Name     string                                      // the name of the root in the archive; "": its entries stand at the top, and the root has none
	Skip     func(name string, isDir bool) (bool, error) // true leaves the entry out, and a directory's content with it; nil: none is
	UID, GID int
	Mode     *fs.FileMode // permissions of files; nil: their own
	Fixed    bool         // every time is the epoch: the same files make the same bytes
}

// A Source is a tree of files to pack: an os.Root's FS is one.
type Source interface {
	fs.FS
	fs.ReadLinkFS
}

// Pack writes the tree below root in src as a tar stream, in order of the names, and
// ends it. Sockets, pipes and devices are left out. The content of a file that
// shrinks meanwhile is an error, what it grows by is left out.
func Pack(ctx context.Context, w io.Writer, src Source, root string, o PackOptions) error {
	t := tar.NewWriter(w)
	p := &packing{ctx: ctx, w: t, src: src, root: root, o: o, buf: make([]byte, 128<<10)}
	if err := fs.WalkDir(src, root, p.entry); err != nil {
		return err
	}
	return t.Close()
}

type packing struct {
	ctx  context.Context
	w    *tar.Writer
	src  Source
	root string
	o    PackOptions
	buf  []byte
}

func (p *packing) entry(name string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	if err := p.ctx.Err(); err != nil {
		return context.Cause(p.ctx)
	}
	inside := p.inside(name)
	if p.o.Skip != nil && name != p.root {
		skip, err := p.o.Skip(inside, d.IsDir())
		switch {
		case err != nil:
			return err
		case skip && d.IsDir():
			return fs.SkipDir
		case skip:
			return nil
		}
	}
	info, err := d.Info()
	if err != nil {
		return err
	}
	placed := path.Join(p.o.Name, inside)
	if placed == "" || placed == "." {
		return nil
	}
	switch {
	case info.IsDir():
		return p.w.WriteHeader(p.header(info, tar.TypeDir, placed+"/", ""))
	case info.Mode().IsRegular():
		return p.file(name, placed, info)
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := p.src.ReadLink(name)
		if err != nil {
			return err
		}
		return p.w.WriteHeader(p.header(info, tar.TypeSymlink, placed, target))
	}
	return nil
}

// inside is the name relative to the root that is packed; "" for the root itself.
func (p *packing) inside(name string) string {
	switch {
	case name == p.root:
		return ""
	case p.root == ".":
		return name
	}
	return name[len(p.root)+1:]
}

func (p *packing) header(info fs.FileInfo, kind byte, name, link string) *tar.Header {
	h := &tar.Header{
		Typeflag: kind, Name: name, Linkname: link, Uid: p.o.UID, Gid: p.o.GID,
		Mode: int64(info.Mode().Perm()), ModTime: info.ModTime(), Format: tar.FormatPAX,
	}
	for bit, tarBit := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if info.Mode()&bit != 0 {
			h.Mode |= tarBit
		}
	}
	if p.o.Fixed {
		h.ModTime = time.Unix(0, 0)
	}
	if kind == tar.TypeReg {
		h.Size = info.Size()
		if p.o.Mode != nil {
			h.Mode = int64(p.o.Mode.Perm())
		}
	}
	return h
}

func (p *packing) file(name, placed string, info fs.FileInfo) error {
	f, err := p.src.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := p.w.WriteHeader(p.header(info, tar.TypeReg, placed, "")); err != nil {
		return err
	}
	n, err := io.CopyBuffer(onlyWriter{p.w}, io.LimitReader(f, info.Size()), p.buf)
	if err == nil && n < info.Size() {
		return &fs.PathError{Op: "read", Path: name, Err: io.ErrUnexpectedEOF}
	}
	return err
}
