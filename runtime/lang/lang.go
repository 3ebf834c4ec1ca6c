// Package lang is the language's own builtins: what a script can call
// wherever it runs, besides Starlark's universe.
package lang

import "github.com/dscript/dscript/runtime"

// Library returns the language's own library. It holds no state and may be
// shared.
func Library() *runtime.Library {
	return &runtime.Library{Name: "lang", Doc: "What every script can call."}
}
