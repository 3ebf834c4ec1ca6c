// Capture: where the output of an exec or a run goes.

package engine

import (
	"context"
	"io"
	"strings"
	"sync"
)

const (
	captureLimit = 64 << 20 // of one captured stream, unless the caller says otherwise
	spoolLimit   = 1 << 20  // read ahead of a slow consumer
	heldLimit    = 8 << 10  // of an engine's words about a process that never started
)

// A capture keeps output in the order of arrival, in chunks that double, so that
// collecting takes linear time and is copied once.
type capture struct {
	limit    int64
	kept     [3]int64 // by Stdio
	chunks   [][]byte
	runs     []run // what belongs to which stream
	overflow bool
}

// A run is consecutive output of one stream.
type run struct {
	stream Stdio
	n      int
}

func (c *capture) add(stream Stdio, p []byte) {
	if room := c.limit - c.kept[stream]; int64(len(p)) > room {
		c.overflow = true
		p = p[:max(room, 0)]
	}
	if len(p) == 0 {
		return
	}
	c.kept[stream] += int64(len(p))
	if last := len(c.runs) - 1; last >= 0 && c.runs[last].stream == stream {
		c.runs[last].n += len(p)
	} else {
		c.runs = append(c.runs, run{stream, len(p)})
	}
	for len(p) > 0 {
		last := len(c.chunks) - 1
		if last < 0 || len(c.chunks[last]) == cap(c.chunks[last]) {
			c.chunks = append(c.chunks, make([]byte, 0, c.grow(len(p))))
			last++
		}
		chunk := c.chunks[last]
		n := min(len(p), cap(chunk)-len(chunk))
		c.chunks[last] = append(chunk, p[:n]...)
		p = p[n:]
	}
}

// grow is the size of the next chunk: as much as there is already, for need at least.
func (c *capture) grow(need int) int {
	size := int(c.kept[Stdout]+c.kept[Stderr]) - need
	return max(need, min(size, 4<<20), 256)
}

// result gives what was kept. Where only one stream said anything, output is the
// same memory.
func (c *capture) result(r *ExecResult) {
	r.Truncated = c.overflow
	if len(c.chunks) == 1 {
		r.Output = c.chunks[0]
	} else if len(c.chunks) > 1 {
		r.Output = make([]byte, 0, c.kept[Stdout]+c.kept[Stderr])
		for i, chunk := range c.chunks {
			r.Output = append(r.Output, chunk...)
			c.chunks[i] = nil
		}
	}
	switch {
	case c.kept[Stderr] == 0:
		r.Stdout = r.Output
	case c.kept[Stdout] == 0:
		r.Stderr = r.Output
	default:
		r.Stdout, r.Stderr = make([]byte, 0, c.kept[Stdout]), make([]byte, 0, c.kept[Stderr])
		at := r.Output
		for _, run := range c.runs {
			if run.stream == Stdout {
				r.Stdout = append(r.Stdout, at[:run.n]...)
			} else {
				r.Stderr = append(r.Stderr, at[:run.n]...)
			}
			at = at[run.n:]
		}
	}
}

// A sink takes the output of one exec or run to where its IO says.
type sink struct {
	io      *IO
	capture capture
	begun   bool
	held    capture // the beginning, as long as it may be an engine's words
	stopped error   // what Each or a writer returned
}

func newSink(s *IO, hold bool) *sink {
	limit := s.Limit
	if limit <= 0 {
		limit = captureLimit
	}
	return &sink{io: s, begun: !hold, capture: capture{limit: limit}, held: capture{limit: heldLimit}}
}

// direct reports whether nothing but memory takes the output, so that reading it
// can never be slow.
func (s *sink) direct() bool {
	return s.io.Each == nil && s.io.Stdout == nil && s.io.Stderr == nil && s.io.Output == nil
}

// frame takes a frame. What looks like an engine's words about a process that
// never started is held back until it is clear whether it is.
func (s *sink) frame(f Frame) error {
	if s.begun {
		return s.pass(f)
	}
	if engineWords(f.Stream, f.Data) && s.held.kept[Stdout]+s.held.kept[Stderr]+int64(len(f.Data)) <= heldLimit {
		s.held.add(f.Stream, f.Data)
		return nil
	}
	if err := s.release(); err != nil {
		return err
	}
	return s.pass(f)
}

// release passes on what was held back.
func (s *sink) release() error {
	s.begun = true
	var r ExecResult
	runs := s.held.runs
	s.held.result(&r)
	for _, run := range runs {
		if err := s.pass(Frame{run.stream, r.Output[:run.n]}); err != nil {
			return err
		}
		r.Output = r.Output[run.n:]
	}
	s.held = capture{}
	return nil
}

// engineWords reports whether output begins like an engine's error about a
// process that it could not start (quirks.go).
func engineWords(stream Stdio, p []byte) bool {
	text := string(p[:min(len(p), 64)])
	if stream == Stderr {
		return strings.HasPrefix(text, "Error: ")
	}
	for _, begin := range []string{"OCI runtime exec failed", "unable to find user", "unable to find group", "exec failed: "} {
		if strings.HasPrefix(text, begin) {
			return true
		}
	}
	return false
}

func (s *sink) pass(f Frame) error {
	var stop error
	if s.io.Each != nil {
		stop = s.io.Each(f.Stream, f.Data)
	}
	w := s.io.Stdout
	if f.Stream == Stderr {
		w = s.io.Stderr
	}
	if w == nil {
		s.capture.add(f.Stream, f.Data)
	} else if _, err := w.Write(f.Data); err != nil && stop == nil {
		stop = err
	}
	if s.io.Output != nil {
		if _, err := s.io.Output.Write(f.Data); err != nil && stop == nil {
			stop = err
		}
	}
	s.stopped = stop
	return stop
}

// drain moves all of a stream into the sink, on the caller's goroutine, and
// returns how the stream ended; io.EOF: well. What the sink refuses ends it too.
// The stream is always read eagerly: an engine gives up on a slow reader after
// two seconds (moby daemon/monitor.go), so that what the sink is slow to take is
// kept in memory meanwhile, up to a limit.
func drain(ctx context.Context, s *Stream, to *sink) error {
	if to.direct() {
		for {
			f, err := s.Next()
			if err != nil {
				return err
			}
			if err := to.frame(f); err != nil {
				return err
			}
		}
	}
	spool := &spool{}
	spool.changed.L = &spool.mu
	var reader sync.WaitGroup
	reader.Go(func() { spool.fill(s) })
	err := spool.empty(ctx, to)
	_ = s.Close()
	spool.abandon()
	reader.Wait()
	return err
}

// A spool is what was read and not yet taken.
type spool struct {
	mu        sync.Mutex
	changed   sync.Cond
	data      []byte
	runs      []run
	err       error // how the stream ended
	abandoned bool
}

func (p *spool) fill(s *Stream) {
	for {
		f, err := s.Next()
		p.mu.Lock()
		for len(p.data) >= spoolLimit && !p.abandoned {
			p.changed.Wait()
		}
		if err != nil || p.abandoned {
			p.err = err
			p.changed.Broadcast()
			p.mu.Unlock()
			return
		}
		p.data = append(p.data, f.Data...)
		p.runs = append(p.runs, run{f.Stream, len(f.Data)})
		p.changed.Broadcast()
		p.mu.Unlock()
	}
}

// empty takes what there is until the stream's end.
func (p *spool) empty(ctx context.Context, to *sink) error {
	var data []byte
	var runs []run
	for {
		p.mu.Lock()
		for len(p.runs) == 0 && p.err == nil {
			p.changed.Wait()
		}
		if len(p.runs) == 0 {
			defer p.mu.Unlock()
			return p.err
		}
		if cap(data) > 2*spoolLimit {
			data = nil
		}
		data, p.data = p.data, data[:0]
		runs, p.runs = p.runs, runs[:0]
		p.changed.Broadcast()
		p.mu.Unlock()
		at := data
		for _, run := range runs {
			if ctx.Err() != nil {
				return io.ErrClosedPipe // the caller looks at its context first
			}
			if err := to.frame(Frame{run.stream, at[:run.n]}); err != nil {
				return err
			}
			at = at[run.n:]
		}
	}
}

func (p *spool) abandon() {
	p.mu.Lock()
	p.abandoned = true
	p.changed.Broadcast()
	p.mu.Unlock()
}

// feed copies in to the stream and ends its input, until the stream is closed.
// Stdin is never written before the engine has handed over the connection: what
// comes earlier is lost (Docker 20.10). An error of in itself goes to failed.
func feed(s *Stream, in io.Reader, failed func(error)) (wait func()) {
	f := &feeder{done: make(chan struct{})}
	go f.run(s, in, failed)
	return f.wait
}

type feeder struct {
	mu      sync.Mutex
	reading bool
	over    bool
	done    chan struct{}
}

func (f *feeder) run(s *Stream, in io.Reader, failed func(error)) {
	defer close(f.done)
	buf := buffers.Get().(*[demuxBuffer]byte)
	defer buffers.Put(buf)
	for f.read(true) {
		n, err := in.Read(buf[:])
		if !f.read(false) {
			return
		}
		if n > 0 {
			if _, err := s.Write(buf[:n]); err != nil {
				return // the process reads no more
			}
		}
		if err == io.EOF {
			_ = s.CloseWrite()
			return
		}
		if err != nil {
			failed(err)
			return
		}
	}
}

// read notes that a read of the input begins or has ended, and reports whether
// the feeder goes on.
func (f *feeder) read(reading bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reading = reading
	return !f.over
}

// wait waits for the feeder to end, after the stream was closed. One that is
// inside a Read of the caller's input cannot be waited for: it ends when that
// Read returns, and touches nothing more.
func (f *feeder) wait() {
	f.mu.Lock()
	f.over = true
	reading := f.reading
	f.mu.Unlock()
	if !reading {
		<-f.done
	}
}
