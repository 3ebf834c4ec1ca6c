package repl

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

var blocks = []struct {
	text          string
	typed, pasted bool // complete
}{
	{"", true, true},
	{"x = 1", true, true},
	{"x = (1,", false, false},
	{"x = (1,\n", false, false},
	{"x = (1,\n2)", true, true},
	{"x = '''a\n", false, false},
	{"def f():", false, false},
	{"def f():\n  return 1", false, true},
	{"def f():\n  return 1\n", true, true},
	{"def f():\n  a = 1\n\n  return a\n", true, true},
	{"if x: y()", false, true},
	{"if x: y()\n", true, true},
	{"for x in y:\n  if x:\n    z()", false, true},
	{"for x in y:\n  if x:\n", true, true}, // the error says so
	{"  x = 1", true, true},
	{"x = = 1", true, true},
	{"x = )", true, true},
	{"x = 'a", true, true},
	{"# a comment", true, true},
	{":who", true, true},
	{"exec?", true, true},
	{"x = {", false, false},
	{"a()\nb()", true, true},
	{"def f():\n    pass\nf()", true, true},
}

func TestIsComplete(t *testing.T) {
	for _, c := range blocks {
		lines := strings.Split(c.text, "\n")
		assert.Equal(t, c.typed, isComplete(lines, true), "typed: %q", c.text)
		assert.Equal(t, c.pasted, isComplete(lines, false), "pasted: %q", c.text)
	}
}

func TestStatementsKeepTheirLines(t *testing.T) {
	got := statements("x = 1\n\ndef f():\n  return 2\n\nf()\na(); b()\n")
	assert.Equal(t, []statement{
		{"x = 1\n\n", false},
		{"\n\ndef f():\n  return 2\n\n", false},
		{"\n\n\n\n\nf()\n", true},
		{"\n\n\n\n\n\na(); b()\n", false},
	}, got)
}

func TestStatementsOfWhatDoesNotParse(t *testing.T) {
	assert.Equal(t, []statement{{"x = = 1\n", false}}, statements("x = = 1\n"))
}

func TestDedent(t *testing.T) {
	assert.Equal(t, "x = 1\nif x:\n    y()\n\nz()\n", dedent("    x = 1\n    if x:\n        y()\n  \n    z()\n"))
	assert.Equal(t, "  x\ny", dedent("  x\ny"), "a line that has less indentation")
}
