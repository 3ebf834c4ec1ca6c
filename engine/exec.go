// Exec: a command in a running container, with the whole truth about how it ended.

package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client/pkg/versions"
)

// An IO says where the streams of an exec or a run come from and go to.
type IO struct {
	Stdin          io.Reader                          // nil: none
	Stdout, Stderr io.Writer                          // nil: captured into the result
	Output         io.Writer                          // gets both streams, in order of arrival, besides; nil: no
	Limit          int64                              // captured bytes a stream; 0: 64 MiB; past it the result says Truncated
	Each           func(stream Stdio, p []byte) error // sees all output in order, before it is captured; ErrStop ends the operation cleanly
}

// ExecOptions say what is run and how.
type ExecOptions struct {
	IO
	Cmd             []string
	Env             []string
	User, Workdir   string
	TTY, Privileged bool
	Width, Height   uint           // of the TTY; 0: the engine's choice
	DetachKeys      string         // "": with a TTY, a sequence that nobody types
	Raw             map[string]any // merged last into the body of the create
	Timeout         time.Duration  // 0: none. A timed-out or cancelled exec is killed, children included
	Started         func(*Exec)    // given what was started, to resize or kill it; its Stream is Exec's own; nil: nobody is
}

// An ExecResult is a command that ran to its end.
type ExecResult struct {
	Stdout, Stderr []byte
	Output         []byte // both, in order of arrival; it may share memory with one of them
	ExitCode       int
	Truncated      bool // there was more output than Limit
	Stopped        bool // Each ended it
	Duration       time.Duration
}

// Stdio names a standard stream.
type Stdio uint8

// The standard streams.
const (
	Stdin Stdio = iota
	Stdout
	Stderr
)

// A Frame is a piece of output. Data is valid until the next call of Next.
type Frame struct {
	Stream Stdio
	Data   []byte
}

// markerEnv is the variable that marks the processes of an exec: an engine
// cannot kill one (moby#35703), so that a second exec finds it by this.
const markerEnv = "DSCRIPT_EXEC"

// An Exec is a command that was started in a container.
type Exec struct {
	ID     string
	Stream *Stream // must be closed

	c         *Client
	container string
	user      string
	nonce     string
}

// execState is an exec as the engine tells it. The exit code is a pointer because
// null, while it runs, is not 0.
type execState struct {
	Running  bool
	ExitCode *int
	Pid      int
}

// Exec runs a command and waits for its end (POST /containers/{id}/exec, POST
// /exec/{id}/start, GET /exec/{id}/json). A result exists when the output ended
// whole and the engine says that the process ended. A command that never started
// is an error of kind command_not_found or start_failed. An error after the start
// is an *ExecError with what was put out until then.
//
// When the context or the timeout ends, Exec returns within half a second: it
// closes the stream and kills the command with all its children. The killing goes
// on behind it where that takes longer, and Close waits for it.
// A Stdin whose Read blocks is not waited for.
func (c *Client) Exec(ctx context.Context, containerID string, o ExecOptions) (ExecResult, error) {
	if o.Timeout > 0 {
		late := &Error{Kind: KindTimeout, Message: fmt.Sprintf("the command did not end within %v", o.Timeout), Err: context.DeadlineExceeded}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout, late)
		defer cancel()
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	start := c.now()
	e, err := c.startExec(ctx, containerID, o, o.Stdin != nil)
	if err != nil {
		return ExecResult{}, err
	}
	defer e.Stream.Close()
	if o.Started != nil {
		o.Started(e)
	}
	wait := func() {}
	if o.Stdin != nil {
		wait = feed(e.Stream, o.Stdin, func(err error) { fail(stdinError(err)) })
	}
	sink := newSink(&o.IO, true)
	ended := drain(ctx, e.Stream, sink)
	_ = e.Stream.Close()
	wait()
	var r ExecResult
	if errors.Is(ended, io.EOF) && ctx.Err() == nil {
		r, err = e.finish(ctx, sink)
	} else {
		r, err = e.interrupted(ctx, sink, ended)
	}
	r.Duration = c.now().Sub(start)
	if err != nil {
		return r, &ExecError{Result: r, Err: err}
	}
	return r, nil
}

// stdinError is the error of the caller's own reader.
func stdinError(err error) error {
	e := &Error{Kind: KindInternal, Message: "stdin: " + clean(err.Error()), Err: err}
	var own kinder
	if errors.As(err, &own) {
		e.Kind = Kind(own.ErrorKind())
	}
	return e
}

// finish makes the result of an exec whose output has ended well.
func (e *Exec) finish(ctx context.Context, sink *sink) (ExecResult, error) {
	var r ExecResult
	state, err := e.wait(ctx)
	if err != nil {
		_ = sink.release()
		sink.capture.result(&r)
		if ctx.Err() != nil || errors.Is(err, errStillRuns) {
			err = e.kill(ctx, err)
		}
		return r, err
	}
	r.ExitCode = *state.ExitCode
	if e.lostAtStart(ctx, state) {
		_ = sink.release()
		sink.capture.result(&r)
		return r, e.kill(ctx, &Error{Op: "exec", Object: e.container, Kind: KindUnavailable,
			Message: "the connection to the engine was lost while the command started", Err: errStillRuns})
	}
	if text, yes := e.neverStarted(ctx, state, sink); yes {
		return r, e.startError(ctx, text)
	}
	if err := sink.release(); err != nil && !errors.Is(err, ErrStop) {
		err = &Error{Op: "exec", Object: e.container, Kind: kindOfError(err), Message: "output: " + clean(err.Error()), Err: err}
		sink.capture.result(&r)
		return r, err
	}
	sink.capture.result(&r)
	return r, nil
}

// startError is the error of a process that did not start, as the engine's words
// tell. In a container that has ended meanwhile nothing starts, and each engine has
// many words for that.
func (e *Exec) startError(ctx context.Context, text string) error {
	err := &Error{Op: "exec", Object: e.container, Kind: startKind(text), Message: e.c.redact(clean(text))}
	if text == "" {
		err.Message = "the engine did not start the command, and does not say why"
	}
	if err.Kind != KindStartFailed {
		return err
	}
	if box, inspectErr := e.c.InspectContainer(ctx, e.container); errors.Is(inspectErr, ErrNotFound) || inspectErr == nil && !box.State.Running {
		err.Kind, err.Message = KindConflict, "container "+e.container+" ended before the command was started: "+err.Message
	}
	return err
}

// neverStarted gives the engine's words about a process that it could not start.
func (e *Exec) neverStarted(ctx context.Context, state execState, sink *sink) (string, bool) {
	if *state.ExitCode < 125 || *state.ExitCode > 128 || state.Pid != 0 {
		return "", false
	}
	podman, _ := e.c.IsPodman(ctx)
	said := &sink.held
	if sink.begun {
		said = &sink.capture
		if said.kept[Stdout]+said.kept[Stderr] > heldLimit {
			return "", false
		}
	}
	var r ExecResult
	copied := capture{limit: said.limit, kept: said.kept, chunks: slices.Clone(said.chunks), runs: said.runs}
	copied.result(&r)
	return neverStarted(podman, state.Pid, *state.ExitCode, r.Stdout, r.Stderr)
}

// interrupted makes the result of an exec whose output did not end well: the
// context ended, the sink refused, or the stream broke.
func (e *Exec) interrupted(ctx context.Context, sink *sink, ended error) (ExecResult, error) {
	var r ExecResult
	refused := sink.stopped
	if refused == nil {
		_ = sink.release()
	}
	sink.capture.result(&r)
	switch {
	case ctx.Err() != nil:
		return r, e.kill(ctx, e.c.contextError(ctx, "exec", e.container))
	case errors.Is(refused, ErrStop):
		return e.stopped(ctx, r)
	case refused != nil:
		err := &Error{Op: "exec", Object: e.container, Kind: kindOfError(refused), Message: clean(refused.Error()), Err: refused}
		return r, e.kill(ctx, err)
	}
	// The engine may be gone, or only the connection.
	if _, err := e.inspect(ctx); errors.Is(err, ErrUnavailable) {
		lost := e.c.streamError("exec", e.container, ended)
		return r, &Error{Op: "exec", Object: e.container, Kind: KindUnavailable, Message: "the engine was lost: " + lost.Message, Err: ended}
	}
	return r, e.kill(ctx, ended)
}

// stopped ends an exec that Each has seen enough of. Docker notes 126 for one
// whose output it could not send on, also after it was killed (seen on 20.10.24):
// then its exit code is that of the kill.
func (e *Exec) stopped(ctx context.Context, r ExecResult) (ExecResult, error) {
	if err := e.Kill(ctx); err != nil {
		return r, err
	}
	state, err := e.wait(ctx)
	if err != nil {
		return r, err
	}
	r.ExitCode, r.Stopped = *state.ExitCode, true
	if r.ExitCode == 126 && state.Pid != 0 {
		r.ExitCode = 128 + int(syscall.SIGKILL)
	}
	return r, nil
}

// kindOfError is the kind of a caller's error.
func kindOfError(err error) Kind {
	var own kinder
	if errors.As(err, &own) && own.ErrorKind() != "" {
		return Kind(own.ErrorKind())
	}
	return KindInternal
}

// StartExec starts a command and gives its stream. Standard input is open:
// CloseWrite it when there is nothing to say. IO and Timeout of the options are
// ignored. The end of ctx closes the stream and leaves the command running; Kill ends it.
func (c *Client) StartExec(ctx context.Context, containerID string, o ExecOptions) (*Exec, error) {
	return c.startExec(ctx, containerID, o, true)
}

func (c *Client) startExec(ctx context.Context, id string, o ExecOptions, stdin bool) (*Exec, error) {
	nonce, err := c.nonce()
	if err != nil {
		return nil, err
	}
	o.Env = append(slices.Clip(o.Env), markerEnv+"="+nonce)
	e := &Exec{c: c, container: id, user: o.User, nonce: nonce}
	if err := e.create(ctx, o, stdin); err != nil {
		return nil, err
	}
	if err := e.start(ctx, o, stdin); err != nil {
		if ctx.Err() != nil || errors.Is(err, ErrUnavailable) {
			return nil, e.kill(ctx, err) // it may have started
		}
		return nil, err
	}
	return e, nil
}

// create makes the exec (POST /containers/{id}/exec).
func (e *Exec) create(ctx context.Context, o ExecOptions, stdin bool) error {
	k := &call{op: "exec.create", object: e.container, raw: o.Raw}
	if err := checkID(k, e.container); err != nil {
		return err
	}
	if len(o.Cmd) == 0 {
		return &Error{Op: "exec", Object: e.container, Kind: KindInvalid, Message: "there is no command"}
	}
	path, err := e.c.versioned(ctx, "containers", e.container, "exec")
	if err != nil {
		return err
	}
	body := container.ExecCreateRequest{
		User: o.User, Privileged: o.Privileged, Tty: o.TTY, ConsoleSize: consoleSize(o),
		AttachStdin: stdin, AttachStdout: true, AttachStderr: true,
		DetachKeys: o.DetachKeys, Env: o.Env, WorkingDir: o.Workdir, Cmd: o.Cmd,
	}
	if o.TTY && o.DetachKeys == "" {
		body.DetachKeys = strings.TrimSuffix(strings.Repeat("ctrl-@,", 16), ",") // else ctrl-p ctrl-q in stdin detaches
	}
	if o.Raw != nil {
		k.finish = func(body map[string]any) { addMarker(body, markerEnv+"="+e.nonce) }
	}
	resp, err := e.c.request(ctx, k, http.MethodPost, path, &body)
	if err != nil {
		return err
	}
	var created struct{ ID string }
	if _, err := e.c.decode(ctx, k, resp, &created); err != nil {
		return err
	}
	if created.ID == "" {
		return e.c.answerError(ctx, k.verb(), e.container, errors.New("it has no id"))
	}
	e.ID = created.ID
	return nil
}

// addMarker puts the marker back where raw parameters replaced the environment.
func addMarker(body map[string]any, marker string) {
	env, _ := body["Env"].([]any)
	if !slices.Contains(env, any(marker)) {
		body["Env"] = append(env, marker)
	}
}

func consoleSize(o ExecOptions) *[2]uint {
	if !o.TTY || o.Width == 0 || o.Height == 0 {
		return nil
	}
	return &[2]uint{o.Height, o.Width}
}

// start starts the exec (POST /exec/{id}/start). It is never tried again: a
// second start is answered with a stream that looks like the command's output.
func (e *Exec) start(ctx context.Context, o ExecOptions, stdin bool) error {
	path, err := e.c.versioned(ctx, "exec", e.ID, "start")
	if err != nil {
		return err
	}
	k := &call{op: "exec.start", object: e.container}
	u, err := e.c.upgrade(ctx, k, path, container.ExecStartRequest{Tty: o.TTY, ConsoleSize: consoleSize(o)})
	if err != nil {
		return err
	}
	var w io.Writer
	if stdin {
		w = u
	}
	e.Stream = e.c.newStream(ctx, "exec", e.container, u, w, o.TTY)
	if consoleSize(o) != nil {
		e.firstSize(ctx, o)
	}
	return nil
}

// firstSize gives the size of a terminal to an engine that does not take it
// with the start (before API 1.42). The exec may not be ready yet (moby#35407).
func (e *Exec) firstSize(ctx context.Context, o ExecOptions) {
	api, err := e.c.ready(ctx)
	if err != nil || versions.GreaterThanOrEqualTo(api.ClientVersion(), "1.42") {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	for range 10 {
		if e.Resize(ctx, o.Width, o.Height) == nil || pause(ctx, 50*time.Millisecond) != nil {
			return
		}
	}
}

// Resize sets the size of the exec's terminal (POST /exec/{id}/resize).
func (e *Exec) Resize(ctx context.Context, width, height uint) error {
	path, err := e.c.versioned(ctx, "exec", e.ID, "resize")
	if err != nil {
		return err
	}
	resp, err := e.c.request(ctx, &call{op: "exec.resize", object: e.container}, http.MethodPost, fmt.Sprintf("%s?h=%d&w=%d", path, height, width), nil)
	if err != nil {
		return err
	}
	discard(resp)
	return nil
}

// inspect asks how the exec is (GET /exec/{id}/json).
func (e *Exec) inspect(ctx context.Context) (execState, error) {
	var s execState
	_, err := e.c.get(ctx, &call{op: "exec.inspect", object: e.container}, "/exec/"+e.ID+"/json", &s)
	return s, err
}

const (
	execSettles = 5 * time.Second // after the end of the output
	execPoll    = 50 * time.Millisecond
)

// errStillRuns is inside the error for output that ended before its command.
var errStillRuns = errors.New("it still runs")

// Wait gives the exit code, after the stream has ended.
func (e *Exec) Wait(ctx context.Context) (int, error) {
	s, err := e.wait(ctx)
	if err != nil {
		return 0, err
	}
	return *s.ExitCode, nil
}

// wait asks until the engine says that the process has ended. It has when the
// output has, but for the time in which the engine notes it. Before the start
// Docker says null and Podman 0: an exit code means something only here.
func (e *Exec) wait(ctx context.Context) (execState, error) {
	deadline := time.Now().Add(execSettles)
	for delay := time.Millisecond; ; delay = min(delay*2, execPoll) {
		s, err := e.inspect(ctx)
		if errors.Is(err, ErrNotFound) {
			return s, &Error{Op: "exec", Object: e.container, Kind: KindGone, Status: http.StatusNotFound,
				Message: "the container was removed or restarted while the command ran", Err: err}
		}
		if err != nil {
			return s, err
		}
		if !s.Running && s.ExitCode != nil && *s.ExitCode < 0 {
			// Podman's -1: it let go of the exec when the connection broke, and knows nothing.
			return s, &Error{Op: "exec", Object: e.container, Kind: KindUnavailable,
				Message: "the engine does not know how the command ended: the connection was lost", Err: errStillRuns}
		}
		if !s.Running && s.ExitCode != nil {
			return s, nil
		}
		if time.Now().After(deadline) {
			return s, &Error{Op: "exec", Object: e.container, Kind: KindUnavailable,
				Message: "the output ended and the command did not: the connection was lost, or the command closed its output", Err: errStillRuns}
		}
		if pause(ctx, delay) != nil {
			return s, e.c.contextError(ctx, "exec", e.container)
		}
	}
}
