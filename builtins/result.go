package builtins

// This file is the Result of a command: of exec, run and host.run.

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// A Result is what a command that ended has left: its streams, apart and byte for
// byte, and its exit code. It is immutable; true when the exit code is 0.
type Result struct {
	d              *library
	session        *runtime.Session
	command        string // as the script wrote it, for messages
	where          string // `container "db"`, or "" for the host
	stdout, stderr string
	order          []segment
	text           bool
	truncated      bool
	code           int
	duration       time.Duration
	looked         atomic.Bool // somebody asked how it ended
}

var (
	_ starlark.HasAttrs = (*Result)(nil)
	_ runtime.Displayer = (*Result)(nil)
)

const resultDoc = `
Result

What a command that ended has left. It is true when the exit code is 0. A Result
with another exit code that nobody looked at (exit_code, ok, truth, check) is
reported when its scope ends.
`

// resultType declares what scripts see of a Result.
func (d *library) declareResult() *runtime.TypeDecl {
	return runtime.Type[*Result](resultDoc,
		runtime.Attr("stdout -> string\n\nWhat the command wrote to its standard output, byte for byte; bytes with text=False. With a tty, both streams.",
			func(_ *runtime.Call, r *Result) (any, error) { return r.stream(r.stdout), nil }),
		runtime.Attr("stderr -> string\n\nWhat the command wrote to its standard error. With a tty it is empty.",
			func(_ *runtime.Call, r *Result) (any, error) { return r.stream(r.stderr), nil }),
		runtime.Attr("output -> string\n\nBoth streams in order of arrival, which need not be the order of writing.",
			func(_ *runtime.Call, r *Result) (any, error) { return r.stream(r.output()), nil }),
		runtime.Attr("exit_code -> int\n\nThe exit code of the command.",
			func(_ *runtime.Call, r *Result) (any, error) { r.looked.Store(true); return r.code, nil }),
		runtime.Attr("ok -> bool\n\nWhether the exit code is 0.",
			func(_ *runtime.Call, r *Result) (any, error) { r.looked.Store(true); return r.code == 0, nil }),
		runtime.Attr("duration -> duration\n\nHow long the command took, as seen from here.",
			func(_ *runtime.Call, r *Result) (any, error) { return startime.Duration(r.duration), nil }),
		runtime.Attr("truncated -> bool\n\nWhether a captured stream reached the limit and was cut there.",
			func(_ *runtime.Call, r *Result) (any, error) { return r.truncated, nil }),
		runtime.Func(checkDoc, checkResult).As("check"),
		runtime.Func(linesDoc, resultLines).As("lines"),
		runtime.Func(jsonDoc, resultJSON).As("json"),
	)
}

func (r *Result) stream(s string) starlark.Value {
	if r.text {
		return starlark.String(s)
	}
	return starlark.Bytes(s)
}

// output puts the captured streams back into their order of arrival.
func (r *Result) output() string {
	switch {
	case r.stderr == "":
		return r.stdout
	case r.stdout == "":
		return r.stderr
	}
	var b strings.Builder
	b.Grow(len(r.stdout) + len(r.stderr))
	rest := [3]string{engine.Stdout: r.stdout, engine.Stderr: r.stderr}
	for _, s := range r.order {
		from := &rest[s.stream]
		b.WriteString((*from)[:s.size])
		*from = (*from)[s.size:]
	}
	return b.String()
}

const checkDoc = `
check(result) -> Result

The Result itself when its exit code is 0, and else an error of kind exit that
carries the streams.
`

type resultArgs struct{ Result *Result }

func checkResult(_ *runtime.Call, a resultArgs) (starlark.Value, error) {
	if err := a.Result.failure(); err != nil {
		return nil, err
	}
	return a.Result, nil
}

// failure is the error that a non-zero exit code makes, and nil for 0.
func (r *Result) failure() error {
	r.looked.Store(true)
	if r.code == 0 {
		return nil
	}
	message := fmt.Sprintf("%s%s exited with code %d", r.command, r.in(), r.code)
	said := r.stderr
	if said == "" {
		said = r.stdout
	}
	if tail := lastLines(said, 10); tail != "" {
		message += ":\n" + tail
	}
	code := r.code
	return &runtime.Error{Kind: "exit", Message: message, ExitCode: &code, Stdout: r.stream(r.stdout), Stderr: r.stream(r.stderr)}
}

func (r *Result) in() string {
	if r.where == "" {
		return ""
	}
	return " in " + r.where
}

// lastLines gives the last n lines of s, each indented, of at most 4 KiB.
func lastLines(s string, n int) string {
	const most = 4 << 10
	s = strings.TrimRight(s, "\r\n")
	if len(s) > most {
		s = s[len(s)-most:]
	}
	if s == "" {
		return ""
	}
	lines := strings.Split(s, "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return "  " + strings.Join(lines, "\n  ")
}

const linesDoc = `
lines(result) -> list

The lines of stdout without their ends; a last line without a newline counts.
`

func resultLines(_ *runtime.Call, a resultArgs) (starlark.Value, error) {
	r := a.Result
	text := strings.TrimSuffix(r.stdout, "\n")
	if r.stdout == "" {
		return starlark.NewList(nil), nil
	}
	parts := strings.Split(text, "\n")
	values := make([]starlark.Value, len(parts))
	for i, line := range parts {
		values[i] = r.stream(strings.TrimSuffix(line, "\r"))
	}
	return starlark.NewList(values), nil
}

const jsonDoc = `
json(result) -> value

stdout decoded as JSON. A Result with a non-zero exit code is an error of kind exit.
`

func resultJSON(call *runtime.Call, a resultArgs) (any, error) {
	if err := a.Result.failure(); err != nil {
		return nil, err
	}
	v, err := runtime.ToValue(json.RawMessage(a.Result.stdout))
	if err != nil {
		return nil, runtime.Errorf("invalid", "stdout of %s is not JSON: %w", a.Result.command, err)
	}
	return v, nil
}

func (r *Result) String() string {
	r.looked.Store(true)
	return fmt.Sprintf("<Result exit_code=%d stdout=%s stderr=%s>", r.code, short(r.stdout), short(r.stderr))
}

// short quotes s, cut in the middle of a long one.
func short(s string) string {
	const most = 60
	if len(s) > most {
		return fmt.Sprintf("%q… (%d bytes)", s[:most], len(s))
	}
	return fmt.Sprintf("%q", s)
}

// Display shows the streams, unless they were shown as they came, and how the
// command ended.
func (r *Result) Display(live bool) string {
	r.looked.Store(true)
	var b strings.Builder
	if !live {
		b.WriteString(r.output())
	}
	if out := r.output(); out != "" && !strings.HasSuffix(out, "\n") {
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "[exit %d, %.2fs", r.code, r.duration.Seconds())
	if r.truncated {
		b.WriteString(", truncated")
	}
	b.WriteString("]")
	return b.String()
}

func (r *Result) Type() string          { return "Result" }
func (r *Result) Freeze()               {}
func (r *Result) Truth() starlark.Bool  { r.looked.Store(true); return r.code == 0 }
func (r *Result) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: Result") }
func (r *Result) AttrNames() []string   { return r.d.resultType.AttrNames() }
func (r *Result) Attr(name string) (starlark.Value, error) {
	return r.d.resultType.Attr(r.session, r, name)
}

// result makes a Result from what was captured, and has it reported when it is
// not zero and nobody looks at it.
func (d *library) result(call *runtime.Call, c *capture, where string, cmd fmt.Stringer, code int, took time.Duration) *Result {
	r := &Result{
		d: d, session: call.Session(), where: where, command: cmd.String(),
		stdout: c.bytes(engine.Stdout), stderr: c.bytes(engine.Stderr), order: c.order, text: c.out.Text,
		truncated: c.streams[engine.Stdout].truncated || c.streams[engine.Stderr].truncated,
		code:      code, duration: took,
	}
	if code != 0 {
		pos, message := call.Pos(), fmt.Sprintf("%s: %s%s exited with code %d and nobody looked", call.Name(), r.command, r.in(), code)
		call.Scope().Note(func() (syntax.Position, string, bool) { return pos, message, !r.looked.Load() })
	}
	return r
}
