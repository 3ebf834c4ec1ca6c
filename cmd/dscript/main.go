// Command dscript runs Starlark scripts that drive containers, and is a prompt
// for them. It is flags, exit codes and wiring: all else is in packages that
// other programs can use as well.
package main

import (
	"os"
)

func main() { os.Exit(run(os.Args[1:], standard())) }
