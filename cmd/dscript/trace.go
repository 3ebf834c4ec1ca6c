package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/dscript/dscript/engine"
)

// A tracer tells of requests to the engine: in a file by --trace, and on
// stderr by -v.
type tracer struct {
	o *options

	mu   sync.Mutex
	file io.WriteCloser // nil: none
	err  error          // of writing to file
}

// traceLine is one line of the file that --trace writes.
type traceLine struct {
	Time   time.Time `json:"time"` // when the answer was there
	Op     string    `json:"op"`
	Method string    `json:"method"`
	Path   string    `json:"path"`
	Object string    `json:"object,omitempty"`
	Status int       `json:"status"`
	Millis float64   `json:"ms"`
	Error  string    `json:"error,omitempty"`
}

func newTracer(o *options) (*tracer, error) {
	t := &tracer{o: o}
	if o.trace == "" {
		return t, nil
	}
	f, err := os.OpenFile(o.trace, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, usagef("--trace: %w", err)
	}
	t.file = f
	return t, nil
}

func (t *tracer) trace(r engine.Trace) {
	t.mu.Lock()
	defer t.mu.Unlock()
	millis := float64(r.Duration.Microseconds()) / 1000
	if t.file != nil {
		line, err := json.Marshal(traceLine{time.Now(), r.Op, r.Method, r.Path, r.Object, r.Status, millis, r.Err})
		if err == nil {
			_, err = t.file.Write(append(line, '\n'))
		}
		if t.err == nil {
			t.err = err
		}
	}
	if t.o.verbose {
		fmt.Fprintf(t.o.err, "dscript: %s %s: %d, %.1f ms%s\n", r.Method, r.Path, r.Status, millis, errorSuffix(r.Err))
	}
}

func errorSuffix(err string) string {
	if err == "" {
		return ""
	}
	return ": " + err
}

func (t *tracer) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return nil
	}
	err := t.file.Close()
	t.file = nil
	if t.err != nil {
		err = t.err
	}
	if err != nil {
		return fmt.Errorf("--trace: %w", err)
	}
	return nil
}
