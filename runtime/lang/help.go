package lang

// This file defines help.

import (
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
	r := call.Session().Runtime()
	text := docs.Overview(r)
	if a.X != nil {
		var err error
		if text, err = docs.Value(r, a.X, 0); err != nil {
			return err
		}
	}
	_, err := call.Stdout().Write([]byte(strings.TrimRight(text, "\n") + "\n"))
	return err
}
