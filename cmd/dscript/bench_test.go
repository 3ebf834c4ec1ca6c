package main

import (
	"context"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine/enginetest"
)

// buildProgram builds dscript as users have it: the test binary has the race
// detector's weight.
func buildProgram(t testing.TB) string {
	file := filepath.Join(t.TempDir(), "dscript")
	if runtime.GOOS == "windows" {
		file += ".exe"
	}
	out, err := exec.Command("go", "build", "-buildvcs=false", "-o", file, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	return file
}

// BenchmarkStart is what it takes from exec to the end of the process: beside a
// program that does nothing (true), and beside the docker command asking an engine.
func BenchmarkStart(b *testing.B) {
	dscript := buildProgram(b)
	for _, c := range []struct {
		name   string
		engine bool
		args   []string
	}{
		{"floor=true", false, []string{"true"}},
		{"version", false, []string{dscript, "version"}},
		{"one line", false, []string{dscript, "-c", "print(1)"}},
		{"one ping", true, []string{dscript, "-c", "engine.ping()"}},
		{"peer=docker ps -q", true, []string{"docker", "ps", "-q"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			if _, err := exec.LookPath(c.args[0]); err != nil {
				b.Skip(c.args[0] + " is not here")
			}
			if c.engine {
				enginetest.Client(b)
			}
			for b.Loop() {
				if out, err := exec.CommandContext(context.Background(), c.args[0], c.args[1:]...).CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
			}
		})
	}
}
