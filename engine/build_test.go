package engine_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
)

// fresh makes a Dockerfile that no cache knows.
func fresh(text string) engine.BuildFile {
	return engine.TextFile("Dockerfile", fmt.Appendf(nil, "FROM busybox\nENV fresh=%d\n%s\n", time.Now().UnixNano(), text))
}

// build builds, and gives the names of the steps by what became of them.
func build(t *testing.T, c *engine.Client, b engine.BuildContext, o engine.BuildOptions) (engine.Image, map[engine.BuildState]string, error) {
	t.Helper()
	steps := map[engine.BuildState]string{}
	o.Progress = func(s engine.BuildStep) { steps[s.State] += s.Name + " " + s.Text + "\n" }
	got, err := c.BuildImage(t.Context(), b, o)
	if err == nil {
		t.Cleanup(func() { _, _ = c.RemoveImage(context.Background(), got.ID, engine.RemoveImageOptions{Force: true}) })
	}
	return got, steps, err
}

// builders are the builders of the machine's engine, as they are asked for.
func builders(t *testing.T) map[string]map[string]any {
	if enginetest.IsPodman(t) {
		return map[string]map[string]any{"buildah": nil}
	}
	return map[string]map[string]any{"buildkit": nil, "classic": {"version": "1"}}
}

func TestBuildSteps(t *testing.T) {
	c := enginetest.Client(t)
	for name, raw := range builders(t) {
		t.Run(name, func(t *testing.T) {
			b := engine.BuildContext{Dockerfile: fresh("COPY a b/c /d/\nRUN echo said\n"), Files: []engine.BuildFile{
				engine.TextFile("a", []byte("A")), {Path: "b", Mode: fs.ModeDir | 0o755}, engine.TextFile("b/c", []byte("C"))}}
			_, steps, err := build(t, c, b, engine.BuildOptions{Raw: raw})
			require.NoError(t, err)
			assert.Contains(t, steps[engine.BuildStarted], "RUN echo said")
			assert.Contains(t, steps[engine.BuildDone], "RUN echo said")
			assert.Contains(t, steps[engine.BuildOutput], "said\n")
			assert.Empty(t, steps[engine.BuildError])

			_, steps, err = build(t, c, b, engine.BuildOptions{Raw: raw})
			require.NoError(t, err)
			assert.Contains(t, steps[engine.BuildCached], "COPY a b/c /d/")
			assert.Contains(t, steps[engine.BuildCached], "RUN echo said")
			assert.NotContains(t, steps[engine.BuildDone], "RUN")

			b.Dockerfile = fresh("RUN echo a; echo last; exit 7")
			_, steps, err = build(t, c, b, engine.BuildOptions{Raw: raw})
			require.ErrorIs(t, err, engine.ErrBuildFailed)
			assert.Contains(t, err.Error(), "(RUN echo a; echo last; exit 7): exit code 7:\na\nlast")
			assert.Contains(t, steps[engine.BuildError], "RUN echo a; echo last; exit 7")
		})
	}
}

// The files of a build are streamed, not held, and a context is as large as it is.
func TestBuildLargeContext(t *testing.T) {
	c := enginetest.Client(t)
	const size = 48 << 20
	large := engine.BuildFile{Path: "large", Mode: 0o600, Size: size, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(zeros{}, size)), nil
	}}
	for name, raw := range builders(t) {
		t.Run(name, func(t *testing.T) {
			files := []engine.BuildFile{large}
			for i := range 2000 {
				files = append(files, engine.TextFile(fmt.Sprintf("small%04d", i), []byte("x")))
			}
			b := engine.BuildContext{Files: files, Dockerfile: fresh("COPY . /ctx/\nRUN stat -c '%s %a %Y %u' /ctx/large; ls /ctx | wc -l; false")}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := build(t, c, b, engine.BuildOptions{Raw: raw})
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, engine.ErrBuildFailed)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(size/2), "bytes allocated on the way")
			assert.Contains(t, err.Error(), fmt.Sprintf("\n%d 600 0 0\n2001", size))
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A file that cannot be read, or has shrunk, fails the build in its own words.
func TestBuildFileThatFails(t *testing.T) {
	c := enginetest.Client(t)
	for name, raw := range builders(t) {
		t.Run(name, func(t *testing.T) {
			short := engine.BuildFile{Path: "short", Mode: 0o600, Size: 100, Open: func() (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader("less")), nil
			}}
			_, _, err := build(t, c, engine.BuildContext{Files: []engine.BuildFile{short}, Dockerfile: fresh("COPY short /")}, engine.BuildOptions{Raw: raw})
			assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
			var file *fs.PathError
			if assert.ErrorAs(t, err, &file) {
				assert.Equal(t, "short", file.Path)
			}
		})
	}
}

func TestBuildSecrets(t *testing.T) {
	var traces strings.Builder
	o := enginetest.Options(t)
	o.Trace = func(tr engine.Trace) { fmt.Fprintln(&traces, tr) }
	c := enginetest.Connect(t, o)
	const secret = "k33p-th1s"
	b := engine.BuildContext{Files: []engine.BuildFile{engine.TextFile("a", []byte("A"))},
		Dockerfile: fresh("RUN --mount=type=secret,id=key wc -c </run/secrets/key >/size\nCOPY . /ctx/\nRUN ls -A /ctx; cat /size; false")}
	_, steps, err := build(t, c, b, engine.BuildOptions{Secrets: map[string][]byte{"key": []byte(secret)}})
	require.ErrorIs(t, err, engine.ErrBuildFailed)
	assert.Contains(t, err.Error(), fmt.Sprintf(":\na\n%d", len(secret)))
	assert.NotContains(t, traces.String()+fmt.Sprint(steps), secret)
}

// What the classic builder would misread, it is not given.
func TestBuildClassicLimits(t *testing.T) {
	if enginetest.IsPodman(t) {
		t.Skip("Podman has one builder")
	}
	c := enginetest.Client(t)
	classic := engine.BuildOptions{Raw: map[string]any{"version": "1"}}
	for _, line := range []string{"RUN --mount=type=cache,target=/x true", "RUN cat <<EOF\nx\nEOF", "RUN  --network=none --mount=type=tmpfs,target=/x true", `COPY <<-"end" /x` + "\nx\nend"} {
		_, _, err := build(t, c, engine.BuildContext{Dockerfile: fresh(line)}, classic)
		assert.ErrorIs(t, err, engine.ErrUnsupported, line)
	}
	_, _, err := build(t, c, engine.BuildContext{Dockerfile: fresh("RUN echo $((1<<3))\nRUN echo 'a<<b'")}, classic)
	assert.NoError(t, err)
}

// Podman takes the host's network for every name: none must be none, and others are refused.
func TestBuildNetwork(t *testing.T) {
	c := enginetest.Client(t)
	b := engine.BuildContext{Dockerfile: fresh("RUN grep -c : /proc/net/dev; exit 9")}
	_, _, err := build(t, c, b, engine.BuildOptions{Network: "none"})
	require.ErrorIs(t, err, engine.ErrBuildFailed)
	assert.Contains(t, err.Error(), ":\n1 (", "only lo")
	if enginetest.IsPodman(t) {
		_, _, err = build(t, c, b, engine.BuildOptions{Network: "another"})
		assert.ErrorIs(t, err, engine.ErrUnsupported)
	}
}

func TestBuildCancelled(t *testing.T) {
	c := enginetest.Client(t)
	for name, raw := range builders(t) {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			started := false
			o := engine.BuildOptions{Raw: raw, Progress: func(s engine.BuildStep) {
				if s.State == engine.BuildOutput && strings.Contains(s.Text, "begun") {
					started = true
					cancel()
				}
			}}
			_, err := c.BuildImage(ctx, engine.BuildContext{Dockerfile: fresh("RUN echo begun; sleep 20")}, o)
			assert.True(t, started)
			assert.ErrorIs(t, err, engine.ErrCancelled)
		})
	}
}

// An answer or a session that breaks in the middle is an error, and the build ends.
func TestBuildBroken(t *testing.T) {
	o := enginetest.Options(t)
	podman := enginetest.IsPodman(t)
	for name, fault := range map[string]enginetest.Fault{
		"answer cut":      {Path: "^/build", Cut: true, After: 100},
		"answer lost":     {Path: "^/build", Lose: true},
		"session cut":     {Path: "^/session", Cut: true, After: 300},
		"session refused": {Path: "^/session", Status: 503},
	} {
		t.Run(name, func(t *testing.T) {
			if podman && strings.HasPrefix(name, "session") {
				t.Skip("Podman builds without a session")
			}
			p := enginetest.NewProxy(t, o)
			p.Add(fault)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			b := engine.BuildContext{Dockerfile: fresh("COPY a /\nRUN echo said"), Files: []engine.BuildFile{engine.TextFile("a", []byte("A"))}}
			_, err := p.Client(t).BuildImage(ctx, b, engine.BuildOptions{})
			assert.Contains(t, []engine.Kind{engine.KindTruncated, engine.KindUnavailable}, kindOf(err), "%v", err)
		})
	}
}
