package docs

// This file renders for a terminal.

import (
	"fmt"
	"strings"

	"github.com/dscript/dscript/runtime"
)

const defaultWidth = 80

// Text returns the help of a member for a terminal of the given width (0:
// 80): signature, what it does, parameters, what belongs to it, examples.
func Text(m runtime.Member, width int) string {
	if width <= 0 {
		width = defaultWidth
	}
	d := m.Doc()
	t := &text{width: width}
	t.signature(d)
	if d.Text != "" {
		t.gap()
		t.b.WriteString(d.Text + "\n")
	}
	t.params(d.Params)
	t.members(m.Members(), d.Kind)
	t.examples(d.Examples)
	return t.b.String()
}

// Overview lists all that is predeclared, a line each.
func Overview(r *runtime.Runtime) string {
	t := &text{width: defaultWidth}
	for _, lib := range r.Libraries() {
		t.gap()
		t.b.WriteString(firstSentence(lib.Doc) + "\n")
		t.table(lib.Members)
	}
	t.gap()
	t.b.WriteString("help(x) says more about x; help(\"container.get\") about a name.\n")
	return t.b.String()
}

type text struct {
	b     strings.Builder
	width int
}

func (t *text) gap() {
	if t.b.Len() > 0 {
		t.b.WriteByte('\n')
	}
}

// signature writes a signature, over several lines when it is too long.
func (t *text) signature(d *runtime.Doc) {
	if len(d.Signature) <= t.width || !d.Callable {
		t.b.WriteString(d.Signature + "\n")
		return
	}
	t.b.WriteString(d.FullName + "(\n")
	inner := strings.TrimPrefix(d.Signature, d.FullName+"(")
	tail := ")"
	if d.Returns != "" {
		tail = ") -> " + d.Returns
	}
	inner = strings.TrimSuffix(inner, tail)
	t.wrap(strings.Split(inner, ", "), ", ", 4)
	t.b.WriteString(tail + "\n")
}

// wrap writes words as lines of at most the width, indented.
func (t *text) wrap(words []string, sep string, indent int) {
	margin := strings.Repeat(" ", indent)
	line := margin
	for i, word := range words {
		if i < len(words)-1 {
			word += strings.TrimRight(sep, " ")
		}
		if len(line) > indent && len(line)+1+len(word) > t.width {
			t.b.WriteString(line + "\n")
			line = margin
		}
		if len(line) > indent {
			line += " "
		}
		line += word
	}
	t.b.WriteString(line + "\n")
}

func (t *text) params(params []runtime.Param) {
	widest := 0
	for _, p := range params {
		widest = max(widest, len(p.Variadic+p.Name))
	}
	wrote := false
	for _, p := range params {
		doc := p.Doc
		if w := wants(p); w != "" {
			doc = strings.TrimSpace(doc + " (" + w + ")")
		}
		if doc == "" {
			continue
		}
		if !wrote {
			t.gap()
			wrote = true
		}
		t.entry(p.Variadic+p.Name, doc, widest)
	}
}

// entry writes a name and what it is, with a hanging indent.
func (t *text) entry(name, doc string, widest int) {
	indent := 2 + widest + 2
	var wrapped text
	wrapped.width = t.width
	wrapped.wrap(strings.Fields(doc), "", indent)
	body := wrapped.b.String()
	fmt.Fprintf(&t.b, "  %-*s  %s", widest, name, body[min(indent, len(body)):])
}

func (t *text) members(members []runtime.Member, kind string) {
	if len(members) == 0 {
		return
	}
	t.gap()
	if kind == "type" {
		t.b.WriteString("Attributes and methods:\n")
	}
	t.table(members)
}

func (t *text) table(members []runtime.Member) {
	widest := 0
	for _, m := range members {
		widest = max(widest, len(brief(m.Doc())))
	}
	widest = min(widest, 24)
	for _, m := range members {
		t.entry(brief(m.Doc()), firstSentence(m.Doc().Summary), widest)
	}
}

// brief is a name with parentheses where it can be called.
func brief(d *runtime.Doc) string {
	if d.Callable {
		return d.Name + "()"
	}
	return d.Name
}

// firstSentence returns a text up to its first full stop.
func firstSentence(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if i := strings.Index(text, ". "); i >= 0 {
		return text[:i+1]
	}
	return text
}

func (t *text) examples(examples []runtime.Example) {
	for i, e := range examples {
		if i == 0 {
			t.gap()
		}
		t.b.WriteString(prompted(e))
	}
}

// prompted writes an example as at a prompt.
func prompted(e runtime.Example) string {
	text := ">>> " + strings.ReplaceAll(e.Source, "\n", "\n... ") + "\n"
	if e.Want != "" {
		text += e.Want + "\n"
	}
	return text
}
