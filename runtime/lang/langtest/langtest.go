// Package langtest runs tests of the language that are written in it.
//
// A test file is cut into chunks by lines of "---"; each chunk is a script of
// its own. A line that must fail ends in a comment ### "regexp" that matches
// the error; a chunk without such a comment must not fail.
package langtest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/runtime"
)

// Files runs every file that matches pattern, each as a subtest, under cfg.
func Files(t *testing.T, pattern string, cfg runtime.Config) {
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files, "no test files match %s", pattern)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".star"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			line := 0
			for _, chunk := range strings.Split(string(text), "\n---\n") {
				runChunk(t, file, strings.Repeat("\n", line)+chunk, cfg)
				line += strings.Count(chunk, "\n") + 2
			}
		})
	}
}

var expectation = regexp.MustCompile(`### ("(?:[^"\\]|\\.)*"|` + "`[^`]*`)")

// runChunk runs one script and compares its errors with what it expects.
func runChunk(t *testing.T, file, src string, cfg runtime.Config) {
	want := make(map[int]string)
	for i, line := range strings.Split(src, "\n") {
		if m := expectation.FindStringSubmatch(line); m != nil {
			pattern, err := strconv.Unquote(m[1])
			require.NoError(t, err, "%s:%d", file, i+1)
			want[i+1] = pattern
		}
	}
	var out bytes.Buffer
	cfg.Stdout, cfg.Stderr = &out, &out
	rt, err := runtime.New(cfg)
	require.NoError(t, err)
	session, err := rt.Run(context.Background(), file, src)
	if session != nil {
		err = session.Close()
	}
	for line, message := range problems(err) {
		pattern, ok := want[line]
		if !assert.True(t, ok, "%s:%d: unexpected error:\n%s\noutput:\n%s", file, line, rt.FormatError(err), &out) {
			continue
		}
		delete(want, line)
		assert.Regexp(t, pattern, message, "%s:%d", file, line)
	}
	for line, pattern := range want {
		t.Errorf("%s:%d: no error; want one that matches %q", file, line, pattern)
	}
}

// problems returns the messages of an error by the line that they are about.
func problems(err error) map[int]string {
	found := make(map[int]string)
	var static *runtime.StaticError
	if errors.As(err, &static) {
		for _, p := range static.Problems {
			found[int(p.Pos.Line)] = p.Message
		}
	} else if err != nil {
		found[int(runtime.PosOf(err).Line)] = err.Error()
	}
	return found
}
