package builtins

// This file is the context of a build: what of a directory, and what besides it, is
// sent to the engine.

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const (
	ignoreName = ".dockerignore"
	textName   = ".dockerfile.dscript" // what dockerfile_text is sent as: one name, for the cache's sake
)

// context gives what is sent. The files are read from root, nil without a directory, as
// long as the build runs; the caller closes it, also after an error.
func (a buildArgs) context(call *runtime.Call) (root *os.Root, sent engine.BuildContext, err error) {
	if a.DockerfileText != "" && a.Dockerfile != "" {
		return nil, sent, runtime.Errorf("invalid", "dockerfile and dockerfile_text exclude each other")
	}
	if !a.Context.Set && len(a.Files.files) == 0 && a.DockerfileText == "" {
		return nil, sent, runtime.Errorf("invalid", "nothing to build: want a context, files or dockerfile_text")
	}
	dockerfile := "Dockerfile"
	if a.Dockerfile != "" {
		dockerfile = path.Clean(filepath.ToSlash(a.Dockerfile))
	}
	if !fs.ValidPath(dockerfile) {
		return nil, sent, runtime.Errorf("invalid", "dockerfile=%q leads out of the context: want a path in it, or dockerfile_text", a.Dockerfile)
	}
	t := contextTree{files: map[string]engine.BuildFile{}}
	for name, form := range a.Files.files {
		f, err := form.buildFile(strings.TrimPrefix(name, "/"))
		if err != nil {
			return nil, sent, err
		}
		t.files[f.Path] = f
	}
	if a.Context.Set {
		if t.root, err = call.ReadRoot(a.Context.Value); err != nil {
			return nil, sent, err
		}
	}
	sent, err = t.choose(dockerfile, a.DockerfileText)
	return t.root, sent, err
}

// A contextTree is a directory, and files that lie over it.
type contextTree struct {
	root  *os.Root // nil: files alone
	files map[string]engine.BuildFile
}

// choose decides what is sent.
func (t contextTree) choose(dockerfile, text string) (sent engine.BuildContext, err error) {
	if text != "" { // as docker does with a Dockerfile from stdin: COPY does not see it
		sent.Dockerfile = engine.TextFile(textName, []byte(text))
	} else if sent.Dockerfile, err = t.find(dockerfile); errors.Is(err, fs.ErrNotExist) {
		return sent, &runtime.Error{Kind: "not_found", Message: "the context has no " + dockerfile, Hint: "dockerfile= names another, dockerfile_text= is its content"}
	}
	if err != nil {
		return sent, err
	}
	name := dockerfile + ignoreName
	ignore, err := t.read(name)
	sent.Ignored = err == nil && text == ""
	if text != "" || errors.Is(err, fs.ErrNotExist) {
		name = ignoreName
		ignore, err = t.read(name)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return sent, err
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(ignore))
	var matcher *patternmatcher.PatternMatcher
	if err == nil {
		matcher, err = patternmatcher.New(patterns)
	}
	if err != nil {
		return sent, runtime.Errorf("invalid", "%s: %v", name, err)
	}
	sent.Files, err = t.list(matcher)
	return sent, err
}

// find describes a file by its path, through links.
func (t contextTree) find(name string) (engine.BuildFile, error) {
	if f, ok := t.files[name]; ok {
		return f, nil
	}
	if t.root == nil {
		return engine.BuildFile{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	info, err := t.root.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = runtime.Errorf("invalid", "%s is no file", name)
	}
	if err != nil {
		return engine.BuildFile{}, err
	}
	return t.rooted(name, info), nil
}

func (t contextTree) rooted(name string, info fs.FileInfo) engine.BuildFile {
	return engine.BuildFile{Path: name, Mode: info.Mode(), Size: info.Size(), Open: func() (io.ReadCloser, error) { return t.root.Open(name) }}
}

func (t contextTree) read(name string) ([]byte, error) {
	f, err := t.find(name)
	if err != nil {
		return nil, err
	}
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, 1<<20))
}

// buildFile is the form as a file of a context. A host file that is no regular one is
// read here, the others when they are asked for.
func (f fileForm) buildFile(name string) (engine.BuildFile, error) {
	content, size, err := f.open()
	if err != nil {
		return engine.BuildFile{}, err
	}
	file := engine.TextFile(name, f.data)
	switch content := content.(type) {
	case *os.File:
		at, err := content.Seek(0, io.SeekCurrent)
		if err != nil {
			return engine.BuildFile{}, err
		}
		file.Size = size
		file.Open = func() (io.ReadCloser, error) { return io.NopCloser(io.NewSectionReader(content, at, size)), nil }
	default:
		if f.host != nil {
			data, err := io.ReadAll(content)
			if err != nil {
				return engine.BuildFile{}, err
			}
			file = engine.TextFile(name, data)
		}
	}
	file.Mode = fs.FileMode(f.mode) & fs.ModePerm
	for bit, mode := range map[int64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if f.mode&bit != 0 {
			file.Mode |= mode
		}
	}
	return file, nil
}
