package runtime

// This file finds what somebody who misspelt a name probably meant.
// Starlark's own hint ignores transposed letters: it has none for gte.

import (
	"sort"
	"strings"
)

// didYouMean returns " (did you mean x?)" for the name nearest to the given
// one, or "". The prefix is written before the name.
func didYouMean(name string, names []string, prefix string) string {
	if best := Nearest(name, names); best != "" {
		return " (did you mean " + prefix + best + "?)"
	}
	return ""
}

// Nearest returns the name that somebody who wrote the given one probably
// meant, or "" when none is near. Case and underscores do not count.
func Nearest(name string, names []string) string {
	names = append([]string(nil), names...)
	sort.Strings(names)
	want := foldName(name)
	best, bestDistance := "", max(1, (len(want)+1)/3)+1
	for _, candidate := range names {
		if candidate == name {
			continue
		}
		d := editDistance(want, foldName(candidate))
		closer := best != "" && d == bestDistance && editDistance(name, candidate) < editDistance(name, best)
		if d < bestDistance || closer {
			best, bestDistance = candidate, d
		}
	}
	if best != "" || len(want) < 3 {
		return best
	}
	for _, candidate := range names { // stdo for stdout, code for exit_code
		folded := foldName(candidate)
		begins := len(folded) > 1 && strings.HasPrefix(want, folded) // equal for eq
		if candidate == name {
			continue
		}
		if begins || strings.HasPrefix(folded, want) || strings.HasSuffix(folded, want) {
			return candidate
		}
	}
	return ""
}

func foldName(name string) string {
	return strings.ToLower(strings.ReplaceAll(name, "_", ""))
}

// editDistance counts the letters to insert, delete, replace or transpose
// that make a into b (optimal string alignment).
func editDistance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return len(a) + len(b)
	}
	var before, last, row [65]int
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
