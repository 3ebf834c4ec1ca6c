package runtime

// This file defines types: what a library's values offer after a dot.

import (
	"reflect"

	"go.starlark.net/starlark"
)

// A TypeDecl declares the attributes and methods of a type of values.
type TypeDecl struct {
	text    string
	goType  reflect.Type
	members []Member
	byName  map[string]Member
	lazy    lazyDoc
}

// Type declares the type whose Go values are T. The text begins with the
// type's name ("Container"); members come from Attr, Func and As. A Func's
// first parameter is the receiver, as if it were given by As.
func Type[T starlark.Value](doc string, members ...Member) *TypeDecl {
	t := &TypeDecl{text: doc, goType: reflect.TypeFor[T]()}
	t.byName = make(map[string]Member, len(members))
	for _, m := range members {
		if b, ok := m.(*Builtin); ok {
			m = b.As(b.MemberName())
		}
		t.members = append(t.members, m)
		t.byName[m.MemberName()] = m
	}
	return t
}

// MemberName returns the type's name.
func (t *TypeDecl) MemberName() string { return declaredName(t.text) }

// Doc returns the parsed declaration.
func (t *TypeDecl) Doc() *Doc { return must(t.parse()) }

// Members returns the attributes and methods, in order.
func (t *TypeDecl) Members() []Member { return t.members }

func (t *TypeDecl) parse() (*Doc, error) {
	return t.lazy.get(func() (*Doc, error) { return parseDoc("type", t.text) })
}

func (t *TypeDecl) check() error {
	if _, err := t.parse(); err != nil {
		return err
	}
	return checkMembers(t.MemberName(), t.members)
}

// Is reports whether v is a value of the type.
func (t *TypeDecl) Is(v starlark.Value) bool {
	return v != nil && reflect.TypeOf(v) == t.goType
}

// AttrNames returns the names of all attributes and methods, for a value's
// own AttrNames.
func (t *TypeDecl) AttrNames() []string { return memberNames(t.members) }

// Attr returns an attribute or a bound method of recv, for a value's own
// Attr. It never returns (nil, nil): an unknown name is an error with a
// suggestion over all names. An attribute that asks an engine does so in the
// call that runs now in s. s may be nil for a type whose attributes use
// nothing of their Call.
func (t *TypeDecl) Attr(s *Session, recv starlark.Value, name string) (starlark.Value, error) {
	switch m := t.byName[name].(type) {
	case *AttrDecl:
		return m.read(s, recv, t.MemberName()+"."+name)
	case *MethodDecl:
		return &boundMethod{method: m, recv: recv}, nil
	case nil:
		return nil, noAttribute(recv.Type(), name, t.AttrNames())
	default:
		v, _ := memberValue(m, nil)
		return v, nil
	}
}

// An AttrDecl declares an attribute.
type AttrDecl struct {
	text string
	get  func(*Call, starlark.Value) (any, error)
	lazy lazyDoc
}

// Attr declares an attribute. The text begins with "name -> type". get is
// called each time it is read; what it returns goes through ToValue.
func Attr[T any](doc string, get func(*Call, T) (any, error)) Member {
	return &AttrDecl{text: doc, get: func(c *Call, recv starlark.Value) (any, error) {
		value, ok := recv.(T)
		if !ok {
			return nil, Errorf(KindInternal, "%s is declared for %s, not for %s", c.Name(), reflect.TypeFor[T](), recv.Type())
		}
		return get(c, value)
	}}
}

// MemberName returns the attribute's name.
func (a *AttrDecl) MemberName() string { return declaredName(a.text) }

// Doc returns the parsed declaration.
func (a *AttrDecl) Doc() *Doc { return must(a.parse()) }

// Members returns nil.
func (a *AttrDecl) Members() []Member { return nil }

func (a *AttrDecl) parse() (*Doc, error) {
	return a.lazy.get(func() (*Doc, error) { return parseDoc("attribute", a.text) })
}

func (a *AttrDecl) check() error { _, err := a.parse(); return err }

func (a *AttrDecl) read(s *Session, recv starlark.Value, op string) (v starlark.Value, err error) {
	call, done, err := s.attrCall(op)
	if err != nil {
		return nil, err
	}
	defer done()
	defer recoverInto(&err, op)
	result, err := a.get(call, recv)
	if err != nil {
		return nil, err
	}
	return ToValue(result)
}

// A MethodDecl declares a method: a Builtin whose first parameter is the receiver.
type MethodDecl struct {
	builtin *Builtin
	name    string // "" means the builtin's own
	lazy    lazyDoc
}

// As returns the method that is the same function with its first parameter
// as the receiver. name is the name of that parameter, and the method is
// called as the function is; any other name is a name for the method.
func (b *Builtin) As(name string) Member {
	if name == b.firstParam() {
		name = b.MemberName()
	}
	return &MethodDecl{builtin: b, name: name}
}

// Builtin returns the function that the method is.
func (m *MethodDecl) Builtin() *Builtin { return m.builtin }

// MemberName returns the method's name.
func (m *MethodDecl) MemberName() string { return m.name }

// Doc returns the parsed declaration, without the receiver.
func (m *MethodDecl) Doc() *Doc { return must(m.parse()) }

// Members returns nil.
func (m *MethodDecl) Members() []Member { return nil }

func (m *MethodDecl) parse() (*Doc, error) {
	return m.lazy.get(func() (*Doc, error) {
		doc, err := m.builtin.parse()
		if err != nil {
			return nil, err
		}
		return doc.asMethod(m.name)
	})
}

func (m *MethodDecl) check() error { _, err := m.parse(); return err }

// A boundMethod is a method with its receiver: what x.f is.
type boundMethod struct {
	method *MethodDecl
	recv   starlark.Value
}

var _ starlark.Callable = (*boundMethod)(nil)

func (m *boundMethod) Name() string { return m.method.name }
func (m *boundMethod) String() string {
	return "<method " + m.method.name + " of " + m.recv.Type() + ">"
}
func (m *boundMethod) Type() string         { return "builtin_function_or_method" }
func (m *boundMethod) Freeze()              { m.recv.Freeze() }
func (m *boundMethod) Truth() starlark.Bool { return true }

func (m *boundMethod) Hash() (uint32, error) { return starlark.String(m.method.name).Hash() }

func (m *boundMethod) CallInternal(thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return m.method.builtin.invoke(thread, m.recv, m.method, args, kwargs)
}

// MemberOf returns the declaration behind a value that a script holds: a
// function, a noun or a bound method; nil when it is none of ours.
func MemberOf(v starlark.Value) Member {
	switch v := v.(type) {
	case *Builtin:
		return v
	case *NounDecl:
		return v
	case *boundMethod:
		return v.method
	}
	return nil
}
