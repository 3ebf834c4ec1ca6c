package builtins_test

// The language of the library is tested in scripts: testdata/*.star, each against
// a real engine, and each seen to leave nothing behind.

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/builtins"
	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/lang"
)

// config is that of a program which allows its scripts everything.
func config(t testing.TB, client *engine.Client) runtime.Config {
	return runtime.Config{
		Libraries: []*runtime.Library{
			lang.Library(),
			builtins.Library(builtins.Options{Connect: func(context.Context) (*engine.Client, error) { return client, nil }}),
		},
		Host:   runtime.Host{Read: runtime.Everything(), Write: runtime.Everything(), Env: os.LookupEnv, Run: runtime.LocalRun},
		Dir:    t.TempDir(),
		Stdout: testWriter{t}, Stderr: testWriter{t},
	}
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(string(bytes.TrimSuffix(p, []byte("\n"))))
	return len(p), nil
}

func TestScripts(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.star")
	require.NoError(t, err)
	require.NotEmpty(t, scripts)
	podman := enginetest.IsPodman(t)
	for _, path := range scripts {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			var asked requests
			o := enginetest.Options(t)
			o.Trace = asked.add
			env := map[string]string{}
			if filepath.Base(path) == "registry.star" {
				env["OPEN_REGISTRY"] = enginetest.Registry(t, enginetest.RegistryOptions{})
				env["PRIVATE_REGISTRY"] = enginetest.Registry(t, enginetest.RegistryOptions{Private: true})
				env["REGISTRY_PASSWORD"] = enginetest.Password
			}
			runScript(t, enginetest.Connect(t, o), path, env)
			for _, row := range endpoints(t) {
				if row.test == filepath.Base(path) && !(podman && strings.Contains(row.says, "(Docker)")) {
					assert.True(t, asked.has(row.endpoint), "the script does not ask for %s", row.endpoint)
				}
			}
		})
	}
}

// runScript runs a script, which finds env besides this process's own environment.
func runScript(t *testing.T, client *engine.Client, path string, env map[string]string) {
	src, err := os.ReadFile(path)
	require.NoError(t, err)
	cfg := config(t, client)
	cfg.Host.Env = func(name string) (string, bool) {
		if value, ok := env[name]; ok {
			return value, true
		}
		return os.LookupEnv(name)
	}
	rt, err := runtime.New(cfg)
	require.NoError(t, err)
	program, err := rt.Compile(path, src)
	require.NoError(t, err)
	s := rt.NewSession(t.Context())
	if err := s.RunProgram(t.Context(), program); err != nil {
		t.Error(rt.FormatError(err))
	}
	assert.NoError(t, s.Close())
	assertNothingLeft(t, client, s.ID())
}

// assertNothingLeft asks the engine for what a session that has ended has made.
func assertNothingLeft(t testing.TB, client *engine.Client, session string) {
	left, err := client.ListContainers(context.Background(), engine.ListContainersOptions{
		All: true, Filters: map[string][]string{"label": {"dscript.session=" + session}}})
	require.NoError(t, err)
	assert.Empty(t, left, "containers of a session that has ended")
	networks, err := client.ListNetworks(context.Background(), map[string][]string{"label": {"dscript.session=" + session}})
	require.NoError(t, err)
	assert.Empty(t, networks, "networks of a session that has ended")
	volumes, err := client.ListVolumes(context.Background(), map[string][]string{"label": {"dscript.session=" + session}})
	require.NoError(t, err)
	assert.Empty(t, volumes, "volumes of a session that has ended")
}

func TestDeclarationsAgree(t *testing.T) {
	rt, err := runtime.New(config(t, nil))
	require.NoError(t, err)
	assert.NoError(t, rt.Check())
}
