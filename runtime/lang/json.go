package lang

// This file defines json: Starlark's own, which ends the process for deeply
// nested input, behind a check of depth and size.

import (
	"fmt"

	starjson "go.starlark.net/lib/json"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/dscript/dscript/runtime"
)

const (
	jsonDepth = 1000
	jsonSize  = 64 << 20
)

const jsonDoc = `
json

Read and write JSON, at most 1000 deep and 64 MiB large.
`

const jsonDecodeDoc = `
json.decode(x, default=None) -> value

Return the value of a JSON text.

x        a string or bytes
default  what to return for a text that is not JSON, instead of an error

>>> json.decode('{"a": [1, 2.5, null]}')
{"a": [1, 2.5, None]}
`

const jsonEncodeDoc = `
json.encode(x, *, indent="", prefix="") -> string

Return the JSON text of a value: dicts and structs are objects.

indent  when given, the text has lines, indented by it

>>> json.encode({"a": [1, True, None]})
"{\"a\":[1,true,null]}"
`

const jsonIndentDoc = `
json.indent(s, *, prefix="", indent="\t") -> string

Return a JSON text with lines and indentation.

>>> print(json.indent('{"a":1}', indent="  "))
{
  "a": 1
}
`

const jsonEncodeIndentDoc = `
json.encode_indent(x, *, prefix="", indent="\t") -> string

Return the JSON text of a value with lines and indentation.

>>> print(json.encode_indent({"a": 1}, indent="  "))
{
  "a": 1
}
`

func jsonNoun() *runtime.NounDecl {
	return runtime.Noun(jsonDoc, nil,
		runtime.Func(jsonDecodeDoc, jsonDecode),
		runtime.Func(jsonEncodeDoc, jsonEncode),
		runtime.Func(jsonEncodeIndentDoc, jsonEncode),
		runtime.Func(jsonIndentDoc, jsonIndent),
	)
}

type jsonDecodeArgs struct {
	X       []byte
	Default starlark.Value
}

func jsonDecode(call *runtime.Call, a jsonDecodeArgs) (starlark.Value, error) {
	if err := checkJSON(a.X); err != nil {
		return nil, err
	}
	v, err := starJSON(call, "decode", starlark.Tuple{starlark.String(a.X)}, nil)
	if err != nil && a.Default != nil {
		return a.Default, nil
	}
	return v, err
}

type jsonEncodeArgs struct {
	X      starlark.Value
	Indent string
	Prefix string
}

func jsonEncode(call *runtime.Call, a jsonEncodeArgs) (starlark.Value, error) {
	m := measure{sizes: make(map[starlark.Value]int)}
	if _, err := m.size(a.X, 0); err != nil {
		return nil, &runtime.Error{Kind: runtime.KindInvalid, Op: "json.encode", Message: err.Error()}
	}
	v, err := starJSON(call, "encode", starlark.Tuple{a.X}, nil)
	if err != nil || a.Indent == "" && a.Prefix == "" {
		return v, err
	}
	text, _ := starlark.AsString(v)
	return jsonIndent(call, jsonIndentArgs{S: []byte(text), Indent: a.Indent, Prefix: a.Prefix})
}

type jsonIndentArgs struct {
	S      []byte
	Prefix string
	Indent string
}

func jsonIndent(call *runtime.Call, a jsonIndentArgs) (starlark.Value, error) {
	if err := checkJSON(a.S); err != nil {
		return nil, err
	}
	return starJSON(call, "indent", starlark.Tuple{starlark.String(a.S)}, []starlark.Tuple{
		{starlark.String("prefix"), starlark.String(a.Prefix)},
		{starlark.String("indent"), starlark.String(a.Indent)},
	})
}

// starJSON calls a function of Starlark's module. It is not called through
// starlark.Call, so that the error is about the script's call of ours.
func starJSON(call *runtime.Call, name string, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	fn := starjson.Module.Members[name].(*starlark.Builtin)
	v, err := fn.CallInternal(call.Thread(), args, kwargs)
	if err != nil {
		return nil, &runtime.Error{Kind: runtime.KindInvalid, Message: err.Error(), Err: err}
	}
	return v, nil
}

// checkJSON refuses a text that is too large, or too deep for a recursive
// decoder. It looks at brackets outside strings and at nothing else.
func checkJSON(text []byte) error {
	if len(text) > jsonSize {
		return runtime.Errorf(runtime.KindInvalid, "json: the text has %d bytes, more than %d MiB", len(text), jsonSize>>20)
	}
	depth, inString := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '[' || c == '{':
			if depth++; depth > jsonDepth {
				return runtime.Errorf(runtime.KindInvalid, "json: the text is nested more than %d deep", jsonDepth)
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return nil
}

// measure estimates the JSON size of a value from below. It sees each dict
// and list once: a small value can hold itself very many times over.
type measure struct {
	sizes map[starlark.Value]int // -1 while the value is being measured
}

// errTooLarge is for a value whose text would be too large.
var errTooLarge = fmt.Errorf("the text would have more than %d MiB", jsonSize>>20)

func (m *measure) size(v starlark.Value, depth int) (int, error) {
	if depth > jsonDepth {
		return 0, fmt.Errorf("the value is nested more than %d deep", jsonDepth)
	}
	switch v := v.(type) {
	case starlark.String:
		return len(v) + 2, nil
	case starlark.Tuple:
		return m.sum(v, depth)
	case *starlarkstruct.Struct:
		fields := fieldsOf(v)
		return m.sum(fields, depth)
	case *starlark.Dict, *starlark.List, *starlark.Set:
		if size, ok := m.sizes[v]; size < 0 {
			return 0, fmt.Errorf("the %s contains itself", v.Type())
		} else if ok {
			return size, nil
		}
		m.sizes[v] = -1
		size, err := m.sum(v.(starlark.Iterable), depth)
		m.sizes[v] = size
		return size, err
	}
	return 1, nil
}

// sum adds up the sizes of a value's items.
func (m *measure) sum(v starlark.Iterable, depth int) (int, error) {
	total := 2
	add := func(item starlark.Value) error {
		size, err := m.size(item, depth+1)
		if total += size + 1; err == nil && total > jsonSize {
			err = errTooLarge
		}
		return err
	}
	dict, _ := v.(*starlark.Dict)
	for item := range starlark.Elements(v) {
		if err := add(item); err != nil {
			return 0, err
		}
		if dict == nil {
			continue
		}
		value, _, err := dict.Get(item)
		if err == nil {
			err = add(value)
		}
		if err != nil {
			return 0, err
		}
	}
	return total, nil
}
