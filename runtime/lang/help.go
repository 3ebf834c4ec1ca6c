package lang

// This file defines help.

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/docs"
)

const helpDoc = `
help(x=None)

Print what x is and how it is used; without x, all that there is.

x  a function, noun or value, or a name such as "container.get"
`

type helpArgs struct{ X starlark.Value }

func help(call *runtime.Call, a helpArgs) error {
	text, err := helpText(call.Session().Runtime(), a.X)
	if err != nil {
		return err
	}
	_, err = call.Stdout().Write([]byte(strings.TrimRight(text, "\n") + "\n"))
	return err
}

func helpText(r *runtime.Runtime, x starlark.Value) (string, error) {
	if x == nil {
		return docs.Overview(r), nil
	}
	if m := runtime.MemberOf(x); m != nil {
		return docs.Text(m, 0), nil
	}
	if t := r.TypeOf(x); t != nil {
		return docs.Text(t, 0), nil
	}
	switch x := x.(type) {
	case starlark.String:
		m, err := docs.Lookup(r, string(x))
		if err != nil {
			return "", err
		}
		return docs.Text(m, 0), nil
	case *starlark.Function:
		return functionText(x), nil
	case starlark.HasAttrs:
		return fmt.Sprintf("%s\n\nIt has %s.", x.Type(), strings.Join(x.AttrNames(), ", ")), nil
	}
	return fmt.Sprintf("%s %s", x.Type(), short(x)), nil
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
