package repl

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/chzyer/readline"
	"golang.org/x/term"
)

// A completer gives what may stand in place of text[from:], each with that as its
// beginning.
type completer func(text string) (from int, texts []string)

// readlineEditor edits lines on a terminal.
type readlineEditor struct {
	rl       *readline.Instance
	stdin    *readline.CancelableStdin
	out      *os.File
	complete completer
	history  history
	onResize func()

	// Of the line that is read now. The editor's goroutine writes them before it
	// gives the line.
	before  string
	pasting bool // between the marks
	pasted  bool // there was a paste
}

// newReadlineEditor edits on the terminal that in and out are. The end of ctx
// ends a ReadLine that waits.
func newReadlineEditor(ctx context.Context, in, out *os.File, h history, complete completer) (*readlineEditor, error) {
	e := &readlineEditor{out: out, complete: complete, history: h, stdin: readline.NewCancelableStdin(in)}
	var state *readline.State
	rl, err := readline.NewEx(&readline.Config{
		Stdin:                  io.NopCloser(&pasteFilter{in: e.stdin}),
		Stdout:                 out,
		Stderr:                 out,
		AutoComplete:           e,
		DisableAutoSaveHistory: true,
		HistoryLimit:           historyKeeps,
		FuncFilterInputRune:    e.filterRune,
		FuncIsTerminal:         func() bool { return true },
		FuncGetWidth:           e.width,
		// readline's own would keep a signal handler for the life of the process:
		// the width is looked up at each prompt instead.
		FuncOnWidthChanged: func(f func()) { e.onResize = f },
		FuncMakeRaw: func() (err error) {
			state, err = readline.MakeRaw(int(in.Fd())) // leaves \n to be a line end
			return err
		},
		FuncExitRaw: func() error {
			if state == nil {
				return nil
			}
			return readline.Restore(int(in.Fd()), state)
		},
	})
	if err != nil {
		return nil, err
	}
	e.rl = rl
	for _, block := range h.load() {
		_ = rl.SaveHistory(encodeBlock(block))
	}
	context.AfterFunc(ctx, func() { e.stdin.Close() })
	return e, nil
}

func (e *readlineEditor) width() int {
	w, _, err := term.GetSize(int(e.out.Fd()))
	if err != nil || w <= 0 {
		return 80
	}
	return w
}

// filterRune takes the filter's marks out of the input. It gives a rune that does
// nothing for them: for one that is taken out altogether readline would go on to
// read the next line before it is asked to.
func (e *readlineEditor) filterRune(r rune) (rune, bool) {
	switch r {
	case markBegin:
		e.pasting, e.pasted = true, true
	case markEnd:
		e.pasting = false
	default:
		return r, true
	}
	return readline.CharBell, true
}

func (e *readlineEditor) ReadLine(prompt, before string) (line, error) {
	e.before, e.pasted = before, e.pasting
	e.onResize()
	io.WriteString(e.out, askForMarks)
	defer io.WriteString(e.out, endAskForMark)
	e.rl.SetPrompt(prompt)
	text, err := e.rl.Readline()
	_ = e.rl.SaveHistory("") // forgets where in the history the user has gone
	switch {
	case errors.Is(err, readline.ErrInterrupt):
		return line{text: text}, ErrInterrupt
	case err != nil:
		return line{}, io.EOF
	}
	text = decodeBlock(text)
	return line{text, e.pasted || strings.Contains(text, "\n"), e.pasting}, nil
}

// Do completes, for readline: it gives the text to insert, or shows the choices
// and gives none.
func (e *readlineEditor) Do(edited []rune, pos int) ([][]rune, int) {
	text := decodeBlock(string(edited[:pos]))
	if isBlank(text) {
		return [][]rune{[]rune("    ")}, 0 // at the beginning of a line Tab indents
	}
	from, texts := e.complete(e.before + text)
	if len(texts) == 0 {
		return nil, 0
	}
	typed := (e.before + text)[from:]
	if rest := strings.TrimPrefix(commonPrefix(texts), typed); rest != "" {
		return [][]rune{[]rune(encodeBlock(rest))}, utf8.RuneCountInString(typed)
	}
	if len(texts) > 1 {
		io.WriteString(e.rl.Stdout(), columns(texts, e.width()))
	}
	return nil, 0
}

func commonPrefix(words []string) string {
	prefix := words[0]
	for _, w := range words[1:] {
		for !strings.HasPrefix(w, prefix) {
			_, n := utf8.DecodeLastRuneInString(prefix)
			prefix = prefix[:len(prefix)-n]
		}
	}
	return prefix
}

func (e *readlineEditor) Remember(block string) {
	_ = e.rl.SaveHistory(encodeBlock(block))
	e.history.add(block)
}

func (e *readlineEditor) Close() error {
	e.stdin.Close()
	return e.rl.Close()
}
