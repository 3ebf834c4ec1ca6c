package repl

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/dscript/dscript/runtime"
)

// ErrInterrupt is what Run returns when an interrupt came and nobody is at the
// prompt who could go on: the input is not a terminal, and no prompts are shown.
var ErrInterrupt error = interruptError{}

type interruptError struct{}

func (interruptError) Error() string     { return "interrupted" }
func (interruptError) ErrorKind() string { return runtime.KindCancelled }

// A lineEditor gives the loop its input, a line at a time. There are two: one
// over readline for terminals, one that just reads.
type lineEditor interface {
	// ReadLine shows prompt and returns the next line. before are the lines of
	// the same block that were read already. The error is io.EOF or ErrInterrupt.
	ReadLine(prompt, before string) (line, error)

	// Remember puts a block, of one line or more, into the history.
	Remember(block string)

	// Close gives the terminal back as it was found.
	Close() error
}

// A line is what ReadLine returns.
type line struct {
	text   string // without its end; several lines when it was recalled from the history
	pasted bool   // all of it is here: it needs no blank line to end a block
	more   bool   // the block goes on for certain, whatever it looks like
}

// plainEditor reads from a pipe, a file or a terminal that can do nothing.
type plainEditor struct {
	in     *bufio.Reader
	out    io.Writer
	prompt bool // show prompts
	lines  chan line
	cancel context.CancelFunc
	ctx    context.Context

	interrupts <-chan os.Signal
}

// newPlainEditor reads in, on a goroutine of its own so that the end of ctx ends
// a ReadLine that waits. That goroutine ends with in, or at the line after Close.
func newPlainEditor(ctx context.Context, in io.Reader, out io.Writer, prompt bool, interrupts <-chan os.Signal) *plainEditor {
	ctx, cancel := context.WithCancel(ctx)
	e := &plainEditor{in: bufio.NewReader(in), out: out, prompt: prompt,
		lines: make(chan line), ctx: ctx, cancel: cancel, interrupts: interrupts}
	go e.read()
	return e
}

func (e *plainEditor) read() {
	defer close(e.lines)
	for {
		text, err := e.in.ReadString('\n')
		if err != nil && text == "" {
			return
		}
		l := line{text: strings.TrimRight(text, "\r\n")}
		l.more = isBlank(l.text) && e.nextIsIndented()
		select {
		case e.lines <- l:
		case <-e.ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// nextIsIndented reports whether the next line is here already and belongs to the
// block above the blank line that was just read. It does not wait: whoever types
// ends a block by a blank line.
func (e *plainEditor) nextIsIndented() bool {
	if e.in.Buffered() == 0 {
		return false
	}
	next, err := e.in.Peek(1)
	return err == nil && (next[0] == ' ' || next[0] == '\t')
}

func (e *plainEditor) ReadLine(prompt, before string) (line, error) {
	if e.prompt {
		fmt.Fprint(e.out, prompt)
	}
	select {
	case l, ok := <-e.lines:
		if !ok {
			return line{}, io.EOF
		}
		return l, nil
	case <-e.interrupts:
		if e.prompt {
			fmt.Fprintln(e.out)
		}
		return line{}, ErrInterrupt
	case <-e.ctx.Done():
		return line{}, io.EOF
	}
}

func (e *plainEditor) Remember(string) {}

func (e *plainEditor) Close() error {
	e.cancel()
	return nil
}
