// Package docs renders declarations: for a terminal, as Markdown, as JSON and
// as stubs for editors. It knows nothing but what is declared.
package docs

import (
	"fmt"

	"github.com/dscript/dscript/runtime"
)

// Text returns the help of a member for a terminal of the given width (0: 80).
func Text(m runtime.Member, width int) string { return m.Doc().Signature }

// Markdown returns the reference of libraries.
func Markdown(libs []*runtime.Library) string { return "" }

// JSON returns the declarations of libraries as JSON, for tools.
func JSON(libs []*runtime.Library) ([]byte, error) { return nil, nil }

// Stubs returns the declarations of libraries as a Python stub file (.pyi).
func Stubs(libs []*runtime.Library) string { return "" }

// Lookup finds a declaration by its dotted name: "exec", "container.get",
// "Container.status". The error for an unknown name has a suggestion.
func Lookup(r *runtime.Runtime, name string) (runtime.Member, error) {
	return nil, fmt.Errorf("no %s", name)
}

// Examples returns the examples of a member and of all below it.
func Examples(m runtime.Member) []runtime.Example { return m.Doc().Examples }
