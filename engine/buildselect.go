// What BuildKit asks for of a context: it names the paths that the steps of a build
// use, and what they leave out. All is answered from the list of the context's files,
// so that no path leads out of it.

package engine

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/moby/patternmatcher"
)

// A selection is a request for files, as BuildKit's FileSync puts it into metadata.
type selection struct {
	include []string // patterns; none, and nothing to follow: all
	exclude []string // patterns of a .dockerignore
	follow  []string // paths, with wildcards, of which links are followed
}

func selectionOf(h http.Header) selection {
	list := func(name string) []string {
		values := h.Values(name)
		if h.Get(name+"-encoded") == "" {
			return values
		}
		decoded := make([]string, len(values))
		for i, v := range values {
			decoded[i] = v
			if text, err := url.QueryUnescape(v); err == nil {
				decoded[i] = text
			}
		}
		return decoded
	}
	return selection{include: list("Include-Patterns"), exclude: list("Exclude-Patterns"), follow: list("Followpaths")}
}

// of gives those of the files that are asked for, each below its directories.
func (s selection) of(files []BuildFile) ([]BuildFile, error) {
	wanted, err := s.wanted(files)
	if err != nil {
		return nil, err
	}
	excluded, err := patternmatcher.New(s.exclude)
	if err != nil {
		return nil, err
	}
	chosen := make(map[string]bool, len(files))
	for _, f := range files {
		if !wanted(f.Path) {
			continue
		}
		if out, err := excluded.MatchesOrParentMatches(f.Path); err != nil {
			return nil, err
		} else if out {
			continue
		}
		chosen[f.Path] = true
		for _, dir := range above(f.Path) {
			chosen[dir] = true
		}
	}
	var of []BuildFile
	for _, f := range files {
		if chosen[f.Path] {
			of = append(of, f)
		}
	}
	return of, nil
}

// wanted tells which paths are included or followed to.
func (s selection) wanted(files []BuildFile) (func(path string) bool, error) {
	if len(s.include) == 0 && len(s.follow) == 0 {
		return func(string) bool { return true }, nil
	}
	included, err := patternmatcher.New(s.include)
	if err != nil {
		return nil, err
	}
	t := tree{files: make(map[string]BuildFile, len(files)), children: map[string][]string{}, found: map[string]bool{}, seen: map[[2]string]bool{}}
	for _, f := range files {
		t.files[f.Path] = f
		dir, name := path.Split(f.Path)
		t.children[path.Clean(dir)] = append(t.children[path.Clean(dir)], name)
	}
	for _, p := range s.follow {
		t.follow(".", p, 0)
	}
	return func(p string) bool {
		if t.found["."] || t.found[p] {
			return true
		}
		for _, dir := range above(p) {
			if t.found[dir] {
				return true
			}
		}
		hit, err := included.MatchesOrParentMatches(p)
		return err == nil && hit
	}, nil
}

// A tree is the files by their paths, in which links are followed.
type tree struct {
	files    map[string]BuildFile
	children map[string][]string
	found    map[string]bool // what the followed paths lead to, with the links on the way
	seen     map[[2]string]bool
}

const mostLinks = 64 // followed in one path

// follow finds what a path leads to, seen from a directory. Above the root is the root.
func (t *tree) follow(dir, rest string, links int) {
	if links > mostLinks || t.seen[[2]string{dir, rest}] {
		return
	}
	t.seen[[2]string{dir, rest}] = true
	rest = strings.TrimPrefix(path.Clean("/"+rest), "/")
	if rest == "" {
		t.found[dir] = true
		return
	}
	name, rest, _ := strings.Cut(rest, "/")
	for _, child := range t.matching(dir, name) {
		at := path.Join(dir, child)
		f := t.files[at]
		if f.Link == "" {
			t.follow(at, rest, links)
			continue
		}
		t.found[at] = true
		target := f.Link
		if !path.IsAbs(target) {
			target = "/" + dir + "/" + target
		}
		t.follow(".", path.Join("/", target, rest), links+1)
	}
}

// matching are the names in a directory that a name, or a pattern, is of.
func (t *tree) matching(dir, pattern string) []string {
	if _, ok := t.files[path.Join(dir, pattern)]; ok {
		return []string{pattern}
	}
	if !strings.ContainsAny(pattern, `*?[\`) {
		return nil
	}
	var hits []string
	for _, name := range t.children[dir] {
		if ok, err := path.Match(pattern, name); ok && err == nil {
			hits = append(hits, name)
		}
	}
	return hits
}
