package engine_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
)

// named gives the base image one more name, for the test.
// Podman 4.3 takes a last "/push" of a name for the end of the request.
func named(t *testing.T, c *engine.Client, registry string) string {
	ref := fmt.Sprintf("%s/dscript/sent:%d", registry, time.Now().UnixNano())
	require.NoError(t, c.TagImage(t.Context(), enginetest.Image, ref))
	t.Cleanup(func() {
		_, err := c.RemoveImage(context.Background(), ref, engine.RemoveImageOptions{})
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			t.Error(err)
		}
	})
	return ref
}

// clientAs is a client with the credentials that each registry is to get.
func clientAs(t *testing.T, credentials func(ctx context.Context, registry string) (engine.Auth, error)) *engine.Client {
	o := enginetest.Options(t)
	o.Credentials, o.Logins = credentials, nil
	return enginetest.Connect(t, o)
}

func nobody(context.Context, string) (engine.Auth, error) { return engine.Auth{}, nil }

func right(context.Context, string) (engine.Auth, error) {
	return engine.Auth{Username: enginetest.Username, Password: enginetest.Password}, nil
}

func TestPushAndPull(t *testing.T) {
	for name, test := range map[string]struct {
		private bool
		as      func(context.Context, string) (engine.Auth, error)
	}{"without a password": {false, nobody}, "with a password": {true, right}} {
		t.Run(name, func(t *testing.T) {
			c := clientAs(t, test.as)
			ref := named(t, c, enginetest.Registry(t, enginetest.RegistryOptions{Private: test.private}))
			before, err := c.InspectImage(t.Context(), ref)
			require.NoError(t, err)
			var lines int
			digest, err := c.PushImage(t.Context(), ref, engine.PushOptions{Progress: func(engine.Progress) { lines++ }})
			require.NoError(t, err)
			assert.Regexp(t, "^sha256:[0-9a-f]{64}$", digest)
			assert.NotZero(t, lines)
			again, err := c.PushImage(t.Context(), ref, engine.PushOptions{})
			require.NoError(t, err)
			assert.Equal(t, digest, again)

			_, err = c.RemoveImage(t.Context(), ref, engine.RemoveImageOptions{})
			require.NoError(t, err)
			got, err := c.PullImage(t.Context(), ref, engine.PullOptions{})
			require.NoError(t, err)
			if !enginetest.IsPodman(t) { // which writes the image's configuration anew
				assert.Equal(t, before.ID, got.ID)
			}
		})
	}
}

func TestPushErrors(t *testing.T) {
	private := enginetest.Registry(t, enginetest.RegistryOptions{Private: true})
	open := enginetest.Registry(t, enginetest.RegistryOptions{})
	anonymous := clientAs(t, nobody)
	wrong := clientAs(t, func(context.Context, string) (engine.Auth, error) {
		return engine.Auth{Username: enginetest.Username, Password: "hunter2"}, nil
	})
	broken := clientAs(t, func(context.Context, string) (engine.Auth, error) {
		return engine.Auth{}, errors.New("no helper hunter2")
	})
	here, down := named(t, anonymous, private), named(t, anonymous, enginetest.NoRegistry(t))
	for _, test := range []struct {
		name       string
		c          *engine.Client
		ref        string
		push, pull engine.Kind
	}{
		{"nobody", anonymous, here, engine.KindUnauthorized, engine.KindUnauthorized},
		{"a wrong password", wrong, here, engine.KindUnauthorized, engine.KindUnauthorized},
		{"no credentials to be had", broken, here, engine.KindUnauthorized, engine.KindUnauthorized},
		{"no such image", anonymous, open + "/dscript/nosuch:1", engine.KindNotFound, engine.KindPullFailed},
		{"no registry", anonymous, down, engine.KindUnavailable, engine.KindPullFailed},
		{"a digest", anonymous, open + "/x@sha256:a44d451f677079974e1f6f493c2d07eb2e1df545af4ec460e5c281555d82741d", engine.KindInvalid, engine.KindPullFailed},
		{"no name", anonymous, "UPPER case", engine.KindInvalid, engine.KindInvalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := test.c.PushImage(t.Context(), test.ref, engine.PushOptions{})
			assert.Equal(t, test.push, kindOf(err), "push: %v", err)
			_, err = test.c.PullImage(t.Context(), test.ref, engine.PullOptions{})
			assert.Equal(t, test.pull, kindOf(err), "pull: %v", err)
		})
	}
}

// Each registry learns its own password and never that of another.
func TestCredentialsGoToTheirRegistryAlone(t *testing.T) {
	var mu sync.Mutex
	heard := map[string][]string{}
	listen := func(name string) func(*http.Request) {
		return func(r *http.Request) {
			user, password, _ := r.BasicAuth()
			if user+password != "" { // Podman answers a registry that asks with a blank name and password
				mu.Lock()
				defer mu.Unlock()
				heard[name] = append(heard[name], user+" "+password)
			}
		}
	}
	own := enginetest.Registry(t, enginetest.RegistryOptions{Private: true, Seen: listen("own")})
	other := enginetest.Registry(t, enginetest.RegistryOptions{Private: true, Seen: listen("other")})
	var asked []string
	c := clientAs(t, func(_ context.Context, registry string) (engine.Auth, error) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, registry)
		if registry != own {
			return engine.Auth{}, nil
		}
		return engine.Auth{Username: enginetest.Username, Password: enginetest.Password, ServerAddress: "https://elsewhere.example"}, nil
	})
	_, err := c.PushImage(t.Context(), named(t, c, own), engine.PushOptions{})
	require.NoError(t, err)
	_, err = c.PushImage(t.Context(), named(t, c, other), engine.PushOptions{})
	assert.ErrorIs(t, err, engine.ErrUnauthorized)
	_, err = c.PullImage(t.Context(), other+"/dscript/sent:1", engine.PullOptions{})
	assert.ErrorIs(t, err, engine.ErrUnauthorized)
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, []string{own, other, other}, asked)
	assert.NotEmpty(t, heard["own"])
	assert.Empty(t, heard["other"])
}

func TestLogin(t *testing.T) {
	private := enginetest.Registry(t, enginetest.RegistryOptions{Private: true})
	o := enginetest.Options(t)
	var traces []engine.Trace
	var mu sync.Mutex
	o.Trace = func(tr engine.Trace) { mu.Lock(); traces = append(traces, tr); mu.Unlock() }
	o.Credentials = nobody
	o.Logins = func(context.Context) (map[string]string, error) {
		return map[string]string{"https://index.docker.io/v1/": "hubber"}, nil
	}
	c := enginetest.Connect(t, o)
	ref := named(t, c, private)
	_, err := c.PushImage(t.Context(), ref, engine.PushOptions{})
	require.ErrorIs(t, err, engine.ErrUnauthorized)
	_, err = c.Login(t.Context(), engine.Auth{Username: enginetest.Username, Password: "hunter2", ServerAddress: private})
	assert.ErrorIs(t, err, engine.ErrUnauthorized)
	_, err = c.Login(t.Context(), engine.Auth{Username: enginetest.Username, Password: "hunter2", ServerAddress: enginetest.NoRegistry(t)})
	assert.ErrorIs(t, err, engine.ErrUnavailable)
	_, err = c.Login(t.Context(), engine.Auth{ServerAddress: private})
	assert.ErrorIs(t, err, engine.ErrInvalid)
	users, err := c.Logins(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"docker.io": "hubber"}, users, "what failed is not kept")

	status, err := c.Login(t.Context(), engine.Auth{Username: enginetest.Username, Password: enginetest.Password, ServerAddress: "http://" + private + "/v2/"})
	require.NoError(t, err)
	assert.Contains(t, status, "Login Succeeded")
	users, err = c.Logins(t.Context())
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"docker.io": "hubber", private: enginetest.Username}, users)
	_, err = c.PushImage(t.Context(), ref, engine.PushOptions{})
	require.NoError(t, err)
	mu.Lock()
	defer mu.Unlock()
	all := fmt.Sprintf("%+v", traces)
	assert.NotContains(t, all, enginetest.Password)
	assert.NotContains(t, all, "hunter2")
}

// Engines may repeat what they were told; what is hidden stays so.
func TestHiddenTexts(t *testing.T) {
	p := enginetest.NewProxy(t, enginetest.Options(t))
	c := p.Client(t)
	p.Add(enginetest.Fault{Path: "^/auth", Status: 500, Body: `{"message":"hunter2 and more, aHVudGVyMg== and sesame"}`})
	var err error
	for _, password := range []string{"hunter2", "hunter2 and more", "sesame"} {
		_, err = c.Login(t.Context(), engine.Auth{Username: "x", Password: password, ServerAddress: "r.example"})
		require.Error(t, err)
	}
	assert.Contains(t, err.Error(), "***, *** and ***")
	auth := engine.Auth{Username: "x", Password: "sesame", IdentityToken: "sesame"}
	assert.Equal(t, "x@docker.io x@docker.io x@docker.io", fmt.Sprintf("%v %+v %#v", auth, auth, auth))
}

func TestPushThatFailsInsideItsAnswer(t *testing.T) {
	p := enginetest.NewProxy(t, enginetest.Options(t))
	c := p.Client(t)
	for name, test := range map[string]struct {
		body string
		kind engine.Kind
	}{
		"an error line":     {"{\"status\":\"Preparing\"}\r\n{\"errorDetail\":{\"message\":\"blob upload unknown\"},\"error\":\"blob upload unknown\"}\r\n", engine.KindInternal},
		"an error at last":  {"{\"status\":\"1: digest: sha256:a44d451f677079974e1f6f493c2d07eb2e1df545af4ec460e5c281555d82741d size: 5\"}\n{\"error\":\"denied: requested access to the resource is denied\"}\n", engine.KindUnauthorized},
		"no digest":         {"{\"status\":\"Pushed\"}\n", engine.KindTruncated},
		"half a line":       {"{\"status\":\"Pus", engine.KindTruncated},
		"nothing was said":  {"", engine.KindTruncated},
		"the end of a line": {"{\"status\":\"1: digest: sha256:a44d451f67", engine.KindTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			p.Clear()
			p.Add(enginetest.Fault{Path: "^/images/.*/push", Status: 200, Body: test.body})
			_, err := c.PushImage(t.Context(), "r.example/x:1", engine.PushOptions{})
			require.Error(t, err)
			assert.Equal(t, test.kind, kindOf(err), err)
		})
	}
}

func TestRegistryHost(t *testing.T) {
	for address, host := range map[string]string{
		"": "docker.io", "docker.io": "docker.io", "https://index.docker.io/v1/": "docker.io", "registry-1.docker.io": "docker.io",
		"https://R.example:5000/v2/": "r.example:5000", "ghcr.io": "ghcr.io", "http://localhost:5000": "localhost:5000",
	} {
		assert.Equal(t, host, engine.RegistryHost(address), address)
	}
}
