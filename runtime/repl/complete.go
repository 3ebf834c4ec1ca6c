package repl

import "strings"

// complete completes text: the session's names, and the loop's own commands.
func (l *loop) complete(text string) (from int, texts []string) {
	if strings.HasPrefix(text, ":") && !strings.ContainsAny(text, " \n") {
		for _, c := range colonCommands() {
			if strings.HasPrefix(c.name, text) {
				texts = append(texts, c.name)
			}
		}
		return 0, texts
	}
	from, candidates := l.session.Complete(text)
	for _, c := range candidates {
		texts = append(texts, c.Text)
	}
	return from, texts
}
