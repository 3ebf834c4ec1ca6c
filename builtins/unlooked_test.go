package builtins_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine/enginetest"
	"github.com/dscript/dscript/runtime"
)

func TestResultNobodyLookedAt(t *testing.T) {
	client := enginetest.Client(t)
	tests := []struct {
		name, use string
		reported  bool
	}{
		{"dropped", "r", true},
		{"its stdout only", "r.stdout", true},
		{"exit_code", "r.exit_code", false},
		{"ok", "r.ok", false},
		{"truth", "1 if r else 2", false},
		{"check", "attempt(r.check)", false},
		{"printed", "print(r)", false},
		{"ended by its callback", "r.ok; exec('%s', 'yes', each = lambda line, stream: False)", false},
	}
	id := enginetest.Container(t, client)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var warnings []runtime.Warning
			c := config(t, client)
			c.Warn = func(w runtime.Warning) { warnings = append(warnings, w) }
			rt, err := runtime.New(c)
			require.NoError(t, err)
			session, err := rt.Run(t.Context(), "x.star", "\nr = exec('"+id+"', 'exit 3')\n"+strings.ReplaceAll(test.use, "%s", id))
			require.NoError(t, err)
			require.NoError(t, session.Close())
			if !test.reported {
				assert.Empty(t, warnings)
				return
			}
			require.Len(t, warnings, 1)
			assert.Equal(t, "x.star:2:9", warnings[0].Pos.String())
			assert.Contains(t, warnings[0].Message, `exec: "exit 3" in container`)
			assert.Contains(t, warnings[0].Message, "exited with code 3 and nobody looked")
		})
	}
}
