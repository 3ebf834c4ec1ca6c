package builtins

// This file is the context of a build: what of a directory, and what besides it, is
// sent to the engine.

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"github.com/dscript/dscript/engine/archive"
	"github.com/dscript/dscript/runtime"
)

// A buildContext is what is sent: files, and of the directory what they do not hide.
type buildContext struct {
	root       *os.Root // nil: files alone
	chosen     map[string]bool
	files      files
	dockerfile string
}

func (b *buildContext) close() {
	if b.root != nil {
		_ = b.root.Close()
	}
}

const (
	ignoreName = ".dockerignore"
	textName   = ".dockerfile.dscript" // what dockerfile_text is sent as: one name, for the cache's sake
)

func (a buildArgs) context(call *runtime.Call) (b *buildContext, err error) {
	if a.DockerfileText != "" && a.Dockerfile != "" {
		return nil, runtime.Errorf("invalid", "dockerfile and dockerfile_text exclude each other")
	}
	if !a.Context.Set && len(a.Files.files) == 0 && a.DockerfileText == "" {
		return nil, runtime.Errorf("invalid", "nothing to build: want a context, files or dockerfile_text")
	}
	b = &buildContext{files: maps.Clone(a.Files.files), dockerfile: path.Clean(nameOr(filepath.ToSlash(a.Dockerfile), "Dockerfile"))}
	if !fs.ValidPath(b.dockerfile) {
		return nil, runtime.Errorf("invalid", "dockerfile=%q leads out of the context: want a path in it, or dockerfile_text", a.Dockerfile)
	}
	if b.files == nil {
		b.files = files{}
	}
	if a.Context.Set {
		if b.root, err = call.ReadRoot(a.Context.Value); err != nil {
			return nil, err
		}
	}
	if err := b.choose(a.DockerfileText); err != nil {
		b.close()
		return nil, hostError(err)
	}
	return b, nil
}

// choose decides what is sent.
func (b *buildContext) choose(text string) error {
	ignore, err := b.read(ignoreName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if text != "" { // as docker does with a Dockerfile from stdin: COPY does not see it
		if ignore == nil {
			ignore = []byte(ignoreName)
		}
		ignore = append(ignore, "\n"+textName+"\n"...)
		b.dockerfile = textName
		b.files["/"+ignoreName] = fileForm{data: ignore, mode: 0o644}
		b.files["/"+textName] = fileForm{data: []byte(text), mode: 0o644}
	}
	if !b.has(b.dockerfile) {
		return &runtime.Error{Kind: "not_found", Message: "the context has no " + b.dockerfile, Hint: "dockerfile= names another, dockerfile_text= is its content"}
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(ignore))
	if err != nil {
		return runtime.Errorf("invalid", "%s: %v", ignoreName, err)
	}
	hide, err := leftOut(patterns, ignoreName, b.dockerfile)
	if err != nil {
		return err
	}
	if slices.Contains(hide, ignoreName) { // nobody sees it, and Podman would go by its patterns again, in its own way
		b.files["/"+ignoreName] = fileForm{data: []byte(strings.Join(hide, "\n") + "\n"), mode: 0o644}
	}
	if b.root != nil {
		b.chosen, err = notIgnored(b.root.FS(), patterns, hide)
	}
	return err
}

// leftOut are those of the names that the patterns of a .dockerignore leave out.
func leftOut(patterns []string, names ...string) (hide []string, err error) {
	for _, name := range names {
		hit, err := patternmatcher.MatchesOrParentMatches(name, patterns)
		if err != nil {
			return nil, runtime.Errorf("invalid", "%s: %v", ignoreName, err)
		}
		if hit {
			hide = append(hide, name)
		}
	}
	return hide, nil
}

// read gives the content of a file of the context.
func (b *buildContext) read(name string) ([]byte, error) {
	if form, ok := b.files["/"+name]; ok {
		if form.host == nil {
			return form.data, nil
		}
		content, size, err := form.open()
		if err != nil {
			return nil, err
		}
		form.data, err = io.ReadAll(io.LimitReader(content, size))
		form.host = nil // it can be read once
		b.files["/"+name] = form
		return form.data, err
	}
	if b.root == nil {
		return nil, fs.ErrNotExist
	}
	return b.root.ReadFile(name)
}

func (b *buildContext) has(name string) bool {
	if _, ok := b.files["/"+name]; ok {
		return true
	}
	if b.root == nil {
		return false
	}
	_, err := b.root.Lstat(name)
	return err == nil
}

// notIgnored are the names below a directory that go along by the patterns of a
// .dockerignore, each with its parents. The engine needs the Dockerfile and the
// .dockerignore themselves, also where the patterns hide them from COPY.
func notIgnored(dir fs.FS, patterns, hide []string) (map[string]bool, error) {
	for _, name := range hide {
		patterns = append(patterns, "!"+name)
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, runtime.Errorf("invalid", "%s: %v", ignoreName, err)
	}
	chosen := map[string]bool{}
	above := map[string]patternmatcher.MatchInfo{}
	err = fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == "." {
			return err
		}
		ignored, info, err := matcher.MatchesUsingParentResults(filepath.FromSlash(name), above[path.Dir(name)])
		switch {
		case err != nil:
			return err
		case d.IsDir() && ignored && !mayInclude(matcher, name):
			return fs.SkipDir
		case d.IsDir():
			above[name] = info
		}
		for up := name; !ignored && up != "." && !chosen[up]; up = path.Dir(up) {
			chosen[up] = true
		}
		return nil
	})
	return chosen, err
}

// mayInclude tells whether a pattern with ! may match below an ignored directory.
func mayInclude(matcher *patternmatcher.PatternMatcher, dir string) bool {
	for _, p := range matcher.Patterns() {
		if !p.Exclusion() {
			continue
		}
		pattern := filepath.ToSlash(p.String())
		if strings.HasPrefix(pattern+"/", dir+"/") {
			return true
		}
		if i := strings.IndexAny(pattern, `*?[\`); i >= 0 && strings.HasPrefix(dir+"/", pattern[:i]) {
			return true
		}
	}
	return false
}

// pack writes the context as an uncompressed tar that is the same for the same files.
func (b *buildContext) pack(ctx context.Context, w io.Writer) error {
	if b.root == nil {
		return hostError(b.files.pack(ctx, w))
	}
	if err := b.packFiles(ctx, w); err != nil {
		return hostError(err)
	}
	return packRoot(ctx, w, b.root, ".", archive.PackOptions{Fixed: true, Skip: func(name string, isDir bool) (bool, error) {
		return !b.chosen[name] || b.covers(name, isDir), nil
	}})
}

// packFiles writes the files, and leaves the archive open for more.
func (b *buildContext) packFiles(ctx context.Context, w io.Writer) error {
	t := tar.NewWriter(w)
	for _, name := range sortedKeys(b.files) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		content, size, err := b.files[name].open()
		if err != nil {
			return err
		}
		if err := t.WriteHeader(&tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: b.files[name].mode, Size: size}); err != nil {
			return err
		}
		n, err := io.Copy(t, io.LimitReader(content, size))
		if err == nil && n < size {
			err = &fs.PathError{Op: "read", Path: name, Err: io.ErrUnexpectedEOF}
		}
		if err != nil {
			return err
		}
	}
	return t.Flush()
}

// covers tells whether one of the files stands in the place of a name of the directory.
func (b *buildContext) covers(name string, isDir bool) bool {
	if _, ok := b.files["/"+name]; ok {
		return true
	}
	if isDir {
		return false
	}
	for file := range b.files {
		if strings.HasPrefix(file, "/"+name+"/") { // where the directory has a file, files want a directory
			return true
		}
	}
	return false
}
