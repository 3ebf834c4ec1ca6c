package docs

// This file renders stubs for editors that treat .star files as Python.

import (
	"fmt"
	"strings"

	"github.com/dscript/dscript/runtime"
)

// Stubs returns the declarations of libraries as a Python stub file (.pyi).
// A noun is an instance of a class with __call__. assert is a keyword of
// Python: it is called assert_ there, and so are other keywords.
func Stubs(libs []*runtime.Library) string {
	s := &stubs{known: map[string]bool{}}
	for _, lib := range libs {
		for _, t := range lib.Types {
			s.known[t.MemberName()] = true
		}
	}
	s.b.WriteString("from typing import Any, Callable\n")
	for _, lib := range libs {
		for _, t := range lib.Types {
			s.class(t.MemberName(), t)
		}
		for _, m := range lib.Members {
			s.member(m, "")
		}
	}
	return s.b.String()
}

type stubs struct {
	b     strings.Builder
	known map[string]bool // the types that have a class
}

// member writes a predeclared name, or a class's attribute when indent is not "".
func (s *stubs) member(m runtime.Member, indent string) {
	d := m.Doc()
	switch {
	case d.Kind == "noun":
		class := "_" + strings.ToUpper(d.Name[:1]) + d.Name[1:]
		if indent == "" {
			s.class(class, m)
			fmt.Fprintf(&s.b, "\n%s: %s\n", pythonName(d.Name), class)
			return
		}
		fmt.Fprintf(&s.b, "%s%s: Any\n", indent, pythonName(d.Name))
	case d.Callable:
		s.function(d, pythonName(d.Name), indent)
	case indent == "":
		fmt.Fprintf(&s.b, "\n%s: %s\n", pythonName(d.Name), s.python(d.Returns))
	default:
		fmt.Fprintf(&s.b, "%s@property\n%sdef %s(self) -> %s:\n%s    %s\n", indent, indent, pythonName(d.Name), s.python(d.Returns), indent, docstring(d))
	}
}

func (s *stubs) class(name string, m runtime.Member) {
	d := m.Doc()
	fmt.Fprintf(&s.b, "\nclass %s:\n    %s\n", name, docstring(d))
	if d.Callable {
		s.function(d, "__call__", "    ")
	}
	for _, below := range m.Members() {
		s.member(below, "    ")
	}
}

func (s *stubs) function(d *runtime.Doc, name, indent string) {
	var params []string
	if indent != "" {
		params = append(params, "self")
	} else {
		s.b.WriteByte('\n')
	}
	star := false
	for _, p := range d.Params {
		if p.KeywordOnly && !star {
			params = append(params, "*")
		}
		star = star || p.KeywordOnly || p.Variadic == "*"
		params = append(params, s.param(p))
	}
	fmt.Fprintf(&s.b, "%sdef %s(%s) -> %s:\n%s    %s\n", indent, name, strings.Join(params, ", "), s.python(d.Returns), indent, docstring(d))
}

func (s *stubs) param(p runtime.Param) string {
	text := p.Variadic + pythonName(p.Name)
	if p.Variadic != "" {
		return text + ": Any"
	}
	kind := s.python(p.Type)
	if p.Default == "None" && kind != "Any" {
		kind += " | None"
	}
	text += ": " + kind
	if p.Default != "" {
		text += " = " + p.Default
	}
	return text
}

// python translates the words for a type.
func (s *stubs) python(words string) string {
	switch words {
	case "string":
		return "str"
	case "string or bytes":
		return "str | bytes"
	case "bytes", "bool", "int", "float", "list", "dict", "tuple":
		return words
	case "duration":
		return "str | int | float"
	case "size":
		return "str | int"
	case "list of strings":
		return "list[str]"
	case "tuple of strings":
		return "tuple[str, ...]"
	case "function":
		return "Callable[..., Any]"
	case "":
		return "None"
	}
	if s.known[words] {
		return fmt.Sprintf("%q", words)
	}
	return "Any"
}

// keywords of Python that a declaration may be called.
const keywords = " assert async await class del except finally from global import is nonlocal raise try with yield "

// pythonName returns a name that Python takes.
func pythonName(name string) string {
	if strings.Contains(keywords, " "+name+" ") {
		return name + "_"
	}
	return name
}

func docstring(d *runtime.Doc) string {
	return `"""` + strings.ReplaceAll(d.Summary, `"`, `'`) + `"""`
}
