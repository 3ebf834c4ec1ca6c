package builtins

// This file holds the small forms that several builtins take: commands,
// references to containers and images, and what a None means.

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
)

// A command is what a container or an exec runs: a list is an argv, a string is
// given to /bin/sh -c. The zero value is "none given".
type command struct {
	argv  []string
	shell bool // it was a string
}

func (c *command) Unpack(v starlark.Value) error {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil
	case starlark.String:
		c.argv, c.shell = []string{"/bin/sh", "-c", string(v)}, true
		return nil
	}
	argv, err := stringList(v)
	if err != nil {
		return fmt.Errorf("want a string for the shell or a list of strings, %w", err)
	}
	if len(argv) == 0 {
		return fmt.Errorf("the list is empty: want a program and its arguments")
	}
	c.argv = argv
	return nil
}

// String shows the command as a script would write it.
func (c command) String() string {
	if c.shell {
		return fmt.Sprintf("%q", c.argv[2])
	}
	return quoteList(c.argv)
}

// quoteList shows argv as a Starlark list.
func quoteList(argv []string) string {
	quoted := make([]string, len(argv))
	for i, a := range argv {
		quoted[i] = fmt.Sprintf("%q", a)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// stringList reads a list or tuple of strings.
func stringList(v starlark.Value) ([]string, error) {
	seq, ok := v.(starlark.Sequence)
	if !ok {
		return nil, fmt.Errorf("got %s", v.Type())
	}
	if _, isDict := v.(starlark.IterableMapping); isDict {
		return nil, fmt.Errorf("got %s", v.Type())
	}
	list := make([]string, 0, seq.Len())
	for item := range starlark.Elements(seq) {
		s, ok := starlark.AsString(item)
		if !ok {
			return nil, fmt.Errorf("item %d is %s, want string", len(list), article(item.Type()))
		}
		list = append(list, s)
	}
	return list, nil
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(strings.ToLower(noun)[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// A program is an entrypoint: a list is an argv, a string names one program,
// and an empty list or string clears the image's own.
type program struct {
	argv []string
	set  bool
}

func (p *program) Unpack(v starlark.Value) error {
	p.set = true
	switch v := v.(type) {
	case starlark.NoneType:
		p.set = false
		return nil
	case starlark.String:
		if strings.ContainsAny(string(v), " \t\n") {
			return fmt.Errorf("%s has blanks in it: give the program and its arguments as a list", v)
		}
		p.argv = []string{string(v)}
		return nil
	}
	argv, err := stringList(v)
	if err != nil {
		return fmt.Errorf("want a program or a list of strings, %w", err)
	}
	if len(argv) == 0 {
		argv = []string{""} // the API's way to say "none" (ContainerCreate, Entrypoint)
	}
	p.argv = argv
	return nil
}

// A containerRef names a container in a call: a Container, or the name or id of one.
type containerRef struct {
	value *Container
	name  string
}

func (r *containerRef) Unpack(v starlark.Value) error {
	switch v := v.(type) {
	case *Container:
		r.value = v
		return nil
	case starlark.String:
		if v == "" {
			return fmt.Errorf("the name is empty")
		}
		r.name = string(v)
		return nil
	}
	return fmt.Errorf("got %s, want a Container, or the name or id of one", v.Type())
}

// NamesOf lets a prompt complete the names of containers.
func (containerRef) NamesOf() string { return "Container" }

// A containerName is a parameter that takes only a name or an id.
type containerName string

func (n *containerName) Unpack(v starlark.Value) error { return unpackName((*string)(n), v) }
func (containerName) NamesOf() string                  { return "Container" }

// An imageName is a parameter that takes a reference or an id of an image.
type imageName string

func (n *imageName) Unpack(v starlark.Value) error {
	if img, ok := v.(*Image); ok {
		*n = imageName(img.id)
		return nil
	}
	return unpackName((*string)(n), v)
}
func (imageName) NamesOf() string { return "Image" }

func unpackName(name *string, v starlark.Value) error {
	s, ok := starlark.AsString(v)
	if !ok {
		return fmt.Errorf("got %s, want string", v.Type())
	}
	if s == "" {
		return fmt.Errorf("the name is empty")
	}
	*name = s
	return nil
}

// orDefault gives a missing object's default, where the call named one, and
// else err.
func orDefault(err error, def runtime.Opt[starlark.Value]) (starlark.Value, error) {
	if def.Set && runtime.KindOf(err) == "not_found" {
		return def.Value, nil
	}
	return nil, err
}
