package runtime

// This file defines the budgets of a session: steps, output and objects.

import (
	"io"
	"sync"

	"go.starlark.net/starlark"
)

// stepSlice is how many steps a thread takes from the session's budget at once.
const stepSlice = 16384

// firstSteps gives the thread its first slice.
func (st *strand) firstSteps() error {
	if st.s.rt.cfg.MaxSteps == 0 {
		return nil
	}
	if limit := st.overLimit(); limit != nil {
		return limit
	}
	st.moreSteps(st.thread)
	return nil
}

// overLimit returns the used-up budget that stops the strand, or nil. A
// cleanup is stopped only by its own.
func (st *strand) overLimit() error {
	limit := st.s.limit.Load()
	if limit == nil || st.cleanup && !st.spent {
		return nil
	}
	return limit
}

// moreSteps gives the thread another slice, or stops it when the budget of
// the session is used up. A cleanup has the whole budget for itself, so that
// a script out of steps can still clean up.
func (st *strand) moreSteps(thread *starlark.Thread) {
	budget := st.s.rt.cfg.MaxSteps
	used := &st.s.steps
	if st.cleanup {
		used = &st.limit
	}
	slice := min(stepSlice, budget-min(budget, *used))
	if slice == 0 {
		st.spent = true
		st.s.overLimit("the script used up its %d steps", budget)
		thread.Cancel(KindLimit)
		thread.SetMaxExecutionSteps(thread.Steps + stepSlice)
		return
	}
	*used += slice
	if !st.cleanup {
		st.limit += slice
	}
	thread.SetMaxExecutionSteps(st.limit)
}

// giveBack returns the steps that the thread did not use.
func (st *strand) giveBack() {
	if !st.cleanup && st.limit > st.thread.Steps {
		st.s.steps -= st.limit - st.thread.Steps
		st.limit = st.thread.Steps
	}
}

// overLimit records that a budget is used up: from now on the session runs
// nothing but its cleanup.
func (s *Session) overLimit(format string, args ...any) error {
	s.limit.CompareAndSwap(nil, Errorf(KindLimit, format, args...))
	return s.limit.Load()
}

func (s *Session) countObject() error {
	most := s.rt.cfg.MaxObjects
	if most == 0 || s.objects.Add(1) <= int64(most) {
		return nil
	}
	return Errorf(KindLimit, "the script may make %d objects and no more", most)
}

// Stdout returns where the session's print goes.
func (s *Session) Stdout() io.Writer { return sessionWriter{s, &s.rt.stdout} }

// Stderr returns where the session's warnings go.
func (s *Session) Stderr() io.Writer { return sessionWriter{s, &s.rt.stderr} }

// A lockedWriter serialises writes of many sessions to one writer.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// A sessionWriter counts what a session writes.
type sessionWriter struct {
	s *Session
	w *lockedWriter
}

func (w sessionWriter) Write(p []byte) (int, error) {
	most := w.s.rt.cfg.MaxOutput
	if most == 0 {
		return w.w.Write(p)
	}
	over := w.s.output.Add(int64(len(p))) - most
	if over <= 0 {
		return w.w.Write(p)
	}
	n := 0
	if keep := int64(len(p)) - over; keep > 0 {
		n, _ = w.w.Write(p[:keep])
	}
	return n, w.s.overLimit("the script wrote more than %d bytes of output", most)
}
