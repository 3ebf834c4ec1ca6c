package runtime

// This file defines nouns: callable values with attributes, such as
// container(...) and container.get.

import (
	"fmt"

	"go.starlark.net/starlark"
)

// A NounDecl is a noun, and the value by which scripts use it.
type NounDecl struct {
	text    string
	call    *Builtin // nil: not callable
	members []Member
	lazy    lazyDoc
}

var (
	_ starlark.HasAttrs = (*NounDecl)(nil)
	_ starlark.Callable = (*NounDecl)(nil)
)

// Noun declares a noun. call is as for Func; when it is nil the noun cannot
// be called and the text begins with its name alone. Members are functions,
// nouns and constants.
func Noun(doc string, call any, members ...Member) *NounDecl {
	n := &NounDecl{text: doc, members: members}
	if call != nil {
		n.call = Func(doc, call)
	}
	return n
}

// MemberName returns the noun's name.
func (n *NounDecl) MemberName() string { return declaredName(n.text) }

// Doc returns the parsed declaration.
func (n *NounDecl) Doc() *Doc { return must(n.parse()) }

// Members returns the noun's attributes, in order.
func (n *NounDecl) Members() []Member { return n.members }

func (n *NounDecl) parse() (*Doc, error) {
	return n.lazy.get(func() (*Doc, error) {
		if n.call == nil {
			return parseDoc("noun", n.text)
		}
		doc, err := n.call.parse()
		if err != nil {
			return nil, err
		}
		noun := *doc
		noun.Kind = "noun"
		return &noun, nil
	})
}

func (n *NounDecl) check() error {
	if _, err := n.parse(); err != nil {
		return err
	}
	return checkMembers(n.MemberName(), n.members)
}

// CallInternal calls the noun: it makes one.
func (n *NounDecl) CallInternal(thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if n.call == nil {
		return nil, &Error{Kind: KindInvalid, Op: n.MemberName(), Message: "cannot be called", Hint: n.hint()}
	}
	return n.call.CallInternal(thread, args, kwargs)
}

func (n *NounDecl) hint() string {
	if len(n.members) == 0 {
		return ""
	}
	return "it has " + listed(memberNames(n.members), n.MemberName()+".")
}

// Attr returns a member's value; an unknown name is an error of kind invalid.
func (n *NounDecl) Attr(name string) (starlark.Value, error) {
	for _, m := range n.members {
		if m.MemberName() != name {
			continue
		}
		if v, ok := memberValue(m, nil); ok {
			return v, nil
		}
		return nil, Errorf(KindInternal, "%s.%s cannot be a noun's member", n.MemberName(), name)
	}
	return nil, noAttribute(n.MemberName(), name, n.AttrNames())
}

// AttrNames returns the names of the members.
func (n *NounDecl) AttrNames() []string { return memberNames(n.members) }

// Name returns the noun's name.
func (n *NounDecl) Name() string { return n.MemberName() }

// String returns "<noun name>".
func (n *NounDecl) String() string { return "<noun " + n.MemberName() + ">" }

// Type returns "noun".
func (n *NounDecl) Type() string { return "noun" }

// Freeze does nothing: nouns are immutable.
func (n *NounDecl) Freeze() {}

// Truth returns True.
func (n *NounDecl) Truth() starlark.Bool { return true }

// Hash hashes the name.
func (n *NounDecl) Hash() (uint32, error) { return starlark.String(n.MemberName()).Hash() }

// noAttribute is the error for a name that a value of ours does not have.
func noAttribute(of, name string, names []string) *Error {
	return Errorf(KindInvalid, "%s has no .%s field or method%s", of, name, didYouMean(name, names, "."))
}

// listed returns names as a list in words, each with the prefix.
func listed(names []string, prefix string) string {
	text := ""
	for i, name := range names {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s%s", prefix, name)
	}
	return text
}
