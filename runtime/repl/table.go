package repl

import (
	"strings"
	"unicode/utf8"
)

// table draws rows under their header, in columns two blanks apart. Cells are one
// line each and lie within width where that can be: the last column is cut.
func table(header []string, rows [][]string, width int) string {
	all := append([][]string{header}, rows...)
	widths := make([]int, len(header))
	for _, row := range all {
		for i, cell := range row {
			if i < len(widths) {
				widths[i] = max(widths[i], utf8.RuneCountInString(oneLine(cell)))
			}
		}
	}
	var b strings.Builder
	for _, row := range all {
		var line strings.Builder
		for i, cell := range row {
			if i >= len(widths) {
				break
			}
			cell = oneLine(cell)
			line.WriteString(cell)
			if i+1 < len(widths) {
				line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
			}
		}
		b.WriteString(cut(strings.TrimRight(line.String(), " "), width))
		b.WriteByte('\n')
	}
	return b.String()
}

func oneLine(s string) string {
	return sanitizeAll(strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", " ").Replace(s))
}

// cut shortens s to width characters; 0 is no limit.
func cut(s string, width int) string {
	if width <= 0 || utf8.RuneCountInString(s) <= width {
		return s
	}
	return string([]rune(s)[:width-1]) + "…"
}

// columns lays words out below each other, as ls does.
func columns(words []string, width int) string {
	widest := 0
	for _, w := range words {
		widest = max(widest, utf8.RuneCountInString(w))
	}
	if width <= 0 {
		width = 80
	}
	perLine := max(1, width/(widest+2))
	lines := (len(words) + perLine - 1) / perLine
	var b strings.Builder
	for i := range lines {
		var line strings.Builder
		for j := i; j < len(words); j += lines {
			line.WriteString(words[j] + strings.Repeat(" ", widest+2-utf8.RuneCountInString(words[j])))
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return b.String()
}
