// The demultiplexer: takes apart the framing in which an engine sends stdout and
// stderr over one connection.

package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	demuxBuffer  = 64 << 10 // all the memory that a demultiplexer ever uses
	frameHeader  = 8
	frameLimit   = 16 << 20 // real engines send at most 32 KiB, and a log line at most a few MiB
	engineStream = 3        // the engine's own error, in the place of output
)

// A demuxer reads frames: {stream, 0, 0, 0, size as big-endian uint32}, then the
// data (Engine API, "Stream format" of container attach). Its memory is fixed: a
// frame that does not fit its buffer is given in pieces.
type demuxer struct {
	r          io.Reader
	buf        []byte // given by the caller
	start, end int    // what is read and not yet given out
	left       int    // of the current frame's data
	stream     Stdio
	err        error // of r, or the end
}

// next gives the next piece of a frame; the data is valid until the next call.
// The end is io.EOF only on the boundary of a frame.
func (d *demuxer) next() (Frame, error) {
	for d.left == 0 {
		if d.end-d.start < frameHeader {
			if err := d.fill(); err != nil {
				return Frame{}, d.ended(err)
			}
			continue
		}
		if err := d.header(d.buf[d.start : d.start+frameHeader]); err != nil {
			d.err, d.start, d.end = err, 0, 0
			return Frame{}, err
		}
		d.start += frameHeader
	}
	if d.start == d.end {
		if err := d.fill(); err != nil {
			return Frame{}, d.ended(err)
		}
	}
	n := min(d.left, d.end-d.start)
	data := d.buf[d.start : d.start+n : d.start+n]
	d.start += n
	d.left -= n
	return Frame{d.stream, data}, nil
}

// header begins a frame.
func (d *demuxer) header(h []byte) error {
	size := binary.BigEndian.Uint32(h[4:])
	switch {
	case h[0] > engineStream || h[1] != 0 || h[2] != 0 || h[3] != 0:
		return corrupt("unknown stream in frame header % x", h)
	case size > frameLimit:
		return corrupt("frame of %d bytes: more than any engine sends", size)
	case h[0] == engineStream:
		return d.engineError(int(size))
	}
	d.stream, d.left = Stdio(h[0]), int(size)
	if d.stream == Stdin {
		d.stream = Stdout // as the official demultiplexer has it
	}
	return nil
}

// engineError reads the engine's own error, of which the buffer's size at most is kept.
func (d *demuxer) engineError(size int) error {
	d.start += frameHeader
	for d.end-d.start < min(size, len(d.buf)) {
		if err := d.fill(); err != nil {
			break
		}
	}
	text := d.buf[d.start:min(d.end, d.start+size)]
	return &Error{Kind: KindInternal, Message: clean(string(text))}
}

// fill reads more, at least one byte unless it returns an error.
func (d *demuxer) fill() error {
	if d.err != nil {
		return d.err
	}
	if d.start > 0 {
		d.end = copy(d.buf, d.buf[d.start:d.end])
		d.start = 0
	}
	for range 100 {
		n, err := d.r.Read(d.buf[d.end:])
		d.end += n
		d.err = err
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// ended says what the end of the connection means here.
func (d *demuxer) ended(err error) error {
	boundary := d.left == 0 && d.end == d.start
	switch {
	case errors.Is(err, io.EOF) && boundary:
		return io.EOF
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		e := corrupt("the output ended in the middle of a frame")
		if boundary {
			e = corrupt("the output was cut")
		}
		e.Err = io.ErrUnexpectedEOF
		return e
	}
	return err
}

// corrupt is the error for a stream that no engine sends.
func corrupt(format string, args ...any) *Error {
	return &Error{Kind: KindTruncated, Message: fmt.Sprintf(format, args...)}
}
