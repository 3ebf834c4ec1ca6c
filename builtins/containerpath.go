package builtins

// This file is about paths of a container: their form, what lies there, and which
// of them the engine does not see from outside.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// A containerPath is an absolute path of a container, as it was written.
type containerPath string

func (p *containerPath) Unpack(v starlark.Value) error {
	s, ok := starlark.AsString(v)
	switch {
	case !ok:
		return fmt.Errorf("got %s, want string", v.Type())
	case !strings.HasPrefix(s, "/"):
		return fmt.Errorf("%q is not an absolute path of the container", s)
	case strings.ContainsRune(s, 0):
		return fmt.Errorf("%q has a NUL in it", s)
	}
	*p = containerPath(s)
	return nil
}

func (p containerPath) clean() string { return path.Clean(string(p)) }

// content reports whether the path asks for what is in a directory.
func (p containerPath) content() bool {
	return strings.HasSuffix(string(p), "/.") || p.clean() == "/"
}

// statPath describes a path; a link itself. Docker answers a bare 500 where a part of
// the path is no directory, and tells why only when it is asked for the content.
func statPath(ctx context.Context, client *engine.Client, id, name string) (container.PathStat, error) {
	stat, err := client.StatPath(ctx, id, name)
	var own *engine.Error
	if errors.As(err, &own) && own.Status == 500 {
		body, _, why := client.CopyFrom(ctx, id, name)
		if why == nil {
			return stat, errors.Join(err, body.Close())
		}
		err = why
	}
	if errors.Is(err, engine.ErrNotFound) || err != nil && strings.Contains(err.Error(), "not a directory") {
		if _, gone := client.InspectContainer(ctx, id); gone != nil {
			return stat, gone
		}
		return stat, noSuchPath(name)
	}
	stat.Name = path.Base(name)
	return stat, err
}

func noSuchPath(name string) error {
	return &runtime.Error{Kind: "not_found", Message: fmt.Sprintf("%s: no such file or directory", name)}
}

// A spot is what lies at a path of a container.
type spot struct {
	name   string // the path, behind the links that were followed
	stat   container.PathStat
	inside bool // only commands in the container see it
}

// look finds what lies at name, behind links when follow is set. With an error of
// kind not_found the spot has the name at which something could be made.
func look(ctx context.Context, client *engine.Client, got engine.Container, name string, follow bool) (spot, error) {
	running := got.State.Running
	at := spot{name: name}
	for range 40 { // as many as Linux follows
		var err error
		at.inside = running && hidden(got, at.name) != ""
		if at.inside {
			at.stat, err = statInside(ctx, client, got.ID, at.name)
		} else {
			at.stat, err = statPath(ctx, client, got.ID, at.name)
			if running && runtime.KindOf(err) == "not_found" && len(tmpfsOf(got)) > 0 { // perhaps behind a link
				if stat, insideErr := statInside(ctx, client, got.ID, at.name); insideErr == nil {
					at.stat, at.inside, err = stat, true, nil
				}
			}
		}
		if err != nil || at.stat.Mode&fs.ModeSymlink == 0 || !follow {
			return at, err
		}
		at.name = path.Clean(at.stat.LinkTarget)
	}
	return at, runtime.Errorf("invalid", "%s: too many links", name)
}

// hidden gives the mount below which name is not what the engine sees from outside:
// a tmpfs, and the kernel's own file systems. "" for none.
func hidden(c engine.Container, name string) string {
	for _, m := range append(tmpfsOf(c), "/proc", "/sys", "/dev") {
		if m = path.Clean(m); name == m || strings.HasPrefix(name, m+"/") {
			return m
		}
	}
	return ""
}

// tmpfsOf are the paths at which a tmpfs was asked for.
func tmpfsOf(c engine.Container) []string {
	if c.HostConfig == nil {
		return nil
	}
	mounts := sortedKeys(c.HostConfig.Tmpfs)
	for _, m := range c.HostConfig.Mounts {
		if m.Type == mount.TypeTmpfs {
			mounts = append(mounts, m.Target)
		}
	}
	return mounts
}

// fileType names what a mode says of a file.
func fileType(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "file"
	case mode.IsDir():
		return "directory"
	case mode&fs.ModeSymlink != 0:
		return "link"
	case mode&fs.ModeNamedPipe != 0:
		return "pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}
