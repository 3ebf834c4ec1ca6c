package runtime

// This file defines how a builtin reaches this machine: every path,
// environment variable and command passes the Host.

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Path returns name as an absolute path: a relative one is below Config.Dir.
func (c *Call) Path(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	dir := ""
	if c.strand != nil {
		dir = c.strand.s.rt.cfg.Dir
	}
	abs, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		return filepath.Join(dir, name)
	}
	return abs
}

// Here returns the directory of the script file that contains the call, or
// Config.Dir when the code is no file's.
func (c *Call) Here() string {
	file := c.Pos().Filename()
	if noFile(file) || strings.HasPrefix(file, stdPrefix) {
		return c.Path(".")
	}
	root := c.strand.s.rt.cfg.Root
	if root == "" {
		return c.Path(filepath.Dir(file))
	}
	// A name in a position begins with Root, as Config says, or is relative to it.
	if !filepath.IsAbs(file) && c.strand.s.rt.inRoot(file) == file {
		file = filepath.Join(root, file)
	}
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return filepath.Dir(file)
	}
	return dir
}

// readTree returns the tree that may be read, or an error of kind denied.
func (c *Call) readTree(name string) (*Tree, error) {
	if t := c.host().Read; t != nil {
		return t, nil
	}
	return nil, c.denied("read "+name, "this program gives scripts no files to read", "give the content as a string or bytes")
}

func (c *Call) writeTree(name string) (*Tree, error) {
	if t := c.host().Write; t != nil {
		return t, nil
	}
	return nil, c.denied("write "+name, "this program gives scripts no files to write", "")
}

func (c *Call) host() Host {
	if c.strand == nil {
		return Host{}
	}
	return c.strand.s.rt.cfg.Host
}

func (c *Call) denied(what, why, hint string) *Error {
	return &Error{Kind: KindDenied, Op: c.op, Message: what + ": " + why, Hint: hint}
}

// Open opens a file of this machine for reading; the caller closes it.
func (c *Call) Open(name string) (*os.File, error) {
	t, err := c.readTree(name)
	if err != nil {
		return nil, err
	}
	f, err := t.OpenFile(c.Path(name), os.O_RDONLY, 0)
	return f, c.fileError(name, err)
}

// Create creates or truncates a file of this machine; the caller closes it.
func (c *Call) Create(name string) (*os.File, error) {
	return c.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o666)
}

// OpenFile opens a file of this machine for writing, with the flags of os.
func (c *Call) OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error) {
	t, err := c.writeTree(name)
	if err != nil {
		return nil, err
	}
	f, err := t.OpenFile(c.Path(name), flag, perm)
	return f, c.fileError(name, err)
}

// ReadFile returns the content of a file of this machine.
func (c *Call) ReadFile(name string) ([]byte, error) {
	f, err := c.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b strings.Builder
	if _, err := f.WriteTo(&b); err != nil {
		return nil, c.fileError(name, err)
	}
	return []byte(b.String()), nil
}

// WriteFile makes a file of this machine hold data.
func (c *Call) WriteFile(name string, data []byte, perm fs.FileMode) error {
	f, err := c.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return c.fileError(name, errors.Join(err, f.Close()))
}

// Stat describes a file of this machine.
func (c *Call) Stat(name string) (fs.FileInfo, error) {
	t, err := c.readTree(name)
	if err != nil {
		return nil, err
	}
	info, err := t.Stat(c.Path(name))
	return info, c.fileError(name, err)
}

// Lstat describes a file of this machine, or a symbolic link itself.
func (c *Call) Lstat(name string) (fs.FileInfo, error) {
	t, err := c.readTree(name)
	if err != nil {
		return nil, err
	}
	info, err := t.Lstat(c.Path(name))
	return info, c.fileError(name, err)
}

// Readlink returns where a symbolic link of this machine leads.
func (c *Call) Readlink(name string) (string, error) {
	t, err := c.readTree(name)
	if err != nil {
		return "", err
	}
	target, err := t.Readlink(c.Path(name))
	return target, c.fileError(name, err)
}

// ReadDir lists a directory of this machine in the order of names.
func (c *Call) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := c.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	sortEntries(entries)
	return entries, c.fileError(name, err)
}

// MkdirAll makes a directory of this machine and its parents.
func (c *Call) MkdirAll(name string, perm fs.FileMode) error {
	t, err := c.writeTree(name)
	if err != nil {
		return err
	}
	return c.fileError(name, t.MkdirAll(c.Path(name), perm))
}

// RemoveAll removes a file or directory of this machine and all below it.
func (c *Call) RemoveAll(name string) error {
	t, err := c.writeTree(name)
	if err != nil {
		return err
	}
	return c.fileError(name, t.RemoveAll(c.Path(name)))
}

// MkdirTemp makes a new directory, removed when the scope ends, in the
// system's directory for such, or in the first directory that may be written.
func (c *Call) MkdirTemp(prefix string) (string, error) {
	t, err := c.writeTree("a temporary directory")
	if err != nil {
		return "", err
	}
	parent := ""
	if !t.all {
		if len(t.dirs) == 0 {
			return "", c.fileError("a temporary directory", errOutside)
		}
		parent = t.dirs[0].path
	}
	dir, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		return "", c.fileError(prefix, err)
	}
	c.Scope().Defer("remove "+dir, c.Pos(), func(context.Context) error { return os.RemoveAll(dir) })
	return dir, nil
}

// ReadPath returns the absolute path of something to be read by somebody
// else, an engine say, if it may be read. It need not exist.
func (c *Call) ReadPath(name string) (string, error) {
	t, err := c.readTree(name)
	if err != nil {
		return "", err
	}
	return c.checkedPath(t, name)
}

// WritePath is ReadPath for something to be written.
func (c *Call) WritePath(name string) (string, error) {
	t, err := c.writeTree(name)
	if err != nil {
		return "", err
	}
	return c.checkedPath(t, name)
}

// ReadRoot opens a directory of this machine, to read what is below it; the caller
// closes it.
func (c *Call) ReadRoot(name string) (*os.Root, error) {
	t, err := c.readTree(name)
	if err != nil {
		return nil, err
	}
	root, err := t.OpenRoot(c.Path(name))
	return root, c.fileError(name, err)
}

// WriteRoot is ReadRoot to write below a directory.
func (c *Call) WriteRoot(name string) (*os.Root, error) {
	t, err := c.writeTree(name)
	if err != nil {
		return nil, err
	}
	root, err := t.OpenRoot(c.Path(name))
	return root, c.fileError(name, err)
}

func (c *Call) checkedPath(t *Tree, name string) (string, error) {
	abs := c.Path(name)
	if _, err := t.Stat(abs); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", c.fileError(name, err)
	}
	return abs, nil
}

// Getenv returns a variable of this machine's environment.
func (c *Call) Getenv(name string) (string, bool, error) {
	env := c.host().Env
	if env == nil {
		return "", false, c.denied("read $"+name, "this program gives scripts no environment", "")
	}
	value, ok := env(name)
	return value, ok, nil
}

// Run runs a command of this machine and waits for its end; within Block, so that
// other branches go on. Its directory is relative to Config.Dir.
func (c *Call) Run(ctx context.Context, command HostCommand) (int, error) {
	run := c.host().Run
	if run == nil {
		return -1, c.denied("run "+strings.Join(command.Args, " "), "this program lets scripts run no commands", "")
	}
	command.Dir = c.Path(command.Dir)
	return run(ctx, command)
}

// Glob returns the files of this machine that match a pattern of filepath.Match, in
// order. A relative pattern is below Config.Dir and gives relative names.
func (c *Call) Glob(pattern string) ([]string, error) {
	t, err := c.readTree(pattern)
	if err != nil {
		return nil, err
	}
	found, err := t.Glob(c.Path(pattern))
	if err != nil {
		return nil, c.fileError(pattern, err)
	}
	if filepath.IsAbs(pattern) {
		return found, nil
	}
	dir := c.Path(".")
	for i, name := range found {
		if found[i], err = filepath.Rel(dir, name); err != nil {
			return nil, c.fileError(pattern, err)
		}
	}
	return found, nil
}

func (c *Call) fileError(name string, err error) error {
	if err == nil {
		return nil
	}
	return fileError(c.op, name, err)
}

// fileError gives a file system's error a kind and the name as the script wrote it.
func fileError(op, name string, err error) error {
	kind, message := "fail", err.Error()
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		message = pathErr.Err.Error()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		kind, message = KindNotFound, "no such file or directory"
	case errors.Is(err, fs.ErrPermission):
		kind = KindForbidden
	case errors.Is(err, errOutside), strings.Contains(message, "path escapes from parent"):
		kind, message = KindDenied, errOutside.Error() // os.Root has no exported error for it
	}
	return &Error{Kind: kind, Op: op, Message: name + ": " + message, Err: err}
}

func sortEntries(entries []fs.DirEntry) {
	for i := 1; i < len(entries); i++ {
		for j := i; j > 0 && entries[j].Name() < entries[j-1].Name(); j-- {
			entries[j], entries[j-1] = entries[j-1], entries[j]
		}
	}
}
