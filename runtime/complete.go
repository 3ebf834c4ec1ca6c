package runtime

// This file completes what somebody types, from declarations and globals. It
// never runs script code and never asks a value anything that could run some.

import (
	"context"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"
)

// A Candidate is one way to go on.
type Candidate struct {
	Text   string // what replaces the text from replaceFrom on
	Detail string // a signature or a few words, to be shown beside it; may be ""
}

// namesPatience is how long live names may take.
const namesPatience = 150 * time.Millisecond

// Complete returns what may follow text, the input up to the cursor, and the
// byte from which a candidate replaces it: names, attributes of values and of
// declared return types, parameters inside a call, and live names inside a
// string that is an argument. Candidates are sorted, parameters first.
// It must not be called while the session runs something.
func (s *Session) Complete(text string) (replaceFrom int, candidates []Candidate) {
	in := scanInput(text)
	if in.comment {
		return len(text), nil
	}
	if in.stringFrom >= 0 {
		return in.stringFrom, s.completeString(in, text[in.stringFrom:])
	}
	prefix := ""
	tokens := in.tokens
	if n := len(tokens); n > 0 && tokens[n-1].kind == identToken && tokens[n-1].end == len(text) {
		prefix, tokens = tokens[n-1].text, tokens[:n-1]
	}
	from := len(text) - len(prefix)
	if n := len(tokens); n > 0 && tokens[n-1].text == "." {
		return from, s.completeAttr(tokens[:n-1], prefix)
	}
	if prefix == "" && len(text) > 0 && in.endsInNumber() {
		return from, nil
	}
	return from, append(s.completeParam(tokens, prefix), s.completeName(prefix)...)
}

// completeName completes globals, predeclared names and Starlark's own.
func (s *Session) completeName(prefix string) []Candidate {
	details := make(map[string]string)
	for _, name := range starlark.Universe.Keys() {
		details[name] = ""
	}
	for _, word := range strings.Fields("and break continue def elif else for if in lambda load not or pass return while") {
		details[word] = ""
	}
	for _, m := range s.rt.members {
		details[m.MemberName()] = detailOf(m)
	}
	for name, v := range s.globals {
		details[name] = v.Type()
	}
	return matching(details, prefix)
}

// completeAttr completes what may follow an expression and a dot.
func (s *Session) completeAttr(tokens []token, prefix string) []Candidate {
	what := s.lookup(tokens)
	details := make(map[string]string)
	for _, m := range what.members() {
		details[m.MemberName()] = detailOf(m)
	}
	if v, ok := what.value.(starlark.HasAttrs); ok {
		for _, name := range v.AttrNames() {
			if _, known := details[name]; !known {
				details[name] = ""
			}
		}
	}
	return matching(details, prefix)
}

// completeParam completes the parameters of the call that tokens end in,
// where an argument begins.
func (s *Session) completeParam(tokens []token, prefix string) []Candidate {
	n := len(tokens)
	if n == 0 || tokens[n-1].text != "(" && tokens[n-1].text != "," {
		return nil
	}
	call, ok := s.enclosingCall(tokens)
	if !ok {
		return nil
	}
	var candidates []Candidate
	for i, p := range call.params {
		taken := i < call.position || slices.Contains(call.named, p.Name)
		if taken || p.Variadic != "" || !strings.HasPrefix(p.Name, prefix) {
			continue
		}
		candidates = append(candidates, Candidate{Text: p.Name + "=", Detail: p.Doc})
	}
	return candidates
}

// completeString completes live names in a string that is an argument.
func (s *Session) completeString(in input, prefix string) []Candidate {
	call, ok := s.enclosingCall(in.tokens)
	if !ok {
		return nil
	}
	p, ok := call.param()
	if !ok || p.NamesOf == "" {
		return nil
	}
	details := make(map[string]string)
	for _, name := range s.liveNames(p.NamesOf) {
		details[name] = p.NamesOf
	}
	return matching(details, prefix)
}

// liveNames asks the libraries for the names of a type, for as long as is
// bearable at a prompt. What comes later is lost.
func (s *Session) liveNames(of string) []string {
	ctx, cancel := context.WithTimeout(s.ctx, namesPatience)
	defer cancel()
	found := make(chan []string, len(s.rt.cfg.Libraries))
	asked := 0
	for _, lib := range s.rt.cfg.Libraries {
		if list, ok := lib.Names[of]; ok {
			asked++
			go func() { found <- list(ctx, s) }() // found has room: it ends when list does
		}
	}
	var names []string
	for range asked {
		select {
		case more := <-found:
			names = append(names, more...)
		case <-ctx.Done():
			return names
		}
	}
	return names
}

// matching returns the names that begin with prefix, in order.
func matching(details map[string]string, prefix string) []Candidate {
	var candidates []Candidate
	for _, name := range sortedKeys(details) {
		hidden := strings.HasPrefix(name, "_") && prefix == ""
		if strings.HasPrefix(name, prefix) && !hidden {
			candidates = append(candidates, Candidate{Text: name, Detail: details[name]})
		}
	}
	return candidates
}

// detailOf returns a declaration's signature or summary.
func detailOf(m Member) string {
	doc, err := m.parse()
	if err != nil {
		return ""
	}
	if doc.Callable || doc.Returns != "" {
		return doc.Signature
	}
	return doc.Summary
}

// known is what Complete knows of an expression without evaluating it: its
// value, its declaration, or its type.
type known struct {
	value  starlark.Value
	member Member
	typ    *TypeDecl
}

func (k known) members() []Member {
	if k.typ != nil {
		return k.typ.members
	}
	if k.member != nil {
		return k.member.Members()
	}
	return nil
}

// ofValue returns what is known of a value that a name stands for.
func (s *Session) ofValue(v starlark.Value) known {
	if m := MemberOf(v); m != nil {
		return known{member: m}
	}
	if t := s.rt.TypeOf(v); t != nil {
		return known{typ: t}
	}
	return known{value: v}
}

// ofType returns what is known of a declared type: "Container", "string".
func (s *Session) ofType(words string) known {
	name, _, _ := strings.Cut(words, " ")
	if t := s.rt.types[name]; t != nil {
		return known{typ: t}
	}
	switch name {
	case "string":
		return known{value: starlark.String("")}
	case "bytes":
		return known{value: starlark.Bytes("")}
	case "list":
		return known{value: starlark.NewList(nil)}
	case "dict":
		return known{value: starlark.NewDict(0)}
	}
	return known{}
}

// result returns what is known of what a declaration returns.
func (s *Session) result(m Member) known {
	if m == nil {
		return known{}
	}
	doc, err := m.parse()
	if err != nil {
		return known{}
	}
	return s.ofType(doc.Returns)
}
