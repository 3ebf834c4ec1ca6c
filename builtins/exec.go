package builtins

// This file is exec, a command in a running container, and run, a container to
// its end.

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const outputParams = `stdin=None, stdout=None, stderr=None, each=None, text=True, limit="64m"`

const outputTexts = `
stdin       str, bytes or host.open(path): what it reads; None: nothing
stdout      None captures it; host.open(path, "w") takes it as it comes; "drop" discards it
stderr      likewise
each        each(line, stream) is called for every line in order, stream "stdout" or "stderr";
            returning False ends the command
text        False: the streams are bytes
limit       how much of each stream is captured, "64m" or bytes; what is cut makes it truncated`

const execDoc = `
exec(container, cmd, *, env={}, user="", workdir="", ` + outputParams + `, tty=False, privileged=False, check=False, timeout=None) -> Result

Run cmd in a running container and wait for it to end.

container   a Container, or the name or id of one
cmd         a list is an argv; a string is run by the container's /bin/sh -c
env         dict or list of "NAME=value", beside the container's own
user        name or id, with ":group" when wanted; "": the container's own
workdir     the directory that cmd runs in; "": the container's own` + outputTexts + `
tty         give it a terminal: all it prints is stdout, with \r\n for line ends
privileged  all that root of the engine's machine may do
check       a non-zero exit code is an error of kind exit
timeout     after it the command and its children are killed, and the call is an error of kind timeout

>>> r = exec(c, "echo out; echo err >&2; exit 7")
>>> (r.stdout, r.stderr, r.exit_code)
("out\n", "err\n", 7)
`

// outputArgs are the parameters of outputParams.
type outputArgs struct {
	Stdin  input
	Stdout sink
	Stderr sink
	Each   starlark.Callable
	Text   bool
	Limit  runtime.Size
}

func (a outputArgs) output() output {
	return output{Stdout: a.Stdout, Stderr: a.Stderr, Each: a.Each, Text: a.Text, Limit: a.Limit}
}

// An input is what a command reads: None, str, bytes or a host file.
type input struct {
	data  string
	file  *HostFile
	given bool
}

func (in *input) Unpack(v starlark.Value) error {
	in.given = true
	switch v := v.(type) {
	case starlark.NoneType:
		in.given = false
	case starlark.String:
		in.data = string(v)
	case starlark.Bytes:
		in.data = string(v)
	case *HostFile:
		in.file = v
	default:
		return fmt.Errorf("got %s, want str, bytes or host.open(path)", v.Type())
	}
	return nil
}

// reader is the input as a stream; nil for none.
func (in input) reader() (io.Reader, error) {
	switch {
	case in.file != nil:
		return in.file.reader()
	case in.given:
		return strings.NewReader(in.data), nil
	}
	return nil, nil
}

// io joins a capture and an input to an operation of the engine.
func (c *capture) io(in input) (engine.IO, error) {
	stdin, err := in.reader()
	return engine.IO{Stdin: stdin, Stdout: io.Discard, Stderr: io.Discard, Each: c.frame}, err
}

type execArgs struct {
	Container containerRef
	Cmd       command
	Env       map[string]string
	User      string
	Workdir   string
	outputArgs
	Tty        bool
	Privileged bool
	Check      bool
	Timeout    time.Duration
}

func (e *dockerEngine) exec(call *runtime.Call, a execArgs) (starlark.Value, error) {
	c, err := e.resolve(call, a.Container)
	if err != nil {
		return nil, err
	}
	got, err := newCapture(call, a.output())
	if err != nil {
		return nil, err
	}
	streams, err := got.io(a.Stdin)
	if err != nil {
		return nil, err
	}
	var ended engine.ExecResult
	err = c.with(call, func(ctx context.Context, client *engine.Client) error {
		ended, err = client.Exec(ctx, c.id, engine.ExecOptions{
			IO: streams, Cmd: a.Cmd.argv, Env: envList(a.Env), User: a.User, Workdir: a.Workdir,
			TTY: a.Tty, Privileged: a.Privileged, Timeout: a.Timeout,
		})
		return got.flushed(err)
	})
	return e.d.end(call, got, c.label(), a.Cmd, ended, a.Check, err)
}

// end makes a Result of a command that ended, or an error that carries what was
// captured until then.
func (d *library) end(call *runtime.Call, got *capture, where string, cmd fmt.Stringer, ended engine.ExecResult, check bool, err error) (starlark.Value, error) {
	if err != nil {
		return nil, got.failure(err)
	}
	r := d.result(call, got, where, cmd, ended.ExitCode, ended.Duration)
	if ended.Stopped {
		r.looked.Store(true) // the script ended it itself
	}
	if check {
		if err := r.failure(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// failure adds what was captured to an error, for the script's err.stdout and err.stderr.
func (c *capture) failure(err error) error {
	stdout, stderr := c.bytes(engine.Stdout), c.bytes(engine.Stderr)
	if stdout == "" && stderr == "" {
		return err
	}
	return &runtime.Error{Kind: runtime.KindOf(err), Stdout: c.value(stdout), Stderr: c.value(stderr), Err: err}
}

func (c *capture) value(s string) starlark.Value {
	if c.out.Text {
		return starlark.String(s)
	}
	return starlark.Bytes(s)
}

const runDoc = `
run(image, cmd=None, *, ` + createParams + `, init=False, ` + outputParams + `, check=False, timeout=None) -> Result

Run a container to its end and remove it.
` + createTexts + outputTexts + `
check         a non-zero exit code is an error of kind exit
timeout       after it the container is removed, and the call is an error of kind timeout

>>> run("busybox", "echo hi").stdout
"hi\n"
`

func (e *dockerEngine) declareRun() runtime.Member { return runtime.Func(runDoc, e.run) }

type runArgs struct {
	createArgs
	outputArgs
	Check   bool
	Timeout time.Duration
}

func (e *dockerEngine) run(call *runtime.Call, a runArgs) (starlark.Value, error) {
	got, err := newCapture(call, a.output())
	if err != nil {
		return nil, err
	}
	streams, err := got.io(a.Stdin)
	if err != nil {
		return nil, err
	}
	c, err := e.create(call, &a.createArgs, func(spec *engine.ContainerSpec) {
		open := streams.Stdin != nil
		spec.Config.OpenStdin, spec.Config.StdinOnce, spec.Config.AttachStdin = open, open, open
		spec.Config.AttachStdout, spec.Config.AttachStderr = true, true
	})
	if err != nil {
		return nil, err
	}
	var ended engine.ExecResult
	err = c.with(call, func(ctx context.Context, client *engine.Client) error {
		if a.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, a.Timeout, &runtime.Error{
				Kind: "timeout", Message: fmt.Sprintf("%s ran for more than %s and was removed", c.label(), a.Timeout)})
			defer cancel()
		}
		ended, err = client.RunContainer(ctx, c.id, streams)
		err = c.named(got.flushed(err))
		if a.Keep {
			return err
		}
		return e.abandon(client, c, err) // it is removed whether it failed or not
	})
	return e.d.end(call, got, c.label(), a.Cmd, ended, a.Check, err)
}
