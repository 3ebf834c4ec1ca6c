// Package dscript_test holds what is true of the whole module: which package
// may import which (ARCHITECTURE.md says why).
package dscript_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/dscript/dscript"

const (
	starlark = "go.starlark.net"
	mobyAPI  = "github.com/moby/moby/api"
	moby     = "github.com/moby/moby/client"
	ref      = "github.com/distribution/reference"
	cobra    = "github.com/spf13/cobra"
)

// A rule says what a package may import besides the standard library, and what
// an import outside of that would break. Names that start with a slash are of
// this module; "/…" at the end takes in everything below.
type rule struct {
	pkg    string
	may    []string
	tests  []string // what its tests may import, besides may and testTools
	reason string
}

// The first rule whose pkg fits counts.
var rules = []rule{
	{"/cmd/…", []string{"/…", cobra, "github.com/spf13/pflag", "golang.org/x/term", "golang.org/x/sys", starlark}, nil,
		"cmd is the program: flags, exit codes, wiring. What else it needs belongs into a package that hosts can use too"},
	{"/scripts/…", []string{"/engine", "/engine/host"}, nil,
		"the set-up helpers find the engine as dscript does, and need nothing else"},

	{"/runtime/repl", []string{"/runtime/…", starlark, "github.com/chzyer/readline", "golang.org/x/term"}, []string{"golang.org/x/sys"},
		"the loop shows values of any library: it knows the runtime, not Docker"},
	{"/runtime/lang/langtest", []string{"/runtime/…", starlark, "github.com/stretchr/testify"}, nil,
		"test helpers, which only tests import"},
	{"/runtime/…", []string{"/runtime/…", starlark}, nil,
		"the runtime hosts any library: it knows Starlark, and neither Docker nor a terminal"},

	{"/builtins/environ/compose", []string{"/builtins/…", "/runtime/…", "/engine/…", starlark, "github.com/compose-spec/compose-go"}, nil,
		"the only importer of compose-go, which is heavy: hosts that do not use it must not link it"},
	{"/builtins/…", []string{"/builtins/…", "/runtime/…", "/engine/…", "/stdlib", starlark, mobyAPI, ref, "github.com/moby/patternmatcher"}, []string{"/stdlib", moby},
		"builtins is where engine and runtime meet: it speaks to an engine through package engine alone"},

	{"/engine/host", []string{"/engine", "github.com/docker/cli", "github.com/docker/go-connections", "github.com/containerd/errdefs", "github.com/Microsoft/go-winio"}, nil,
		"the only importer of docker/cli: the rest of engine does not know where an engine was found"},
	{"/engine/enginetest", []string{"/engine", "/engine/host", mobyAPI, "github.com/stretchr/testify"}, nil,
		"test helpers over a real engine"},
	{"/engine/…", []string{"/engine/…", moby, mobyAPI, ref, "github.com/moby/patternmatcher", "github.com/containerd/errdefs",
		"github.com/opencontainers/go-digest", "github.com/opencontainers/image-spec"}, nil,
		"engine speaks to engines through the official client, and knows nothing of Starlark"},

	{"/stdlib", nil, []string{"/…", starlark}, "modules written in Starlark and their embed.FS"},
	{"/examples/…", []string{"/…", starlark, moby, mobyAPI}, []string{"/…"}, "examples use dscript as anybody does"},
	{"", nil, []string{"/…", starlark, moby, mobyAPI}, "the module's root holds tests and documents only"},
}

// Tests may use these anywhere.
var testTools = []string{"github.com/stretchr/testify", "github.com/rogpeppe/go-internal"}

// Engine's tests may use enginetest; so may those of everything that may use engine.
var engineTestTools = []string{"/engine/enginetest", "/engine/host"}

// What a program that embeds a package must never link, however indirectly.
var never = []struct {
	pkg    string
	deps   []string
	reason string
}{
	{"/runtime/…", []string{"/engine/…", "/builtins/…", "github.com/moby", "github.com/docker", "github.com/containerd"}, "the runtime knows nothing of Docker"},
	{"/engine/…", []string{"/runtime/…", "/builtins/…", starlark}, "engine knows nothing of Starlark"},
	{"/builtins/…", []string{"github.com/chzyer/readline"}, "readline is for the prompt alone"},
	{"/runtime", []string{"github.com/chzyer/readline"}, "readline is for the prompt alone"},
	{"/builtins", []string{"github.com/docker/cli", cobra, "/engine/host"}, "a host that brings its own client does not link the Docker CLI's packages"},
	{"/engine", []string{"github.com/docker/cli"}, "a host that brings its own client does not link the Docker CLI's packages"},
}

type goPackage struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

func TestImports(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		t.Run(goos, func(t *testing.T) {
			for _, p := range listPackages(t, goos) {
				checkImports(t, p)
				checkDeps(t, p)
			}
		})
	}
}

func checkImports(t *testing.T, p goPackage) {
	i := slices.IndexFunc(rules, func(r rule) bool { return matches(r.pkg, p.ImportPath) })
	if i < 0 {
		assert.Fail(t, "a package without a rule", "%s: say in imports_test.go what it may import, and why", p.ImportPath)
		return
	}
	r := rules[i]
	for _, name := range p.Imports {
		if !allowed(name, r.may) {
			assert.Fail(t, "import rule", "%s must not import %s: %s", p.ImportPath, name, r.reason)
		}
	}
	may := slices.Concat(r.may, r.tests, testTools)
	if slices.ContainsFunc(r.may, func(m string) bool { return strings.HasPrefix(m, "/engine") }) {
		may = append(may, engineTestTools...)
	}
	for _, name := range slices.Concat(p.TestImports, p.XTestImports) {
		if name != p.ImportPath && !allowed(name, may) {
			assert.Fail(t, "import rule", "tests of %s must not import %s: %s", p.ImportPath, name, r.reason)
		}
	}
}

func checkDeps(t *testing.T, p goPackage) {
	for _, n := range never {
		if !matches(n.pkg, p.ImportPath) {
			continue
		}
		for _, name := range p.Deps {
			if slices.ContainsFunc(n.deps, func(d string) bool { return matches(d, name) }) {
				assert.Fail(t, "import rule", "%s must not reach %s: %s (go mod why -m, go list -deps show the way)", p.ImportPath, name, n.reason)
			}
		}
	}
}

func allowed(name string, may []string) bool {
	return isStandard(name) || slices.ContainsFunc(may, func(m string) bool { return matches(m, name) })
}

// isStandard: an import path of the standard library has no dot in its first element.
func isStandard(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return !strings.Contains(first, ".")
}

// matches: a pattern of another module takes in everything below.
func matches(pattern, name string) bool {
	ours, inModule := strings.CutPrefix(name, module)
	if pattern == "" || strings.HasPrefix(pattern, "/") {
		base, below := strings.CutSuffix(pattern, "/…")
		return inModule && (ours == base || below && strings.HasPrefix(ours, base+"/"))
	}
	return name == pattern || strings.HasPrefix(name, pattern+"/")
}

func listPackages(t *testing.T, goos string) []goPackage {
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports,Deps", "./...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", &stderr)
	var all []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, p)
	}
}
