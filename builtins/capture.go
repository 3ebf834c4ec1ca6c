package builtins

// This file gathers what a command prints: captured up to a limit, streamed to a
// file, dropped, shown as it comes and given to a script's callback line by line.

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// output is where the streams of one command go. The zero value captures both.
type output struct {
	Stdout sink
	Stderr sink
	Each   starlark.Callable
	Text   bool
	Limit  runtime.Size
}

// A sink is the destination of one stream: None captures it, a host file takes it
// as it comes, "drop" discards it.
type sink struct {
	file *HostFile
	drop bool
}

func (s *sink) Unpack(v starlark.Value) error {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil
	case *HostFile:
		s.file = v
		return nil
	case starlark.String:
		if v == "drop" {
			s.drop = true
			return nil
		}
	}
	return fmt.Errorf(`got %s, want None to capture, host.open(path, "w") to stream, or "drop"`, describe(v))
}

func describe(v starlark.Value) string {
	if s, ok := v.(starlark.String); ok {
		return s.String()
	}
	return v.Type()
}

// A capture receives the frames of one command. It is used by one goroutine at a time.
type capture struct {
	call    *runtime.Call
	out     output
	streams [3]captured // by engine.Stdio
	order   []segment
	stopped bool // the callback returned False
}

type captured struct {
	to        io.Writer // nil: captured
	live      io.Writer // nil: not shown as it comes
	chunks    [][]byte
	size      int64
	truncated bool
	line      []byte // the unfinished line for Each
}

// A segment is a run of bytes of one stream, in order of arrival.
type segment struct {
	stream engine.Stdio
	size   int64
}

func newCapture(call *runtime.Call, out output) (*capture, error) {
	c := &capture{call: call, out: out}
	for stream, s := range map[engine.Stdio]sink{engine.Stdout: out.Stdout, engine.Stderr: out.Stderr} {
		to := &c.streams[stream]
		switch {
		case s.drop:
			to.to = io.Discard
		case s.file != nil:
			w, err := s.file.writer()
			if err != nil {
				return nil, err
			}
			to.to = w
		case out.Each == nil:
			to.live = call.Live(stream == engine.Stderr)
		}
	}
	return c, nil
}

// frame takes p of one stream. It returns engine.ErrStop when the script's
// callback has seen enough.
func (c *capture) frame(stream engine.Stdio, p []byte) error {
	to := &c.streams[stream]
	if to.to != nil {
		if _, err := to.to.Write(p); err != nil {
			return err
		}
	} else {
		c.keep(stream, p)
	}
	if to.live != nil {
		if _, err := to.live.Write(p); err != nil {
			return err
		}
	}
	if c.out.Each == nil {
		return nil
	}
	return c.lines(stream, p)
}

// chunkSize bounds what is copied again when a stream grows: captured output is
// held in pieces and joined once.
const chunkSize = 256 << 10

func (c *capture) keep(stream engine.Stdio, p []byte) {
	to := &c.streams[stream]
	if room := int64(c.out.Limit) - to.size; int64(len(p)) > room {
		p, to.truncated = p[:max(room, 0)], true
	}
	if len(p) == 0 {
		return
	}
	to.size += int64(len(p))
	if n := len(c.order); n > 0 && c.order[n-1].stream == stream {
		c.order[n-1].size += int64(len(p))
	} else {
		c.order = append(c.order, segment{stream, int64(len(p))})
	}
	for len(p) > 0 {
		n := len(to.chunks)
		if n == 0 || len(to.chunks[n-1]) == cap(to.chunks[n-1]) {
			size := min(chunkSize, max(512, int(to.size)))
			to.chunks = append(to.chunks, make([]byte, 0, max(size, min(len(p), chunkSize))))
			n++
		}
		last := &to.chunks[n-1]
		fits := min(len(p), cap(*last)-len(*last))
		*last = append(*last, p[:fits]...)
		p = p[fits:]
	}
}

// maxLine bounds the unfinished line that is held for a callback; a longer one is
// given in pieces.
const maxLine = 1 << 20

func (c *capture) lines(stream engine.Stdio, p []byte) error {
	to := &c.streams[stream]
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			to.line = append(to.line, p...)
			if len(to.line) < maxLine {
				return nil
			}
			p = nil
		} else {
			to.line, p = append(to.line, p[:end]...), p[end+1:]
		}
		if err := c.line(stream); err != nil {
			return err
		}
	}
	return nil
}

func (c *capture) line(stream engine.Stdio) error {
	to := &c.streams[stream]
	line := string(to.line)
	to.line = to.line[:0]
	var value starlark.Value = starlark.String(line)
	if !c.out.Text {
		value = starlark.Bytes(line)
	}
	name := "stdout"
	if stream == engine.Stderr {
		name = "stderr"
	}
	got, err := c.call.Callback(c.out.Each, value, starlark.String(name))
	if err != nil {
		return err
	}
	if got == starlark.False {
		c.stopped = true
		return engine.ErrStop
	}
	return nil
}

// flush gives the callback a last line that had no newline.
func (c *capture) flush() error {
	if c.out.Each == nil || c.stopped {
		return nil
	}
	for _, stream := range []engine.Stdio{engine.Stdout, engine.Stderr} {
		if len(c.streams[stream].line) == 0 {
			continue
		}
		if err := c.line(stream); err == engine.ErrStop {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// flushed is flush after a command that ended with err.
func (c *capture) flushed(err error) error {
	if err != nil {
		return err
	}
	return c.flush()
}

// bytes joins what was captured of one stream and lets go of its pieces.
func (c *capture) bytes(stream engine.Stdio) string {
	to := &c.streams[stream]
	var joined strings.Builder
	joined.Grow(int(to.size))
	for i, chunk := range to.chunks {
		joined.Write(chunk)
		to.chunks[i] = nil
	}
	to.chunks = nil
	return joined.String()
}

// writers gives the two streams as writers, for commands that are not an engine's.
// Writes to them are one at a time.
func (c *capture) writers(lock sync.Locker) (stdout, stderr io.Writer) {
	return &frameWriter{c, engine.Stdout, lock}, &frameWriter{c, engine.Stderr, lock}
}

type frameWriter struct {
	c      *capture
	stream engine.Stdio
	lock   sync.Locker
}

func (w *frameWriter) Write(p []byte) (int, error) {
	w.lock.Lock()
	defer w.lock.Unlock()
	if err := w.c.frame(w.stream, p); err != nil {
		return 0, err
	}
	return len(p), nil
}
