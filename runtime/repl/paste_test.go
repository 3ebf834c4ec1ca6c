package repl

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// In want, < and > are the marks that the editor sees.
var pastes = []struct{ name, typed, want string }{
	{"nothing pasted", "a\tb\rc\x03", "a\tb\rc\x03"},
	{"an escape key", "a\x1bb", "a\x1bb"},
	{"an arrow", "\x1b[A\x1b[2A", "\x1b[A\x1b[2A"},
	{"a line", "\x1b[200~x = 1\x1b[201~\r", "<x = 1>\r"},
	{"its line end runs it", "\x1b[200~x = 1\n\x1b[201~", "<x = 1>\r"},
	{"blank lines at the end are one end", "\x1b[200~x = 1\r\n\r\n\x1b[201~", "<x = 1\r>\r"},
	{"lines", "\x1b[200~if x:\r\ty()\r\rz()\x1b[201~", "<if x:\r␉y()\r\rz()>"},
	{"CR LF", "\x1b[200~a\r\nb\x1b[201~", "<a\rb>"},
	{"an escape sequence in a paste does nothing", "\x1b[200~a\x1b[Ab\x03\x04c\x1b[201~", "<a[Abc>"},
	{"marks of ours that are not ours", "a\ufdd0b\ufdd1", "ab"},
	{"letters of other scripts", "\x1b[200~ä€\x1b[201~😀", "<ä€>😀"},
	{"an end without a beginning", "a\x1b[201~b", "ab"},
	{"cut off", "\x1b[200~a\x1b[20", "<a[20"},
}

func TestPasteFilter(t *testing.T) {
	for _, c := range pastes {
		t.Run(c.name, func(t *testing.T) {
			for name, in := range map[string]io.Reader{
				"whole":    strings.NewReader(c.typed),
				"one byte": iotest.OneByteReader(strings.NewReader(c.typed)),
			} {
				got, err := io.ReadAll(&pasteFilter{in: in})
				require.NoError(t, err)
				assert.Equal(t, c.want, strings.NewReplacer(string(markBegin), "<", string(markEnd), ">").Replace(string(got)), name)
			}
		})
	}
}

func TestBlocksInOneLine(t *testing.T) {
	block := "def f(x):\n\treturn \"\\n\"\n"
	assert.NotContains(t, encodeBlock(block), "\n")
	assert.Equal(t, block, decodeBlock(encodeBlock(block)))
}
