package repl

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Sanitize returns a writer to a terminal on which nothing that a container or a
// script puts out can act: control characters are shown as \x1b or \u009b, except
// line ends, tabs, carriage returns (progress bars) and the sequences that set
// colours. Each Write is taken for itself, but a character or colour sequence may
// be cut in two.
func Sanitize(w io.Writer) io.Writer { return &sanitizer{w: w} }

type sanitizer struct {
	w    io.Writer
	rest string // the beginning of a character or sequence
}

func (s *sanitizer) Write(p []byte) (int, error) {
	text := s.rest + string(p)
	safe, rest := sanitize(text, false)
	s.rest = rest
	if _, err := io.WriteString(s.w, safe); err != nil {
		return 0, err
	}
	return len(p), nil
}

// sanitizeAll is Sanitize for a text that is whole.
func sanitizeAll(text string) string {
	safe, _ := sanitize(text, true)
	return safe
}

// sanitize gives the safe form of text and what may go on in the next text.
func sanitize(text string, whole bool) (safe, rest string) {
	var b strings.Builder
	for i := 0; i < len(text); {
		if !whole && isCut(text[i:]) {
			return b.String(), text[i:]
		}
		if n := colourSequence(text[i:]); n > 0 {
			b.WriteString(text[i : i+n])
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r == '\n' || r == '\t' || r == '\r':
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		case actsOnTerminal(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		i += n
	}
	return b.String(), ""
}

// actsOnTerminal: the C1 controls, and those of Unicode that reorder or hide text.
func actsOnTerminal(r rune) bool {
	return r >= 0x80 && r <= 0x9f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// colourSequence is the length of the sequence ESC [ … m that s begins with; 0: none.
func colourSequence(s string) int {
	if !strings.HasPrefix(s, "\x1b[") {
		return 0
	}
	for i := 2; i < len(s); i++ {
		switch c := s[i]; {
		case c == 'm':
			return i + 1
		case c != ';' && c != ':' && (c < '0' || c > '9'):
			return 0
		}
	}
	return 0
}

// isCut reports whether s may be the beginning of a character or of a colour sequence.
func isCut(s string) bool {
	if s[0] >= utf8.RuneSelf {
		return !utf8.FullRuneInString(s)
	}
	if s[0] != '\x1b' || len(s) > 32 {
		return false
	}
	for i := 1; i < len(s); i++ {
		if i == 1 && s[i] != '[' || i > 1 && s[i] != ';' && s[i] != ':' && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return true
}
