package main

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime/repl"
)

// buildProgress shows builds on stderr. Each step has its number. On a terminal there is
// a line for a step that has ended, and the last one changes with what runs; elsewhere a
// line when a step begins and when it ends, and between them what it puts out.
type buildProgress struct {
	o *options

	mu sync.Mutex // of the screen, which several builds share
}

// begin is told of a build, and gives what is told of its steps.
func (p *buildProgress) begin(tag string) func(engine.BuildStep) {
	if p.o.quiet {
		return nil
	}
	v := &buildView{p: p, live: isTerminal(p.o.err), running: map[int]string{}}
	if tag != "" {
		v.prefix = tag + " "
	}
	return v.step
}

// A buildView is one build.
type buildView struct {
	p       *buildProgress
	prefix  string
	live    bool
	running map[int]string // the steps that have not ended, each with its line that has not
}

const longestLine = 4 << 10 // of a step's output; the rest is shown as a line of its own

func (v *buildView) step(s engine.BuildStep) {
	v.p.mu.Lock()
	defer v.p.mu.Unlock()
	name := safeLine(s.Name)
	begun, runs := v.running[s.Number]
	switch s.State {
	case engine.BuildStarted:
		v.running[s.Number] = ""
		if v.live {
			v.status(s.Number, name)
			return
		}
		v.line(s.Number, name)
	case engine.BuildOutput:
		lines := strings.Split(begun+s.Text, "\n")
		for _, line := range lines[:len(lines)-1] {
			v.output(s.Number, line)
		}
		rest := lines[len(lines)-1]
		if !runs || len(rest) > longestLine {
			v.output(s.Number, rest)
			rest = ""
		}
		if runs {
			v.running[s.Number] = rest
		}
	default:
		v.output(s.Number, begun)
		delete(v.running, s.Number)
		v.end(s, name)
	}
}

// end shows that a step has ended. What the engine does for itself is not kept on a terminal.
func (v *buildView) end(s engine.BuildStep, name string) {
	state := string(s.State)
	switch {
	case s.State == engine.BuildCached:
		state = "CACHED"
	case s.State == engine.BuildError:
		state = "FAILED"
	case s.Duration > 0:
		state += " " + s.Duration.Round(100*time.Millisecond).String()
	}
	switch {
	case !v.live:
		v.line(s.Number, state)
	case s.State != engine.BuildError && strings.HasPrefix(name, "[internal]"):
		fmt.Fprint(v.p.o.err, "\r\x1b[K")
	default:
		fmt.Fprint(v.p.o.err, "\r\x1b[K")
		v.line(s.Number, name+": "+state)
	}
}

// output shows a line that a step has put out.
func (v *buildView) output(number int, text string) {
	text = safeLine(text)
	switch _, runs := v.running[number]; {
	case text == "":
	case !v.live:
		v.line(number, text)
	case runs:
		v.status(number, text)
	}
}

func (v *buildView) line(number int, text string) {
	fmt.Fprintf(v.p.o.err, "%s#%d %s\n", v.prefix, number, text)
}

// status is the line that changes, no wider than the terminal.
func (v *buildView) status(number int, text string) {
	text = fmt.Sprintf("%s#%d %s", v.prefix, number, text)
	width, _, err := term.GetSize(int(v.p.o.err.Fd()))
	if err != nil || width < 2 {
		width = 80
	}
	for utf8.RuneCountInString(text) >= width {
		_, last := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-last]
	}
	fmt.Fprintf(v.p.o.err, "\r\x1b[K%s", text)
}

// safeLine is a text as one line without control characters and escape sequences. Of a
// line that was written over by carriage returns, it is the last state.
func safeLine(text string) string {
	text = strings.TrimRight(text, "\r\n")
	text = text[strings.LastIndexByte(text, '\r')+1:]
	var b strings.Builder
	_, _ = repl.Sanitize(&b).Write([]byte(text))
	return strings.ReplaceAll(colours.ReplaceAllString(b.String(), ""), "\t", " ")
}

var colours = regexp.MustCompile("\x1b\\[[0-9;:]*m")
