// Run: a created container, from its start to its end, as one operation.

package engine

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"
)

// RunContainer attaches to a created container, starts it and waits for its end
// (POST /containers/{id}/attach, wait, start). The attachment and the wait stand
// before the start, so that nothing of a short run is missed, and the exit code is
// the one that the container has at the end.
//
// Stdin needs a container that was created with OpenStdin, StdinOnce and
// AttachStdin. The container is never removed. It is killed when the context
// ends, or Each says stop. An error after the start is an *ExecError with what was
// put out until then.
func (c *Client) RunContainer(ctx context.Context, id string, o IO) (ExecResult, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	start := c.now()
	r := &running{c: c, id: id, sink: newSink(&o, false)}
	if err := r.attach(ctx, o.Stdin != nil); err != nil {
		return ExecResult{}, err
	}
	defer r.stream.Close()
	exit := r.awaitExit(ctx)
	if err := c.StartContainer(ctx, id); err != nil {
		fail(nil)
		<-exit
		return ExecResult{}, named(err, &call{op: "container.run"})
	}
	wait := func() {}
	if o.Stdin != nil {
		wait = feed(r.stream, o.Stdin, func(err error) { fail(stdinError(err)) })
	}
	ended := drain(ctx, r.stream, r.sink)
	_ = r.stream.Close()
	wait()
	result, err := r.finish(ctx, ended, exit, fail)
	result.Duration = c.now().Sub(start)
	if err != nil {
		return result, &ExecError{Result: result, Err: err}
	}
	return result, nil
}

// running is a run that is under way.
type running struct {
	c      *Client
	id     string
	stream *Stream
	sink   *sink
}

// attach attaches to the container, and learns whether its output has frames.
func (r *running) attach(ctx context.Context, stdin bool) error {
	k := &call{op: "container.attach", object: r.id}
	run := &call{op: "container.run", object: r.id}
	box, err := r.c.InspectContainer(ctx, r.id)
	if err != nil {
		return named(err, run)
	}
	if box.State.Status != container.StateCreated {
		return &Error{Op: "run", Object: r.id, Kind: KindConflict, Message: "container " + r.id + " was started before"}
	}
	path, err := r.c.versioned(ctx, "containers", r.id, "attach")
	if err != nil {
		return err
	}
	query := "?stream=1&stdout=1&stderr=1"
	if stdin {
		query += "&stdin=1"
	}
	u, err := r.c.upgrade(ctx, k, path+query, nil)
	if err != nil {
		return named(err, run)
	}
	var w io.Writer
	if stdin {
		w = u
	}
	r.stream = r.c.newStream(ctx, "run", r.id, u, w, box.Config != nil && box.Config.Tty)
	return nil
}

// An exit is how a wait ended.
type exit struct {
	code int
	err  error
}

// waitGrace is for an engine that sends nothing until the container ends, so that
// nobody can know when it has taken the wait (Podman).
const waitGrace = 30 * time.Millisecond

// awaitExit begins a wait for the next exit, and returns when the engine has it.
func (r *running) awaitExit(ctx context.Context) <-chan exit {
	k := &call{op: "container.wait", object: r.id}
	exits := make(chan exit, 1)
	written, answered := make(chan struct{}), make(chan struct{})
	var once sync.Once
	trace := &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { once.Do(func() { close(written) }) }}
	go func() {
		resp, err := r.c.beginWait(httptrace.WithClientTrace(ctx, trace), k, r.id, container.WaitConditionNextExit)
		close(answered)
		if err != nil {
			exits <- exit{0, err}
			return
		}
		code, err := r.c.endWait(ctx, k, resp)
		exits <- exit{code, err}
	}()
	select {
	case <-answered:
	case <-written:
		timer := time.NewTimer(waitGrace)
		defer timer.Stop()
		select {
		case <-answered:
		case <-timer.C:
		}
	}
	return exits
}

// finish makes the result, once the output has ended.
func (r *running) finish(ctx context.Context, ended error, exits <-chan exit, fail func(error)) (ExecResult, error) {
	var result ExecResult
	r.sink.capture.result(&result)
	broken := !errors.Is(ended, io.EOF)
	if !broken && ctx.Err() == nil {
		e := <-exits
		code, err := r.confirm(ctx, e)
		result.ExitCode = code
		if err == nil || ctx.Err() == nil {
			return result, err
		}
	}
	killed, killErr := r.c.cleanUp(ctx, killPatience, killLimit, r.kill)
	switch {
	case errors.Is(r.sink.stopped, ErrStop) && ctx.Err() == nil:
		e := <-exits
		code, err := r.confirm(ctx, e)
		result.ExitCode, result.Stopped = code, true
		return result, err
	case ctx.Err() != nil:
		ended = r.c.contextError(ctx, "run", r.id)
	case r.sink.stopped != nil:
		ended = &Error{Op: "run", Object: r.id, Kind: kindOfError(r.sink.stopped), Message: clean(r.sink.stopped.Error()), Err: r.sink.stopped}
	}
	var own *Error
	if killed && killErr != nil && errors.As(ended, &own) && own.Kind != KindUnavailable {
		noted := *own
		noted.Message += "; the container still runs: " + clean(messageOf(killErr))
		ended = &noted
	}
	fail(nil)
	<-exits
	return result, ended
}

// confirm asks the container itself how it ended; what the wait said stands only
// for a container that is gone.
func (r *running) confirm(ctx context.Context, e exit) (int, error) {
	deadline := time.Now().Add(execSettles)
	for delay := time.Millisecond; ; delay = min(delay*2, execPoll) {
		box, err := r.c.InspectContainer(ctx, r.id)
		switch {
		case errors.Is(err, ErrNotFound) && e.err == nil:
			return e.code, nil
		case errors.Is(err, ErrNotFound):
			return 0, &Error{Op: "run", Object: r.id, Kind: KindGone, Status: http.StatusNotFound, Message: "the container was removed while it ran", Err: err}
		case err != nil:
			return 0, named(err, &call{op: "container.run"})
		case box.State.Status == container.StateExited || box.State.Status == container.StateDead:
			return box.State.ExitCode, nil
		case e.err == nil && box.HostConfig != nil && !box.HostConfig.RestartPolicy.IsNone():
			return e.code, nil // it runs again
		case time.Now().After(deadline):
			return 0, &Error{Op: "run", Object: r.id, Kind: KindUnavailable, Message: "the output ended and the container did not", Err: errStillRuns}
		}
		if pause(ctx, delay) != nil {
			return 0, r.c.contextError(ctx, "run", r.id)
		}
	}
}

// kill kills the container, unless it has ended.
func (r *running) kill(ctx context.Context) error {
	err := r.c.KillContainer(ctx, r.id, "")
	if errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
