package repl

import (
	"os"
	"path/filepath"
	"strings"
)

// The history file has a block a line, oldest first, with \n and \\ for a line
// end and a backslash. Several prompts may append to it at once.
const (
	historyKeeps  = 1000 // blocks, when the file is cut
	historyAllows = 2 * historyKeeps
)

type history struct {
	file string // "": nothing is kept
}

// load gives the blocks of the file, oldest first, and cuts a file that has grown
// too long. A history that cannot be read is an empty one.
func (h history) load() []string {
	if h.file == "" {
		return nil
	}
	text, err := os.ReadFile(h.file)
	if err != nil || len(text) == 0 {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(lines) > historyAllows {
		lines = lines[len(lines)-historyKeeps:]
		h.rewrite(lines)
	}
	for i, l := range lines {
		lines[i] = unescapeBlock(l)
	}
	return lines
}

func (h history) rewrite(lines []string) {
	tmp, err := os.CreateTemp(filepath.Dir(h.file), ".history-*") // mode 0600
	if err != nil {
		return
	}
	_, err = tmp.WriteString(strings.Join(lines, "\n") + "\n")
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp.Name(), h.file)
	}
	if err != nil {
		os.Remove(tmp.Name())
	}
}

// add appends a block. It reports no error: a prompt works without a history.
func (h history) add(block string) {
	if h.file == "" {
		return
	}
	if err := os.MkdirAll(filepath.Dir(h.file), 0o700); err != nil {
		return
	}
	f, err := os.OpenFile(h.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	_ = f.Chmod(0o600) // it may have been made by something else
	_, _ = f.WriteString(escapeBlock(block) + "\n")
}

func escapeBlock(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(s)
}

func unescapeBlock(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n").Replace(s)
}

// isPrivate: a line that begins with a blank is not remembered. A block of several
// is code pasted with its indentation.
func isPrivate(block string) bool {
	indented := isBlank(block) || block[0] == ' ' || block[0] == '\t'
	return indented && !strings.Contains(strings.TrimSpace(block), "\n")
}
