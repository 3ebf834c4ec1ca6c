package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// watchSignals returns a context that the first SIGINT, SIGTERM or SIGHUP ends;
// told is called then. A second one ends the program at once. stop takes the
// signals' handling back.
func watchSignals(parent context.Context, told func(os.Signal)) (ctx context.Context, stop func()) {
	return watch(parent, []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}, told)
}

func watch(parent context.Context, which []os.Signal, told func(os.Signal)) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, which...)
	done := make(chan struct{})
	go func() {
		for ended := false; ; ended = true {
			select {
			case <-done:
				return
			case s := <-signals:
				if ended {
					exitNow(exitSignal + signalNumber(s))
				}
				told(s)
				cancel(signalError{signalName(s), signalNumber(s)})
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}

// watchTermination is watchSignals for SIGTERM and SIGHUP alone: a prompt has
// other uses for SIGINT.
func watchTermination(parent context.Context) (ctx context.Context, stop func()) {
	return watch(parent, []os.Signal{syscall.SIGTERM, syscall.SIGHUP}, func(os.Signal) {})
}

// watchOutput returns a writer to f and a context that ends when nobody reads f any
// more, as in dscript FILE | head. Unwatched, SIGPIPE would end the program there and
// then, and leave what the script made.
func watchOutput(parent context.Context, f *os.File) (ctx context.Context, out io.Writer, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	pipes := make(chan os.Signal, 1) // asked for, not read: it makes writes return EPIPE
	signal.Notify(pipes, syscall.SIGPIPE)
	return ctx, outputWriter{f, cancel}, func() {
		signal.Stop(pipes)
		cancel(nil)
	}
}

type outputWriter struct {
	f   *os.File
	end context.CancelCauseFunc
}

func (w outputWriter) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if errors.Is(err, syscall.EPIPE) {
		w.end(outputGone)
	}
	return n, err
}

// outputGone gives the exit code that a shell shows for a program that SIGPIPE ended.
var outputGone = signalError{"nobody reads the output", int(syscall.SIGPIPE)}

func signalNumber(s os.Signal) int {
	if n, ok := s.(syscall.Signal); ok {
		return int(n)
	}
	return int(syscall.SIGINT)
}

func signalName(s os.Signal) string {
	switch s {
	case syscall.SIGTERM:
		return "terminated"
	case syscall.SIGHUP:
		return "hung up"
	}
	return "interrupted"
}
