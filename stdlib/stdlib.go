// Package stdlib holds the modules that scripts load as "@std//name.star". They are
// written in Starlark and need no library but runtime/lang's.
package stdlib

import "embed"

// FS has the modules at its top. A host passes it as runtime.Config.Std.
//
//go:embed *.star
var FS embed.FS
