package lang

// This file defines print, args, here and struct.

import (
	"path/filepath"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/dscript/dscript/runtime"
)

const printDoc = `
print(*args, sep=" ")

Print args on one line.

>>> print("a", 1, [True])
a 1 [True]
`

func printLine(call *runtime.Call, a printArgs) error {
	_, err := call.Stdout().Write([]byte(a.text() + "\n"))
	return err
}

const argsDoc = `
args -> tuple of strings

The arguments given to the script.
`

func args(r *runtime.Runtime) starlark.Value {
	given := r.Config().Args
	tuple := make(starlark.Tuple, len(given))
	for i, arg := range given {
		tuple[i] = starlark.String(arg)
	}
	return tuple
}

const hereDoc = `
here(name="") -> string

Return the path of name beside the file that contains the call.

Without a name it is that file's directory.
`

type hereArgs struct{ Name string }

func here(call *runtime.Call, a hereArgs) (starlark.Value, error) {
	if filepath.IsAbs(a.Name) {
		return nil, runtime.Errorf(runtime.KindInvalid, "here: %q is an absolute path already", a.Name)
	}
	return starlark.String(filepath.Join(call.Here(), filepath.FromSlash(a.Name))), nil
}

const structDoc = `
struct(**kwargs) -> struct

Return a value with the given attributes.

>>> struct(x=1, y=2).x
1
`

type structArgs struct{ Kwargs []starlark.Tuple }

func makeStruct(_ *runtime.Call, a structArgs) (starlark.Value, error) {
	return starlarkstruct.FromKeywords(starlarkstruct.Default, a.Kwargs), nil
}
