package engine_test

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
)

func TestContainerLife(t *testing.T) {
	c := enginetest.Client(t)
	ctx := t.Context()
	id := enginetest.Create(t, c, engine.ContainerSpec{Config: container.Config{Cmd: sh("trap 'exit 3' TERM; sleep 2000000 & wait")}})
	_, err := c.WaitContainer(ctx, id, "")
	assert.ErrorIs(t, err, engine.ErrConflict, "engines answer 0 for a container that was never started")

	require.NoError(t, c.StartContainer(ctx, id))
	require.NoError(t, c.StartContainer(ctx, id), "it runs already")
	box, err := c.InspectContainer(ctx, id)
	require.NoError(t, err)
	assert.True(t, box.State.Running)
	assert.Contains(t, string(box.Raw), id)
	assert.ErrorIs(t, c.RemoveContainer(ctx, id, engine.RemoveContainerOptions{}), engine.ErrConflict)

	ten := 10 * time.Second
	require.NoError(t, c.RestartContainer(ctx, id, engine.StopOptions{Timeout: &ten}))
	none, negative := time.Duration(0), -time.Second
	assert.ErrorIs(t, c.StopContainer(ctx, id, engine.StopOptions{Timeout: &negative}), engine.ErrInvalid)
	require.NoError(t, c.StopContainer(ctx, id, engine.StopOptions{Timeout: &ten}))
	require.NoError(t, c.StopContainer(ctx, id, engine.StopOptions{Timeout: &none}), "it is stopped already")
	code, err := c.WaitContainer(ctx, id, container.WaitConditionNotRunning)
	require.NoError(t, err)
	assert.Equal(t, 3, code)
	assert.ErrorIs(t, c.KillContainer(ctx, id, ""), engine.ErrConflict)

	require.NoError(t, c.RemoveContainer(ctx, id, engine.RemoveContainerOptions{}))
	assert.ErrorIs(t, c.RemoveContainer(ctx, id, engine.RemoveContainerOptions{}), engine.ErrNotFound)
	assert.ErrorIs(t, c.StartContainer(ctx, id), engine.ErrNotFound)
	_, err = c.InspectContainer(ctx, id)
	assert.ErrorIs(t, err, engine.ErrNotFound)
	_, err = c.WaitContainer(ctx, id, "")
	assert.ErrorIs(t, err, engine.ErrNotFound)
}

func TestCreateContainerErrors(t *testing.T) {
	c := enginetest.Client(t)
	_, err := c.CreateContainer(t.Context(), engine.ContainerSpec{Config: container.Config{Image: "nosuch:1"}})
	assert.ErrorIs(t, err, engine.ErrNotFound)
	_, err = c.CreateContainer(t.Context(), engine.ContainerSpec{Name: "a b", Config: container.Config{Image: enginetest.Image, Cmd: sh("true")}})
	assert.ErrorIs(t, err, engine.ErrInvalid)
	_, err = c.CreateContainer(t.Context(), engine.ContainerSpec{Config: container.Config{Image: enginetest.Image}, Platform: "arm64"})
	assert.ErrorIs(t, err, engine.ErrInvalid)

	name := "dscript-test-" + strings.ToLower(t.Name())
	enginetest.Create(t, c, engine.ContainerSpec{Name: name})
	_, err = c.CreateContainer(t.Context(), engine.ContainerSpec{Name: name, Config: container.Config{Image: enginetest.Image}})
	assert.ErrorIs(t, err, engine.ErrConflict)
	assert.ErrorContains(t, err, "already in use")
}

func TestStartContainerErrors(t *testing.T) {
	c := enginetest.Client(t)
	for name, test := range map[string]struct {
		cmd  []string
		kind engine.Kind
	}{
		"no such program": {[]string{"nosuch"}, engine.KindCommandNotFound}, "no such path": {[]string{"/nope/x"}, engine.KindCommandNotFound},
		"a directory": {[]string{"/etc"}, engine.KindStartFailed}, "not executable": {[]string{"/etc/passwd"}, engine.KindStartFailed},
	} {
		t.Run(name, func(t *testing.T) {
			id := enginetest.Create(t, c, engine.ContainerSpec{Config: container.Config{Cmd: test.cmd}})
			err := c.StartContainer(t.Context(), id)
			require.Error(t, err)
			assert.Equal(t, test.kind, kindOf(err), err)
			assert.ErrorContains(t, err, test.cmd[0])
		})
	}
}

func TestCreateContainerLabelsRawAndInit(t *testing.T) {
	c := enginetest.Client(t)
	owner := engine.Owner{Kind: engine.OwnerReuse, Name: "db", Session: "s1", Process: engine.ProcessID()}
	yes := true
	spec := engine.ContainerSpec{
		Config: container.Config{Image: enginetest.Image, Cmd: sh("true"), Labels: map[string]string{"mine": "1"}},
		Host:   container.HostConfig{Init: &yes, NetworkMode: "none"},
		Raw:    map[string]any{"hostconfig": map[string]any{"memory": 64 << 20}, "LABELS": map[string]any{"raw": "2", "dscript.owner": "forged"}},
		Owner:  owner, ImageID: "sha256:1",
	}
	id := enginetest.Create(t, c, spec)
	box, err := c.InspectContainer(t.Context(), id)
	require.NoError(t, err)
	labels := box.Config.Labels
	assert.Equal(t, owner, engine.OwnerOf(labels))
	assert.Equal(t, "1", labels["mine"])
	assert.Equal(t, "2", labels["raw"])
	assert.Len(t, labels[engine.LabelNonce], 32)
	assert.NotEmpty(t, labels[engine.LabelCreated])
	assert.EqualValues(t, 64<<20, box.HostConfig.Memory)

	hash, err := spec.Hash("sha256:1")
	require.NoError(t, err)
	assert.Equal(t, hash, labels[engine.LabelHash])
	spec.Owner = engine.Owner{}
	again, err := spec.Hash("sha256:1")
	require.NoError(t, err)
	assert.Equal(t, hash, again, "owners do not count")
	other, err := spec.Hash("sha256:2")
	require.NoError(t, err)
	assert.NotEqual(t, hash, other)
	spec.Raw = nil
	other, err = spec.Hash("sha256:1")
	require.NoError(t, err)
	assert.NotEqual(t, hash, other)
}

func TestPublishedPortsAreThere(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Create(t, c, engine.ContainerSpec{
		Config: container.Config{Cmd: []string{"sleep", "2000000"}},
		Host:   container.HostConfig{PortBindings: network.PortMap{network.MustParsePort("80/tcp"): {{HostPort: "0"}}}},
	})
	require.NoError(t, c.StartContainer(t.Context(), id))
	box, err := c.InspectContainer(t.Context(), id)
	require.NoError(t, err)
	assert.NotEmpty(t, box.NetworkSettings.Ports[network.MustParsePort("80/tcp")])
}

func TestRunContainer(t *testing.T) {
	c := enginetest.Client(t)
	for _, test := range []struct {
		name   string
		config container.Config
		stdin  string
		want   engine.ExecResult
	}{
		{"both streams and a code", container.Config{Cmd: sh("printf out; printf err >&2; exit 7")}, "", engine.ExecResult{Stdout: []byte("out"), Stderr: []byte("err"), ExitCode: 7}},
		{"short", container.Config{Cmd: sh("true")}, "", engine.ExecResult{}},
		{"tty", container.Config{Cmd: sh("echo a; echo b >&2; exit 2"), Tty: true}, "", engine.ExecResult{Stdout: []byte("a\r\nb\r\n"), ExitCode: 2}},
		{"stdin", container.Config{Cmd: []string{"cat"}, OpenStdin: true, StdinOnce: true, AttachStdin: true}, "in\x00put", engine.ExecResult{Stdout: []byte("in\x00put")}},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := enginetest.Create(t, c, engine.ContainerSpec{Config: test.config})
			var o engine.IO
			if test.stdin != "" {
				o.Stdin = strings.NewReader(test.stdin)
			}
			r, err := c.RunContainer(t.Context(), id, o)
			require.NoError(t, err)
			assert.Equal(t, string(test.want.Stdout), string(r.Stdout))
			assert.Equal(t, string(test.want.Stderr), string(r.Stderr))
			assert.Equal(t, test.want.ExitCode, r.ExitCode)
			_, err = c.RunContainer(t.Context(), id, o)
			assert.ErrorIs(t, err, engine.ErrConflict, "it was started before")
		})
	}
	id := enginetest.Create(t, c, engine.ContainerSpec{Config: container.Config{Cmd: []string{"nosuch"}}})
	_, err := c.RunContainer(t.Context(), id, engine.IO{})
	assert.ErrorIs(t, err, engine.ErrCommandNotFound)
}

func TestRunContainerEndsEarly(t *testing.T) {
	c := enginetest.Client(t)
	spec := engine.ContainerSpec{Config: container.Config{Cmd: sh("echo up; sleep 2000000")}}
	id := enginetest.Create(t, c, spec)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, err := c.RunContainer(ctx, id, engine.IO{})
	require.ErrorIs(t, err, engine.ErrTimeout)
	var partial *engine.ExecError
	require.ErrorAs(t, err, &partial)
	assert.Equal(t, "up\n", string(partial.Result.Stdout))
	require.NoError(t, c.Close())
	box, err := c.InspectContainer(t.Context(), id)
	require.NoError(t, err)
	assert.False(t, box.State.Running)

	id = enginetest.Create(t, c, spec)
	r, err := c.RunContainer(t.Context(), id, engine.IO{Each: func(engine.Stdio, []byte) error { return engine.ErrStop }})
	require.NoError(t, err)
	assert.True(t, r.Stopped)
	assert.Equal(t, 137, r.ExitCode)
}

func TestCopyInAndOut(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "file", Mode: 0o640, Size: 4}))
	_, err := w.Write([]byte("a\x00b\xff"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.NoError(t, c.CopyTo(t.Context(), id, "/tmp", &archive))

	body, stat, err := c.CopyFrom(t.Context(), id, "/tmp/file")
	require.NoError(t, err)
	defer body.Close()
	assert.EqualValues(t, 4, stat.Size)
	r := tar.NewReader(body)
	h, err := r.Next()
	require.NoError(t, err)
	assert.Equal(t, "file", h.Name)
	data, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, "a\x00b\xff", string(data))

	_, _, err = c.CopyFrom(t.Context(), id, "/nope")
	assert.ErrorIs(t, err, engine.ErrNotFound)
}

func TestImages(t *testing.T) {
	c := enginetest.Client(t)
	ctx := t.Context()
	const name = "dscript-test-imported:1"
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "hello", Mode: 0o644, Size: 2}))
	_, err := w.Write([]byte("hi"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	id, err := c.ImportImage(ctx, &archive, engine.ImportOptions{Ref: name, Changes: []string{`CMD ["/x"]`}})
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = c.RemoveImage(context.Background(), name, engine.RemoveImageOptions{Force: true}) })
	got, err := c.InspectImage(ctx, name)
	require.NoError(t, err)
	assert.Equal(t, id, got.ID)
	assert.Equal(t, []string{"/x"}, got.Config.Cmd)

	require.NoError(t, c.TagImage(ctx, name, "dscript-test-imported:2"))
	gone, err := c.RemoveImage(ctx, "dscript-test-imported:2", engine.RemoveImageOptions{})
	require.NoError(t, err)
	assert.NotEmpty(t, gone)
	list, err := c.ListImages(ctx, engine.ListImagesOptions{})
	require.NoError(t, err)
	assert.NotEmpty(t, list)

	got, err = c.EnsureImage(ctx, name, engine.EnsureOptions{Policy: engine.PullNever})
	require.NoError(t, err)
	assert.Equal(t, id, got.ID)
	got, err = c.EnsureImage(ctx, name, engine.EnsureOptions{PullOptions: engine.PullOptions{Platform: got.Os + "/" + got.Architecture}})
	require.NoError(t, err)
	assert.Equal(t, id, got.ID)
	_, err = c.EnsureImage(ctx, name, engine.EnsureOptions{Policy: engine.PullNever, PullOptions: engine.PullOptions{Platform: "linux/s390x"}})
	assert.ErrorIs(t, err, engine.ErrNotFound)
	assert.ErrorContains(t, err, "not for linux/s390x")
	_, err = c.EnsureImage(ctx, "dscript-test-nosuch:1", engine.EnsureOptions{Policy: engine.PullNever})
	assert.ErrorIs(t, err, engine.ErrNotFound)
	_, err = c.PullImage(ctx, "BAD NAME", engine.PullOptions{})
	assert.ErrorIs(t, err, engine.ErrInvalid)
	_, err = c.PullImage(ctx, "127.0.0.1:1/nosuch:1", engine.PullOptions{})
	assert.ErrorIs(t, err, engine.ErrPullFailed, "there is no registry")
}

func TestPullThatFailsInsideItsAnswer(t *testing.T) {
	p := enginetest.NewProxy(t, enginetest.Options(t))
	c := p.Client(t)
	for name, test := range map[string]struct {
		body string
		kind engine.Kind
	}{
		"an error line":    {"{\"status\":\"Pulling\"}\r\n{\"errorDetail\":{\"message\":\"no space\"},\"error\":\"no space\"}\r\n", engine.KindPullFailed},
		"Podman's error":   {"{\"error\":\"no space\"}\n", engine.KindPullFailed},
		"half a line":      {"{\"status\":\"Pul", engine.KindTruncated},
		"an endless line":  {"{\"status\":\"" + strings.Repeat("x", 2<<20) + "\"}", engine.KindTruncated},
		"nothing was done": {"", engine.KindTruncated},
	} {
		t.Run(name, func(t *testing.T) {
			p.Clear()
			p.Add(enginetest.Fault{Path: "^/images/create", Status: 200, Body: test.body})
			_, err := c.PullImage(t.Context(), "dscript-test-nosuch:1", engine.PullOptions{})
			require.Error(t, err)
			assert.Equal(t, test.kind, kindOf(err), err)
		})
	}
}

func TestStopLetsAContainerEnd(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Create(t, c, engine.ContainerSpec{Config: container.Config{
		Cmd: sh("trap 'sleep 0.5; exit 3' TERM; touch /ready; while :; do sleep 0.1; done")}})
	require.NoError(t, c.StartContainer(t.Context(), id))
	_, err := c.Exec(t.Context(), id, engine.ExecOptions{Cmd: sh("until [ -e /ready ]; do sleep 0.05; done")})
	require.NoError(t, err)
	require.NoError(t, c.StopContainer(t.Context(), id, engine.StopOptions{}))
	box, err := c.InspectContainer(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, 3, box.State.ExitCode, "it was killed")
}
