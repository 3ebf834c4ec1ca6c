// Exec: the types.

package engine

import (
	"io"
	"time"
)

// An IO says where the streams of an exec or a run come from and go to.
type IO struct {
	Stdin          io.Reader                          // nil: none
	Stdout, Stderr io.Writer                          // nil: captured into the result
	Output         io.Writer                          // with captured output: both streams, in order of arrival, besides; nil: no
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
	Width, Height   uint // of the TTY; 0: the engine's choice
	DetachKeys      string
	Raw             map[string]any // merged last into the body of the create
	Timeout         time.Duration  // 0: none
}

// An ExecResult is a command that ran to its end.
type ExecResult struct {
	Stdout, Stderr, Output []byte
	ExitCode               int
	Truncated              bool // there was more output than Limit
	Stopped                bool // Each ended it
	Duration               time.Duration
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
