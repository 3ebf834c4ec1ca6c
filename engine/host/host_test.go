package host_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/host"
)

// env is an environment.
func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// home is a user's home with the current context and contexts, by name and host.
func home(t *testing.T, current string, contexts map[string]string) string {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, ".docker"), 0o755))
	config := `{"currentContext": "` + current + `", "credsStore": "none"}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".docker/config.json"), []byte(config), 0o644))
	for name, at := range contexts {
		sum := sha256.Sum256([]byte(name))
		meta := filepath.Join(dir, ".docker/contexts/meta", hex.EncodeToString(sum[:]))
		require.NoError(t, os.MkdirAll(meta, 0o755))
		text := `{"Name":"` + name + `","Metadata":{},"Endpoints":{"docker":{"Host":"` + at + `","SkipTLSVerify":true}}}`
		require.NoError(t, os.WriteFile(filepath.Join(meta, "meta.json"), []byte(text), 0o644))
	}
	return dir
}

func TestFindInOrder(t *testing.T) {
	h := home(t, "here", map[string]string{"here": "unix:///here.sock", "there": "tcp://127.0.0.1:2376", "far": "ssh://me@far"})
	for _, test := range []struct {
		name         string
		o            host.FindOptions
		host, source string
	}{
		{"the option", host.FindOptions{Host: "unix:///o.sock", Context: "there", Getenv: env("DOCKER_HOST", "unix:///e.sock")}, "unix:///o.sock", "option"},
		{"the context option", host.FindOptions{Context: "there", Getenv: env("DOCKER_HOST", "unix:///e.sock")}, "tcp://127.0.0.1:2376", "context there"},
		{"DOCKER_HOST", host.FindOptions{Getenv: env("DOCKER_HOST", "unix:///e.sock", "DOCKER_CONTEXT", "there")}, "unix:///e.sock", "DOCKER_HOST"},
		{"DOCKER_CONTEXT", host.FindOptions{Getenv: env("DOCKER_CONTEXT", "far")}, "ssh://me@far", "context far"},
		{"the current context", host.FindOptions{}, "unix:///here.sock", "context here"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.o.Home = h
			found, err := host.Find(t.Context(), test.o)
			require.NoError(t, err)
			assert.Equal(t, test.host, found.Options.Host)
			assert.Equal(t, test.source, found.Source)
		})
	}
	found, err := host.Find(t.Context(), host.FindOptions{Context: "there", Home: h})
	require.NoError(t, err)
	require.NotNil(t, found.Options.TLS)
	assert.True(t, found.Options.TLS.InsecureSkipVerify)
	found, err = host.Find(t.Context(), host.FindOptions{Context: "far", Home: h})
	require.NoError(t, err)
	assert.NotNil(t, found.Options.Dial)

	elsewhere := t.TempDir()
	found, err = host.Find(t.Context(), host.FindOptions{Context: "there", Home: elsewhere, Getenv: env("DOCKER_CONFIG", filepath.Join(h, ".docker"))})
	require.NoError(t, err)
	assert.Equal(t, "tcp://127.0.0.1:2376", found.Options.Host)
}

func TestFindSettingsThatMakeNoSense(t *testing.T) {
	h := home(t, "gone", nil)
	_, err := host.Find(t.Context(), host.FindOptions{Home: h})
	assert.ErrorIs(t, err, engine.ErrNotFound)
	assert.ErrorContains(t, err, "gone")
	_, err = host.Find(t.Context(), host.FindOptions{Getenv: env("DOCKER_HOST", "localhost:2375")})
	assert.ErrorIs(t, err, engine.ErrInvalid)
	assert.ErrorContains(t, err, "DOCKER_HOST")
	_, err = host.Find(t.Context(), host.FindOptions{Host: "ssh://bob:pa?ss@remote"})
	assert.ErrorIs(t, err, engine.ErrInvalid)
	assert.NotContains(t, err.Error(), "pa?ss")
	_, err = host.Find(t.Context(), host.FindOptions{Getenv: env("DOCKER_HOST", "tcp://127.0.0.1:1", "DOCKER_TLS_VERIFY", "1", "DOCKER_CERT_PATH", t.TempDir())})
	assert.ErrorIs(t, err, engine.ErrInvalid)
	assert.ErrorContains(t, err, "ca.pem")
}

func TestFindVersionAndWarnings(t *testing.T) {
	found, err := host.Find(t.Context(), host.FindOptions{Getenv: env("DOCKER_HOST", "tcp://192.0.2.1:2375", "DOCKER_API_VERSION", "v1.41")})
	require.NoError(t, err)
	assert.Equal(t, "1.41", found.Options.APIVersion)
	require.Len(t, found.Warnings, 1)
	assert.Contains(t, found.Warnings[0], "without TLS")
	found, err = host.Find(t.Context(), host.FindOptions{Host: "tcp://localhost:2375"})
	require.NoError(t, err)
	assert.Empty(t, found.Warnings)
}

// fake is a socket that answers pings as an engine does, or as something else.
func fake(t *testing.T, header string) string {
	dir, err := os.MkdirTemp("", "h")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	require.NoError(t, err)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if header != "" {
			w.Header().Set("Api-Version", header)
		}
	})}
	go server.Serve(listener)
	t.Cleanup(func() { _ = server.Close() })
	return "unix://" + socket
}

func TestFindSockets(t *testing.T) {
	missing := "unix://" + filepath.Join(t.TempDir(), "no.sock")
	stranger, first, second := fake(t, ""), fake(t, "1.43"), fake(t, "1.44")
	found, err := host.Find(t.Context(), host.FindOptions{Sockets: []string{missing, stranger, first, second}})
	require.NoError(t, err)
	assert.Equal(t, first, found.Options.Host)
	require.Len(t, found.Tried, 2)
	assert.ErrorIs(t, found.Tried[0].Err, os.ErrNotExist)
	assert.Equal(t, "does not exist", found.Tried[0].Reason())

	found, err = host.Find(t.Context(), host.FindOptions{Sockets: []string{missing, stranger}})
	require.ErrorIs(t, err, engine.ErrUnavailable)
	assert.Len(t, found.Tried, 2)
	assert.ErrorContains(t, err, "does not exist")
	assert.ErrorContains(t, err, "no container engine")
	_, err = host.Find(t.Context(), host.FindOptions{Sockets: []string{missing}})
	require.ErrorIs(t, err, engine.ErrUnavailable)
	var e *engine.Error
	require.ErrorAs(t, err, &e)
	assert.Contains(t, e.Hint, "start")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = host.Find(ctx, host.FindOptions{Sockets: []string{first}})
	assert.Error(t, err)
}
