package repl

import (
	"bytes"
	"io"
	"strings"
)

// A terminal that was asked to marks what is pasted into it:
const (
	askForMarks   = "\x1b[?2004h"
	endAskForMark = "\x1b[?2004l"
	pasteBegins   = "\x1b[200~"
	pasteEnds     = "\x1b[201~"
)

// What pasteFilter says to the line editor behind it. The first two are
// noncharacters of Unicode: no text has them. The others stand, in a line that is
// edited, for what a line cannot hold.
const (
	markBegin      = '\ufdd0'
	markEnd        = '\ufdd1'
	tabStandIn     = '␉'
	newlineStandIn = '⏎'
)

// encodeBlock makes one line of a block; decodeBlock makes it a block again.
func encodeBlock(s string) string {
	return strings.NewReplacer("\n", string(newlineStandIn), "\t", string(tabStandIn)).Replace(s)
}

func decodeBlock(s string) string {
	return strings.NewReplacer(string(newlineStandIn), "\n", string(tabStandIn), "\t").Replace(s)
}

// pasteFilter stands between a terminal and the line editor. It turns the marks
// around pasted text into markBegin and markEnd, and takes from pasted text what
// would act on the editor: a tab does not complete, an escape sequence does
// nothing. A line end at the end of the paste comes after markEnd: it enters the
// block, while those before it are only between its lines.
type pasteFilter struct {
	in      io.Reader
	pasting bool
	lineEnd bool   // of a paste, not passed on yet
	afterCR bool   // a paste's \r\n is one line end
	rest    []byte // read, and perhaps the beginning of a mark
	out     bytes.Buffer
	err     error
}

func (f *pasteFilter) Read(p []byte) (int, error) {
	for f.out.Len() == 0 {
		if f.err != nil {
			return 0, f.err
		}
		n, err := f.in.Read(p)
		f.err = err
		f.rest = append(f.rest, p[:n]...)
		f.process(err != nil)
	}
	return f.out.Read(p)
}

// process passes on what it can of rest; all of it when nothing follows.
func (f *pasteFilter) process(last bool) {
	for len(f.rest) > 0 {
		switch mark, whole := findMark(f.rest); {
		case whole:
			f.mark(mark)
			f.rest = f.rest[len(mark):]
		case mark != "" && !last:
			return
		default:
			f.pass(f.rest[0])
			f.rest = f.rest[1:]
		}
	}
}

// findMark gives the mark that b begins with, or that b may be the beginning of.
func findMark(b []byte) (mark string, whole bool) {
	for _, m := range []string{pasteBegins, pasteEnds, string(markBegin), string(markEnd)} {
		if bytes.HasPrefix(b, []byte(m)) {
			return m, true
		}
		if strings.HasPrefix(m, string(b)) {
			return m, false
		}
	}
	return "", false
}

func (f *pasteFilter) mark(m string) {
	switch {
	case m == pasteBegins && !f.pasting:
		f.pasting, f.lineEnd, f.afterCR = true, false, false
		f.out.WriteRune(markBegin)
	case m == pasteEnds && f.pasting:
		f.pasting = false
		f.out.WriteRune(markEnd)
		if f.lineEnd {
			f.out.WriteByte('\r')
		}
	}
}

func (f *pasteFilter) pass(c byte) {
	if !f.pasting {
		f.out.WriteByte(c)
		return
	}
	newline := c == '\r' || c == '\n' && !f.afterCR
	f.afterCR = c == '\r'
	switch {
	case newline:
		f.flushLineEnd()
		f.lineEnd = true
	case c == '\t':
		f.flushLineEnd()
		f.out.WriteRune(tabStandIn)
	case c < ' ' || c == 0x7f: // acts on the editor, and is not Starlark
	default:
		f.flushLineEnd()
		f.out.WriteByte(c)
	}
}

func (f *pasteFilter) flushLineEnd() {
	if f.lineEnd {
		f.out.WriteByte('\r')
		f.lineEnd = false
	}
}
