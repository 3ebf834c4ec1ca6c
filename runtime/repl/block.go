package repl

import (
	"errors"
	"io"
	"strings"

	"go.starlark.net/syntax"

	"github.com/dscript/dscript/runtime"
)

// isComplete reports whether lines are a whole block: nothing more is needed to
// run it, or it is wrong in a way that no further line mends. typed says that the
// last line was typed: a typed def, if, for or while ends by a blank line, as in
// Python, because more of it may follow; pasted text ends where it ends.
func isComplete(lines []string, typed bool) bool {
	text := strings.Join(lines, "\n") + "\n"
	if isBlank(text) || isCommand(text) {
		return true
	}
	f, err := runtime.Dialect().Parse("", dedent(text), 0)
	switch {
	case err != nil && endedTooEarly(err):
		return false
	case err != nil:
		return !typed || !needsMore(lines)
	}
	return !typed || isBlank(lines[len(lines)-1]) || !endsCompound(f)
}

// endedTooEarly: an unclosed bracket or string, or a block without a body. The
// parser has no type for that, only words.
func endedTooEarly(err error) bool {
	var e syntax.Error
	if !errors.As(err, &e) {
		return false
	}
	return strings.Contains(e.Msg, "end of file") || strings.Contains(e.Msg, "unexpected EOF in string")
}

// needsMore reports whether the parser, given lines one by one, would ask for
// another before it finds the error.
func needsMore(lines []string) bool {
	asked := false
	_, _ = runtime.Dialect().ParseCompoundStmt("", func() ([]byte, error) {
		if len(lines) == 0 {
			asked = true
			return nil, io.EOF
		}
		line := lines[0] + "\n"
		lines = lines[1:]
		return []byte(line), nil
	})
	return asked
}

func endsCompound(f *syntax.File) bool {
	if len(f.Stmts) == 0 {
		return false
	}
	switch f.Stmts[len(f.Stmts)-1].(type) {
	case *syntax.DefStmt, *syntax.IfStmt, *syntax.ForStmt, *syntax.WhileStmt:
		return true
	}
	return false
}

// A statement is one of a block's, with the blank lines before it that give it
// its line numbers.
type statement struct {
	text string
	expr bool // it has a value to show
}

// statements cuts a block into its statements. A block that does not parse is
// one statement: running it gives the error.
func statements(block string) []statement {
	block = dedent(block)
	f, err := runtime.Dialect().Parse("", block, 0)
	if err != nil || len(f.Stmts) == 0 {
		return []statement{{text: block}}
	}
	lines := strings.SplitAfter(block, "\n")
	var all []statement
	for i, s := range f.Stmts {
		_, isExpr := s.(*syntax.ExprStmt)
		start, _ := s.Span()
		from := int(start.Line) - 1
		if i > 0 && from < nextLine(f.Stmts[i-1]) {
			// Several on one line, by semicolons: run them as one.
			all[len(all)-1].expr = false
			continue
		}
		to := len(lines)
		if i+1 < len(f.Stmts) {
			next, _ := f.Stmts[i+1].Span()
			to = max(int(next.Line)-1, from+1)
		}
		all = append(all, statement{strings.Repeat("\n", from) + strings.Join(lines[from:to], ""), isExpr})
	}
	return all
}

// nextLine is the index of the line after s.
func nextLine(s syntax.Stmt) int {
	_, end := s.Span()
	return int(end.Line)
}

// dedent takes the indentation of the first line that is not blank from all
// lines, when all have it: what was pasted from inside a function runs too.
func dedent(text string) string {
	lines := strings.Split(text, "\n")
	indent := ""
	for _, l := range lines {
		if !isBlank(l) {
			indent = l[:len(l)-len(strings.TrimLeft(l, " \t"))]
			break
		}
	}
	if indent == "" {
		return text
	}
	for i, l := range lines {
		switch {
		case isBlank(l):
			lines[i] = ""
		case strings.HasPrefix(l, indent):
			lines[i] = l[len(indent):]
		default:
			return text
		}
	}
	return strings.Join(lines, "\n")
}

func isBlank(s string) bool { return strings.TrimSpace(s) == "" }

// isCommand reports whether a block is for the loop itself: `:who`, `exec?`.
func isCommand(text string) bool {
	text = strings.TrimSpace(text)
	if strings.Contains(text, "\n") {
		return false
	}
	return strings.HasPrefix(text, ":") || strings.HasSuffix(text, "?") && !strings.ContainsAny(text, "#\"'")
}
