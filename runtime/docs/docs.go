// Package docs renders declarations: for a terminal, as Markdown, as JSON and
// as stubs for editors. It knows nothing but what is declared.
package docs

import (
	"fmt"
	"strings"

	"github.com/dscript/dscript/runtime"
)

// Lookup finds a declaration by its dotted name: "exec", "container.get",
// "Container.status". The error for an unknown name is of kind not_found and
// has a suggestion.
func Lookup(r *runtime.Runtime, name string) (runtime.Member, error) {
	members := append([]runtime.Member(nil), r.Declarations()...)
	for _, lib := range r.Libraries() {
		for _, t := range lib.Types {
			members = append(members, t)
		}
	}
	var found runtime.Member
	seen := ""
	for part := range strings.SplitSeq(name, ".") {
		found = find(members, part)
		if found == nil {
			return nil, unknown(name, seen, part, members)
		}
		seen += part + "."
		members = found.Members()
	}
	return found, nil
}

func find(members []runtime.Member, name string) runtime.Member {
	for _, m := range members {
		if m.MemberName() == name {
			return m
		}
	}
	return nil
}

func unknown(name, seen, part string, members []runtime.Member) error {
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.MemberName()
	}
	hint := ""
	if near := runtime.Nearest(part, names); near != "" {
		hint = fmt.Sprintf(" (did you mean %s%s?)", seen, near)
	}
	return runtime.Errorf("not_found", "nothing is called %s%s", name, hint)
}

// Examples returns the examples of a member and of all below it.
func Examples(m runtime.Member) []runtime.Example {
	all := m.Doc().Examples
	for _, below := range m.Members() {
		all = append(all[:len(all):len(all)], Examples(below)...)
	}
	return all
}

// qualified returns a declaration's signature with the noun or type it
// belongs to before its name.
func qualified(of string, d *runtime.Doc) string {
	rest := strings.TrimPrefix(d.Signature, d.FullName)
	if of == "" {
		return d.FullName + rest
	}
	return of + "." + d.Name + rest
}

// wants returns the words for what a parameter takes, with its default.
func wants(p runtime.Param) string {
	var parts []string
	said := p.NamesOf != "" && p.Doc != ""
	if p.Type != "" && p.Type != "value" && !said {
		parts = append(parts, p.Type)
	}
	if p.Default != "" && p.Default != "None" {
		parts = append(parts, "default "+p.Default)
	}
	return strings.Join(parts, ", ")
}
