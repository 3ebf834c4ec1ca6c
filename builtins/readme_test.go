package builtins_test

// The README and the examples are programs: each is run, and what it prints is
// compared with what stands beside it.

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine/enginetest"
	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/repl"
)

var update = flag.Bool("update", false, "rewrite golden files")

// printed runs a script and gives what it printed.
func printed(t *testing.T, name, src string) string {
	client := enginetest.Client(t)
	var out bytes.Buffer
	c := config(t, client)
	c.Stdout = &out
	c.Warn = func(w runtime.Warning) { t.Errorf("%s: %s", w.Pos, w.Message) }
	rt, err := runtime.New(c)
	require.NoError(t, err)
	s, err := rt.Run(t.Context(), name, src)
	if err != nil {
		t.Fatal(rt.FormatError(err))
	}
	assert.NoError(t, s.Close())
	assertNothingLeft(t, client, s.ID())
	return out.String()
}

func TestExamples(t *testing.T) {
	examples, err := filepath.Glob("../examples/*.star")
	require.NoError(t, err)
	require.NotEmpty(t, examples)
	for _, path := range examples {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(path)
			require.NoError(t, err)
			golden(t, strings.TrimSuffix(path, ".star")+".out", printed(t, path, string(src)))
		})
	}
}

// golden compares got with the file, or rewrites it with -update.
func golden(t *testing.T, path, got string) {
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to make it")
	assert.Equal(t, string(want), got, "%s is stale: run the test with -update", path)
}

var (
	scriptAndOutput = regexp.MustCompile("(?s)```starlark\n(.*?)```\n\n```text\n(.*?)```")
	promptBlock     = regexp.MustCompile("(?s)```console\n(.*?)```")
	goBlock         = regexp.MustCompile("(?s)```go\n(.*?)```")
)

func TestReadmeScripts(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	blocks := scriptAndOutput.FindAllStringSubmatch(string(readme), -1)
	require.Equal(t, strings.Count(string(readme), "```starlark"), len(blocks), "each script has its output beside it")
	for _, block := range blocks {
		name := strings.SplitN(block[1], "\n", 2)[0]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, block[2], printed(t, "README.star", block[1]))
		})
	}
	quickstart, err := os.ReadFile("../examples/quickstart.star")
	require.NoError(t, err)
	_, body, _ := strings.Cut(string(quickstart), "\n")
	assert.Contains(t, blocks[0][1], body, "the first script is examples/quickstart.star")
}

// The README's session at a prompt is typed in, and must be answered as it says,
// but for the time that a command took.
func TestReadmePrompt(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	block := promptBlock.FindStringSubmatch(string(readme))
	require.NotNil(t, block)
	var typed, want strings.Builder
	for line := range strings.Lines(block[1]) {
		if command, ok := strings.CutPrefix(line, "dscript> "); ok {
			typed.WriteString(command)
		} else {
			want.WriteString(line)
		}
	}
	var out bytes.Buffer
	c := config(t, enginetest.Client(t))
	c.Stdout, c.Live = &out, true
	rt, err := runtime.New(c)
	require.NoError(t, err)
	require.NoError(t, repl.Run(t.Context(), repl.Options{Runtime: rt, In: strings.NewReader(typed.String()), Out: &out, Err: testWriter{t}}))
	took := regexp.MustCompile(`, [0-9.]+s\]`)
	assert.Equal(t, took.ReplaceAllString(want.String(), "]"), took.ReplaceAllString(out.String(), "]"))
}

// The Go code of the README stands in the examples, which are compiled and run.
func TestReadmeGo(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	examples, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	for _, block := range goBlock.FindAllStringSubmatch(string(readme), -1) {
		for line := range strings.Lines(block[1]) {
			if line = strings.TrimSpace(line); !strings.Contains(string(examples), "\t"+line+"\n") && line != "" {
				t.Errorf("no line of the examples is %q", line)
			}
		}
	}
}
