// Entries of a log, as they stand in an engine's answer.

package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"
)

// A LogEntry is a piece of a log as the engine keeps it: a line with its newline, or
// a part of one. Docker cuts lines at 16 KiB, Podman at 8 KiB, and a last line may
// have no newline: an entry without a newline goes on in the next one of its stream.
type LogEntry struct {
	Stream    Stdio
	Time      string // as the engine wrote it: RFC 3339, Podman's in whole seconds; "" where there is none
	Data      []byte // valid until the callback returns
	Restarted bool   // the first entry that was seen of a later run of the container: a line does not go on here

	at time.Time
}

// logPart is the most that a part of a line has.
const logPart = 16 << 10

// logTime is more than any time in a log takes.
const logTime = 64

// logEntries takes a log with times apart into entries.
type logEntries struct {
	stream *Stream
	data   []byte // of a TTY's log: not yet given
	given  int    // of data
	ended  error
}

// next gives the next entry, or io.EOF at the end.
func (l *logEntries) next() (LogEntry, error) {
	if l.stream.raw {
		return l.nextRaw()
	}
	f, err := l.stream.Next()
	if err != nil {
		return LogEntry{}, err
	}
	stream, whole := f.Stream, f.Data
	if l.stream.demux.left > 0 { // the frame comes in pieces
		l.data = append(l.data[:0], f.Data...)
		for l.stream.demux.left > 0 {
			if f, err = l.stream.Next(); err != nil {
				if errors.Is(err, io.EOF) {
					err = io.ErrUnexpectedEOF
				}
				return LogEntry{}, err
			}
			l.data = append(l.data, f.Data...)
		}
		whole = l.data
	}
	return logEntry(l.stream, stream, whole)
}

// logEntry takes the time off an entry.
func logEntry(s *Stream, stream Stdio, whole []byte) (LogEntry, error) {
	stamp, data, ok := bytes.Cut(whole, []byte{' '})
	if !ok {
		stamp, data = bytes.TrimRight(whole, "\n"), []byte("\n")
	}
	e := LogEntry{Stream: stream, Time: string(stamp), Data: data}
	var err error
	if e.at, err = time.Parse(time.RFC3339Nano, e.Time); err != nil {
		return e, s.c.streamError(s.op, s.object, corrupt("an entry of the log has no time: %s", clean(fmt.Sprintf("%.60q", whole))))
	}
	return e, nil
}

// nextRaw finds the end of an entry in a log without frames: after its newline, or
// after as much as a part of a line has, where the time of the next one stands.
func (l *logEntries) nextRaw() (LogEntry, error) {
	for {
		if end := l.rawEnd(); end > 0 {
			whole := l.data[l.given : l.given+end]
			l.given += end
			return logEntry(l.stream, Stdout, whole)
		}
		if l.ended != nil {
			return LogEntry{}, l.ended
		}
		l.data = append(l.data[:0], l.data[l.given:]...)
		l.given = 0
		f, err := l.stream.Next()
		if err != nil {
			l.ended = err
			continue
		}
		l.data = append(l.data, f.Data...)
	}
}

// rawEnd is the length of the next entry, 0 where more must be read.
func (l *logEntries) rawEnd() int {
	rest := l.data[l.given:]
	space := bytes.IndexByte(rest[:min(len(rest), logTime)], ' ')
	if space < 0 {
		if len(rest) >= logTime || l.ended != nil {
			return len(rest)
		}
		return 0
	}
	line := rest[space+1:]
	if end := bytes.IndexByte(line[:min(len(line), logPart+1)], '\n'); end >= 0 {
		return space + 1 + end + 1
	}
	for _, part := range []int{logPart / 2, logPart} {
		if len(line) >= part+logTime && beginsWithTime(line[part:]) {
			return space + 1 + part
		}
	}
	if l.ended != nil {
		for _, part := range []int{logPart / 2, logPart} {
			if len(line) > part && beginsWithTime(line[part:]) {
				return space + 1 + part
			}
		}
		return len(rest)
	}
	if len(line) > logPart+logTime {
		return space + 1 + logPart
	}
	return 0
}

// beginsWithTime reports whether p begins like an entry.
func beginsWithTime(p []byte) bool {
	stamp, _, ok := bytes.Cut(p[:min(len(p), logTime)], []byte{' '})
	if !ok {
		return false
	}
	_, err := time.Parse(time.RFC3339Nano, string(stamp))
	return err == nil
}
