package runtime

// This file defines what lies outside the engine: the files, environment and
// commands of this machine, each of which a host passes or denies.

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// A Host is what scripts may reach of this machine. A nil part is denied: a
// call that needs it fails with kind denied.
type Host struct {
	Read, Write *Tree                                                          // Everything(), or Below(dirs)
	Env         func(name string) (value string, set bool)                     // os.LookupEnv is the real one
	Run         func(ctx context.Context, c HostCommand) (exit int, err error) // LocalRun is the real one
}

// A HostCommand is a command to run on this machine.
type HostCommand struct {
	Args           []string  // not empty; no shell is involved
	Env            []string  // "k=v", added to the process's environment
	Dir            string    // "": Config.Dir
	Stdin          io.Reader // nil: empty
	Stdout, Stderr io.Writer // nil: discarded
}

// LocalRun runs c on this machine and returns its exit code. A code that is
// not 0 is no error; a command that could not be started is.
func LocalRun(ctx context.Context, c HostCommand) (int, error) {
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Dir, c.Stdin, c.Stdout, c.Stderr
	cmd.WaitDelay = defaultCleanupTimeout / 10
	if len(c.Env) > 0 {
		cmd.Env = append(os.Environ(), c.Env...)
	}
	err := cmd.Run()
	if ctx.Err() != nil {
		return -1, context.Cause(ctx)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return -1, &Error{Kind: kindOfStart(err), Op: c.Args[0], Err: err}
	}
	return 0, nil
}

func kindOfStart(err error) string {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return "command_not_found"
	}
	return "start_failed"
}

// A Tree is the part of this machine's files that scripts may read or write.
// Its methods take absolute paths. It is safe for concurrent use.
type Tree struct {
	all  bool
	dirs []*treeDir
}

type treeDir struct {
	path string
	once sync.Once
	root *os.Root
	err  error
}

// Everything returns the tree of all files.
func Everything() *Tree { return &Tree{all: true} }

// Below returns the tree of the given directories and all below them.
// Symbolic links that lead out are not followed (os.Root holds that).
// A directory is opened when it is first used and must exist then.
func Below(dirs ...string) *Tree {
	t := &Tree{}
	for _, dir := range dirs {
		if abs, err := filepath.Abs(dir); err == nil {
			dir = abs
		}
		t.dirs = append(t.dirs, &treeDir{path: dir})
	}
	return t
}

// errOutside is for a path that no directory of the tree holds.
var errOutside = errors.New("path is outside of what this program may reach")

// find returns the root that holds an absolute path, and the path in it.
// The root is nil for a tree of everything.
func (t *Tree) find(path string) (*os.Root, string, error) {
	if t.all {
		return nil, path, nil
	}
	for _, dir := range t.dirs {
		rel, err := filepath.Rel(dir.path, path)
		if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
			continue
		}
		dir.once.Do(func() { dir.root, dir.err = os.OpenRoot(dir.path) })
		return dir.root, rel, dir.err
	}
	return nil, "", errOutside
}

// OpenFile opens a file as os.OpenFile does.
func (t *Tree) OpenFile(path string, flag int, perm fs.FileMode) (*os.File, error) {
	root, name, err := t.find(path)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return os.OpenFile(name, flag, perm)
	}
	return root.OpenFile(name, flag, perm)
}

// OpenRoot opens a directory as os.OpenRoot does.
func (t *Tree) OpenRoot(path string) (*os.Root, error) {
	root, name, err := t.find(path)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return os.OpenRoot(name)
	}
	return root.OpenRoot(name)
}

// Lstat describes a file, or a symbolic link itself.
func (t *Tree) Lstat(path string) (fs.FileInfo, error) {
	root, name, err := t.find(path)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return os.Lstat(name)
	}
	return root.Lstat(name)
}

// Stat describes a file.
func (t *Tree) Stat(path string) (fs.FileInfo, error) {
	root, name, err := t.find(path)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return os.Stat(name)
	}
	return root.Stat(name)
}

// Readlink returns where a symbolic link leads.
func (t *Tree) Readlink(path string) (string, error) {
	root, name, err := t.find(path)
	if err != nil {
		return "", err
	}
	if root == nil {
		return os.Readlink(name)
	}
	return root.Readlink(name)
}

// MkdirAll makes a directory and its parents.
func (t *Tree) MkdirAll(path string, perm fs.FileMode) error {
	root, name, err := t.find(path)
	if err != nil {
		return err
	}
	if root == nil {
		return os.MkdirAll(name, perm)
	}
	return root.MkdirAll(name, perm)
}

// RemoveAll removes a file or a directory and all below it.
func (t *Tree) RemoveAll(path string) error {
	root, name, err := t.find(path)
	if err != nil {
		return err
	}
	if root == nil {
		return os.RemoveAll(name)
	}
	return root.RemoveAll(name)
}

// Glob returns the absolute paths that match a pattern of filepath.Match, in order.
func (t *Tree) Glob(pattern string) ([]string, error) {
	if t.all {
		return filepath.Glob(pattern)
	}
	root, rel, err := t.find(pattern)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(root.FS(), filepath.ToSlash(rel))
	for i, name := range names {
		names[i] = filepath.Join(root.Name(), filepath.FromSlash(name))
	}
	return names, err
}
