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

// followPath gives the path that name leads to when it is a link, and what is there.
func followPath(ctx context.Context, client *engine.Client, id, name string) (string, container.PathStat, error) {
	for range 40 { // as many as Linux follows
		stat, err := statPath(ctx, client, id, name)
		if err != nil || stat.Mode&fs.ModeSymlink == 0 {
			return name, stat, err
		}
		name = path.Clean(stat.LinkTarget)
	}
	return name, container.PathStat{}, runtime.Errorf("invalid", "%s: too many links", name)
}

// hidden gives the mount below which name is not what the engine sees from outside:
// a tmpfs, and the kernel's own file systems. "" for none.
func hidden(c engine.Container, name string) string {
	mounts := []string{"/proc", "/sys", "/dev"}
	if c.HostConfig != nil {
		mounts = append(mounts, sortedKeys(c.HostConfig.Tmpfs)...)
		for _, m := range c.HostConfig.Mounts {
			if m.Type == mount.TypeTmpfs {
				mounts = append(mounts, m.Target)
			}
		}
	}
	for _, m := range mounts {
		if m = path.Clean(m); name == m || strings.HasPrefix(name, m+"/") {
			return m
		}
	}
	return ""
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
