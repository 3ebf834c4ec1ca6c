package runtime

// This file defines load(): where modules are found, and that each runs once.

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// A module is one that a session has loaded, or is loading.
type module struct {
	done    chan struct{} // closed when globals are there
	globals starlark.StringDict
	err     error
}

const stdPrefix = "@std//"

// load is a thread's Load.
func (st *strand) load(thread *starlark.Thread, name string) (starlark.StringDict, error) {
	key, err := st.s.rt.resolveModule(thread.CallFrame(0).Pos.Filename(), name)
	if err != nil {
		return nil, err
	}
	if i := slices.Index(st.loading, key); i >= 0 {
		return nil, Errorf(KindInvalid, "cycle of loads: %s", strings.Join(append(slices.Clone(st.loading[i:]), key), " → "))
	}
	if mainFile := st.mainModule(thread); mainFile == key {
		chain := append([]string{mainFile}, st.loading...)
		return nil, Errorf(KindInvalid, "cycle of loads: %s", strings.Join(append(chain, key), " → "))
	}
	if m, ok := st.s.modules[key]; ok {
		return st.waitModule(m)
	}
	if st.s.modules == nil {
		st.s.modules = make(map[string]*module)
	}
	m := &module{done: make(chan struct{})}
	st.s.modules[key] = m
	st.loading = append(slices.Clip(st.loading), key)
	defer func() {
		st.loading = st.loading[:len(st.loading)-1]
		if m.err != nil {
			delete(st.s.modules, key)
		}
		close(m.done)
	}()
	m.globals, m.err = st.runModule(thread, key)
	return m.globals, m.err
}

// mainModule returns the module name of the file at the bottom of the stack.
func (st *strand) mainModule(thread *starlark.Thread) string {
	bottom := thread.CallFrame(thread.CallStackDepth() - 1).Pos.Filename()
	key, inFiles := st.s.rt.moduleName(bottom)
	if !inFiles {
		return ""
	}
	return key
}

// waitModule waits for a module that another branch is loading.
func (st *strand) waitModule(m *module) (starlark.StringDict, error) {
	select {
	case <-m.done:
		return m.globals, m.err
	default:
	}
	call := &Call{strand: st, ctx: st.ctx, op: "load"}
	err := call.Block(func(ctx context.Context) error {
		select {
		case <-m.done:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	if err != nil {
		return nil, err
	}
	return m.globals, m.err
}

func (st *strand) runModule(thread *starlark.Thread, key string) (starlark.StringDict, error) {
	p, err := st.s.rt.moduleProgram(key)
	if err != nil {
		return nil, err
	}
	return p.program.Init(thread, st.s.rt.predeclared)
}

// moduleProgram reads and compiles a module; a text that has not changed
// since is compiled once.
func (r *Runtime) moduleProgram(key string) (*Program, error) {
	files, name := r.cfg.Files, key
	if std, ok := strings.CutPrefix(key, stdPrefix); ok {
		files, name = r.cfg.Std, std
	}
	if files == nil {
		return nil, &Error{Kind: KindNotFound, Message: "there are no files to load modules from"}
	}
	text, err := fs.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, Errorf(KindNotFound, "no such file: %s", r.fileName(key))
	}
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	p := r.programs[key]
	r.mu.Unlock()
	if p != nil && p.src == string(text) {
		return p, nil
	}
	p, err = r.compile(r.fileName(key), text)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.programs[key] = p
	return p, nil
}

// resolveModule returns the module that a file names in load.
func (r *Runtime) resolveModule(from, name string) (string, error) {
	if std, ok := strings.CutPrefix(name, stdPrefix); ok {
		return within(stdPrefix, std, name)
	}
	prefix := ""
	if strings.HasPrefix(from, stdPrefix) {
		prefix = stdPrefix
	}
	if rooted, ok := strings.CutPrefix(name, "//"); ok {
		return within(prefix, rooted, name)
	}
	if strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") {
		dir, err := r.moduleDir(from)
		if err != nil {
			return "", err
		}
		return within(prefix, path.Join(dir, name), name)
	}
	err := Errorf(KindInvalid, `a module is named "./file.star", "../file.star", "//file.star" from the root, or "@std//file.star", not %q`, name)
	if name != "" && !strings.HasPrefix(name, "@") && !strings.HasPrefix(name, "/") {
		err.Hint = `write "./` + name + `" for the file beside this one`
	}
	return "", err
}

// moduleDir returns the directory of a file within its root. Code that is no
// file's is in Config.Dir.
func (r *Runtime) moduleDir(file string) (string, error) {
	if noFile(file) {
		if rel, err := filepath.Rel(r.cfg.Root, r.cfg.Dir); err == nil && filepath.IsLocal(rel) {
			return filepath.ToSlash(rel), nil
		}
		return ".", nil
	}
	key, ok := r.moduleName(file)
	if !ok {
		return "", Errorf(KindInvalid, `%s does not lie below the project's root, so it can load only "//file.star" and "@std//file.star"`, file)
	}
	return path.Dir(strings.TrimPrefix(key, stdPrefix)), nil
}

// noFile reports whether a file name in positions stands for no file: "<exec>", "-c".
func noFile(name string) bool {
	return name == "" || strings.HasPrefix(name, "<") || strings.HasPrefix(name, "-")
}

// within cleans a path that may not leave its root.
func within(prefix, name, given string) (string, error) {
	clean := path.Clean(name)
	if !fs.ValidPath(clean) || clean == "." {
		return "", Errorf(KindInvalid, "%q leaves the project's root", given)
	}
	return prefix + clean, nil
}

// fileName returns the name of a module in error messages.
func (r *Runtime) fileName(key string) string {
	if r.cfg.Root == "" || strings.HasPrefix(key, stdPrefix) {
		return key
	}
	return filepath.Join(r.cfg.Root, filepath.FromSlash(key))
}

// moduleName is the reverse of fileName; it is false for a file that does
// not lie below the root.
func (r *Runtime) moduleName(file string) (string, bool) {
	if strings.HasPrefix(file, stdPrefix) {
		return file, true
	}
	key := filepath.ToSlash(filepath.Clean(r.inRoot(file)))
	return key, fs.ValidPath(key)
}

// inRoot makes a file's name relative to the root where it lies below it.
func (r *Runtime) inRoot(name string) string {
	if r.cfg.Root == "" {
		return name
	}
	if rel, err := filepath.Rel(r.cfg.Root, name); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return name
}

func (st *strand) print(thread *starlark.Thread, msg string) {
	if _, err := st.s.Stdout().Write([]byte(msg + "\n")); err != nil {
		if st.broken == nil {
			st.broken = &Error{Kind: KindFail, Op: "print", Err: err}
		}
		thread.Cancel(err.Error())
	}
}
