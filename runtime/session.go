package runtime

// This file defines sessions: the globals, scope and life of one script.

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"sync"
	"sync/atomic"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// A Session is a script's world: its globals, its modules, its scope and its
// budgets. Close must be called. Methods may be called from several
// goroutines; script code runs one function at a time. They must not be
// called by a builtin that the session runs, which has its Call for that.
type Session struct {
	rt     *Runtime
	ctx    context.Context
	cancel context.CancelCauseFunc
	root   Scope

	lock    chan struct{} // held by who runs script code
	current atomic.Pointer[strand]

	// Under lock:
	globals starlark.StringDict
	modules map[string]*module
	steps   uint64 // used up, or given to threads

	output, objects atomic.Int64
	seq             atomic.Uint64
	limit           atomic.Pointer[Error] // the budget that is used up

	running sync.WaitGroup
	mu      sync.Mutex
	id      string
	ended   error // why nothing more can be run
	closing sync.Once
}

// errClosed is why evaluations end when their session is closed.
var errClosed error = &Error{Kind: KindCancelled, Message: "the session is closed"}

// NewSession returns a session without any script yet. ctx is its life: when
// it ends, evaluations do. It must be closed all the same.
func (r *Runtime) NewSession(ctx context.Context) *Session {
	s := &Session{rt: r, lock: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.root.session = s
	return s
}

// Runtime returns the runtime that made the session.
func (s *Session) Runtime() *Runtime { return s.rt }

// Context ends with the session.
func (s *Session) Context() context.Context { return s.ctx }

// Scope returns the session's root scope.
func (s *Session) Scope() *Scope { return &s.root }

// ID returns 16 random hexadecimal digits that tell the session from others.
func (s *Session) ID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id == "" {
		from := s.rt.cfg.Rand
		if from == nil {
			from = rand.Reader
		}
		var raw [8]byte
		if _, err := io.ReadFull(from, raw[:]); err != nil {
			panic(fmt.Sprintf("runtime: reading random bytes: %v", err))
		}
		s.id = hex.EncodeToString(raw[:])
	}
	return s.id
}

// Globals returns a new map of the session's global variables. It must not
// be called while the session runs something.
func (s *Session) Globals() starlark.StringDict { return maps.Clone(s.globals) }

// Set gives a global variable a value, which goes through ToValue. It must not
// be called while the session runs something.
func (s *Session) Set(name string, value any) error {
	if !isIdentifier(name) {
		return Errorf(KindInvalid, "%q cannot be the name of a variable", name)
	}
	v, err := ToValue(value)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if s.globals == nil {
		s.globals = make(starlark.StringDict)
	}
	s.globals[name] = v
	return nil
}

// Forget removes a global variable, so that the predeclared name, if there is
// one, can be used again.
func (s *Session) Forget(name string) { delete(s.globals, name) }

// ForgetModules makes the next load of each module run it again.
func (s *Session) ForgetModules() { s.modules = nil }

// RunProgram runs a compiled script in the session; its globals join the
// session's, also when it fails.
func (s *Session) RunProgram(ctx context.Context, p *Program) error {
	_, err := s.evaluate(ctx, &s.root, func(st *strand) (starlark.Value, error) {
		globals, err := p.program.Init(st.thread, s.rt.predeclared)
		if s.globals == nil {
			s.globals = globals
		} else {
			maps.Copy(s.globals, globals)
		}
		return starlark.None, err
	})
	return err
}

// Exec runs statements, as at a prompt: they see and change the session's
// globals, and what they load becomes global too. ctx ends it, and so does
// the session's context.
func (s *Session) Exec(ctx context.Context, chunk string) error {
	return s.ExecNamed(ctx, "<exec>", chunk)
}

// ExecNamed is Exec with a file name for error messages.
func (s *Session) ExecNamed(ctx context.Context, name, chunk string) error {
	_, err := s.evaluate(ctx, &s.root, func(st *strand) (starlark.Value, error) {
		file, err := s.rt.parse(chunkDialect(), name, []byte(chunk))
		if err != nil {
			return nil, err
		}
		env := s.env()
		err = starlark.ExecREPLChunk(file, st.thread, env)
		s.keepGlobals(env)
		return starlark.None, s.rt.staticError(err, file, env)
	})
	return err
}

// Eval returns the value of an expression over the session's globals.
func (s *Session) Eval(ctx context.Context, expr string) (starlark.Value, error) {
	return s.EvalNamed(ctx, "<eval>", expr)
}

// EvalNamed is Eval with a file name for error messages.
func (s *Session) EvalNamed(ctx context.Context, name, expr string) (starlark.Value, error) {
	return s.evaluate(ctx, &s.root, func(st *strand) (starlark.Value, error) {
		parsed, err := s.rt.parseExpr(name, expr)
		if err != nil {
			return nil, err
		}
		env := s.env()
		v, err := starlark.EvalExprOptions(Dialect(), st.thread, parsed, env)
		return v, s.rt.staticError(err, nil, env)
	})
}

// Kwargs as the last argument of Session.Call are named arguments.
type Kwargs map[string]any

// Call calls a global function by name. Arguments go through ToValue.
func (s *Session) Call(ctx context.Context, fn string, args ...any) (starlark.Value, error) {
	return s.evaluate(ctx, &s.root, func(st *strand) (starlark.Value, error) {
		v, ok := s.globals[fn]
		if !ok {
			return nil, Errorf(KindNotFound, "no function %s%s", fn, didYouMean(fn, s.globals.Keys(), ""))
		}
		callable, ok := v.(starlark.Callable)
		if !ok {
			return nil, Errorf(KindInvalid, "%s is of type %s, not a function", fn, v.Type())
		}
		return s.callValue(st, callable, args)
	})
}

// CallValue calls a function value in a scope of the session, as a fresh
// evaluation. A nil scope is the root.
func (s *Session) CallValue(ctx context.Context, scope *Scope, fn starlark.Callable, args ...any) (starlark.Value, error) {
	if scope == nil {
		scope = &s.root
	}
	return s.evaluate(ctx, scope, func(st *strand) (starlark.Value, error) {
		return s.callValue(st, fn, args)
	})
}

func (s *Session) callValue(st *strand, fn starlark.Callable, args []any) (starlark.Value, error) {
	var named Kwargs
	if n := len(args); n > 0 {
		if last, ok := args[n-1].(Kwargs); ok {
			named, args = last, args[:n-1]
		}
	}
	positional := make(starlark.Tuple, len(args))
	for i, arg := range args {
		v, err := ToValue(arg)
		if err != nil {
			return nil, fmt.Errorf("argument %d of %s: %w", i+1, fn.Name(), err)
		}
		positional[i] = v
	}
	var kwargs []starlark.Tuple
	for _, name := range sortedKeys(named) {
		v, err := ToValue(named[name])
		if err != nil {
			return nil, fmt.Errorf("argument %s of %s: %w", name, fn.Name(), err)
		}
		kwargs = append(kwargs, starlark.Tuple{starlark.String(name), v})
	}
	return starlark.Call(st.thread, fn, positional, kwargs)
}

// Cleanup calls a function while a scope ends: with a thread, a context and
// a budget of its own, also when the session's are used up. pos is the line
// that asked for it.
func (s *Session) Cleanup(ctx context.Context, scope *Scope, pos syntax.Position, fn starlark.Callable, args starlark.Tuple, kwargs []starlark.Tuple) error {
	st := s.newStrand(ctx, scope)
	st.cleanup, st.origin = true, pos
	_, err := st.run(func(st *strand) (starlark.Value, error) {
		return starlark.Call(st.thread, fn, args, kwargs)
	})
	return err
}

// Close ends the session: it stops what still runs, waits for it, and tries
// every cleanup. It returns the failures joined. Closing again waits for the
// first Close and returns nil.
func (s *Session) Close() (err error) {
	s.closing.Do(func() { err = s.close() })
	return err
}

func (s *Session) close() error {
	s.mu.Lock()
	if s.ended == nil {
		s.ended = errClosed
	}
	s.mu.Unlock()
	s.cancel(errClosed)
	s.running.Wait()
	return s.root.Close(context.WithoutCancel(s.ctx))
}

// begin counts one more evaluation, unless the session has ended.
func (s *Session) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended != nil {
		return s.ended
	}
	s.running.Add(1)
	return nil
}

// noteExit makes exit the end of the session.
func (s *Session) noteExit(err error) {
	var exit *ExitError
	if !errors.As(err, &exit) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		s.ended = exit
	}
}

func (s *Session) nextSeq() uint64 { return s.seq.Add(1) }

// warn reports a warning.
func (s *Session) warn(w Warning) {
	if s.rt.cfg.Warn != nil {
		s.rt.cfg.Warn(w)
		return
	}
	fmt.Fprintln(s.Stderr(), w)
}

// env returns all names that a chunk sees.
func (s *Session) env() starlark.StringDict {
	env := maps.Clone(s.rt.predeclared)
	maps.Copy(env, s.globals)
	return env
}

// keepGlobals takes over what a chunk assigned.
func (s *Session) keepGlobals(env starlark.StringDict) {
	if s.globals == nil {
		s.globals = make(starlark.StringDict)
	}
	for name, v := range env {
		if s.globals.Has(name) || !sameValue(v, s.rt.predeclared[name]) {
			s.globals[name] = v
		}
	}
}

// sameValue reports whether two values are one object.
func sameValue(a, b starlark.Value) bool {
	if a == nil || b == nil || reflect.TypeOf(a) != reflect.TypeOf(b) {
		return false
	}
	if v := reflect.ValueOf(a); v.Kind() == reflect.Slice { // a tuple cannot be compared
		w := reflect.ValueOf(b)
		return v.Len() == w.Len() && v.Pointer() == w.Pointer()
	}
	return reflect.TypeOf(a).Comparable() && a == b
}

// attrCall returns the call in which an attribute is read now: of the strand
// that runs, or of a new one when the session runs nothing.
func (s *Session) attrCall(op string) (call *Call, done func(), err error) {
	if s == nil {
		return &Call{op: op}, func() {}, nil
	}
	if st := s.current.Load(); st != nil {
		return newCall(st, op), func() {}, nil
	}
	st := s.newStrand(s.ctx, &s.root)
	if err := st.acquire(s.ctx); err != nil {
		return nil, nil, &stopError{cause: err}
	}
	return newCall(st, op), st.release, nil
}

// Get returns a global variable of the session as a Go value, see Decode.
// It must not be called while the session runs something.
func Get[T any](s *Session, name string) (T, error) {
	var into T
	v, ok := s.globals[name]
	if !ok {
		return into, Errorf(KindNotFound, "no global %s%s", name, didYouMean(name, s.globals.Keys(), ""))
	}
	err := decodeAt(name, v, &into)
	return into, err
}
