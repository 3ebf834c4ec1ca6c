//go:build !linux

package engine

import "context"

// killMarked finds nothing: engines run their containers in a machine of their own here.
func killMarked(context.Context, []byte) bool { return false }

func marked(string, []byte) bool { return false }
