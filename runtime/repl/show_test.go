package repl

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSanitize(t *testing.T) {
	for text, want := range map[string]string{
		"plain\ttext\r\n":         "plain\ttext\r\n",
		"\x1b[31mred\x1b[0m":      "\x1b[31mred\x1b[0m",
		"\x1b[2J":                 `\x1b[2J`,
		"\x1b]0;title\x07":        `\x1b]0;title\x07`,
		"\x1b[31;1":               `\x1b[31;1`,
		"a\x00b\x7f":              `a\x00b\x7f`,
		"\u009b2J":                `\u009b2J`,
		"evil\u202etxt":           `evil\u202etxt`,
		"\xff\xfe":                `\xff\xfe`,
		"naïve ✓ 日本 😀":            "naïve ✓ 日本 😀",
		"\x1bc":                   `\x1bc`,
		"\x1b[?1049h\x1b[38;5;1m": `\x1b[?1049h` + "\x1b[38;5;1m",
	} {
		assert.Equal(t, want, sanitizeAll(text))
	}
}

func TestSanitizeWhatIsCutInTwo(t *testing.T) {
	text := "a\x1b[31mä€😀\x1b[2Jb\u009b\n"
	for cut := range len(text) {
		var b strings.Builder
		w := Sanitize(&b)
		for _, part := range []string{text[:cut], text[cut:]} {
			n, err := w.Write([]byte(part))
			require.NoError(t, err)
			assert.Equal(t, len(part), n)
		}
		assert.Equal(t, "a\x1b[31mä€😀\\x1b[2Jb\\u009b\n", b.String(), "cut at %d", cut)
	}
}

func TestTable(t *testing.T) {
	header := []string{"NAME", "IMAGE", "STATE"}
	rows := [][]string{{"db", "postgres:16", "running"}, {"a-long-name", "x", "exited (1)\n\x1b[2J"}}
	assert.Equal(t, "NAME         IMAGE        STATE\n"+
		"db           postgres:16  running\n"+
		"a-long-name  x            exited (1)\\n\\x1b[2J\n", table(header, rows, 0))
	assert.Equal(t, "NAME         IMAGE…\ndb           postg…\na-long-name  x    …\n", table(header, rows, 19))
}

func TestColumns(t *testing.T) {
	assert.Equal(t, "a  c\nb  d\n", columns([]string{"a", "b", "c", "d"}, 7))
	assert.Equal(t, "wider than all\n", columns([]string{"wider than all"}, 5))
}

func TestHistory(t *testing.T) {
	h := history{filepath.Join(t.TempDir(), "state", "history")}
	assert.Empty(t, h.load())
	blocks := []string{`x = "\n"`, "def f():\n    return 1", "✓"}
	for _, b := range blocks {
		h.add(b)
	}
	assert.Equal(t, blocks, h.load())
	info, err := os.Stat(h.file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestHistoryIsCut(t *testing.T) {
	h := history{filepath.Join(t.TempDir(), "history")}
	require.NoError(t, os.WriteFile(h.file, []byte(strings.Repeat("x\n", historyAllows)+"last\n"), 0o600))
	blocks := h.load()
	assert.Len(t, blocks, historyKeeps)
	assert.Equal(t, "last", blocks[historyKeeps-1])
	assert.Len(t, h.load(), historyKeeps, "the file was cut")
}

func TestHistoryThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	h := history{dir} // a directory
	h.add("x")
	assert.Empty(t, h.load())
}

func TestWhatBeginsWithABlankIsPrivate(t *testing.T) {
	assert.True(t, isPrivate(" secret = 1"))
	assert.True(t, isPrivate("\n"))
	assert.False(t, isPrivate("x = 1"))
}
