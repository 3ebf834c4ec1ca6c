package runtime

// This file defines how values ask to be shown at a prompt.

import (
	"context"

	"go.starlark.net/starlark"
)

// A Tabler is a value that is drawn as a row of a table.
type Tabler interface {
	starlark.Value
	// Table draws values, all of the receiver's type, the receiver among them.
	Table(ctx context.Context, values []starlark.Value) (header []string, rows [][]string, err error)
}

// A Displayer says how it is shown at a prompt. live: its output has been
// shown already as it came.
type Displayer interface {
	Display(live bool) string
}
