package runtime

// This file defines scopes: what a script made ends with its scope.

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"go.starlark.net/syntax"
)

// A Scope is a stack of cleanups with a context and a parent.
// A session has a root; scope(fn), each branch of parallel, each test and
// file open a child. All methods are safe for concurrent use.
type Scope struct {
	session *Session
	parent  *Scope

	mu       sync.Mutex
	ctx      context.Context // made when it is first asked for
	cancel   context.CancelFunc
	children []*Scope
	entries  []*Cleanup
	notes    notes
	closed   bool
}

// A Cleanup is one step of a scope's end.
type Cleanup struct {
	scope *Scope
	seq   uint64 // order of making, over the whole session
	what  string
	pos   syntax.Position
	fn    func(context.Context) error
}

// Cancel takes the step off its scope: the object is kept, or already gone.
// It does nothing when the step has begun.
func (c *Cleanup) Cancel() {
	if c.scope == nil {
		return
	}
	c.scope.take(c)
}

// Defer adds a step to be tried when the scope ends, newest first. what says
// in words what it does ("remove container db"), pos is the script line that
// made it. fn gets a context of its own that ends after
// Config.CleanupTimeout, and runs without the session's lock.
// On a scope that has ended the step belongs to the nearest one that has
// not; when there is none it is run at once.
func (s *Scope) Defer(what string, pos syntax.Position, fn func(context.Context) error) *Cleanup {
	c := &Cleanup{what: what, pos: pos, fn: fn, seq: s.session.nextSeq()}
	for at := s; at != nil; at = at.parent {
		if at.add(c) {
			return c
		}
	}
	if err := s.session.runCleanup(context.Background(), c); err != nil {
		s.session.warn(Warning{Pos: pos, Message: err.Error()})
	}
	return c
}

func (s *Scope) add(c *Cleanup) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	c.scope = s
	s.entries = append(s.entries, c)
	return true
}

// Note adds a question to be asked when the scope ends: when due is true
// then, message is reported as a warning about pos. fn may be asked at any
// time, must be safe for concurrent use and must not use the scope; once it
// has said that it is not due it is forgotten.
func (s *Scope) Note(fn func() (pos syntax.Position, message string, due bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes.add(fn)
}

// Child opens a scope that ends with s at the latest.
func (s *Scope) Child() *Scope {
	child := &Scope{session: s.session, parent: s}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.children = append(slices.Clip(s.children), child) // newest reads it without the lock
	return child
}

// Context returns a context that ends when the scope does, or the session.
func (s *Scope) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		s.ctx, s.cancel = context.WithCancel(s.session.ctx)
		if s.closed {
			s.cancel()
		}
	}
	return s.ctx
}

// Close ends the scope and every scope below it: every step is tried, newest
// first over all of them, each under its own deadline, whatever happened to
// ctx, of which only the values are used. It returns the failures joined.
// Closing again does nothing. It must be called without the session's lock:
// inside Call.Block, or outside any call.
func (s *Scope) Close(ctx context.Context) error {
	s.closeBelow()
	var failed []error
	begun, late := s.session.seq.Load(), 0
	for c := s.takeNewest(); c != nil; c = s.takeNewest() {
		if c.seq > begun {
			late++
		}
		if late > maxLate {
			failed = append(failed, Errorf(KindInvalid, "%sthe cleanup makes more cleanup without end: %s is not tried", at(c.pos), c.what))
			continue
		}
		failed = append(failed, s.session.runCleanup(ctx, c))
	}
	for _, warning := range s.end() {
		s.session.warn(warning)
	}
	if s.parent != nil {
		s.parent.forget(s)
	}
	return joined(failed...)
}

// maxLate is how many steps may be added by the steps of a scope's end.
const maxLate = 1000

// takeNewest takes the newest step off the scope and those below it. When
// there is none left it marks the scope as closed, in the same moment.
func (s *Scope) takeNewest() *Cleanup {
	for {
		c := s.newest()
		if c != nil && c.scope.take(c) {
			return c
		}
		if c == nil && s.closeEmpty() {
			return nil
		}
	}
}

// newest finds the newest step of s and the scopes below it.
func (s *Scope) newest() *Cleanup {
	s.mu.Lock()
	var best *Cleanup
	if n := len(s.entries); n > 0 {
		best = s.entries[n-1]
	}
	children := s.children
	s.mu.Unlock()
	for _, child := range children {
		if c := child.newest(); c != nil && (best == nil || c.seq > best.seq) {
			best = c
		}
	}
	return best
}

// take takes c off its scope and reports whether it was there.
func (s *Scope) take(c *Cleanup) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.entries, c)
	if i < 0 {
		return false
	}
	s.entries = slices.Delete(s.entries, i, i+1)
	return true
}

// closeEmpty closes s if it has no steps of its own.
func (s *Scope) closeEmpty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = len(s.entries) == 0
	return s.closed
}

// closeBelow closes the scopes below s, so that what is still made in them
// belongs to s.
func (s *Scope) closeBelow() {
	s.mu.Lock()
	children := s.children
	s.mu.Unlock()
	for _, child := range children {
		child.closeBelow()
		child.mu.Lock()
		child.closed = true
		child.mu.Unlock()
	}
}

// end closes the scopes below s, ends the contexts and returns what the
// notes have to say.
func (s *Scope) end() []Warning {
	s.mu.Lock()
	children := s.children
	s.children = nil
	s.closed = true
	if s.cancel != nil {
		s.cancel()
	}
	warnings := s.notes.due()
	s.mu.Unlock()
	for _, child := range children {
		warnings = append(warnings, child.end()...)
	}
	return warnings
}

func (s *Scope) forget(child *Scope) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.children = slices.DeleteFunc(slices.Clone(s.children), func(c *Scope) bool { return c == child })
}

// runCleanup tries one step under its own deadline.
func (s *Session) runCleanup(ctx context.Context, c *Cleanup) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.rt.cfg.CleanupTimeout)
	defer cancel()
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s%s: %w", at(c.pos), c.what, err)
		}
	}()
	defer recoverInto(&err, "")
	return c.fn(ctx)
}

func at(pos syntax.Position) string {
	if !pos.IsValid() {
		return ""
	}
	return pos.String() + ": "
}

// notes are the questions of a scope. A loop may make a million of them, so
// those no longer due are dropped as the list grows, and of those that stay
// due only so many are kept.
type notes struct {
	list    []func() (syntax.Position, string, bool)
	next    int // length at which to look for those no longer due
	dropped int
}

const (
	firstNotes = 64
	mostNotes  = 4096
)

func (n *notes) add(fn func() (syntax.Position, string, bool)) {
	n.list = append(n.list, fn)
	if len(n.list) < max(n.next, firstNotes) {
		return
	}
	n.list = slices.DeleteFunc(n.list, func(fn func() (syntax.Position, string, bool)) bool {
		_, _, due := fn()
		return !due
	})
	if extra := len(n.list) - mostNotes/2; extra > 0 {
		n.dropped += extra
		n.list = slices.Delete(n.list, 0, extra)
	}
	n.next = min(2*len(n.list), mostNotes)
}

func (n *notes) due() []Warning {
	var warnings []Warning
	if n.dropped > 0 {
		warnings = append(warnings, Warning{Message: fmt.Sprintf("%d more like the following, not listed", n.dropped)})
	}
	for _, fn := range n.list {
		if pos, message, due := fn(); due {
			warnings = append(warnings, Warning{Pos: pos, Message: message})
		}
	}
	*n = notes{}
	return warnings
}
