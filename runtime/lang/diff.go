package lang

// This file says how two values differ, for assert.eq.

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"
)

const inToken = syntax.IN

// shortest is how much of a value is shown.
const shortest = 400

// short is a value's text, cut when it is long.
func short(v starlark.Value) string {
	text := v.String()
	if len(text) <= shortest {
		return text
	}
	return strings.ToValidUTF8(text[:shortest], "") + fmt.Sprintf("… (%d bytes)", len(text))
}

// difference says how got and want differ.
func difference(got, want starlark.Value) string {
	g, gok := starlark.AsString(got)
	w, wok := starlark.AsString(want)
	if gok && wok && (strings.Contains(g, "\n") || strings.Contains(w, "\n")) {
		return "not equal (- want, + got)\n" + lineDiff(strings.Split(w, "\n"), strings.Split(g, "\n"))
	}
	text := fmt.Sprintf("not equal\n  got:  %s\n  want: %s", short(got), short(want))
	if got.Type() != want.Type() {
		return text + fmt.Sprintf("\n  got is of type %s, want of type %s", got.Type(), want.Type())
	}
	if where, g, w := firstDifference("", got, want, 0); where != "" {
		text += fmt.Sprintf("\n  %s: got %s, want %s", where, g, w)
	}
	return text
}

// firstDifference returns the innermost place at which two values differ
// first, and both texts; "" when that is the values themselves.
func firstDifference(at string, got, want starlark.Value, depth int) (where, g, w string) {
	if equal, err := starlark.Equal(got, want); err != nil || equal || depth > 20 {
		return "", "", ""
	}
	deeper := func(at string, got, want starlark.Value) (string, string, string) {
		if where, g, w := firstDifference(at, got, want, depth+1); where != "" {
			return where, g, w
		}
		return at, short(got), short(want)
	}
	switch got := got.(type) {
	case *starlark.List, starlark.Tuple:
		wantList, ok := want.(starlark.Indexable)
		gotList := got.(starlark.Indexable)
		if !ok || want.Type() != got.Type() {
			return "", "", ""
		}
		for i := range min(gotList.Len(), wantList.Len()) {
			if equal, err := starlark.Equal(gotList.Index(i), wantList.Index(i)); err == nil && !equal {
				return deeper(fmt.Sprintf("%s[%d]", at, i), gotList.Index(i), wantList.Index(i))
			}
		}
		return "length" + of(at), fmt.Sprint(gotList.Len()), fmt.Sprint(wantList.Len())
	case *starlark.Dict:
		wantDict, ok := want.(*starlark.Dict)
		if !ok {
			return "", "", ""
		}
		return dictDifference(at, got, wantDict, deeper)
	case *starlarkstruct.Struct:
		wantStruct, ok := want.(*starlarkstruct.Struct)
		if !ok {
			return "", "", ""
		}
		return dictDifference(at, fieldsOf(got), fieldsOf(wantStruct), deeper)
	}
	return "", "", ""
}

func dictDifference(at string, got, want *starlark.Dict, deeper func(string, starlark.Value, starlark.Value) (string, string, string)) (where, g, w string) {
	for _, item := range want.Items() {
		place := at + "[" + item[0].String() + "]"
		v, found, _ := got.Get(item[0])
		if !found {
			return place, "nothing", short(item[1])
		}
		if equal, err := starlark.Equal(v, item[1]); err == nil && !equal {
			return deeper(place, v, item[1])
		}
	}
	for _, item := range got.Items() {
		if _, found, _ := want.Get(item[0]); !found {
			return at + "[" + item[0].String() + "]", short(item[1]), "nothing"
		}
	}
	return "", "", ""
}

func fieldsOf(s *starlarkstruct.Struct) *starlark.Dict {
	fields := make(starlark.StringDict)
	s.ToStringDict(fields)
	dict := starlark.NewDict(len(fields))
	for _, name := range fields.Keys() {
		_ = dict.SetKey(starlark.String(name), fields[name]) // a string can always be a key
	}
	return dict
}

func of(at string) string {
	if at == "" {
		return ""
	}
	return " of " + at
}

// maxDiffLines is how many lines a comparison may take; longer texts show
// only where they begin to differ.
const maxDiffLines = 400

// lineDiff compares texts line by line, by their longest common subsequence.
func lineDiff(want, got []string) string {
	skip := 0
	for skip < len(want) && skip < len(got) && want[skip] == got[skip] {
		skip++
	}
	context := max(0, skip-3)
	var b strings.Builder
	if context > 0 {
		fmt.Fprintf(&b, "    … %d equal lines\n", context)
	}
	for _, line := range want[context:skip] {
		b.WriteString("    " + line + "\n")
	}
	want, got = cut(want[skip:]), cut(got[skip:])
	table := commonLengths(want, got)
	i, j := 0, 0
	for i < len(want) || j < len(got) {
		switch {
		case i < len(want) && j < len(got) && want[i] == got[j]:
			b.WriteString("    " + want[i] + "\n")
			i, j = i+1, j+1
		case j == len(got) || i < len(want) && table[i+1][j] >= table[i][j+1]:
			b.WriteString("  - " + want[i] + "\n")
			i++
		default:
			b.WriteString("  + " + got[j] + "\n")
			j++
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func cut(lines []string) []string {
	if len(lines) <= maxDiffLines {
		return lines
	}
	return append(lines[:maxDiffLines:maxDiffLines], fmt.Sprintf("… %d more lines", len(lines)-maxDiffLines))
}

// commonLengths[i][j] is how many lines a[i:] and b[j:] have in common.
func commonLengths(a, b []string) [][]int {
	table := make([][]int, len(a)+1)
	for i := range table {
		table[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				table[i][j] = table[i+1][j+1] + 1
			} else {
				table[i][j] = max(table[i+1][j], table[i][j+1])
			}
		}
	}
	return table
}
