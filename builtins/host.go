package builtins

// This file is the noun host: all that a script may touch of the machine that it
// runs on, and no more than the program that runs it allows.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const hostDoc = `
host

The machine that the script runs on. A relative path is relative to the directory
of the main script. What the program that runs the script does not allow is an
error of kind denied.
`

func (d *library) declareHost() runtime.Member {
	return runtime.Noun(hostDoc, nil,
		runtime.Func(hostRunDoc, d.hostRun),
		runtime.Func(hostReadDoc, d.hostRead),
		runtime.Func(hostWriteDoc, d.hostWrite),
		runtime.Func(hostOpenDoc, d.hostOpen),
		runtime.Func(hostEnvDoc, d.hostEnv),
		runtime.Func(hostTempdirDoc, d.hostTempdir),
		runtime.Func(hostGlobDoc, d.hostGlob),
		runtime.Func(hostCwdDoc, d.hostCwd),
	)
}

const hostRunDoc = `
run(cmd, *, env={}, workdir="", ` + outputParams + `, check=False, timeout=None) -> Result

Run a program of this machine and wait for it to end.

cmd       a list is an argv; a string is run by /bin/sh -c
env       dict or list of "NAME=value", beside the program's own
workdir   the directory that it runs in; "": that of the main script` + outputTexts + `
check     a non-zero exit code is an error of kind exit
timeout   after it the program is killed, and the call is an error of kind timeout

>>> host.run(["echo", "hi"]).stdout
"hi\n"
`

type hostRunArgs struct {
	Cmd     command
	Env     map[string]string
	Workdir string
	outputArgs
	Check   bool
	Timeout time.Duration
}

func (d *library) hostRun(call *runtime.Call, a hostRunArgs) (starlark.Value, error) {
	got, err := newCapture(call, a.output())
	if err != nil {
		return nil, err
	}
	stdin, err := a.Stdin.reader()
	if err != nil {
		return nil, err
	}
	stdout, stderr := got.writers(new(sync.Mutex))
	cmd := runtime.HostCommand{Args: a.Cmd.argv, Env: envList(a.Env), Dir: a.Workdir, Stdin: stdin, Stdout: stdout, Stderr: stderr}
	var ended engine.ExecResult
	start := time.Now()
	err = call.Block(func(ctx context.Context) error {
		if a.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, a.Timeout, &runtime.Error{
				Kind: "timeout", Message: fmt.Sprintf("%s ran for more than %s and was killed", a.Cmd, a.Timeout)})
			defer cancel()
		}
		code, err := call.Run(ctx, cmd)
		if errors.Is(err, engine.ErrStop) {
			err = nil
		}
		ended = engine.ExecResult{ExitCode: code, Duration: time.Since(start)}
		return got.flushed(err)
	})
	return d.end(call, got, "", a.Cmd, ended, a.Check, err)
}

const hostReadDoc = `
read(path, *, text=True) -> string

The content of a file.

text  False: as bytes
`

type hostReadArgs struct {
	Path string
	Text bool
}

func (d *library) hostRead(call *runtime.Call, a hostReadArgs) (starlark.Value, error) {
	data, err := call.ReadFile(a.Path)
	if err != nil {
		return nil, err
	}
	if a.Text {
		return starlark.String(data), nil
	}
	return starlark.Bytes(data), nil
}

const hostWriteDoc = `
write(path, data, *, mode=0o644)

Write a file, in place of what it held.

data  str or bytes
mode  its permissions when it is new
`

type hostWriteArgs struct {
	Path string
	Data input
	Mode int
}

func (d *library) hostWrite(call *runtime.Call, a hostWriteArgs) error {
	if a.Data.file != nil || !a.Data.given {
		return runtime.Errorf("invalid", "data: want str or bytes")
	}
	return call.WriteFile(a.Path, []byte(a.Data.data), fs.FileMode(a.Mode).Perm())
}

const hostOpenDoc = `
open(path, mode="r") -> HostFile

Open a file for stdin=, stdout=, stderr= or files=. It is closed when its scope ends.

mode  "r" to read, "w" to write in place of what it held, "a" to write behind it
`

type hostOpenArgs struct {
	Path string
	Mode string
}

func (d *library) hostOpen(call *runtime.Call, a hostOpenArgs) (starlark.Value, error) {
	f := &HostFile{d: d, session: call.Session(), path: a.Path, how: a.Mode}
	var err error
	switch a.Mode {
	case "r":
		f.file, err = call.Open(a.Path)
	case "w":
		f.file, err = call.OpenFile(a.Path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	case "a":
		f.file, err = call.OpenFile(a.Path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	default:
		return nil, runtime.Errorf("invalid", `mode %q: want "r", "w" or "a"`, a.Mode)
	}
	if err != nil {
		return nil, err
	}
	f.cleanup = call.Scope().Defer("close "+a.Path, call.Pos(), func(context.Context) error { return f.close() })
	return f, nil
}

const hostEnvDoc = `
env(name, default=None) -> string

An environment variable of this machine; default when it is not set.
`

type hostEnvArgs struct {
	Name    string
	Default starlark.Value
}

func (d *library) hostEnv(call *runtime.Call, a hostEnvArgs) (starlark.Value, error) {
	value, set, err := call.Getenv(a.Name)
	switch {
	case err != nil:
		return nil, err
	case set:
		return starlark.String(value), nil
	case a.Default == nil:
		return starlark.None, nil
	}
	return a.Default, nil
}

const hostTempdirDoc = `
tempdir() -> string

A new, empty directory. It is removed, with all in it, when its scope ends.
`

func (d *library) hostTempdir(call *runtime.Call, _ noArgs) (string, error) {
	return call.MkdirTemp("dscript-")
}

const hostGlobDoc = `
glob(pattern) -> list

The paths that match a pattern, in order: * and ? within a name, [a-z] for one of
several. Relative patterns give relative paths.
`

type hostGlobArgs struct{ Pattern string }

func (d *library) hostGlob(call *runtime.Call, a hostGlobArgs) ([]string, error) {
	return call.Glob(a.Pattern)
}

const hostCwdDoc = `
cwd() -> string

The directory that relative paths are relative to: that of the main script.
`

func (d *library) hostCwd(call *runtime.Call, _ noArgs) (string, error) {
	return filepath.Clean(call.Path(".")), nil
}

// A HostFile is an open file of this machine. It is closed when its scope ends;
// close may be called before.
type HostFile struct {
	d       *library
	session *runtime.Session
	path    string
	how     string // "r", "w" or "a"
	cleanup *runtime.Cleanup

	mu   sync.Mutex
	file *os.File // nil once closed
}

const hostFileDoc = `
HostFile

An open file of this machine, from host.open.
`

func (d *library) declareHostFile() *runtime.TypeDecl {
	return runtime.Type[*HostFile](hostFileDoc,
		runtime.Attr("path -> string\n\nThe path, as it was given.", func(_ *runtime.Call, f *HostFile) (any, error) { return f.path, nil }),
		runtime.Func("close(file)\n\nClose the file now.", func(_ *runtime.Call, a struct{ File *HostFile }) error {
			a.File.cleanup.Cancel()
			return a.File.close()
		}).As("close"),
	)
}

func (f *HostFile) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// opened is the file when it is open in the way wanted.
func (f *HostFile) opened(write bool) (*os.File, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.file == nil:
		return nil, runtime.Errorf("invalid", "file %q is closed", f.path)
	case write && f.how == "r":
		return nil, runtime.Errorf("invalid", `file %q is open to read: want host.open(path, "w")`, f.path)
	case !write && f.how != "r":
		return nil, runtime.Errorf("invalid", "file %q is open to write: want host.open(path)", f.path)
	}
	return f.file, nil
}

func (f *HostFile) writer() (io.Writer, error) { return f.opened(true) }

// reader hides that the file could be closed: an HTTP client closes what it sends.
func (f *HostFile) reader() (io.Reader, error) {
	file, err := f.opened(false)
	return struct{ io.Reader }{file}, err
}

// mode is the permissions of the file, for a copy of it.
func (f *HostFile) mode() fs.FileMode {
	file, err := f.opened(false)
	if err != nil {
		return 0o644
	}
	info, err := file.Stat()
	if err != nil {
		return 0o644
	}
	return info.Mode().Perm()
}

func (f *HostFile) String() string        { return fmt.Sprintf("<HostFile %q %q>", f.path, f.how) }
func (f *HostFile) Type() string          { return "HostFile" }
func (f *HostFile) Freeze()               {}
func (f *HostFile) Truth() starlark.Bool  { return true }
func (f *HostFile) Hash() (uint32, error) { return hashOf(f.path), nil }
func (f *HostFile) AttrNames() []string   { return f.d.hostFileType.AttrNames() }
func (f *HostFile) Attr(name string) (starlark.Value, error) {
	return f.d.hostFileType.Attr(f.session, f, name)
}
