package runtime

// This file explains errors that come of assigning a predeclared name:
// network = network().

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

var (
	unassigned  = regexp.MustCompile(`^(?:global|local) variable (\w+) referenced before assignment$`)
	notCallable = regexp.MustCompile(`^invalid call of non-function \((.*)\)$`)
	noField     = regexp.MustCompile(`^(.*) has no \.\w+ field or method`)
)

// explainReassigned mends Starlark's words where a script assigns a
// predeclared name and also uses it as ours: before the assignment, or after
// it, when the name is something else.
func (r *Runtime) explainReassigned(eval *starlark.EvalError) {
	if m := unassigned.FindStringSubmatch(eval.Msg); m != nil {
		where := "file"
		if strings.HasPrefix(eval.Msg, "local") {
			where = "function"
		}
		if r.isPredeclared(m[1]) {
			eval.Msg = fmt.Sprintf("%s is assigned in this %s, so here it is not the predeclared %s; use another name, such as %s",
				m[1], where, m[1], shortName(m[1]))
		}
		return
	}
	m := notCallable.FindStringSubmatch(eval.Msg)
	if m == nil {
		m = noField.FindStringSubmatch(eval.Msg)
	}
	if m == nil {
		return
	}
	name := r.nameBefore(eval)
	if name == "" || !r.isPredeclared(name) || m[1] == "noun" || m[1] == name {
		return
	}
	if ours := r.predeclaredValue(name); ours.Type() == m[1] { // None.x, len.x
		return
	}
	eval.Msg += fmt.Sprintf("; %s is assigned in this script and is no longer the predeclared %s: use another name for it, such as %s",
		name, name, shortName(name))
}

func (r *Runtime) isPredeclared(name string) bool {
	return r.predeclared.Has(name) || starlark.Universe.Has(name)
}

func (r *Runtime) predeclaredValue(name string) starlark.Value {
	if v, ok := r.predeclared[name]; ok {
		return v
	}
	return starlark.Universe[name]
}

// nameBefore returns the name that stands before the parenthesis or dot at
// which an error was met, or "".
func (r *Runtime) nameBefore(eval *starlark.EvalError) string {
	var pos syntax.Position
	for _, frame := range withoutBuiltins(eval.CallStack) {
		pos = frame.Pos
	}
	text, ok := r.sourceOf(pos)
	lines := strings.Split(text, "\n")
	if !ok || int(pos.Line) > len(lines) {
		return ""
	}
	runes := []rune(lines[pos.Line-1])
	end := min(int(pos.Col)-1, len(runes))
	begin := end
	for begin > 0 && (runes[begin-1] == '_' || unicode.IsLetter(runes[begin-1]) || unicode.IsDigit(runes[begin-1])) {
		begin--
	}
	if begin > 0 && runes[begin-1] == '.' {
		return ""
	}
	return string(runes[begin:max(begin, end)])
}

// shortName suggests a variable's name for a noun: net, vol, img, con.
func shortName(name string) string {
	if len(name) <= 3 {
		return "my_" + name
	}
	if strings.ContainsRune("aeiou", rune(name[2])) {
		skeleton := name[:1]
		for _, r := range name[1:] {
			if !strings.ContainsRune("aeiou_", r) {
				skeleton += string(r)
			}
		}
		if len(skeleton) >= 3 {
			return skeleton[:3]
		}
	}
	return name[:3]
}
