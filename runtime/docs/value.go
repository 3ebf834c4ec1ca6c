package docs

// This file describes values, as help does.

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
)

// Value describes a value, in lines of at most width columns, as Text does: its
// declaration, that of its type, or, for a string, what has that name.
func Value(r *runtime.Runtime, x starlark.Value, width int) (string, error) {
	if m := runtime.MemberOf(x); m != nil {
		return Text(m, width), nil
	}
	if t := r.TypeOf(x); t != nil {
		return Text(t, width), nil
	}
	switch x := x.(type) {
	case starlark.String:
		m, err := Lookup(r, string(x))
		if err != nil {
			return "", err
		}
		return Text(m, width), nil
	case *starlark.Function:
		return functionText(x) + "\n", nil
	case starlark.HasAttrs:
		return fmt.Sprintf("%s\n\nIt has %s.\n", x.Type(), strings.Join(x.AttrNames(), ", ")), nil
	}
	return fmt.Sprintf("%s %s\n", x.Type(), short(x)), nil
}

// functionText is the help of a script's own function: its parameters and
// its docstring.
func functionText(fn *starlark.Function) string {
	var params []string
	star := false
	positional := fn.NumParams() - fn.NumKwonlyParams()
	if fn.HasVarargs() {
		positional--
	}
	if fn.HasKwargs() {
		positional--
	}
	for i := range fn.NumParams() {
		name, _ := fn.Param(i)
		switch {
		case fn.HasKwargs() && i == fn.NumParams()-1:
			name = "**" + name
		case fn.HasVarargs() && i == positional+fn.NumKwonlyParams():
			name = "*" + name
		case i >= positional && !star:
			star = true
			if !fn.HasVarargs() {
				params = append(params, "*")
			}
		}
		if def := fn.ParamDefault(i); def != nil {
			name += "=" + def.String()
		}
		params = append(params, name)
	}
	return fmt.Sprintf("%s(%s)\n\n%s", fn.Name(), strings.Join(params, ", "), strings.TrimSpace(fn.Doc()))
}

// short is a value's text, cut where it is long.
func short(v starlark.Value) string {
	const longest = 200
	text := v.String()
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	return text
}
