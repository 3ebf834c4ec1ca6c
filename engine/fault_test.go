package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
)

// An exec's output is cut at every byte of a stream of two frames, while the
// command still runs: never a success.
func TestExecStreamCutAtEveryByte(t *testing.T) {
	o := enginetest.Options(t)
	direct := enginetest.Connect(t, o)
	id := enginetest.Container(t, direct)
	const whole = 2*8 + 3 + 4
	var all sync.WaitGroup
	for cut := range whole + 1 {
		p := enginetest.NewProxy(t, o)
		p.Add(enginetest.Fault{Path: "^/exec/.*/start", Nth: 1, Cut: true, After: cut})
		c := p.Client(t)
		all.Go(func() {
			script := `trap "" PIPE; printf out; sleep 0.02; printf ERRR >&2; sleep 1006`
			_, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh(script), Timeout: time.Minute})
			var partial *engine.ExecError
			if !assert.ErrorAs(t, err, &partial, "cut at %d", cut) {
				return
			}
			assert.Contains(t, []engine.Kind{engine.KindTruncated, engine.KindUnavailable}, kindOf(err), "cut at %d: %v", cut, err)
			assert.True(t, strings.HasPrefix("out", string(partial.Result.Stdout)), "cut at %d: %q", cut, partial.Result.Stdout)
			assert.True(t, strings.HasPrefix("ERRR", string(partial.Result.Stderr)), "cut at %d: %q", cut, partial.Result.Stderr)
			assert.NoError(t, c.Close())
		})
	}
	all.Wait()
	assertNoProcess(t, direct, id, "sleep 1006")
}

func kindOf(err error) engine.Kind {
	var e *engine.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

func TestExecStreamInSingleBytes(t *testing.T) {
	p := enginetest.NewProxy(t, enginetest.Options(t))
	c := p.Client(t)
	id := enginetest.Container(t, c)
	p.Add(enginetest.Fault{Split: true})
	r, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh(`printf 'a\000b'; printf err >&2; cat; exit 6`), IO: engine.IO{Stdin: strings.NewReader("in")}})
	require.NoError(t, err)
	assert.Equal(t, "a\x00bin", string(r.Stdout))
	assert.Equal(t, "err", string(r.Stderr))
	assert.Equal(t, 6, r.ExitCode)
}

// An exec is never a success when what asks about its end fails; and it is
// started once only.
func TestExecInspectFaults(t *testing.T) {
	o := enginetest.Options(t)
	direct := enginetest.Connect(t, o)
	id := enginetest.Container(t, direct)
	var all sync.WaitGroup
	for _, test := range []struct {
		name string
		f    enginetest.Fault
		kind engine.Kind
	}{
		{"500", enginetest.Fault{Status: 500, Body: `{"message":"no"}`}, engine.KindInternal},
		{"404", enginetest.Fault{Status: 404, Body: `{"message":"No such exec instance"}`}, engine.KindGone},
		{"not JSON", enginetest.Fault{Status: 200, Body: `<html>`}, engine.KindTruncated},
		{"empty", enginetest.Fault{Status: 200}, engine.KindTruncated},
		{"dropped", enginetest.Fault{Drop: true}, engine.KindUnavailable},
		{"cut in the JSON", enginetest.Fault{Cut: true, After: 20}, engine.KindTruncated},
		{"cut in the header", enginetest.Fault{Cut: true, Head: true, After: 20}, engine.KindUnavailable},
		{"runs for ever", enginetest.Fault{Status: 200, Body: `{"Running":true,"ExitCode":null}`}, engine.KindUnavailable},
		{"no exit code", enginetest.Fault{Status: 200, Body: `{"Running":false,"ExitCode":null}`}, engine.KindUnavailable},
	} {
		p := enginetest.NewProxy(t, o)
		test.f.Path = "^/exec/.*/json"
		p.Add(test.f)
		c := p.Client(t)
		all.Go(func() {
			r, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh("echo done")})
			assert.Equal(t, test.kind, kindOf(err), "%s: %v", test.name, err)
			assert.Equal(t, "done\n", string(r.Stdout), "%s: what was put out is given", test.name)
			assert.NoError(t, c.Close())
		})
	}
	all.Wait()
	p := enginetest.NewProxy(t, o)
	c := p.Client(t)
	p.Add(enginetest.Fault{Path: "^/exec/.*/json", Nth: 1, Status: 200, Body: `{"Running":true,"ExitCode":null}`})
	r, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh("exit 3")})
	require.NoError(t, err, "an exit code that comes late is waited for")
	assert.Equal(t, 3, r.ExitCode)
}

func TestExecStartIsNeverRepeated(t *testing.T) {
	p := enginetest.NewProxy(t, enginetest.Options(t))
	c := p.Client(t)
	id := enginetest.Container(t, c)
	for name, f := range map[string]enginetest.Fault{
		"dropped": {Drop: true}, "lost": {Lose: true}, "cut in the header": {Cut: true, Head: true, After: 12},
	} {
		t.Run(name, func(t *testing.T) {
			p.Clear()
			f.Path = "^/exec/.*/start"
			f.Nth = 1
			p.Add(f)
			_, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh("sleep 1007")})
			assert.ErrorIs(t, err, engine.ErrUnavailable)
			require.NoError(t, c.Close())
			assertNoProcess(t, c, id, "sleep 1007")
		})
	}
	starts := map[string]int{}
	for _, line := range p.Seen() {
		if strings.HasSuffix(line, "/start") && strings.Contains(line, " /exec/") {
			starts[line]++
		}
	}
	for line, n := range starts {
		assert.Equal(t, 1, n, line)
	}
}

func TestExecAnswersThatAreNoUpgrade(t *testing.T) {
	p := enginetest.NewProxy(t, enginetest.Options(t))
	c := p.Client(t)
	id := enginetest.Container(t, c)
	for _, test := range []struct {
		name string
		f    enginetest.Fault
		kind engine.Kind
		text string
	}{
		{"404 keeps its text", enginetest.Fault{Status: 404, Body: `{"message":"No such exec instance: x"}`}, engine.KindNotFound, "No such exec instance: x"},
		{"409 keeps its text", enginetest.Fault{Status: 409, Body: `{"message":"Container x is paused"}`}, engine.KindConflict, "Container x is paused"},
		{"200 with a body", enginetest.Fault{Status: 200, Body: "OK"}, engine.KindUnavailable, "did not hand over"},
		{"204", enginetest.Fault{Status: 204}, engine.KindUnavailable, "did not hand over"},
		{"302", enginetest.Fault{Status: 302, Header: http.Header{"Location": {"/x"}}}, engine.KindUnavailable, "302"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p.Clear()
			test.f.Path = "^/exec/.*/start"
			test.f.Nth = 1
			p.Add(test.f)
			_, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh("true")})
			require.Error(t, err)
			assert.Equal(t, test.kind, kindOf(err), err)
			assert.ErrorContains(t, err, test.text)
			require.NoError(t, c.Close()) // what looks for the process starts an exec too
		})
	}
	// An engine that hands the connection over with a 200 is understood.
	p.Clear()
	p.Add(enginetest.Fault{Path: "^/exec/.*/start", Nth: 1, Then: func(r *http.Request) { r.Header.Del("Upgrade"); r.Header.Del("Connection") }})
	r, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh("cat; exit 2"), IO: engine.IO{Stdin: strings.NewReader("hello")}})
	require.NoError(t, err)
	assert.Equal(t, "hello", string(r.Stdout))
	assert.Equal(t, 2, r.ExitCode)
}

func TestErrorBodies(t *testing.T) {
	p := enginetest.NewProxy(t, enginetest.Options(t))
	c := p.Client(t)
	for _, test := range []struct {
		name         string
		status       int
		body, expect string
		kind         engine.Kind
	}{
		{"JSON", 500, `{"message":"it broke"}`, "it broke", engine.KindInternal},
		{"Podman's JSON", 500, `{"cause":"why","message":"","response":500}`, "why", engine.KindInternal},
		{"text", 404, "Not Found\n", "Not Found", engine.KindUnsupported},
		{"HTML", 502, "<html>bad gateway</html>", "<html>bad gateway</html>", engine.KindUnavailable},
		{"empty", 503, "", "the engine answered 503 Service Unavailable without a message", engine.KindUnavailable},
		{"control characters", 500, "a\x1b[31mred\x00\x07\n\u009bb", `a\x1b[31mred\x00\x07\n\x9bb`, engine.KindInternal},
		{"invalid UTF-8", 500, "a\xff\xfeb", "a\ufffd\ufffdb", engine.KindInternal},
		{"429", 429, `{"message":"slow down"}`, "slow down", engine.KindUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			p.Clear()
			p.Add(enginetest.Fault{Path: "^/info", Status: test.status, Body: test.body})
			_, err := c.Info(t.Context())
			var e *engine.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, test.expect, e.Message)
			assert.Equal(t, test.status, e.Status)
			assert.Equal(t, test.kind, e.Kind)
		})
	}
	p.Clear()
	p.Add(enginetest.Fault{Path: "^/info", Status: 500, Body: strings.Repeat("x\x01", 5<<20)})
	_, err := c.Info(t.Context())
	var e *engine.Error
	require.ErrorAs(t, err, &e)
	assert.LessOrEqual(t, len(e.Message), 4<<10)
}

func TestReadingIsTriedAgainAndWritingIsNot(t *testing.T) {
	p := enginetest.NewProxy(t, enginetest.Options(t))
	c := p.Client(t)
	id := enginetest.Container(t, c)
	p.Add(enginetest.Fault{Path: "^/containers/.*/json", Nth: 1, Drop: true})
	_, err := c.InspectContainer(t.Context(), id)
	require.NoError(t, err)
	p.Clear()
	p.Add(enginetest.Fault{Path: "^/containers/.*/kill", Drop: true})
	require.ErrorIs(t, c.KillContainer(t.Context(), id, ""), engine.ErrUnavailable)
	assert.Equal(t, 1, p.Count("/kill"))
}

func TestCreateWhoseAnswerIsLost(t *testing.T) {
	p := enginetest.NewProxy(t, enginetest.Options(t))
	c := p.Client(t)
	owner := engine.Owner{Kind: engine.OwnerSession, Session: "lost-" + t.Name()}
	for name, f := range map[string]enginetest.Fault{
		"lost": {Lose: true}, "cut in the header": {Cut: true, Head: true, After: 3}, "cut in the body": {Cut: true, After: 10},
	} {
		t.Run(name, func(t *testing.T) {
			p.Clear()
			f.Path, f.Nth = "^/containers/create", 1
			p.Add(f)
			id := enginetest.Create(t, c, engine.ContainerSpec{Owner: owner})
			box, err := c.InspectContainer(t.Context(), id)
			require.NoError(t, err)
			assert.Equal(t, owner.Session, box.Config.Labels[engine.LabelSession])
		})
	}
	p.Clear()
	p.Add(enginetest.Fault{Path: "^/containers/create", Drop: true})
	_, err := c.CreateContainer(t.Context(), engine.ContainerSpec{Config: container.Config{Image: enginetest.Image}, Owner: owner})
	assert.ErrorIs(t, err, engine.ErrUnavailable)
}

func TestCreateThatIsCancelledLeavesNothing(t *testing.T) {
	p := enginetest.NewProxy(t, enginetest.Options(t))
	c := p.Client(t)
	_, err := c.Ping(t.Context())
	require.NoError(t, err)
	p.Add(enginetest.Fault{Path: "^/containers/create", Delay: 20 * time.Second})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	session := fmt.Sprintf("cancelled-%d", time.Now().UnixNano())
	_, err = c.CreateContainer(ctx, engine.ContainerSpec{Config: container.Config{Image: enginetest.Image}, Owner: engine.Owner{Session: session}})
	require.ErrorIs(t, err, engine.ErrTimeout)
	require.NoError(t, c.Close(), "waits for the clean-up")
	left, err := c.ListContainers(t.Context(), engine.ListContainersOptions{All: true, Filters: map[string][]string{"label": {engine.LabelSession + "=" + session}}})
	require.NoError(t, err)
	assert.Empty(t, left)
}

func TestWaitThatIsCutIsNoSuccess(t *testing.T) {
	p := enginetest.NewProxy(t, enginetest.Options(t))
	c := p.Client(t)
	id := enginetest.Container(t, c)
	for name, f := range map[string]enginetest.Fault{
		"cut in the header": {Cut: true, Head: true, After: 30}, "an empty body": {Status: 200}, "an empty object": {Status: 200, Body: "{}"},
		"half of it": {Status: 200, Body: `{"StatusCo`}, "an error": {Status: 200, Body: `{"StatusCode":0,"Error":{"Message":"no"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			p.Clear()
			f.Path = "/wait"
			p.Add(f)
			if f.Cut {
				require.NoError(t, c.KillContainer(t.Context(), id, ""))
			}
			_, err := c.WaitContainer(t.Context(), id, "")
			require.Error(t, err)
			assert.Contains(t, []engine.Kind{engine.KindTruncated, engine.KindUnavailable, engine.KindInternal}, kindOf(err), err)
		})
	}
}

func TestDeadlinesAreKept(t *testing.T) {
	p := enginetest.NewProxy(t, enginetest.Options(t))
	c := p.Client(t)
	id := enginetest.Container(t, c)
	for _, path := range []string{"^/exec/.*/json", "/exec$", "^/exec/.*/start"} {
		t.Run(path, func(t *testing.T) {
			p.Clear()
			p.Add(enginetest.Fault{Path: path, Delay: 4 * time.Second})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			start := time.Now()
			_, err := c.Exec(ctx, id, engine.ExecOptions{Cmd: sh("true")})
			require.ErrorIs(t, err, engine.ErrTimeout)
			assert.Less(t, time.Since(start), 3*time.Second)
			p.Clear()
		})
	}
}

func TestLogsThatAreCut(t *testing.T) {
	p := enginetest.NewProxy(t, enginetest.Options(t))
	c := p.Client(t)
	id := enginetest.Create(t, c, engine.ContainerSpec{Config: container.Config{Cmd: sh("echo one; echo two >&2")}})
	require.NoError(t, c.StartContainer(t.Context(), id))
	_, err := c.WaitContainer(t.Context(), id, "")
	require.NoError(t, err)
	read := func() (string, error) {
		var b bytes.Buffer
		err := c.ReadLogs(t.Context(), id, engine.LogsOptions{}, func(e engine.LogEntry) error {
			b.Write(e.Data)
			return nil
		})
		return b.String(), err
	}
	text, err := read()
	require.NoError(t, err)
	assert.Contains(t, text, "one\n")
	assert.Contains(t, text, "two\n")
	p.Add(enginetest.Fault{Path: "/logs", Cut: true, After: 10})
	_, err = read()
	assert.Contains(t, []engine.Kind{engine.KindTruncated, engine.KindUnavailable}, kindOf(err), err)
}
