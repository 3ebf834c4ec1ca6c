package builtins

// This file copies files of this machine into containers.

import (
	"archive/tar"
	"context"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/archive"
	"github.com/dscript/dscript/runtime"
)

const copyInDoc = `
copy_in(container, src, dst, *, user=None)

Copy a file or directory of this machine into a container, also into one that does
not run. Modes, times and links are kept.

src   a path of this machine; a directory with /. behind it: its content; a link is followed
dst   a path of the container: into it when it is a directory, else it becomes it
user  whom it belongs to, name or id, with ":group" when wanted; None: root
`

type copyInArgs struct {
	Container containerRef
	Src       string
	Dst       containerPath
	User      string
}

func (e *dockerEngine) copyIn(call *runtime.Call, a copyInArgs) error {
	info, err := call.Stat(a.Src)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return e.copyFileIn(call, a)
	}
	root, err := call.ReadRoot(a.Src)
	if err != nil {
		return err
	}
	defer root.Close()
	content := filepath.Base(a.Src) == "." || strings.HasSuffix(filepath.ToSlash(a.Src), "/.")
	return e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		owner, err := ownerIn(ctx, client, c.id, a.User)
		if err != nil {
			return err
		}
		dst, err := lookFromOutside(ctx, client, c.id, a.Dst.clean())
		dir, name := dst.name, path.Base(filepath.ToSlash(call.Path(a.Src)))
		switch missing := runtime.KindOf(err) == "not_found"; {
		case err != nil && !missing:
			return err
		case missing:
			if dir, name, err = parentOf(ctx, client, c.id, dst.name); err != nil {
				return err
			}
		case !dst.stat.Mode.IsDir():
			return runtime.Errorf("conflict", "%s is there as a %s, and is to be a directory", dst.name, fileType(dst.stat.Mode))
		case content || name == "/":
			name = ""
		}
		return send(ctx, client, c.id, dir, func(ctx context.Context, w io.Writer) error {
			return packRoot(ctx, w, root, ".", archive.PackOptions{Name: name, UID: owner.uid, GID: owner.gid})
		})
	})
}

func (e *dockerEngine) copyFileIn(call *runtime.Call, a copyInArgs) error {
	f, err := call.Open(a.Src)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return hostError(err)
	}
	if !info.Mode().IsRegular() {
		return runtime.Errorf("invalid", "%s is a %s: want a file or a directory", a.Src, fileType(info.Mode()))
	}
	return e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		owner, err := ownerIn(ctx, client, c.id, a.User)
		if err != nil {
			return err
		}
		dst, err := lookFromOutside(ctx, client, c.id, a.Dst.clean())
		dir, name := dst.name, filepath.Base(a.Src)
		switch missing := runtime.KindOf(err) == "not_found"; {
		case err != nil && !missing:
			return err
		case missing && strings.HasSuffix(string(a.Dst), "/"):
			return noSuchPath(string(a.Dst))
		case missing || !dst.stat.Mode.IsDir():
			if dir, name, err = parentOf(ctx, client, c.id, dst.name); err != nil {
				return err
			}
		}
		if err := notInTheWay(ctx, client, c.id, path.Join(dir, name)); err != nil {
			return err
		}
		header := &tar.Header{Name: name, Mode: int64(info.Mode().Perm()), Size: info.Size(), ModTime: info.ModTime(),
			Uid: owner.uid, Gid: owner.gid, Format: tar.FormatPAX}
		return send(ctx, client, c.id, dir, func(_ context.Context, w io.Writer) error { return packFile(w, header, f) })
	})
}

// packFile writes an archive of one file.
func packFile(w io.Writer, header *tar.Header, content io.Reader) error {
	t := tar.NewWriter(w)
	if err := t.WriteHeader(header); err != nil {
		return err
	}
	n, err := io.Copy(t, io.LimitReader(content, header.Size))
	if err == nil && n < header.Size {
		err = &os.PathError{Op: "read", Path: header.Name, Err: io.ErrUnexpectedEOF}
	}
	if err != nil {
		return hostError(err)
	}
	return t.Close()
}

// lookFromOutside is look for copies, which reach only what the engine itself sees.
func lookFromOutside(ctx context.Context, client *engine.Client, id, name string) (spot, error) {
	got, err := client.InspectContainer(ctx, id)
	if err != nil {
		return spot{}, err
	}
	at, err := look(ctx, client, got, name, true)
	if at.inside && (err == nil || hidden(got, at.name) != "") {
		return at, &runtime.Error{Kind: "unsupported",
			Message: at.name + " lies in a tmpfs or in a file system of the kernel, which copies do not reach",
			Hint:    "read and write do, as long as the container runs"}
	}
	return at, err
}

// parentOf splits a path into its directory, which must exist, and the name in it:
// Docker refuses another, Podman would make it.
func parentOf(ctx context.Context, client *engine.Client, id, name string) (dir, base string, err error) {
	dir, base = path.Dir(name), path.Base(name)
	at, err := lookFromOutside(ctx, client, id, dir)
	switch {
	case runtime.KindOf(err) == "not_found":
		return "", "", &runtime.Error{Kind: "not_found", Message: dir + ": no such directory", Hint: "mkdir makes it, and its parents"}
	case err != nil:
		return "", "", err
	case !at.stat.Mode.IsDir():
		return "", "", runtime.Errorf("invalid", "%s is no directory", dir)
	}
	return at.name, base, nil
}

// notInTheWay refuses to put a file where a directory is: engines would remove all
// that is in it.
func notInTheWay(ctx context.Context, client *engine.Client, id, name string) error {
	stat, err := statPath(ctx, client, id, name)
	switch {
	case runtime.KindOf(err) == "not_found":
		return nil
	case err == nil && stat.Mode.IsDir():
		return runtime.Errorf("conflict", "%s is there as a directory, and is to be a file", name)
	}
	return err
}
