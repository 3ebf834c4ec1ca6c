package builtins

// This file reads, writes and describes single files of a container: through the
// engine where it sees them, so that it works on containers that do not run and in
// images without a shell, and else by a command in the container.

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const readFileDoc = `
read(container, path, *, text=True, limit="64m") -> string

The content of a file of a container, also of one that does not run. Files of a tmpfs
mount and of /proc are read by cat in the container.

path   an absolute path; a link is followed
text   False: as bytes
limit  more is an error of kind limit: copy_out is for large files

>>> c.write("/tmp/greeting", "hi\n")
>>> c.read("/tmp/greeting")
"hi\n"
`

type readFileArgs struct {
	Container containerRef
	Path      containerPath
	Text      bool
	Limit     runtime.Size
}

func (e *dockerEngine) readFile(call *runtime.Call, a readFileArgs) (starlark.Value, error) {
	var data []byte
	err := e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		got, err := client.InspectContainer(ctx, c.id)
		if err != nil {
			return err
		}
		at, err := look(ctx, client, got, a.Path.clean(), true)
		switch {
		case err != nil:
			return err
		case at.stat.Mode.IsDir():
			return runtime.Errorf("invalid", "%s is a directory", at.name)
		case at.inside:
			data, err = readInside(ctx, client, c.id, at.name, int64(a.Limit))
		default:
			data, err = readOutside(ctx, client, c.id, at.name, int64(a.Limit))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if a.Text {
		return starlark.String(data), nil
	}
	return starlark.Bytes(data), nil
}

func overLimit(name string) error {
	return &runtime.Error{Kind: "limit", Message: name + " holds more than limit=", Hint: "copy_out has no such limit, and limit= may be raised"}
}

func readOutside(ctx context.Context, client *engine.Client, id, name string, limit int64) ([]byte, error) {
	body, stat, err := client.CopyFrom(ctx, id, name)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if stat.Size > limit {
		return nil, overLimit(name)
	}
	t := tar.NewReader(body)
	header, err := t.Next()
	if err != nil {
		return nil, cutShort(err)
	}
	switch {
	case header.Typeflag != tar.TypeReg:
		return nil, runtime.Errorf("invalid", "%s is a %s, not a file", name, fileType(header.FileInfo().Mode()))
	case header.Size > limit:
		return nil, overLimit(name)
	}
	data := make([]byte, header.Size)
	if _, err := io.ReadFull(t, data); err != nil {
		return nil, cutShort(err)
	}
	_, err = io.Copy(io.Discard, body)
	return data, err
}

func cutShort(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return &runtime.Error{Kind: "truncated", Message: "the engine's archive is cut short", Err: err}
	}
	return err
}

const writeFileDoc = `
write(container, path, data, *, mode=0o644, user=None)

Write a file of a container, in place of what it held, also of one that does not run.
Files of a tmpfs mount and of /proc are written by the container's sh.

path  an absolute path, in a directory that exists; a link is followed
data  str, bytes or host.open(path), which is streamed
mode  its permissions
user  whom it belongs to, name or id, with ":group" when wanted; None: root
`

type writeFileArgs struct {
	Container containerRef
	Path      containerPath
	Data      input
	Mode      int
	User      string
}

func (e *dockerEngine) writeFile(call *runtime.Call, a writeFileArgs) error {
	if !a.Data.given {
		return runtime.Errorf("invalid", "data is None: want str, bytes or host.open(path)")
	}
	form := fileForm{data: []byte(a.Data.data), host: a.Data.file}
	return e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		content, size, err := form.open()
		if err != nil {
			return hostError(err)
		}
		got, err := client.InspectContainer(ctx, c.id)
		if err != nil {
			return err
		}
		owner, err := ownerIn(ctx, client, c.id, a.User)
		if err != nil {
			return err
		}
		at, err := look(ctx, client, got, a.Path.clean(), true)
		switch missing := runtime.KindOf(err) == "not_found"; {
		case err != nil && !missing:
			return err
		case !missing && at.stat.Mode.IsDir():
			return runtime.Errorf("conflict", "%s is a directory", at.name)
		case at.inside:
			return writeInside(ctx, client, c.id, at.name, content, a.Mode, owner)
		case hidden(got, at.name) != "":
			return runtime.Errorf("conflict", "%s lies in the mount %s, which is there only while the container runs", at.name, hidden(got, at.name))
		}
		if dir, err := look(ctx, client, got, path.Dir(at.name), true); err == nil && dir.inside {
			return writeInside(ctx, client, c.id, path.Join(dir.name, path.Base(at.name)), content, a.Mode, owner)
		}
		dir, base, err := parentOf(ctx, client, c.id, at.name)
		if err != nil {
			return err
		}
		header := &tar.Header{Name: base, Mode: int64(a.Mode & 0o7777), Size: size, ModTime: time.Now(), Uid: owner.uid, Gid: owner.gid}
		return send(ctx, client, c.id, dir, func(_ context.Context, w io.Writer) error { return packFile(w, header, content) })
	})
}

// An ownership is whom a file belongs to.
type ownership struct{ uid, gid int }

// ownerIn reads "name", "id", "name:group" or "id:id", by the container's own
// passwd and group where there are names. A name alone has its own group.
func ownerIn(ctx context.Context, client *engine.Client, id, user string) (o ownership, err error) {
	if user == "" {
		return o, nil
	}
	name, group, hasGroup := strings.Cut(user, ":")
	if o.uid, err = strconv.Atoi(name); err != nil {
		entry, err := accountIn(ctx, client, id, "/etc/passwd", name)
		if err != nil {
			return o, err
		}
		o.uid, _ = strconv.Atoi(entry[2])
		o.gid, _ = strconv.Atoi(entry[3])
	}
	if !hasGroup {
		return o, nil
	}
	if o.gid, err = strconv.Atoi(group); err != nil {
		entry, err := accountIn(ctx, client, id, "/etc/group", group)
		if err != nil {
			return o, err
		}
		o.gid, _ = strconv.Atoi(entry[2])
	}
	return o, nil
}

// accountIn finds a line of passwd or group, of at least four fields.
func accountIn(ctx context.Context, client *engine.Client, id, file, name string) ([]string, error) {
	data, err := readOutside(ctx, client, id, file, 16<<20)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		if fields := strings.Split(strings.TrimSpace(line), ":"); len(fields) >= 4 && fields[0] == name {
			return fields, nil
		}
	}
	return nil, runtime.Errorf("invalid", "user: %q is not in the container's %s", name, file)
}

const statFileDoc = `
stat(container, path, default=None) -> struct

What lies at a path of a container: a struct of name, size, mode (permissions), mtime,
type ("file", "directory", "link", "pipe", "socket", "device") and link, which is where
a link leads at last, else None. A link is described itself.

path     an absolute path
default  given instead when there is nothing; without it that is an error of kind not_found

>>> c.stat("/etc").type
"directory"
>>> c.stat("/nothing", None) == None
True
`

type statFileArgs struct {
	Container containerRef
	Path      containerPath
	Default   runtime.Opt[starlark.Value]
}

// A fileStat is what stat gives.
type fileStat struct {
	Name  string
	Size  int64
	Mode  int64
	Mtime time.Time
	Type  string
	Link  *string
}

func (e *dockerEngine) statFile(call *runtime.Call, a statFileArgs) (any, error) {
	at, err := e.lookAt(call, a.Container, a.Path, false)
	if err != nil {
		return orDefault(err, a.Default)
	}
	s := fileStat{Name: path.Base(at.name), Size: at.stat.Size, Mode: unixMode(at.stat.Mode), Mtime: at.stat.Mtime, Type: fileType(at.stat.Mode)}
	if s.Type == "link" {
		s.Link = &at.stat.LinkTarget
	}
	return s, nil
}

func (e *dockerEngine) lookAt(call *runtime.Call, ref containerRef, name containerPath, follow bool) (at spot, err error) {
	err = e.on(call, ref, func(ctx context.Context, client *engine.Client, c *Container) error {
		got, err := client.InspectContainer(ctx, c.id)
		if err != nil {
			return err
		}
		at, err = look(ctx, client, got, name.clean(), follow)
		return err
	})
	return at, err
}

// unixMode is the permissions with the bits that chmod(1) knows.
func unixMode(mode fs.FileMode) int64 {
	bits := int64(mode.Perm())
	for bit, unix := range map[fs.FileMode]int64{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&bit != 0 {
			bits |= unix
		}
	}
	return bits
}

const existsDoc = `
exists(container, path) -> bool

Whether something lies at a path of a container; links are followed.

path  an absolute path

>>> c.exists("/etc/passwd")
True
`

type existsArgs struct {
	Container containerRef
	Path      containerPath
}

func (e *dockerEngine) exists(call *runtime.Call, a existsArgs) (bool, error) {
	c, err := e.resolve(call, a.Container) // a container that is missing is no path that is
	if err != nil {
		return false, err
	}
	_, err = e.lookAt(call, containerRef{value: c}, a.Path, true)
	var file *runtime.Error
	if errors.As(err, &file) && file.Kind == "not_found" {
		return false, nil
	}
	return err == nil, err
}

// newArchiveReader reads an archive in large pieces.
func newArchiveReader(r io.Reader) *tar.Reader {
	return tar.NewReader(bufio.NewReaderSize(r, pieceSize))
}
