package builtins

// This file is spawn, a command that runs while the script goes on, and its Process.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const spawnDoc = `
spawn(container, cmd, *, env={}, user="", workdir="", text=True, limit="64m", tty=False, privileged=False) -> Process

Start cmd in a running container and go on. The command and its children are killed
when the scope ends. One that cannot be started is an error of the Process's next_line
and wait.

container   a Container, or the name or id of one
cmd         a list is an argv; a string is run by the container's /bin/sh -c
env         dict or list of "NAME=value", beside the container's own
user        name or id, with ":group" when wanted; "": the container's own
workdir     the directory that cmd runs in; "": the container's own
text        False: what it prints is given as bytes
limit       how much of each stream is held until it is taken, "64m" or bytes
tty         give it a terminal: all it prints is stdout
privileged  all that root of the engine's machine may do

>>> p = c.spawn("read x; echo got $x")
>>> p.write("it\n")
>>> p.next_line()
"got it"
>>> p.wait().exit_code
0
`

type spawnArgs struct {
	Container  containerRef
	Cmd        command
	Env        map[string]string
	User       string
	Workdir    string
	Text       bool
	Limit      runtime.Size
	Tty        bool
	Privileged bool
}

// A Process is a command that was spawned.
type Process struct {
	d       *library
	session *runtime.Session
	c       *Container
	cmd     command
	tty     bool
	out     output
	stdin   *io.PipeWriter
	started chan struct{} // closed when exec is set
	done    chan struct{} // closed when ended and err are

	mu      sync.Mutex
	changed chan struct{} // closed, and made anew, when there is more to take
	rest    [3][]byte     // what was not taken yet, by engine.Stdio
	cut     bool          // more came than is held
	exec    *engine.Exec
	ended   engine.ExecResult
	err     error
}

func (e *dockerEngine) spawn(call *runtime.Call, a spawnArgs) (starlark.Value, error) {
	c, err := e.resolve(call, a.Container)
	if err != nil {
		return nil, err
	}
	var client *engine.Client
	err = c.with(call, func(_ context.Context, got *engine.Client) error { client = got; return nil })
	if err != nil {
		return nil, err
	}
	in, stdin := io.Pipe()
	p := &Process{
		d: e.d, session: call.Session(), c: c, cmd: a.Cmd, tty: a.Tty, out: output{Text: a.Text, Limit: a.Limit},
		stdin: stdin, started: make(chan struct{}), done: make(chan struct{}), changed: make(chan struct{}),
	}
	ctx, cancel := context.WithCancel(call.Session().Context())
	go p.run(ctx, client, engine.ExecOptions{
		IO:  engine.IO{Stdin: in, Stdout: io.Discard, Stderr: io.Discard, Each: p.frame},
		Cmd: a.Cmd.argv, Env: envList(a.Env), User: a.User, Workdir: a.Workdir, TTY: a.Tty, Privileged: a.Privileged,
		Started: p.begin,
	})
	call.Scope().Defer("end "+a.Cmd.String(), call.Pos(), func(ctx context.Context) error {
		defer cancel()
		return p.end(ctx)
	})
	err = call.Block(func(ctx context.Context) error {
		select {
		case <-p.started:
			return nil
		case <-p.done:
			return p.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// run is the goroutine of the process; its scope waits for it.
func (p *Process) run(ctx context.Context, client *engine.Client, o engine.ExecOptions) {
	ended, err := client.Exec(ctx, p.c.id, o)
	_ = p.stdin.CloseWithError(io.ErrClosedPipe)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended, p.err = ended, p.c.named(err)
	close(p.done)
}

// end kills a command that still runs, several times when it was only about to
// start, and waits for its end.
func (p *Process) end(ctx context.Context) (err error) {
	for range 5 {
		select {
		case <-p.started:
			err = p.c.named(p.exec.Kill(ctx))
		default:
		}
		select {
		case <-p.done:
			return nil
		case <-time.After(time.Second):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return err
}

func (p *Process) begin(e *engine.Exec) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.exec = e
	close(p.started)
}

// frame holds what the command prints until it is taken.
func (p *Process) frame(stream engine.Stdio, data []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if room := int(p.out.Limit) - len(p.rest[stream]); len(data) > room {
		data, p.cut = data[:max(room, 0)], true
	}
	p.rest[stream] = append(p.rest[stream], data...)
	close(p.changed)
	p.changed = make(chan struct{})
	return nil
}

func (d *library) declareProcess() *runtime.TypeDecl {
	return runtime.Type[*Process]("\nProcess\n\nA command that runs in a container while the script goes on.\n",
		runtime.Attr("running -> bool\n\nWhether the command still runs.", func(_ *runtime.Call, p *Process) (any, error) { return p.running(), nil }),
		runtime.Func(processWriteDoc, processWrite).As("process"),
		runtime.Func(closeStdinDoc, closeStdin).As("process"),
		runtime.Func(nextLineDoc, nextLine).As("process"),
		runtime.Func(processWaitDoc, processWait).As("process"),
		runtime.Func(processKillDoc, processKill).As("process"),
		runtime.Func(processResizeDoc, processResize).As("process"),
	)
}

func (p *Process) running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

const processWriteDoc = `
write(process, data)

Give the command something to read; waits until it is on its way.

data  str or bytes
`

type processWriteArgs struct {
	Process *Process
	Data    []byte
}

func processWrite(call *runtime.Call, a processWriteArgs) error {
	p := a.Process
	return call.Block(func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = p.stdin.CloseWithError(context.Cause(ctx)) })
		defer stop()
		_, err := p.stdin.Write(a.Data)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, io.ErrClosedPipe):
			return runtime.Errorf("conflict", "%s: the command reads no more", p.cmd)
		}
		return err
	})
}

const closeStdinDoc = `
close_stdin(process)

End what the command reads. At a terminal write("\x04") instead.
`

type processArgs struct{ Process *Process }

func closeStdin(_ *runtime.Call, a processArgs) error { return a.Process.stdin.Close() }

const nextLineDoc = `
next_line(process, *, stream="stdout", timeout=None) -> string

The next line that the command prints, without its end; None when there are no more.

stream   "stdout" or "stderr"
timeout  after it the call is an error of kind timeout; the command goes on
`

type nextLineArgs struct {
	Process *Process
	Stream  string
	Timeout time.Duration
}

func nextLine(call *runtime.Call, a nextLineArgs) (starlark.Value, error) {
	streams := map[string]engine.Stdio{"stdout": engine.Stdout, "stderr": engine.Stderr}
	stream, ok := streams[a.Stream]
	if !ok {
		return nil, runtime.Errorf("invalid", `stream %q: want "stdout" or "stderr"`, a.Stream)
	}
	p := a.Process
	var line []byte
	found := false
	err := p.within(call, a.Timeout, "printed no line", func(ctx context.Context) error {
		for {
			p.mu.Lock()
			changed := p.changed
			line, found = p.takeLine(stream)
			p.mu.Unlock()
			if found {
				return nil
			}
			select {
			case <-changed:
			case <-p.done:
				p.mu.Lock()
				line, found = p.takeLine(stream)
				p.mu.Unlock()
				return p.err
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	})
	if err != nil || !found {
		return starlark.None, err
	}
	return p.value(line), nil
}

// takeLine takes a whole line, or at the end what is left.
func (p *Process) takeLine(stream engine.Stdio) ([]byte, bool) {
	rest := p.rest[stream]
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		p.rest[stream] = rest[i+1:]
		return bytes.TrimSuffix(rest[:i], []byte("\r")), true
	}
	if p.running() || len(rest) == 0 {
		return nil, false
	}
	p.rest[stream] = nil
	return rest, true
}

func (p *Process) value(data []byte) starlark.Value {
	if p.out.Text {
		return starlark.String(data)
	}
	return starlark.Bytes(data)
}

// within runs wait outside the session's lock, for at most timeout; 0: no limit.
func (p *Process) within(call *runtime.Call, timeout time.Duration, what string, wait func(context.Context) error) error {
	return call.Block(func(ctx context.Context) error {
		if timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, timeout, &runtime.Error{
				Kind: "timeout", Message: fmt.Sprintf("%s in %s %s within %s", p.cmd, p.c.label(), what, timeout)})
			defer cancel()
		}
		return wait(ctx)
	})
}

const processWaitDoc = `
wait(process, *, timeout=None, check=False) -> Result

End what the command reads, but not at a terminal; wait for its end, and give how it
ended. Its streams are what next_line has not taken.

timeout  after it the call is an error of kind timeout; the command goes on
check    a non-zero exit code is an error of kind exit
`

type processWaitArgs struct {
	Process *Process
	Timeout time.Duration
	Check   bool
}

func processWait(call *runtime.Call, a processWaitArgs) (starlark.Value, error) {
	p := a.Process
	if !p.tty { // a terminal that is hung up loses what is still to come
		_ = p.stdin.Close()
	}
	err := p.within(call, a.Timeout, "did not end", func(ctx context.Context) error {
		select {
		case <-p.done:
			return p.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	got, captureErr := newCapture(call, p.out)
	if captureErr != nil {
		return nil, captureErr
	}
	p.mu.Lock()
	got.keep(engine.Stdout, p.rest[engine.Stdout])
	got.keep(engine.Stderr, p.rest[engine.Stderr])
	got.streams[engine.Stdout].truncated = p.cut
	p.mu.Unlock()
	return p.d.end(call, got, p.c.label(), p.cmd, p.ended, a.Check, err)
}

const processKillDoc = `
kill(process)

Kill the command and its children. wait then gives its exit code, 137.
`

func processKill(call *runtime.Call, a processArgs) error {
	if !a.Process.running() {
		return nil
	}
	return call.Block(func(ctx context.Context) error { return a.Process.c.named(a.Process.exec.Kill(ctx)) })
}

const processResizeDoc = `
resize(process, width, height)

Set the size of the command's terminal, in characters.
`

type processResizeArgs struct {
	Process *Process
	Width   uint
	Height  uint
}

func processResize(call *runtime.Call, a processResizeArgs) error {
	return call.Block(func(ctx context.Context) error {
		return a.Process.c.named(a.Process.exec.Resize(ctx, a.Width, a.Height))
	})
}

func (p *Process) String() string {
	state := "ended"
	if p.running() {
		state = "running"
	}
	return fmt.Sprintf("<Process %s in %s, %s>", p.cmd, p.c.name, state)
}
func (p *Process) Type() string          { return "Process" }
func (p *Process) Freeze()               {}
func (p *Process) Truth() starlark.Bool  { return true }
func (p *Process) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: Process") }
func (p *Process) AttrNames() []string   { return p.d.processType.AttrNames() }
func (p *Process) Attr(name string) (starlark.Value, error) {
	return p.d.processType.Attr(p.session, p, name)
}
