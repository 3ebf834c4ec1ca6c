// The context of a build: the files that its steps can see. BuildKit asks for them
// one by one (buildsync.go), the other builders take them as a tar archive.

package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"io/fs"
	"slices"
	"time"
)

// A BuildFile is a file, directory or symbolic link of a build's context. Its owner is
// root and its time the epoch, so that the same files give the same image.
type BuildFile struct {
	Path string                        // from the context's root, with slashes: "src/main.go"
	Mode fs.FileMode                   // type and permissions
	Size int64                         // of a regular file
	Link string                        // where a symbolic link leads; it is not followed here
	Open func() (io.ReadCloser, error) // the content of a regular file; called again when it is asked for again
}

// A BuildContext is what a build is sent: these files, and no other of the machine.
type BuildContext struct {
	Files      []BuildFile // in the order of fs.WalkDir, each below its directories
	Dockerfile BuildFile   // by its path in the context; COPY sees it only when it is one of Files too
	Ignored    bool        // Files were chosen by another file than .dockerignore, which has no say
}

const ignoreFile = ".dockerignore"

// TextFile is a BuildFile of mode 0644 with a given content.
func TextFile(path string, content []byte) BuildFile {
	return BuildFile{Path: path, Mode: 0o644, Size: int64(len(content)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(content)), nil
	}}
}

func (b BuildContext) find(path string) (BuildFile, bool) {
	i := slices.IndexFunc(b.Files, func(f BuildFile) bool { return f.Path == path })
	if i < 0 {
		return BuildFile{}, false
	}
	return b.Files[i], true
}

// read is a file of at most 1 MiB; of more, its beginning.
func (f BuildFile) read() ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, 1<<20))
}

// extra is what an archive holds besides Files: a Dockerfile that COPY does not see,
// and the .dockerignore that hides it, and itself where it is not one of Files.
func (b BuildContext) extra() ([]BuildFile, error) {
	ignore, visible := b.find(ignoreFile)
	var text []byte
	if visible && !b.Ignored {
		var err error
		if text, err = ignore.read(); err != nil {
			return nil, err
		}
	}
	if _, ok := b.find(b.Dockerfile.Path); ok {
		if !b.Ignored || !visible {
			return nil, nil
		}
		return []BuildFile{TextFile(ignoreFile, nil)}, nil
	}
	if !visible {
		text = []byte(ignoreFile)
	}
	text = append(text, "\n"+b.Dockerfile.Path+"\n"...)
	return []BuildFile{TextFile(ignoreFile, text), b.Dockerfile}, nil
}

// pack writes the context as a tar archive, followed by more.
func (b BuildContext) pack(ctx context.Context, w io.Writer, more ...BuildFile) error {
	extra, err := b.extra()
	if err != nil {
		return err
	}
	t := tar.NewWriter(w)
	buf := make([]byte, 128<<10)
	for _, f := range slices.Concat(b.Files, extra, more) { // of two of the same name, the last one counts
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := f.pack(t, buf); err != nil {
			return err
		}
	}
	return t.Close()
}

func (f BuildFile) pack(t *tar.Writer, buf []byte) error {
	h := &tar.Header{Name: f.Path, Mode: int64(f.Mode.Perm()), ModTime: time.Unix(0, 0), Format: tar.FormatPAX}
	for bit, tarBit := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if f.Mode&bit != 0 {
			h.Mode |= tarBit
		}
	}
	switch {
	case f.Mode.IsDir():
		h.Typeflag, h.Name = tar.TypeDir, f.Path+"/"
	case f.Mode.IsRegular():
		h.Typeflag, h.Size = tar.TypeReg, f.Size
	default:
		h.Typeflag, h.Linkname = tar.TypeSymlink, f.Link
	}
	if err := t.WriteHeader(h); err != nil || h.Typeflag != tar.TypeReg {
		return err
	}
	return f.copy(struct{ io.Writer }{t}, buf)
}

// copy writes the content, which is as long as was said; what a file grows by
// meanwhile is left out.
func (f BuildFile) copy(w io.Writer, buf []byte) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := io.CopyBuffer(w, io.LimitReader(struct{ io.Reader }{r}, f.Size), buf)
	if err == nil && n < f.Size {
		err = &fs.PathError{Op: "read", Path: f.Path, Err: io.ErrUnexpectedEOF}
	}
	return err
}

// above are the directories over a path, the outermost first.
func above(path string) (dirs []string) {
	for i, r := range path {
		if r == '/' {
			dirs = append(dirs, path[:i])
		}
	}
	return dirs
}
