package docs

// This file renders the reference as Markdown.

import (
	"fmt"
	"strings"

	"github.com/dscript/dscript/runtime"
)

// Markdown returns the reference of libraries: a section for each, a heading
// for each declaration. A declaration that stands in several places is told
// where it stands first, and the others point to it.
func Markdown(libs []*runtime.Library) string {
	m := &markdown{told: map[runtime.Member]string{}}
	for _, lib := range libs {
		for _, member := range lib.Members {
			m.told[member] = member.MemberName()
		}
	}
	for _, lib := range libs {
		fmt.Fprintf(&m.b, "## %s\n\n%s\n\n", lib.Name, strings.TrimSpace(lib.Doc))
		for _, member := range lib.Members {
			m.member(member, "", 3)
		}
		for _, t := range lib.Types {
			m.member(t, "", 3)
		}
	}
	return strings.TrimRight(m.b.String(), "\n") + "\n"
}

type markdown struct {
	b    strings.Builder
	told map[runtime.Member]string // where a declaration is told in full
}

func (m *markdown) member(member runtime.Member, of string, level int) {
	d := member.Doc()
	name := d.Name
	if of != "" {
		name = of + "." + name
	}
	fmt.Fprintf(&m.b, "%s %s\n\n", strings.Repeat("#", min(level, 6)), name)
	if first, told := m.toldAt(member); told && first != name {
		fmt.Fprintf(&m.b, "%s\n\n", m.sameAs(member, of, first))
		return
	}
	if d.Callable || d.Returns != "" {
		fmt.Fprintf(&m.b, "```python\n%s\n```\n\n", qualified(of, d))
	}
	if d.Text != "" {
		m.b.WriteString(d.Text + "\n\n")
	}
	m.params(d.Params)
	m.examples(d.Examples)
	for _, below := range member.Members() {
		m.member(below, name, level+1)
	}
}

// toldAt finds where a declaration is told in full. A method is the function
// that it is made of.
func (m *markdown) toldAt(member runtime.Member) (string, bool) {
	if method, ok := member.(*runtime.MethodDecl); ok {
		member = method.Builtin()
	}
	first, told := m.told[member]
	return first, told
}

func (m *markdown) sameAs(member runtime.Member, of, first string) string {
	if _, ok := member.(*runtime.MethodDecl); ok {
		return fmt.Sprintf("`%s`, of this %s.", first, of)
	}
	return fmt.Sprintf("The same as `%s`.", first)
}

func (m *markdown) params(params []runtime.Param) {
	wrote := false
	for _, p := range params {
		doc := p.Doc
		if w := wants(p); w != "" {
			doc = strings.TrimSpace(doc + " (" + w + ")")
		}
		if doc == "" {
			continue
		}
		wrote = true
		fmt.Fprintf(&m.b, "- `%s%s`: %s\n", p.Variadic, p.Name, doc)
	}
	if wrote {
		m.b.WriteByte('\n')
	}
}

func (m *markdown) examples(examples []runtime.Example) {
	if len(examples) == 0 {
		return
	}
	m.b.WriteString("```python\n")
	for _, e := range examples {
		m.b.WriteString(prompted(e))
	}
	m.b.WriteString("```\n\n")
}
