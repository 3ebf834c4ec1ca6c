package runtime

// This file reads unfinished input for Complete: its tokens, whether it ends
// inside a string, and the call around its end.

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

type tokenKind uint8

const (
	punctToken tokenKind = iota
	identToken
	numberToken
	stringToken
)

type token struct {
	kind tokenKind
	text string
	end  int // the byte after it
}

// input is unfinished input, scanned.
type input struct {
	tokens     []token
	stringFrom int // where the text of an unfinished string begins, or -1
	comment    bool
	size       int
}

func (in input) endsInNumber() bool {
	n := len(in.tokens)
	return n > 0 && in.tokens[n-1].kind == numberToken && in.tokens[n-1].end == in.size
}

// scanInput cuts text into tokens; it takes anything.
func scanInput(text string) input {
	in := input{stringFrom: -1, size: len(text)}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		begin := i
		switch {
		case r == '#':
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				in.comment = true
				return in
			}
			i += end
			continue
		case r == '"' || r == '\'':
			end, from := stringEnd(text, i)
			if end < 0 {
				in.stringFrom = from
				return in
			}
			i = end
			in.tokens = append(in.tokens, token{stringToken, text[begin:i], i})
			continue
		case r == '_' || unicode.IsLetter(r):
			i = wordEnd(text, i)
			in.tokens = append(in.tokens, token{identToken, text[begin:i], i})
			continue
		case unicode.IsDigit(r):
			i = wordEnd(text, i)
			in.tokens = append(in.tokens, token{numberToken, text[begin:i], i})
			continue
		case r == '\n':
			in.tokens = append(in.tokens, token{punctToken, "\n", i + 1})
		case !unicode.IsSpace(r):
			in.tokens = append(in.tokens, token{punctToken, text[i : i+size], i + size})
		}
		i += size
	}
	return in
}

func wordEnd(text string, i int) int {
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		i += size
	}
	return i
}

// stringEnd returns the byte after the string that begins at i, or -1, and
// where its text begins.
func stringEnd(text string, i int) (end, from int) {
	quote := text[i : i+1]
	if strings.HasPrefix(text[i:], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	from = i + len(quote)
	for j := from; j < len(text); j++ {
		switch {
		case text[j] == '\\':
			j++
		case strings.HasPrefix(text[j:], quote):
			return j + len(quote), from
		case text[j] == '\n' && len(quote) == 1:
			return j, from // an unfinished line: the scanner goes on after it
		}
	}
	return -1, from
}

// openCall is the call whose argument the input ends in.
type openCall struct {
	params   []Param
	position int      // arguments by position before this one
	named    []string // parameters given by name before this one
	name     string   // of this argument, when it is given by name
}

// param returns the parameter of the argument at the end.
func (c openCall) param() (Param, bool) {
	for i, p := range c.params {
		if c.name == p.Name || c.name == "" && i == c.position && !p.KeywordOnly {
			return p, true
		}
	}
	return Param{}, false
}

// enclosingCall finds the innermost open parenthesis and what it calls.
func (s *Session) enclosingCall(tokens []token) (openCall, bool) {
	var call openCall
	depth, open := 0, -1
	var args [][]token
	end := len(tokens)
	for i := len(tokens) - 1; i >= 0 && open < 0; i-- {
		switch tokens[i].text {
		case ")", "]", "}":
			depth++
		case "(", "[", "{":
			if depth == 0 {
				open = i
			}
			depth--
		case ",":
			if depth == 0 {
				args = append(args, tokens[i+1:end])
				end = i
			}
		}
	}
	if open < 0 || tokens[open].text != "(" {
		return call, false
	}
	args = append(args, tokens[open+1:end])
	call.params = s.params(s.lookup(tokens[:open]))
	for i := len(args) - 1; i > 0; i-- { // the first is the one at the end
		if name := argName(args[i]); name != "" {
			call.named = append(call.named, name)
		} else {
			call.position++
		}
	}
	call.name = argName(args[0])
	return call, call.params != nil
}

// argName returns the name of an argument that is given by name.
func argName(arg []token) string {
	for len(arg) > 0 && arg[0].text == "\n" {
		arg = arg[1:]
	}
	if len(arg) > 1 && arg[0].kind == identToken && arg[1].text == "=" {
		return arg[0].text
	}
	return ""
}

// params returns the parameters of something that can be called.
func (s *Session) params(what known) []Param {
	if what.member != nil {
		if doc, err := what.member.parse(); err == nil {
			return doc.Params
		}
		return nil
	}
	fn, ok := what.value.(*starlark.Function)
	if !ok {
		return nil
	}
	params := make([]Param, fn.NumParams())
	for i := range params {
		params[i].Name, _ = fn.Param(i)
	}
	if n := len(params); n > 0 && fn.HasKwargs() {
		params[n-1].Variadic = "**"
	}
	return params
}

// lookup returns what is known of the expression that tokens end in: a name,
// then attributes, calls and so on. Nothing is evaluated.
func (s *Session) lookup(tokens []token) known {
	n := len(tokens)
	if n == 0 {
		return known{}
	}
	last := tokens[n-1]
	switch {
	case last.kind == stringToken:
		return known{value: starlark.String("")}
	case last.kind == identToken && n > 1 && tokens[n-2].text == ".":
		return s.attr(s.lookup(tokens[:n-2]), last.text)
	case last.kind == identToken:
		if v, ok := s.globals[last.text]; ok {
			return s.ofValue(v)
		}
		if v, ok := s.rt.predeclared[last.text]; ok {
			return s.ofValue(v)
		}
	case last.text == ")":
		if open := opening(tokens); open > 0 {
			return s.result(s.lookup(tokens[:open]).member)
		}
	}
	return known{}
}

// opening returns the index of the bracket that the last token closes, or -1.
func opening(tokens []token) int {
	depth := 0
	for i := len(tokens) - 1; i >= 0; i-- {
		switch tokens[i].text {
		case ")", "]", "}":
			depth++
		case "(", "[", "{":
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// attr returns what is known of an attribute. Only Starlark's own values are
// asked for it: theirs cost nothing.
func (s *Session) attr(of known, name string) known {
	for _, m := range of.members() {
		if m.MemberName() != name {
			continue
		}
		switch m := m.(type) {
		case *AttrDecl:
			return s.result(m)
		case *ConstDecl:
			return s.ofValue(m.value(nil))
		}
		return known{member: m}
	}
	switch v := of.value.(type) {
	case *starlarkstruct.Struct, *starlarkstruct.Module, starlark.String, starlark.Bytes, *starlark.List, *starlark.Dict, *starlark.Set:
		if found, err := v.(starlark.HasAttrs).Attr(name); err == nil && found != nil {
			return s.ofValue(found)
		}
	}
	return known{}
}
