package stdlib_test

import (
	"testing"

	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/lang"
	"github.com/dscript/dscript/runtime/lang/langtest"
	"github.com/dscript/dscript/stdlib"
)

func TestModules(t *testing.T) {
	langtest.Files(t, "testdata/*.star", runtime.Config{Libraries: []*runtime.Library{lang.Library()}, Std: stdlib.FS})
}
