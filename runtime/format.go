package runtime

// This file shows errors: what, where, the line with a caret, how the script
// came there, and what helps.

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// maxFrames is how many frames of a stack are shown at each end.
const maxFrames = 8

// FormatError returns err as the program prints it, without a final newline:
//
//	app.star:12:9: error: exec: container "db" is not running (conflict)
//	  12 |     r = exec(db, "true")
//	     |             ^
//	called from app.star:20:5 in <toplevel>
//	hint: …
func (r *Runtime) FormatError(err error) string {
	if err == nil {
		return ""
	}
	if all, ok := err.(failures); ok {
		texts := make([]string, len(all))
		for i, err := range all {
			texts[i] = r.FormatError(err)
		}
		return strings.Join(texts, "\n")
	}
	var b strings.Builder
	var static *StaticError
	if errors.As(err, &static) {
		for _, p := range static.Problems {
			r.writeProblem(&b, p.Pos, p.Message, KindInvalid)
		}
		writeCallers(&b, scriptFrames(err), "loaded")
		return strings.TrimSuffix(b.String(), "\n")
	}
	frames := scriptFrames(err)
	var pos syntax.Position
	if n := len(frames); n > 0 {
		pos = frames[n-1].Pos
		frames = frames[:n-1]
	}
	r.writeProblem(&b, pos, err.Error(), KindOf(err))
	writeCallers(&b, frames, "called")
	if hint := HintOf(err); hint != "" {
		fmt.Fprintf(&b, "hint: %s\n", hint)
	}
	var panicked *panicError
	if errors.As(err, &panicked) {
		fmt.Fprintf(&b, "panic: %s\n%s\n", panicked, shortStack(panicked.stack))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// writeProblem writes a message with its position, kind and line.
func (r *Runtime) writeProblem(b *strings.Builder, pos syntax.Position, message, kind string) {
	if pos.IsValid() && pos.Filename() != builtinFile {
		fmt.Fprintf(b, "%s: ", pos)
	}
	b.WriteString("error: ")
	if strings.Contains(message, " ("+kind+")") {
		b.WriteString(message)
	} else {
		b.WriteString(withKind(message, kind))
	}
	b.WriteByte('\n')
	r.writeLine(b, pos)
}

// saysMuch reports whether a kind is worth a word beside its message.
func saysMuch(kind string) bool { return kind != "" && kind != KindFail && kind != KindInvalid }

// writeLine quotes the line of pos with a caret below its column.
func (r *Runtime) writeLine(b *strings.Builder, pos syntax.Position) {
	text, ok := r.sourceOf(pos)
	if !ok || pos.Line < 1 {
		return
	}
	lines := strings.Split(text, "\n")
	if int(pos.Line) > len(lines) {
		return
	}
	line := strings.TrimRight(lines[pos.Line-1], "\r")
	number := fmt.Sprint(pos.Line)
	margin := strings.Repeat(" ", len(number))
	const widest = 200
	runes := []rune(line)
	col := int(pos.Col) - 1
	if len(runes) > widest {
		if col >= widest {
			return
		}
		runes = append(runes[:widest], '…')
	}
	fmt.Fprintf(b, "  %s | %s\n", number, string(runes))
	if col < 0 || col > len(runes) {
		return
	}
	var indent strings.Builder
	for _, r := range runes[:col] {
		if r != '\t' {
			r = ' '
		}
		indent.WriteRune(r)
	}
	fmt.Fprintf(b, "  %s | %s^\n", margin, indent.String())
}

// writeCallers writes the frames that led to an error, innermost first.
func writeCallers(b *strings.Builder, frames []starlark.CallFrame, how string) {
	for i := len(frames) - 1; i >= 0; i-- {
		if hidden := len(frames) - 2*maxFrames; hidden > 1 && len(frames)-1-i == maxFrames {
			fmt.Fprintf(b, "… %d more calls …\n", hidden)
			i -= hidden - 1
			continue
		}
		fmt.Fprintf(b, "%s from %s in %s\n", how, frames[i].Pos, frames[i].Name)
	}
}

// scriptFrames returns the frames of script code that led to err, outermost
// first. An error may have passed several threads: their stacks are joined.
func scriptFrames(err error) []starlark.CallFrame {
	var frames []starlark.CallFrame
	for _, eval := range evalErrors(err, nil) {
		stack := withoutBuiltins(eval.CallStack)
		if hasPrefix(stack, frames) {
			frames = stack
			continue
		}
		if !hasPrefix(frames, stack) {
			frames = append(frames, stack...)
		}
	}
	return frames
}

func withoutBuiltins(stack starlark.CallStack) []starlark.CallFrame {
	frames := make([]starlark.CallFrame, 0, len(stack))
	for _, frame := range stack {
		if frame.Pos.Filename() != builtinFile {
			frames = append(frames, frame)
		}
	}
	return frames
}

func hasPrefix(frames, prefix []starlark.CallFrame) bool {
	if len(frames) < len(prefix) {
		return false
	}
	for i, frame := range prefix {
		if frames[i] != frame {
			return false
		}
	}
	return true
}

// evalErrors returns all Starlark errors in err's tree, outermost first.
func evalErrors(err error, found []*starlark.EvalError) []*starlark.EvalError {
	for err != nil {
		if eval, ok := err.(*starlark.EvalError); ok {
			found = append(found, eval)
		}
		switch wraps := err.(type) {
		case interface{ Unwrap() []error }:
			for _, err := range wraps.Unwrap() {
				found = evalErrors(err, found)
			}
			return found
		case interface{ Unwrap() error }:
			err = wraps.Unwrap()
		default:
			return found
		}
	}
	return found
}

// deepest returns the innermost Starlark error in err's tree, or nil.
func deepest(err error) *starlark.EvalError {
	all := evalErrors(err, nil)
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// traceOf returns the stack of an error as lines, outermost first.
func traceOf(err error) string {
	var b strings.Builder
	frames := scriptFrames(err)
	for i, frame := range frames {
		if hidden := len(frames) - 2*maxFrames; hidden > 1 && i >= maxFrames && i < maxFrames+hidden {
			if i == maxFrames {
				fmt.Fprintf(&b, "… %d more calls …\n", hidden)
			}
			continue
		}
		fmt.Fprintf(&b, "%s: in %s\n", frame.Pos, frame.Name)
	}
	return b.String()
}

// shortStack returns the lines of a Go stack that matter: below the panic.
func shortStack(stack string) string {
	lines := strings.Split(strings.TrimSpace(stack), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, "panic(") {
			lines = lines[min(i+2, len(lines)):]
			break
		}
	}
	return strings.Join(lines[:min(len(lines), 8)], "\n")
}

// PosOf returns the innermost script line that led to err, or an invalid
// position.
func PosOf(err error) syntax.Position {
	var static *StaticError
	if errors.As(err, &static) {
		return static.Problems[0].Pos
	}
	if frames := scriptFrames(err); len(frames) > 0 {
		return frames[len(frames)-1].Pos
	}
	return syntax.Position{}
}

// is reports whether err's tree has an error of type T.
func is[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}
