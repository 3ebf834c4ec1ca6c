// Package runtime is a Starlark host: it compiles scripts, runs them in
// sessions, gives them the builtins of libraries, and cleans up after them.
// It knows nothing of Docker, and a script can reach nothing that the Config
// did not pass.
//
//	rt, err := runtime.New(runtime.Config{Libraries: …})
//	session, err := rt.Run(ctx, "app.star", src)
//	defer session.Close()
//	port, err := runtime.Get[int](session, "port")
package runtime

import (
	"context"
	"fmt"
	"sync"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// A Runtime is what scripts run in: a Config, checked and made ready.
// It is safe for concurrent use, and holds nothing that must be closed.
type Runtime struct {
	cfg            Config
	members        []Member
	types          map[string]*TypeDecl
	predeclared    starlark.StringDict
	stdout, stderr lockedWriter

	mu       sync.Mutex
	sources  sources
	programs map[string]*Program // of modules, by name
}

// New returns a Runtime. It refuses names that are declared twice; a
// declaration's text is parsed when it is first needed, or by Check.
func New(cfg Config) (*Runtime, error) {
	r := &Runtime{
		cfg:         cfg.withDefaults(),
		types:       make(map[string]*TypeDecl),
		predeclared: make(starlark.StringDict),
		programs:    make(map[string]*Program),
	}
	r.stdout.w, r.stderr.w = r.cfg.Stdout, r.cfg.Stderr
	for _, lib := range cfg.Libraries {
		if err := r.add(lib); err != nil {
			return nil, fmt.Errorf("library %s: %w", lib.Name, err)
		}
	}
	r.predeclared.Freeze()
	return r, nil
}

func (r *Runtime) add(lib *Library) error {
	for _, m := range lib.Members {
		name := m.MemberName()
		if !isIdentifier(name) {
			return fmt.Errorf("a declaration must begin with a name, not with %q", firstLine(name))
		}
		if r.predeclared.Has(name) {
			return fmt.Errorf("%s is declared twice", name)
		}
		value, ok := memberValue(m, r)
		if !ok {
			return fmt.Errorf("%s: a %T cannot be predeclared", name, m)
		}
		r.predeclared[name] = value
		r.members = append(r.members, m)
	}
	for _, t := range lib.Types {
		r.types[t.MemberName()] = t
	}
	return nil
}

// Check forces every declaration and returns what is wrong with the first
// whose text and Go code disagree. A host's tests should call it.
func (r *Runtime) Check() error {
	if err := checkMembers("predeclared", r.members); err != nil {
		return err
	}
	for _, lib := range r.cfg.Libraries {
		for _, t := range lib.Types {
			if err := t.check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Config returns the runtime's configuration, with defaults filled in.
func (r *Runtime) Config() Config { return r.cfg }

// Libraries returns the libraries, in order.
func (r *Runtime) Libraries() []*Library { return r.cfg.Libraries }

// Declarations returns all that is predeclared besides Starlark's own
// universe, in the order of the libraries.
func (r *Runtime) Declarations() []Member { return r.members }

// TypeNamed returns the declared type of that name, or nil.
func (r *Runtime) TypeNamed(name string) *TypeDecl { return r.types[name] }

// TypeOf returns the declared type of a value, or nil.
func (r *Runtime) TypeOf(v starlark.Value) *TypeDecl {
	for _, t := range r.types {
		if t.Is(v) {
			return t
		}
	}
	return nil
}

// Dialect returns the options of the language: Starlark with while,
// top-level if and for, recursion, set and global reassignment.
func Dialect() *syntax.FileOptions {
	return &syntax.FileOptions{
		Set:             true,
		While:           true,
		TopLevelControl: true,
		GlobalReassign:  true,
		Recursion:       true,
	}
}

// chunkDialect is Dialect for chunks of a session: each is a file of its own,
// and the next must see what it has loaded.
func chunkDialect() *syntax.FileOptions {
	d := Dialect()
	d.LoadBindsGlobally = true
	return d
}

// Run runs a script to its end and returns its session, which must be
// closed. src is a string, []byte, io.Reader or *Program, or nil to read
// name from Config.Files. When the script fails, what it made is cleaned up,
// the session is nil, and the error holds the script's error and the failed
// steps of the cleanup. ctx is also the session's life.
func (r *Runtime) Run(ctx context.Context, name string, src any) (*Session, error) {
	program, ok := src.(*Program)
	if !ok {
		var err error
		if program, err = r.Compile(name, src); err != nil {
			return nil, err
		}
	}
	s := r.NewSession(ctx)
	if err := s.RunProgram(ctx, program); err != nil {
		return nil, joined(err, s.Close())
	}
	return s, nil
}
