// Streams: what an exec, an attach or a log is read from and written to.

package engine

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"syscall"
)

// buffers are for the reading of streams; *[demuxBuffer]byte.
var buffers = sync.Pool{New: func() any { return new([demuxBuffer]byte) }}

// A Stream carries an exec, an attach or a log.
// It must be closed. The end of the context that it was opened with closes it too.
// Next may be used by one goroutine, Write and CloseWrite by another one, and
// Close by any at any time.
type Stream struct {
	op, object string
	ctx        context.Context
	conn       io.ReadCloser
	w          io.Writer // nil: cannot be written to
	stop       func() bool
	demux      demuxer
	raw        bool // a TTY: no frames
	buf        *[demuxBuffer]byte
	err        error // of Next, for good
	closing    sync.Once
	closed     error
	c          *Client
}

// newStream makes a Stream of a connection that an engine has answered on.
// The framing is chosen by what was asked for, never by guessing.
func (c *Client) newStream(ctx context.Context, op, object string, conn io.ReadCloser, w io.Writer, tty bool) *Stream {
	s := &Stream{op: op, object: object, ctx: ctx, conn: conn, w: w, raw: tty, c: c}
	s.buf = buffers.Get().(*[demuxBuffer]byte)
	s.demux = demuxer{r: conn, buf: s.buf[:]}
	s.stop = context.AfterFunc(ctx, func() { s.shut() })
	return s
}

// Next gives the next piece of output. The error is io.EOF only when the stream
// ended on the boundary of a frame; the end of a stream says nothing of how the
// process ended. After an error it gives the same error again.
func (s *Stream) Next() (Frame, error) {
	if s.err != nil {
		return Frame{}, s.err
	}
	f, err := s.next()
	if err != nil {
		s.fail(err)
		return Frame{}, s.err
	}
	return f, nil
}

func (s *Stream) next() (Frame, error) {
	if !s.raw {
		return s.demux.next()
	}
	if err := s.demux.fill(); err != nil {
		return Frame{}, s.demux.ended(err)
	}
	data := s.demux.buf[:s.demux.end]
	s.demux.start, s.demux.end = 0, 0
	return Frame{Stdout, data}, nil
}

// fail keeps why there is no more, and gives the buffer back.
func (s *Stream) fail(err error) {
	if s.buf != nil {
		buffers.Put(s.buf)
		s.buf, s.demux.buf = nil, nil
	}
	switch {
	case s.ctx.Err() != nil:
		s.err = s.c.contextError(s.ctx, s.op, s.object)
	case errors.Is(err, io.EOF), s.unreadInput(err):
		s.err = io.EOF
	default:
		s.err = s.c.streamError(s.op, s.object, err)
	}
}

// unreadInput reports whether err only says that the other side closed its local
// socket without having read all of our input, as Podman does when a command ends
// before it has read its stdin. All output before that has arrived: a unix socket
// gives the error after the data (unix(7)). Over TCP a reset can lose output, and
// stays an error.
func (s *Stream) unreadInput(err error) bool {
	return s.w != nil && errors.Is(err, syscall.ECONNRESET) && strings.HasPrefix(s.c.host, "unix://") &&
		s.demux.left == 0 && s.demux.start == s.demux.end
}

// Write sends to the process's standard input.
func (s *Stream) Write(p []byte) (int, error) {
	if s.w == nil {
		return 0, &Error{Op: s.op, Object: s.object, Kind: KindInvalid, Message: "the stream was opened without stdin"}
	}
	return s.w.Write(p)
}

// CloseWrite ends the process's standard input; output still comes.
func (s *Stream) CloseWrite() error {
	if w, ok := s.w.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return &Error{Op: s.op, Object: s.object, Kind: KindUnsupported, Message: "this connection cannot end stdin alone"}
}

// Close ends the connection. It does not end the process.
func (s *Stream) Close() error {
	s.stop()
	return s.shut()
}

func (s *Stream) shut() error {
	s.closing.Do(func() { s.closed = s.conn.Close() })
	return s.closed
}
