package builtins

// This file is logs, what a container has printed, and wait, its end.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/moby/moby/api/types/container"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const logsDoc = `
logs(container, *, tail=None, since="", until="", timestamps=False, follow=False, each=None, text=True, limit="64m", timeout=None) -> Result

What the container has printed, its streams apart. The Result's exit code is 0.
Following goes on over restarts: every line comes once, and no line goes on in the
next run. A container that was stopped and does not run again within two seconds has
ended.
Bytes that are not UTF-8 come as the engine stored them: Docker's default log
driver replaces them; use exec or run where every byte counts.

tail        the last lines only; None: all
since       a time like "2026-01-02T15:04:05Z", or "10m" ago
until       likewise
timestamps  put the time before each line
follow      go on until the container ends, timeout passes, or each returns False
each        each(line, stream) is called for every line in order; then nothing is captured
text        False: the streams are bytes
limit       how much of each stream is captured, "64m" or bytes
timeout     stop following after it; not an error
`

type logsArgs struct {
	Container  containerRef
	Tail       runtime.Opt[int]
	Since      string
	Until      string
	Timestamps bool
	Follow     bool
	Each       starlark.Callable
	Text       bool
	Limit      runtime.Size
	Timeout    time.Duration
}

func (a logsArgs) options() engine.LogsOptions {
	o := engine.LogsOptions{Stdout: true, Stderr: true, Follow: a.Follow, Since: a.Since, Until: a.Until}
	if a.Tail.Set {
		o.Tail = strconv.Itoa(a.Tail.Value)
	}
	return o
}

func (e *dockerEngine) logs(call *runtime.Call, a logsArgs) (starlark.Value, error) {
	c, err := e.resolve(call, a.Container)
	if err != nil {
		return nil, err
	}
	if a.Tail.Set && a.Tail.Value < 0 {
		return nil, runtime.Errorf("invalid", "tail=%d: want 0 or more lines", a.Tail.Value)
	}
	out := output{Each: a.Each, Text: a.Text, Limit: a.Limit}
	if a.Each != nil {
		out.Stdout.drop, out.Stderr.drop = true, true
	}
	got, err := newCapture(call, out)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	err = c.with(call, func(ctx context.Context, client *engine.Client) error {
		return follow(ctx, client, c.id, a, got)
	})
	return e.d.end(call, got, c.label(), named("logs"), engine.ExecResult{Duration: time.Since(start)}, false, err)
}

// named is a command's name in messages where there is no command.
type named string

func (n named) String() string { return string(n) }

var errFollowedLongEnough = errors.New("followed for the time given")

func follow(ctx context.Context, client *engine.Client, id string, a logsArgs, got *capture) error {
	if a.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, a.Timeout, errFollowedLongEnough)
		defer cancel()
	}
	var open [3]bool // the streams in the midst of a line
	err := client.ReadLogs(ctx, id, a.options(), func(e engine.LogEntry) error {
		if e.Restarted {
			open = [3]bool{}
			if err := got.flush(); err != nil {
				return err
			}
			if got.stopped {
				return engine.ErrStop
			}
		}
		if a.Timestamps && e.Time == "" {
			return runtime.Errorf("unsupported", "the engine's log of a container with a terminal has no times that can be told from its lines")
		}
		if a.Timestamps && !open[e.Stream] {
			if err := got.frame(e.Stream, []byte(e.Time+" ")); err != nil {
				return err
			}
		}
		open[e.Stream] = !bytes.HasSuffix(e.Data, []byte("\n"))
		return got.frame(e.Stream, e.Data)
	})
	if err == nil || context.Cause(ctx) == errFollowedLongEnough {
		return got.flush()
	}
	return err
}

const waitDoc = `
wait(container, *, timeout=None) -> int

Wait until the container has ended, and give its exit code.

timeout  after it the call is an error of kind timeout; None: no limit
`

type waitArgs struct {
	Container containerRef
	Timeout   time.Duration
}

func (e *dockerEngine) wait(call *runtime.Call, a waitArgs) (code int, err error) {
	err = e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		if a.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, a.Timeout, &runtime.Error{
				Kind: "timeout", Message: fmt.Sprintf("%s still runs after %s", c.label(), a.Timeout)})
			defer cancel()
		}
		code, err = client.WaitContainer(ctx, c.id, container.WaitConditionNotRunning)
		return err
	})
	return code, err
}
