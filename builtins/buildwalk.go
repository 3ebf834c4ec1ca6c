package builtins

// This file goes through the directory of a build, and leaves out what its
// .dockerignore names.

import (
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// list gives all that the patterns do not leave out, each below its directories.
func (t contextTree) list(ignored *patternmatcher.PatternMatcher) ([]engine.BuildFile, error) {
	w := contextWalk{tree: t, ignored: ignored, above: map[string]patternmatcher.MatchInfo{}, chosen: map[string]engine.BuildFile{}}
	if t.root != nil {
		if err := fs.WalkDir(t.root.FS(), ".", w.entry); err != nil {
			return nil, err
		}
	}
	for name, f := range t.files {
		out, err := ignored.MatchesOrParentMatches(filepath.FromSlash(name))
		if err != nil {
			return nil, runtime.Errorf("invalid", "%s: %v", ignoreName, err)
		}
		if !out {
			w.choose(f)
		}
	}
	list := make([]engine.BuildFile, 0, len(w.chosen))
	for _, f := range w.chosen {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b engine.BuildFile) int { return comparePaths(a.Path, b.Path) })
	return list, nil
}

// comparePaths is the order of fs.WalkDir: a directory's content follows it at once.
func comparePaths(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		default:
			return int(a[i]) - int(b[i])
		}
	}
	return len(a) - len(b)
}

// A contextWalk goes through the directory.
type contextWalk struct {
	tree    contextTree
	ignored *patternmatcher.PatternMatcher
	above   map[string]patternmatcher.MatchInfo
	chosen  map[string]engine.BuildFile
}

func (w contextWalk) entry(name string, d fs.DirEntry, err error) error {
	if err != nil || name == "." {
		return err
	}
	if w.tree.covers(name, d.IsDir()) {
		if d.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	ignored, info, err := w.ignored.MatchesUsingParentResults(filepath.FromSlash(name), w.above[path.Dir(name)])
	switch {
	case err != nil:
		return err
	case d.IsDir() && ignored && !mayInclude(w.ignored, name):
		return fs.SkipDir
	case d.IsDir():
		w.above[name] = info
	}
	if ignored {
		return nil
	}
	got, err := d.Info()
	if err != nil {
		return err
	}
	f := w.tree.rooted(name, got)
	switch {
	case f.Mode&fs.ModeSymlink != 0:
		if f.Link, err = w.tree.root.Readlink(name); err != nil {
			return err
		}
	case !f.Mode.IsDir() && !f.Mode.IsRegular(): // a socket, pipe or device
		return nil
	}
	w.choose(f)
	return nil
}

// choose takes a file, with the directories that it is in.
func (w contextWalk) choose(f engine.BuildFile) {
	w.chosen[f.Path] = f
	for dir := path.Dir(f.Path); dir != "."; dir = path.Dir(dir) {
		if _, ok := w.chosen[dir]; ok {
			return
		}
		mode := fs.FileMode(0o755)
		if w.tree.root != nil {
			if info, err := w.tree.root.Lstat(dir); err == nil && info.IsDir() {
				mode = info.Mode().Perm()
			}
		}
		w.chosen[dir] = engine.BuildFile{Path: dir, Mode: fs.ModeDir | mode}
	}
}

// covers tells whether one of the files stands in the place of a name of the directory.
func (t contextTree) covers(name string, isDir bool) bool {
	if _, ok := t.files[name]; ok {
		return true
	}
	if isDir {
		return false
	}
	for file := range t.files {
		if strings.HasPrefix(file, name+"/") { // where the directory has a file, files want a directory
			return true
		}
	}
	return false
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
