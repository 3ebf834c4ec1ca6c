package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
)

// BenchmarkExec is an exec of `true`, beside the same three requests over bare net/http.
func BenchmarkExec(b *testing.B) {
	o := enginetest.Options(b)
	c := enginetest.Connect(b, o)
	id := enginetest.Container(b, c)
	b.Run("engine", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, err := c.Exec(b.Context(), id, engine.ExecOptions{Cmd: []string{"true"}})
			if err != nil || r.ExitCode != 0 {
				b.Fatal(err, r.ExitCode)
			}
		}
	})
	b.Run("nethttp", func(b *testing.B) {
		b.ReportAllocs()
		bare := bareClient(b, o.Host)
		for b.Loop() {
			require.Zero(b, bare.exec(b, id))
		}
	})
}

type bare struct{ http *http.Client }

func bareClient(b *testing.B, host string) bare {
	u, err := url.Parse(host)
	require.NoError(b, err)
	if u.Scheme != "unix" {
		b.Skip("only for a local engine")
	}
	return bare{&http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", u.Path)
	}}}}
}

func (c bare) exec(b *testing.B, id string) int {
	var made struct{ ID string }
	c.json(b, http.MethodPost, "/v1.41/containers/"+id+"/exec", `{"AttachStdout":true,"AttachStderr":true,"Cmd":["true"]}`, &made)
	req, err := http.NewRequest(http.MethodPost, "http://d/v1.41/exec/"+made.ID+"/start", strings.NewReader("{}"))
	require.NoError(b, err)
	req.Header = http.Header{"Content-Type": {"application/json"}, "Upgrade": {"tcp"}, "Connection": {"Upgrade"}}
	resp, err := c.http.Do(req)
	require.NoError(b, err)
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(b, err)
	_ = resp.Body.Close()
	var state struct{ ExitCode int }
	c.json(b, http.MethodGet, "/v1.41/exec/"+made.ID+"/json", "", &state)
	return state.ExitCode
}

func (c bare) json(b *testing.B, method, path, body string, out any) {
	req, err := http.NewRequest(method, "http://d"+path, strings.NewReader(body))
	require.NoError(b, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	require.NoError(b, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(b, err)
	require.NoError(b, json.Unmarshal(text, out))
}

// BenchmarkExecOutput collects output of growing size: the time must grow with it
// and no faster.
func BenchmarkExecOutput(b *testing.B) {
	c := enginetest.Client(b)
	id := enginetest.Container(b, c)
	for _, size := range []int{4 << 20, 16 << 20, 64 << 20} {
		b.Run(fmt.Sprintf("%dMiB", size>>20), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				r, err := c.Exec(b.Context(), id, engine.ExecOptions{Cmd: []string{"head", "-c", fmt.Sprint(size), "/dev/zero"}})
				if err != nil || len(r.Stdout) != size {
					b.Fatal(err, len(r.Stdout))
				}
			}
		})
	}
	b.Run("discard64MiB", func(b *testing.B) {
		b.SetBytes(64 << 20)
		b.ReportAllocs()
		for b.Loop() {
			_, err := c.Exec(b.Context(), id, engine.ExecOptions{Cmd: []string{"head", "-c", fmt.Sprint(64 << 20), "/dev/zero"}, IO: engine.IO{Stdout: io.Discard}})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkStdin sends 16 MiB.
func BenchmarkStdin(b *testing.B) {
	c := enginetest.Client(b)
	id := enginetest.Container(b, c)
	data := make([]byte, 16<<20)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		r, err := c.Exec(b.Context(), id, engine.ExecOptions{Cmd: []string{"wc", "-c"}, IO: engine.IO{Stdin: bytes.NewReader(data)}})
		if err != nil || strings.TrimSpace(string(r.Stdout)) != fmt.Sprint(len(data)) {
			b.Fatal(err, string(r.Stdout))
		}
	}
}
