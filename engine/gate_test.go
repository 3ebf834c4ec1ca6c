package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
)

// The calls of the official client that must not be used lose what this package
// is for: see the package's design.
func TestHijackingCallsAreNotUsed(t *testing.T) {
	forbidden := []string{"ContainerAttach", "ExecAttach", "ExecStart", "ExecInspect", "ContainerExecAttach", "ContainerExecStart", "ContainerExecInspect", "DialHijack", "NewHijackedResponse", "StdCopy"}
	require.NoError(t, filepath.WalkDir(".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				assert.NotContains(t, forbidden, s.Sel.Name, "%s: the official client's %s is not to be trusted; use upgrade or inspect", name, s.Sel.Name)
			}
			return true
		})
		return nil
	}))
}

func TestPolicyJudgesWhatIsSent(t *testing.T) {
	var mu sync.Mutex
	var seen []engine.Request
	o := enginetest.Options(t)
	o.Policy = func(_ context.Context, r engine.Request) error {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, r)
		var body struct{ HostConfig container.HostConfig }
		_ = json.Unmarshal(r.Body, &body)
		if body.HostConfig.Privileged {
			return errors.New("privileged is not for you")
		}
		return nil
	}
	c := enginetest.Connect(t, o)
	spec := engine.ContainerSpec{
		Config: container.Config{Image: enginetest.Image, Cmd: sh("true")},
		Raw:    map[string]any{"hostconfig": map[string]any{"pRiViLeGeD": true}},
		Owner:  engine.Owner{Session: "s"},
	}
	_, err := c.CreateContainer(t.Context(), spec)
	require.ErrorIs(t, err, engine.ErrDenied)
	assert.ErrorContains(t, err, "create: ")
	assert.ErrorContains(t, err, "privileged is not for you")
	last := seen[len(seen)-1]
	assert.Equal(t, "container.create", last.Op)
	assert.Equal(t, "POST", last.Method)
	assert.Equal(t, "/containers/create", last.Path)
	assert.Equal(t, "s", last.Owner.Session)
	assert.Contains(t, string(last.Body), `"Privileged":true`)
	assert.NotContains(t, string(last.Body), "hostconfig")

	spec.Raw = nil
	id := enginetest.Create(t, c, spec)
	require.NoError(t, c.StartContainer(t.Context(), id))
	var ops []string
	for _, r := range seen {
		ops = append(ops, r.Op)
	}
	assert.Subset(t, ops, []string{"ping", "container.create", "container.start", "container.inspect"}, "reads are judged too")
}

func TestTraceAndRedact(t *testing.T) {
	var mu sync.Mutex
	var traces []engine.Trace
	o := enginetest.Options(t)
	o.Trace = func(tr engine.Trace) { mu.Lock(); traces = append(traces, tr); mu.Unlock() }
	o.Credentials = func(context.Context, string) (engine.Auth, error) {
		return engine.Auth{Username: "me", Password: "c2VjcmV0"}, nil
	}
	o.Redact = func(s string) string { return strings.ReplaceAll(s, "hunter2", "***") }
	c := enginetest.Connect(t, o)
	_, err := c.PullImage(t.Context(), "127.0.0.1:1/hunter2:1", engine.PullOptions{})
	require.Error(t, err)
	assert.NotContains(t, err.(*engine.Error).Message, "hunter2")
	require.NotEmpty(t, traces)
	all := fmt.Sprintf("%+v", traces)
	assert.NotContains(t, all, "c2VjcmV0")
	for _, tr := range traces {
		assert.NotContains(t, tr.Path, "hunter2")
		assert.Positive(t, tr.Duration)
		assert.NotZero(t, tr.Status)
	}
}

func TestNegotiation(t *testing.T) {
	p := enginetest.NewProxy(t, enginetest.Options(t))
	c := p.Client(t)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := c.ListContainers(t.Context(), engine.ListContainersOptions{})
			assert.NoError(t, err)
		})
	}
	all.Wait()
	assert.Equal(t, 1, p.Count("/_ping"), "it happens once")

	for name, test := range map[string]struct {
		f    enginetest.Fault
		kind engine.Kind
	}{
		"too old":      {enginetest.Fault{Status: 200, Header: map[string][]string{"Api-Version": {"1.24"}}, Body: "OK"}, engine.KindTooOld},
		"no engine":    {enginetest.Fault{Status: 200, Body: "hello"}, engine.KindUnavailable},
		"not allowed":  {enginetest.Fault{Status: 403, Body: "no"}, engine.KindForbidden},
		"out of order": {enginetest.Fault{Status: 500, Body: "no"}, engine.KindInternal},
	} {
		t.Run(name, func(t *testing.T) {
			c := p.Client(t)
			p.Clear()
			test.f.Path = "^/_ping"
			p.Add(test.f)
			_, err := c.ListContainers(t.Context(), engine.ListContainersOptions{})
			require.Error(t, err)
			assert.Equal(t, test.kind, kindOf(err), err)
			p.Clear()
			_, err = c.ListContainers(t.Context(), engine.ListContainersOptions{})
			assert.NoError(t, err, "a failure is not kept")
		})
	}
	p.Clear()
	p.Add(enginetest.Fault{Path: "^/info", Status: 400, Body: "client version 1.41 is too old. Minimum supported API version is 1.60"})
	_, err := c.Info(t.Context())
	assert.ErrorIs(t, err, engine.ErrTooOld)

	p.Clear()
	fixed := enginetest.Connect(t, engine.Options{Host: p.Host, APIVersion: "1.40"})
	pings := p.Count("/_ping")
	_, err = fixed.Info(t.Context())
	require.NoError(t, err)
	assert.Equal(t, pings, p.Count("/_ping"), "a version that is given is not negotiated")
}

func TestNoEngine(t *testing.T) {
	missing := enginetest.Connect(t, engine.Options{Host: "unix://" + t.TempDir() + "/no.sock"})
	_, err := missing.Ping(t.Context())
	assert.ErrorIs(t, err, engine.ErrUnavailable)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.NotEmpty(t, err.(*engine.Error).Hint)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := listener.Addr().String()
	require.NoError(t, listener.Close())
	_, err = enginetest.Connect(t, engine.Options{Host: "tcp://" + closed}).Ping(t.Context())
	assert.ErrorIs(t, err, engine.ErrUnavailable)
	assert.ErrorContains(t, err, closed)

	for _, host := range []string{"nonsense", "ssh://bob:secret@box", "ftp://x"} {
		_, err := engine.New(engine.Options{Host: host})
		assert.ErrorIs(t, err, engine.ErrInvalid, host)
		assert.NotContains(t, err.Error(), "secret")
	}
}

func TestOverLendsTheDialer(t *testing.T) {
	api, err := client.New(client.WithHost(enginetest.Options(t).Host))
	require.NoError(t, err)
	defer api.Close()
	c, err := engine.Over(api, engine.Options{})
	require.NoError(t, err)
	id := enginetest.Container(t, c)
	r, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh("echo hi; exit 3")})
	require.NoError(t, err)
	assert.Equal(t, "hi\n", string(r.Stdout))
	require.NoError(t, c.RemoveContainer(t.Context(), id, engine.RemoveContainerOptions{Force: true}))
	require.NoError(t, c.Close())
	_, err = api.Ping(t.Context(), client.PingOptions{})
	assert.NoError(t, err, "the lender's client lives on")
}

func TestVersionAndProcess(t *testing.T) {
	c := enginetest.Client(t)
	v, err := c.Version(t.Context())
	require.NoError(t, err)
	assert.NotEmpty(t, v.Version)
	assert.Contains(t, v.Engine, "Engine")
	assert.Equal(t, "linux", v.OS)
	assert.True(t, json.Valid(v.Raw))
	assert.Equal(t, engine.ProcessID(), engine.ProcessID())
	assert.Equal(t, 4, strings.Count(engine.ProcessID(), "/"))
}
