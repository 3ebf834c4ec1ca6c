package runtime

// This file defines what a declaration is, whatever it declares.

import (
	"fmt"
	"sync"

	"go.starlark.net/starlark"
)

// A Member is a declaration: a *Builtin, *NounDecl, *TypeDecl, *AttrDecl,
// *MethodDecl or *ConstDecl. Members are immutable and safe for concurrent
// use; the text is parsed when it is first needed.
type Member interface {
	// MemberName returns the name by which scripts use it, without the noun
	// or type that it belongs to.
	MemberName() string

	// Doc returns the parsed declaration. It panics when the text and the
	// Go code disagree; Runtime.Check finds such a text beforehand.
	Doc() *Doc

	// Members returns what can follow its name and a dot, in order.
	Members() []Member

	parse() (*Doc, error)
	check() error
}

// A Doc is a parsed declaration: all that docs, help, stubs and completion know.
type Doc struct {
	Kind      string // "function", "noun", "type", "attribute", "method", "constant"
	Name      string // without the noun or type it belongs to
	FullName  string // as written: "container.get"
	Signature string // the first line, normalised: "exec(container, cmd, *, env={}) -> Result"
	Usage     string // the same, short enough for an error
	Callable  bool
	Params    []Param // in order; a method's without its receiver
	Returns   string  // the text after "->", or ""
	Summary   string  // the first paragraph after the signature, on one line
	Text      string  // all after the signature except the examples and the lines about parameters
	Examples  []Example
}

// A Param is a parameter of a declared function.
type Param struct {
	Name        string
	Default     string // as written; "" when it is required
	Required    bool
	KeywordOnly bool
	Variadic    string // "*" or "**" for *args and **kwargs, else ""
	Type        string // what is wanted, in words: "string", "duration"
	Doc         string // from the declaration's text
	NamesOf     string // the type whose live names fit, or ""
}

// An Example is one `>>>` statement of a declaration and what it shows.
type Example struct {
	Source string // one or more lines, without the prompts
	Want   string // the lines that follow; "" when nothing is shown
}

// lazyDoc parses a declaration's text once.
type lazyDoc struct {
	once sync.Once
	doc  *Doc
	err  error
}

func (l *lazyDoc) get(parse func() (*Doc, error)) (*Doc, error) {
	l.once.Do(func() { l.doc, l.err = parse() })
	return l.doc, l.err
}

// must returns doc, or panics when the declaration is wrong.
func must(doc *Doc, err error) *Doc {
	if err != nil {
		panic(err)
	}
	return doc
}

// checkMembers forces every member and refuses two of one name.
func checkMembers(of string, members []Member) error {
	seen := make(map[string]bool, len(members))
	for _, m := range members {
		if seen[m.MemberName()] {
			return fmt.Errorf("%s: %s is declared twice", of, m.MemberName())
		}
		seen[m.MemberName()] = true
		if err := m.check(); err != nil {
			return fmt.Errorf("%s: %w", of, err)
		}
	}
	return nil
}

// memberNames returns the names of members, in order.
func memberNames(members []Member) []string {
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.MemberName()
	}
	return names
}

// memberValue returns what a script gets for a predeclared member or a
// noun's; recv is nil for those.
func memberValue(m Member, r *Runtime) (starlark.Value, bool) {
	switch m := m.(type) {
	case *Builtin:
		return m, true
	case *NounDecl:
		return m, true
	case *ConstDecl:
		return m.value(r), true
	}
	return nil, false
}

// A ConstDecl declares a value.
type ConstDecl struct {
	text string
	val  starlark.Value
	make func(*Runtime) starlark.Value
	lazy lazyDoc
}

// Const declares a value. The text begins with its name, or "name -> type".
func Const(doc string, value starlark.Value) Member {
	return &ConstDecl{text: doc, val: value}
}

// Given declares a value that depends on the Runtime, as args does; value is
// called once for each Runtime. Only a Library's own members can be so made.
func Given(doc string, value func(*Runtime) starlark.Value) Member {
	return &ConstDecl{text: doc, make: value}
}

func (c *ConstDecl) value(r *Runtime) starlark.Value {
	if c.make != nil && r != nil {
		return c.make(r)
	}
	if c.val == nil {
		return starlark.None
	}
	return c.val
}

// MemberName returns the value's name.
func (c *ConstDecl) MemberName() string { return declaredName(c.text) }

// Doc returns the parsed declaration.
func (c *ConstDecl) Doc() *Doc { return must(c.parse()) }

// Members returns nil.
func (c *ConstDecl) Members() []Member { return nil }

func (c *ConstDecl) parse() (*Doc, error) {
	return c.lazy.get(func() (*Doc, error) { return parseDoc("constant", c.text) })
}

func (c *ConstDecl) check() error { _, err := c.parse(); return err }
