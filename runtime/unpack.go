package runtime

// This file unpacks the arguments of a declared function. Starlark's own
// UnpackArgs suggests only among half of the parameters and drops causes.

import (
	"fmt"
	"reflect"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// param is a parameter bound to its field.
type param struct {
	name       string
	index      []int
	set        setter
	wants      string
	required   bool
	noneIsZero bool        // None leaves the zero value
	fresh      syntax.Expr // a default that is made for each call, or nil
}

// argField is an exported field of a struct of parameters.
type argField struct {
	name  string
	index []int
	typ   reflect.Type
	used  bool
}

// fieldsOf returns the exported fields of a struct, those of embedded structs
// among them, by folded name.
func fieldsOf(t reflect.Type) map[string]*argField {
	fields := make(map[string]*argField)
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous && f.Type.Kind() == reflect.Struct || !f.IsExported() {
			continue
		}
		fields[foldName(f.Name)] = &argField{name: f.Name, index: f.Index, typ: f.Type}
	}
	return fields
}

// unpack sets the fields of in from the arguments.
func (d *declared) unpack(in reflect.Value, recv starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) error {
	var given [64]bool // more parameters than that are looked up by name only
	first := 0
	if recv != nil {
		if err := d.params[0].assign(in, recv); err != nil {
			return err
		}
		given[0], first = true, 1
	}
	positional := args
	if room := d.posMax - first; len(args) > room {
		if d.star == nil {
			return fmt.Errorf("takes %s, got %d", positionals(room), len(args))
		}
		positional = args[:room]
		in.FieldByIndex(d.star).Set(reflect.ValueOf(args[room:]))
	}
	for i, v := range positional {
		given[first+i] = true
		if err := d.params[first+i].assign(in, v); err != nil {
			return err
		}
	}
	if err := d.unpackNamed(in, kwargs, &given, first); err != nil {
		return err
	}
	return d.fillIn(in, &given)
}

func positionals(n int) string {
	switch n {
	case 0:
		return "no positional arguments"
	case 1:
		return "at most 1 positional argument"
	}
	return fmt.Sprintf("at most %d positional arguments", n)
}

func (d *declared) unpackNamed(in reflect.Value, kwargs []starlark.Tuple, given *[64]bool, first int) error {
	var rest []starlark.Tuple
	for _, kw := range kwargs {
		name := string(kw[0].(starlark.String))
		i, ok := d.names[name]
		switch {
		case ok && i >= first && given[i]:
			return fmt.Errorf("parameter %s is given twice", name)
		case ok && i >= first:
			given[i] = true
			if err := d.params[i].assign(in, kw[1]); err != nil {
				return err
			}
		case d.kwargs != nil:
			rest = append(rest, kw)
		default:
			return fmt.Errorf("no parameter %s%s", name, didYouMean(name, d.paramNames(first), ""))
		}
	}
	if rest != nil {
		in.FieldByIndex(d.kwargs).Set(reflect.ValueOf(rest))
	}
	return nil
}

// fillIn looks for what was not given.
func (d *declared) fillIn(in reflect.Value, given *[64]bool) error {
	for i := range d.params {
		p := &d.params[i]
		if given[i] || !p.required && p.fresh == nil {
			continue
		}
		if p.required {
			return fmt.Errorf("missing parameter %s", p.name)
		}
		v, err := literalValue(p.fresh)
		if err != nil {
			return err
		}
		if err := p.assign(in, v); err != nil {
			return err
		}
	}
	return nil
}

func (d *declared) paramNames(first int) []string {
	names := make([]string, 0, len(d.params))
	for _, p := range d.params[first:] {
		names = append(names, p.name)
	}
	return names
}

// assign sets the parameter's field from an argument.
func (p *param) assign(in reflect.Value, v starlark.Value) error {
	var field reflect.Value
	if len(p.index) == 1 {
		field = in.Field(p.index[0])
	} else {
		field = in.FieldByIndex(p.index)
	}
	if v == starlark.None && p.noneIsZero {
		field.SetZero()
		return nil
	}
	if err := p.set(field, v); err != nil {
		return fmt.Errorf("parameter %s: %w", p.name, err)
	}
	return nil
}

// usageError is what a wrong call gets.
func (d *declared) usageError(err error, m *MethodDecl) error {
	usage, op := d.doc.Usage, d.doc.FullName
	if m != nil {
		if doc, wrong := m.parse(); wrong == nil {
			usage, op = doc.Usage, doc.Name
		}
	}
	kind := KindInvalid
	if inner := KindOf(err); inner != "" { // an Unpacker asked the host, say
		kind = inner
	}
	return &Error{Kind: kind, Op: op, Message: fmt.Sprintf("%s; usage: %s", err, usage), Err: err}
}

// literalValue returns the value of a default. Lists and dicts are new each time.
func literalValue(e syntax.Expr) (starlark.Value, error) {
	switch e := e.(type) {
	case *syntax.Ident:
		switch e.Name {
		case "None":
			return starlark.None, nil
		case "True", "False":
			return starlark.Bool(e.Name == "True"), nil
		}
	case *syntax.ParenExpr:
		return literalValue(e.X)
	case *syntax.UnaryExpr:
		v, err := literalValue(e.X)
		if err != nil {
			return nil, err
		}
		return starlark.Unary(e.Op, v)
	case *syntax.Literal:
		return literalScalar(e)
	case *syntax.ListExpr:
		list, err := literalValues(e.List)
		return starlark.NewList(list), err
	case *syntax.TupleExpr:
		list, err := literalValues(e.List)
		return starlark.Tuple(list), err
	case *syntax.DictExpr:
		return literalDict(e)
	}
	return nil, fmt.Errorf("a default must be a literal")
}

func literalScalar(e *syntax.Literal) (starlark.Value, error) {
	if e.Token == syntax.BYTES {
		return starlark.Bytes(e.Value.(string)), nil
	}
	return ToValue(e.Value)
}

func literalValues(list []syntax.Expr) ([]starlark.Value, error) {
	values := make([]starlark.Value, len(list))
	for i, e := range list {
		v, err := literalValue(e)
		if err != nil {
			return nil, err
		}
		values[i] = v
	}
	return values, nil
}

func literalDict(e *syntax.DictExpr) (starlark.Value, error) {
	dict := starlark.NewDict(len(e.List))
	for _, item := range e.List {
		entry := item.(*syntax.DictEntry)
		key, err := literalValue(entry.Key)
		if err != nil {
			return nil, err
		}
		value, err := literalValue(entry.Value)
		if err != nil {
			return nil, err
		}
		if err := dict.SetKey(key, value); err != nil {
			return nil, err
		}
	}
	return dict, nil
}
