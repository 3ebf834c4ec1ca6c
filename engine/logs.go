// Logs: what a container has printed, entry by entry, also while it goes on.

package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"
)

// LogsOptions say what of a container's log is read.
type LogsOptions struct {
	Stdout, Stderr bool   // neither: both
	Follow         bool   // go on until the container has ended
	Tail           string // number of lines; "": all
	Since, Until   string // a time like 2026-01-02T15:04:05Z, a Unix time, or "10m" ago
}

const (
	logsPoll    = 100 * time.Millisecond // how often a log that cannot be followed is read again
	logsRestart = 2 * time.Second        // how long a container that was stopped may take to run again
	logsSkew    = time.Minute            // how much older than the entry before it an entry may be; Docker takes the time first, then writes
	longestLine = 64                     // parts of a line that tail begins in, to know them again
)

// ReadLogs gives the entries of a container's log to each, in order (GET
// /containers/{id}/logs); ErrStop from each ends it well. A log is not what an exec
// put out: Docker's replaces what is not UTF-8.
//
// With Follow it goes on until the container has ended, and over restarts, each
// entry once: an engine's own following ends with every run, and may lose a last
// line without a newline (moby#43860), so that the rest of a run is read again from
// where the following ended. A container that was stopped and does not run again
// within two seconds has ended. Podman's following loses lines at the end: there
// the log is read again, at most ten times a second. The entries of a TTY's log cannot
// be told apart on Podman: they are pieces without a Time.
func (c *Client) ReadLogs(ctx context.Context, id string, o LogsOptions, each func(LogEntry) error) error {
	box, err := c.InspectContainer(ctx, id)
	if err != nil {
		return named(err, &call{op: "container.logs"})
	}
	if box.State == nil {
		return c.answerError(ctx, "logs", id, errors.New("it has no state"))
	}
	podman, err := c.IsPodman(ctx)
	if err != nil {
		return err
	}
	l := &logReader{c: c, id: id, o: o, tty: box.Config != nil && box.Config.Tty, podman: podman, each: each}
	if l.o.Until, err = c.moment(o.Until); err != nil {
		return err
	}
	l.untimed = podman && l.tty
	if o.Follow {
		err = l.follow(ctx, box)
	} else {
		err = l.read(ctx, false)
	}
	if l.stopped != nil {
		err = l.stopped
	}
	if errors.Is(err, ErrStop) {
		return nil
	}
	return err
}

// A logReader is one call of ReadLogs over several requests.
type logReader struct {
	c           *Client
	id          string
	o           LogsOptions
	tty, podman bool
	untimed     bool // a TTY's log on Podman
	each        func(LogEntry) error
	stopped     error // each's own

	began   string      // when the run that is read began
	next    time.Time   // when a later run began, of which no entry came yet
	seen    [3]logPlace // by Stdio
	resumed bool        // something was read before: what is not after seen is not new
	given   int64       // bytes, where entries have no time
}

// A logPlace is the last entry of a stream that was given, by its time, of which a
// stream may have several.
type logPlace struct {
	at time.Time
	n  int
}

// follow reads run after run.
func (l *logReader) follow(ctx context.Context, box Container) error {
	l.began = box.State.StartedAt
	if l.o.Tail != "" {
		if err := l.readTail(ctx); err != nil {
			return err
		}
	}
	for {
		if box.State.Running && !l.podman {
			if err := l.readRun(ctx); err != nil {
				return err
			}
			var err error
			if box, err = l.inspect(ctx); err != nil {
				return err
			}
		}
		if err := l.read(ctx, false); err != nil {
			return err
		}
		l.caughtUp()
		if past(l.o.Until, l.c.now()) {
			return nil
		}
		again, err := l.again(ctx, box)
		if err != nil || !again.State.Running && !box.State.Running {
			return err // the container had ended before the last read
		}
		box = again
	}
}

var errUntil = errors.New("until has come")

// readRun reads as the engine follows, to the end of the run. Docker notices that
// Until has come only when something is printed after it.
func (l *logReader) readRun(ctx context.Context) error {
	if seconds, err := strconv.ParseFloat(l.o.Until, 64); err == nil {
		left := time.Duration((seconds - float64(l.c.now().UnixNano())/1e9) * float64(time.Second))
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, left+logsPoll, errUntil)
		defer cancel()
	}
	err := l.read(ctx, true)
	if err != nil && l.stopped == nil && context.Cause(ctx) == errUntil {
		l.resumed = true
		return nil
	}
	return err
}

// past reports whether a time as moment gives it is over.
func past(moment string, now time.Time) bool {
	seconds, err := strconv.ParseFloat(moment, 64)
	return err == nil && seconds <= float64(now.UnixNano())/1e9
}

// again waits until the container runs, or has ended for good. What was read before
// belongs to the run of before.
func (l *logReader) again(ctx context.Context, before Container) (Container, error) {
	var patience time.Duration
	if !before.State.Running && !before.State.Restarting && l.wasStopped(ctx, before) {
		patience = logsRestart
	}
	for start := time.Now(); ; {
		if pause(ctx, logsPoll) != nil {
			return before, l.c.contextError(ctx, "logs", l.id)
		}
		box, err := l.inspect(ctx)
		if err != nil {
			return box, err
		}
		if box.State.Running || !box.State.Restarting && time.Since(start) >= patience {
			return box, nil
		}
	}
}

// wasStopped reports whether the container may be about to run again although the
// engine does not say so: somebody stopped it, which is how a restart begins. Podman
// has no events of that, and restarts by itself from a process of its own.
func (l *logReader) wasStopped(ctx context.Context, box Container) bool {
	if l.podman {
		return box.State.ExitCode > 128 || box.HostConfig != nil && !box.HostConfig.RestartPolicy.IsNone()
	}
	stopped := false
	_ = l.c.Events(ctx, EventsOptions{
		Since: box.State.StartedAt, Until: unixTime(l.c.now().Add(time.Millisecond)),
		Filters: map[string][]string{"container": {box.ID}, "event": {"kill", "stop"}},
	}, func(events.Message) error {
		stopped = true
		return ErrStop
	})
	return stopped
}

// inspect asks how the container is, and notes where a later run begins: its first
// lines may be older than the start that the engine notes, and the last ones of the
// run before it younger than the end, so that it is taken to be halfway.
func (l *logReader) inspect(ctx context.Context) (Container, error) {
	box, err := l.c.InspectContainer(ctx, l.id)
	if errors.Is(err, ErrNotFound) {
		err = &Error{Op: "logs", Object: l.id, Kind: KindGone, Message: "the container was removed while its log was followed: the end of it may be missing", Err: err}
	}
	if err != nil {
		return box, named(err, &call{op: "container.logs"})
	}
	if began := box.State.StartedAt; began != l.began {
		l.began = began
		start, _ := time.Parse(time.RFC3339Nano, began)
		if end, err := time.Parse(time.RFC3339Nano, box.State.FinishedAt); err == nil && end.Before(start) && box.State.Running {
			start = end.Add(start.Sub(end) / 2)
		}
		l.next = start
	}
	return box, nil
}

// open makes one request. Whether the answer has frames depends on the container's
// TTY alone.
func (l *logReader) open(ctx context.Context, o client.ContainerLogsOptions) (*Stream, error) {
	k := &call{op: "container.logs", object: l.id}
	api, err := l.c.ready(ctx)
	if err != nil {
		return nil, err
	}
	both := !l.o.Stdout && !l.o.Stderr
	o.ShowStdout, o.ShowStderr, o.Until = l.o.Stdout || both, l.o.Stderr || both, l.o.Until
	body, err := api.ContainerLogs(k.with(ctx), l.id, o)
	if err != nil {
		return nil, l.c.failed(ctx, k, err)
	}
	return l.c.newStream(ctx, "logs", l.id, body, nil, l.tty), nil
}

// read reads from where the last reading ended.
func (l *logReader) read(ctx context.Context, follow bool) error {
	if l.untimed {
		return l.readUntimed(ctx)
	}
	o := client.ContainerLogsOptions{Follow: follow, Timestamps: true, Since: l.o.Since, Tail: l.o.Tail}
	if l.resumed {
		o.Since, o.Tail = l.since(), ""
	}
	stream, err := l.open(ctx, o)
	if err != nil {
		return err
	}
	defer stream.Close()
	skip := l.seen
	entries := &logEntries{stream: stream}
	for {
		e, err := entries.next()
		if errors.Is(err, io.EOF) {
			l.resumed = true
			return nil
		}
		if err != nil {
			return err
		}
		if l.resumed && !isNewEntry(&skip[e.Stream], e) {
			continue
		}
		if err := l.give(e); err != nil {
			return err
		}
	}
}

// readUntimed reads all of the log again and gives what was not given before.
func (l *logReader) readUntimed(ctx context.Context) error {
	o := client.ContainerLogsOptions{Since: l.o.Since, Tail: l.o.Tail}
	if l.resumed {
		o.Tail = ""
	}
	stream, err := l.open(ctx, o)
	if err != nil {
		return err
	}
	defer stream.Close()
	for before := l.given; ; {
		f, err := stream.Next()
		if errors.Is(err, io.EOF) {
			l.resumed = true
			return nil
		}
		if err != nil {
			return err
		}
		old := min(before, int64(len(f.Data)))
		before -= old
		f.Data = f.Data[old:]
		if len(f.Data) == 0 {
			continue
		}
		l.given += int64(len(f.Data))
		if l.stopped = l.each(LogEntry{Stream: f.Stream, Data: f.Data}); l.stopped != nil {
			return l.stopped
		}
	}
}

// since is where both streams have been read to. A stream may have nothing to say for
// as long as it likes.
func (l *logReader) since() string {
	first, last := l.seen[Stdout].at, l.seen[Stderr].at
	if last.Before(first) {
		first, last = last, first
	}
	if last.IsZero() {
		return l.o.Since
	}
	if window := last.Add(-logsSkew); first.Before(window) {
		first = window
	}
	return unixTime(first)
}

// isNewEntry tells an entry from one that was given before, by its stream's place.
func isNewEntry(place *logPlace, e LogEntry) bool {
	switch at := e.at; {
	case at.Before(place.at):
		return false
	case at.Equal(place.at) && place.n > 0:
		place.n--
		return false
	}
	return true
}

// give passes an entry on, and keeps its place.
func (l *logReader) give(e LogEntry) error {
	if !l.next.IsZero() && !e.at.Before(l.next) {
		e.Restarted, l.next = true, time.Time{}
	}
	l.note(e)
	l.stopped = l.each(e)
	return l.stopped
}

func (l *logReader) note(e LogEntry) {
	switch place := &l.seen[e.Stream]; {
	case e.at.After(place.at):
		*place = logPlace{e.at, 1}
	case e.at.Equal(place.at):
		place.n++
	}
}

// caughtUp says that both streams have been read to the same place, so that one
// that prints nothing does not make everything be read again.
func (l *logReader) caughtUp() {
	out, err := &l.seen[Stdout], &l.seen[Stderr]
	if out.at.Before(err.at) {
		out.at, out.n = err.at, 0
	} else if err.at.Before(out.at) {
		err.at, err.n = out.at, 0
	}
}

// readTail gives the last entries and learns the place that they lead to, from where
// the following goes on. Podman's times are whole seconds, and entries of a TTY have none
// there: only who has seen all knows the place.
func (l *logReader) readTail(ctx context.Context) error {
	n, err := strconv.Atoi(l.o.Tail)
	if err != nil || n < 0 {
		return &Error{Op: "logs", Object: l.id, Kind: KindInvalid, Message: fmt.Sprintf("tail %q is no number of lines", l.o.Tail)}
	}
	var last []LogEntry
	all := *l
	all.o.Tail = ""
	if !l.podman {
		all.o.Tail = strconv.Itoa(n + longestLine)
	}
	all.each = func(e LogEntry) error {
		for rest := e.Data; len(rest) > 0; {
			size := len(rest)
			if end := bytes.IndexByte(rest, '\n'); end >= 0 {
				size = end + 1
			}
			e.Data = bytes.Clone(rest[:size])
			rest = rest[size:]
			if end := len(last) - 1; l.untimed && end >= 0 && !bytes.HasSuffix(last[end].Data, []byte("\n")) {
				last[end].Data = append(last[end].Data, e.Data...) // a piece may end anywhere
			} else {
				last = append(last, e)
			}
			if len(last) > n+1 {
				last = last[1:]
			}
		}
		return nil
	}
	if err := all.read(ctx, false); err != nil {
		return err
	}
	l.seen, l.resumed, l.given = all.seen, true, all.given
	l.caughtUp()
	for _, e := range last[max(0, len(last)-n):] {
		if l.stopped = l.each(e); l.stopped != nil {
			return l.stopped
		}
	}
	return nil
}
