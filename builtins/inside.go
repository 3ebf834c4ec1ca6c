package builtins

// This file reaches files by commands in a container: those that the engine does not
// see from outside, and what its archives cannot do. Commands run as root.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// inside runs a command about the path name. An exit code other than 0 is an error
// with the command's words.
func inside(ctx context.Context, client *engine.Client, id, name string, stdin io.Reader, limit int64, argv ...string) (engine.ExecResult, error) {
	r, err := client.Exec(ctx, id, engine.ExecOptions{Cmd: argv, User: "0:0", IO: engine.IO{Stdin: stdin, Limit: limit}})
	switch {
	case errors.Is(err, engine.ErrCommandNotFound):
		return r, &runtime.Error{Kind: "command_not_found", Err: err,
			Message: fmt.Sprintf("%s is reached by a command in the container, which has no %s", name, argv[0])}
	case err != nil:
		return r, err
	case r.ExitCode != 0:
		return r, insideError(name, r)
	}
	return r, nil
}

// insideError gives the words of a command their kind.
func insideError(name string, r engine.ExecResult) error {
	said := strings.TrimSpace(string(r.Stderr))
	kind := "exit"
	for _, known := range []struct{ words, kind string }{
		{"no such file", "not_found"}, {"not a directory", "not_found"}, {"is a directory", "invalid"}, {"not empty", "conflict"},
		{"exists", "conflict"}, {"denied", "forbidden"}, {"not permitted", "forbidden"}, {"read-only", "forbidden"}, {"busy", "conflict"},
		{"not found", "command_not_found"},
	} {
		if strings.Contains(strings.ToLower(said), known.words) {
			kind = known.kind
			break
		}
	}
	if kind == "not_found" {
		return noSuchPath(name)
	}
	if said == "" {
		said = fmt.Sprintf("the command for it exited with code %d", r.ExitCode)
	}
	code := r.ExitCode
	return &runtime.Error{Kind: kind, ExitCode: &code, Message: name + ": " + said}
}

func readInside(ctx context.Context, client *engine.Client, id, name string, limit int64) ([]byte, error) {
	r, err := inside(ctx, client, id, name, nil, limit, "cat", name)
	if err == nil && r.Truncated {
		return nil, overLimit(name)
	}
	return r.Stdout, err
}

// writeInside has the shell write; what the kernel's file systems hold keeps its mode.
func writeInside(ctx context.Context, client *engine.Client, id, name string, content io.Reader, mode int, o ownership) error {
	const script = `cat >"$1" || exit; case $1 in /proc/*|/sys/*|/dev/*) ;; *) chmod "$2" "$1" && chown "$3" "$1";; esac`
	_, err := inside(ctx, client, id, name, content, 0, "sh", "-c", script, "sh", name, strconv.FormatInt(int64(mode&0o7777), 8), fmt.Sprintf("%d:%d", o.uid, o.gid))
	return err
}

// statInside is statPath by stat(1).
func statInside(ctx context.Context, client *engine.Client, id, name string) (container.PathStat, error) {
	const script = `stat -c '%f %s %Y' "$1" && { [ ! -L "$1" ] || readlink -f "$1"; }`
	r, err := inside(ctx, client, id, name, nil, 0, "sh", "-c", script, "sh", name)
	if err != nil {
		return container.PathStat{}, err
	}
	first, link, _ := strings.Cut(string(r.Stdout), "\n")
	var mode uint32
	var size, mtime int64
	if _, err := fmt.Sscanf(first, "%x %d %d", &mode, &size, &mtime); err != nil {
		return container.PathStat{}, fmt.Errorf("stat said %q: %w", first, err)
	}
	return container.PathStat{Size: size, Mode: goMode(mode), Mtime: time.Unix(mtime, 0), LinkTarget: strings.TrimSuffix(link, "\n")}, nil
}

// goMode makes Go's mode of that of stat(2).
func goMode(mode uint32) fs.FileMode {
	m := fs.FileMode(mode & 0o777)
	switch mode & 0o170000 {
	case 0o040000:
		m |= fs.ModeDir
	case 0o120000:
		m |= fs.ModeSymlink
	case 0o010000:
		m |= fs.ModeNamedPipe
	case 0o140000:
		m |= fs.ModeSocket
	case 0o020000:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case 0o060000:
		m |= fs.ModeDevice
	}
	for bit, unix := range map[fs.FileMode]uint32{fs.ModeSetuid: 0o4000, fs.ModeSetgid: 0o2000, fs.ModeSticky: 0o1000} {
		if mode&unix != 0 {
			m |= bit
		}
	}
	return m
}

// listInside names what is in a directory, by the shell alone.
func listInside(ctx context.Context, client *engine.Client, id, name string) ([]string, error) {
	const script = `cd "$1" || exit; for f in * .[!.]* ..?*; do [ ! -e "$f" ] && [ ! -L "$f" ] || printf '%s\0' "$f"; done`
	r, err := inside(ctx, client, id, name, nil, 0, "sh", "-c", script, "sh", name)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, n := range bytes.Split(bytes.TrimSuffix(r.Stdout, []byte{0}), []byte{0}) {
		if len(n) > 0 {
			names = append(names, string(n))
		}
	}
	return names, nil
}
