package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
)

var update = flag.Bool("update", false, "write the expected output in the scripts again")

// A program with the race detector sleeps for a second before it ends, unless it
// is told not to: every dscript of the tests would.
const raceEnds = "atexit_sleep_ms=0"

// With the test binary named dscript, it is the program.
func TestMain(m *testing.M) {
	os.Setenv("GORACE", raceEnds)
	testscript.Main(m, map[string]func(){"dscript": main})
}

// testdata/script needs no engine, and sees none.
func TestScripts(t *testing.T) {
	runScripts(t, "testdata/script", func(e *testscript.Env) error {
		e.Setenv("GORACE", raceEnds)
		e.Setenv("DOCKER_HOST", "unix://"+e.WorkDir+"/no-engine.sock")
		return nil
	})
}

// testdata/engine needs one.
func TestEngineScripts(t *testing.T) {
	c := enginetest.Client(t)
	runScripts(t, "testdata/engine", func(e *testscript.Env) error {
		e.Setenv("GORACE", raceEnds)
		for _, name := range []string{"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "XDG_RUNTIME_DIR"} {
			e.Setenv(name, os.Getenv(name))
		}
		// A name that no other test has: containers' names are the engine's.
		name := "dscript-test-" + rand.Text()[:8]
		e.Setenv("NAME", name)
		e.Defer(func() { // what --keep has kept, when a script fails before it removes it
			_ = c.RemoveContainer(context.Background(), name, engine.RemoveContainerOptions{Force: true})
		})
		return nil
	})
}

func runScripts(t *testing.T, dir string, setup func(*testscript.Env) error) {
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		Setup:               setup,
		UpdateScripts:       *update,
		RequireUniqueNames:  true,
		RequireExplicitExec: true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits CODE COMMAND… is exec with an exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s: exit code %d, want %d", args[1], got, want)
	}
}
