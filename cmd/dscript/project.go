package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A project is the directory tree that load reads from.
type project struct {
	root string // absolute
	main string // the script's name below root, with slashes
	dir  string // the script's directory, absolute
}

// projectOf gives the project of a script: the nearest directory upwards that has
// dscript.lock or .git, else the script's own.
func projectOf(file string) (project, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return project{}, err
	}
	dir := filepath.Dir(abs)
	root := projectRoot(dir)
	rel, err := filepath.Rel(root, abs)
	if err != nil {
		return project{}, err
	}
	return project{root: root, main: filepath.ToSlash(rel), dir: dir}, nil
}

func projectRoot(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		for _, mark := range []string{"dscript.lock", ".git"} {
			if _, err := os.Lstat(filepath.Join(at, mark)); !errors.Is(err, fs.ErrNotExist) && err == nil {
				return at
			}
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// relative returns what writes, in a text, the names of files below root relative
// to the working directory, where that is shorter.
func relative(root string) func(text string) string {
	same := func(text string) string { return text }
	wd, err := os.Getwd()
	if err != nil || filepath.Dir(root) == root {
		return same
	}
	file := regexp.MustCompile(`(^|[\s"'(])` + regexp.QuoteMeta(root+string(filepath.Separator)) + `[^\s:"']*`)
	return func(text string) string {
		return file.ReplaceAllStringFunc(text, func(found string) string {
			before, name := found[:1], found[1:]
			if strings.HasPrefix(found, root) {
				before, name = "", found
			}
			rel, err := filepath.Rel(wd, name)
			if err != nil || len(rel) >= len(name) {
				return found
			}
			return before + rel
		})
	}
}
