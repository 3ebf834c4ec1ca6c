package engine_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/dscript/dscript/engine"
)

func TestErrorText(t *testing.T) {
	for want, e := range map[string]engine.Error{
		`exec: container "x" is not running (conflict)`: {Op: "exec", Object: "x", Kind: "conflict", Message: `container "x" is not running`},
		`pull: "busybox": no such host (unavailable)`:   {Op: "pull", Object: "busybox", Kind: "unavailable", Message: "no such host"},
		`exec: "x": 200ms have passed (timeout)`:        {Op: "exec", Object: "x", Kind: "timeout", Message: "200ms have passed (timeout)"}, // a cause's text
	} {
		assert.Equal(t, want, e.Error())
	}
}
