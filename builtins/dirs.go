package builtins

// This file is about directories of a container: what is in them, and how they are
// made and removed.

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const listDirDoc = `
list_dir(container, path) -> list

The names of what is in a directory of a container, in order, also of one that does not
run. A directory with much in it is listed by the container's sh where that is possible:
the engine would send all files below it.

path  an absolute path; a link is followed

>>> c.mkdir("/tmp/a/b")
>>> c.list_dir("/tmp/a")
["b"]
`

type pathArgs struct {
	Container containerRef
	Path      containerPath
}

// listBudget is how much of an archive is read for the names in a directory before
// another way is tried.
const listBudget = 1 << 20

func (e *dockerEngine) listDir(call *runtime.Call, a pathArgs) (names []string, err error) {
	err = e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		got, err := client.InspectContainer(ctx, c.id)
		if err != nil {
			return err
		}
		at, err := look(ctx, client, got, a.Path.clean(), true)
		switch {
		case err != nil:
			return err
		case !at.stat.Mode.IsDir():
			return runtime.Errorf("invalid", "%s is a %s, not a directory", at.name, fileType(at.stat.Mode))
		case at.inside:
			names, err = listInside(ctx, client, c.id, at.name)
		case !got.State.Running:
			names, err = listOutside(ctx, client, c.id, at.name, -1)
		default:
			names, err = listOutside(ctx, client, c.id, at.name, listBudget)
			if errors.Is(err, errMuch) {
				names, err = listInside(ctx, client, c.id, at.name)
			}
			if runtime.KindOf(err) == "command_not_found" {
				names, err = listOutside(ctx, client, c.id, at.name, -1)
			}
		}
		slices.Sort(names)
		return err
	})
	return names, err
}

var errMuch = errors.New("the archive is larger than what a list is worth")

// listOutside reads the names off an archive, of which it reads budget bytes at most;
// negative: all.
func listOutside(ctx context.Context, client *engine.Client, id, name string, budget int64) ([]string, error) {
	body, _, err := client.CopyFrom(ctx, id, name)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	names, last := []string{}, ""
	t := newArchiveReader(body)
	for {
		header, err := t.Next()
		if err == io.EOF {
			_, err = io.Copy(io.Discard, body)
			return names, err
		}
		if err != nil {
			return nil, cutShort(err)
		}
		if budget >= 0 {
			if budget -= header.Size + 512; budget < 0 {
				return nil, errMuch
			}
		}
		inner := strings.TrimPrefix(landed(header.Name, path.Base(name)), landedName)
		first, _, _ := strings.Cut(strings.TrimPrefix(inner, "/"), "/")
		if first != "" && first != last {
			names, last = append(names, first), first
		}
	}
}

const mkdirDoc = `
mkdir(container, path, *, parents=True, mode=0o755)

Make a directory of a container, also of one that does not run.

path     an absolute path
parents  make those that are missing, too, and be content when it is there
mode     its permissions
`

type mkdirArgs struct {
	Container containerRef
	Path      containerPath
	Parents   bool
	Mode      int
}

func (e *dockerEngine) mkdir(call *runtime.Call, a mkdirArgs) error {
	return e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		got, err := client.InspectContainer(ctx, c.id)
		if err != nil {
			return err
		}
		at, err := look(ctx, client, got, a.Path.clean(), true)
		switch {
		case err == nil && at.stat.Mode.IsDir() && a.Parents:
			return nil
		case err == nil:
			return runtime.Errorf("conflict", "%s is there already, as a %s", at.name, fileType(at.stat.Mode))
		case runtime.KindOf(err) != "not_found":
			return err
		}
		missing := []string{path.Base(at.name)}
		for dir := path.Dir(at.name); ; dir = path.Dir(dir) {
			if at, err = look(ctx, client, got, dir, true); runtime.KindOf(err) != "not_found" {
				break
			}
			if !a.Parents {
				return err
			}
			missing = append(missing, path.Base(at.name))
		}
		if err == nil && !at.stat.Mode.IsDir() {
			err = runtime.Errorf("invalid", "%s is a %s, not a directory", at.name, fileType(at.stat.Mode))
		}
		if err != nil {
			return err
		}
		slices.Reverse(missing)
		if at.inside {
			return mkdirInside(ctx, client, c.id, path.Join(at.name, path.Join(missing...)), a.Mode)
		}
		return send(ctx, client, c.id, at.name, func(_ context.Context, w io.Writer) error { return packDirs(w, missing, a.Mode) })
	})
}

func mkdirInside(ctx context.Context, client *engine.Client, id, name string, mode int) error {
	_, err := inside(ctx, client, id, name, nil, 0, "mkdir", "-p", "-m", strconv.FormatInt(int64(mode&0o7777), 8), name)
	return err
}

// packDirs writes an archive of directories, each in the one before it.
func packDirs(w io.Writer, names []string, mode int) error {
	t := tar.NewWriter(w)
	for i := range names {
		header := &tar.Header{Typeflag: tar.TypeDir, Name: path.Join(names[:i+1]...) + "/", Mode: 0o755, ModTime: time.Now()}
		if i == len(names)-1 {
			header.Mode = int64(mode & 0o7777)
		}
		if err := t.WriteHeader(header); err != nil {
			return err
		}
	}
	return t.Close()
}

const removePathDoc = `
remove_path(container, path, *, recursive=False)

Remove a file, a link or an empty directory of a container that runs, by its rm.

path       an absolute path; a link is removed itself
recursive  a directory with all below it
`

type removePathArgs struct {
	Container containerRef
	Path      containerPath
	Recursive bool
}

func (e *dockerEngine) removePath(call *runtime.Call, a removePathArgs) error {
	name := a.Path.clean()
	if name == "/" {
		return runtime.Errorf("invalid", "the root directory of a container cannot be removed")
	}
	return e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		got, err := client.InspectContainer(ctx, c.id)
		if err != nil {
			return err
		}
		at, err := look(ctx, client, got, name, false)
		if err != nil {
			return err
		}
		if !got.State.Running {
			return runtime.Errorf("conflict", "%s is not running: no engine removes files, rm in the container does", c.label())
		}
		argv := []string{"rm", "-f", at.name}
		switch {
		case a.Recursive:
			argv[1] = "-rf"
		case at.stat.Mode.IsDir():
			argv = []string{"rmdir", at.name}
		}
		_, err = inside(ctx, client, c.id, at.name, nil, 0, argv...)
		return err
	})
}
