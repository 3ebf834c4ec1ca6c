package runtime

// This file compiles source texts and says what is wrong with them.

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// A Program is a compiled script. It is immutable and may be run by any
// number of sessions of the Runtime that compiled it, also at once.
type Program struct {
	name    string
	src     string
	program *starlark.Program
}

// Name returns the file name in the program's error messages.
func (p *Program) Name() string { return p.name }

// Compile compiles a script without running it; src is as for Run. Syntax
// errors and undefined names are a *StaticError.
func (r *Runtime) Compile(name string, src any) (*Program, error) {
	if p, ok := src.(*Program); ok {
		return p, nil
	}
	text, err := r.sourceText(name, src)
	if err != nil {
		return nil, err
	}
	if src == nil {
		name = r.fileName(filepath.ToSlash(r.inRoot(name)))
	}
	return r.compile(name, text)
}

func (r *Runtime) sourceText(name string, src any) ([]byte, error) {
	switch src := src.(type) {
	case string:
		return []byte(src), nil
	case []byte:
		return src, nil
	case io.Reader:
		text, err := io.ReadAll(src)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return text, nil
	case nil:
		if r.cfg.Files == nil {
			return nil, &Error{Kind: KindNotFound, Message: name + ": there are no files to read scripts from"}
		}
		text, err := fs.ReadFile(r.cfg.Files, filepath.ToSlash(r.inRoot(name)))
		if err != nil {
			return nil, fileError("run", name, err)
		}
		return text, nil
	}
	return nil, fmt.Errorf("%s: a script cannot be a %T", name, src)
}

func (r *Runtime) compile(name string, text []byte) (*Program, error) {
	file, err := r.parse(Dialect(), name, text)
	if err != nil {
		return nil, err
	}
	program, err := starlark.FileProgram(file, r.predeclared.Has)
	if err != nil {
		return nil, r.staticError(err, file, r.predeclared)
	}
	return &Program{name: name, src: string(text), program: program}, nil
}

// parse parses a file and remembers its text for error messages.
func (r *Runtime) parse(dialect *syntax.FileOptions, name string, text []byte) (*syntax.File, error) {
	file, err := dialect.Parse(name, text, 0)
	if err == nil {
		if len(file.Stmts) > 0 {
			r.remember(syntax.Start(file.Stmts[0]), string(text))
		}
		return file, nil
	}
	var wrong syntax.Error
	if errors.As(err, &wrong) {
		r.remember(wrong.Pos, string(text))
	}
	return nil, r.staticError(err, nil, nil)
}

func (r *Runtime) parseExpr(name, text string) (syntax.Expr, error) {
	expr, err := Dialect().ParseExpr(name, text, 0)
	if err == nil {
		r.remember(syntax.Start(expr), text)
		return expr, nil
	}
	var wrong syntax.Error
	if errors.As(err, &wrong) {
		r.remember(wrong.Pos, text)
	}
	return nil, r.staticError(err, nil, nil)
}

// undefined matches the resolver's words, with its own hint.
var undefined = regexp.MustCompile(`^undefined: (\w+)( \(did you mean .*\?\))?$`)

// staticError makes a parser's or resolver's error a *StaticError with
// suggestions over the names of env and file. Other errors stay as they are.
func (r *Runtime) staticError(err error, file *syntax.File, env starlark.StringDict) error {
	if parse, ok := err.(syntax.Error); ok {
		return &StaticError{Problems: []Problem{{Pos: parse.Pos, Message: parse.Msg}}}
	}
	list, ok := err.(resolve.ErrorList)
	if !ok {
		return err
	}
	static := &StaticError{}
	var names []string
	for _, wrong := range list {
		message := wrong.Msg
		if m := undefined.FindStringSubmatch(message); m != nil {
			if names == nil {
				names = append(env.Keys(), boundNames(file)...)
				names = append(names, starlark.Universe.Keys()...)
			}
			message = "undefined: " + m[1] + didYouMean(m[1], names, "")
		}
		static.Problems = append(static.Problems, Problem{Pos: wrong.Pos, Message: message})
	}
	return static
}

// boundNames returns the names that a file assigns anywhere.
func boundNames(file *syntax.File) []string {
	if file == nil {
		return nil
	}
	var names []string
	bind := func(e syntax.Expr) {
		syntax.Walk(e, func(n syntax.Node) bool {
			if id, ok := n.(*syntax.Ident); ok {
				names = append(names, id.Name)
			}
			return true
		})
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.DefStmt:
			names = append(names, n.Name.Name)
			for _, p := range n.Params {
				bindParam(p, bind)
			}
		case *syntax.LambdaExpr:
			for _, p := range n.Params {
				bindParam(p, bind)
			}
		case *syntax.AssignStmt:
			if n.Op == syntax.EQ {
				bind(n.LHS)
			}
		case *syntax.ForStmt:
			bind(n.Vars)
		case *syntax.LoadStmt:
			for _, id := range n.From {
				names = append(names, id.Name)
			}
		}
		return true
	})
	return names
}

// bindParam binds the name of a parameter: x, x=1, *x, **x.
func bindParam(p syntax.Expr, bind func(syntax.Expr)) {
	switch p := p.(type) {
	case *syntax.Ident:
		bind(p)
	case *syntax.BinaryExpr:
		bind(p.X)
	case *syntax.UnaryExpr:
		if p.X != nil {
			bind(p.X)
		}
	}
}

// sources are the texts that error messages quote, by the file pointer that
// is inside every position of the file. The oldest go when they grow large.
type sources struct {
	texts map[syntax.Position]string
	order []syntax.Position
	bytes int
}

const mostSources = 8 << 20

// fileKey is a position without line and column: two are equal only when
// they come from the same parsing of a file.
func fileKey(pos syntax.Position) syntax.Position {
	pos.Line, pos.Col = 0, 0
	return pos
}

func (r *Runtime) remember(pos syntax.Position, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.sources
	if s.texts == nil {
		s.texts = make(map[syntax.Position]string)
	}
	key := fileKey(pos)
	s.texts[key] = text
	s.order = append(s.order, key)
	s.bytes += len(text)
	for s.bytes > mostSources && len(s.order) > 1 {
		s.bytes -= len(s.texts[s.order[0]])
		delete(s.texts, s.order[0])
		s.order = s.order[1:]
	}
}

// sourceOf returns the text that pos points into.
func (r *Runtime) sourceOf(pos syntax.Position) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, ok := r.sources.texts[fileKey(pos)]
	return text, ok
}
