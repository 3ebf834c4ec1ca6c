package builtins_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
	"github.com/dscript/dscript/runtime"
)

// BenchmarkCopy copies 10,000 small files and a file of 1 GiB in and out, beside
// docker cp in the same run where it is installed and speaks to the same engine.
// What comes out again must be what went in. MiB-above-idle is the peak of this
// process's memory over what it had before, where the system tells it.
func BenchmarkCopy(b *testing.B) {
	o := enginetest.Options(b)
	client := enginetest.Connect(b, o)
	id := enginetest.Container(b, client)
	small, big := b.TempDir(), b.TempDir()
	for i := range 10_000 {
		dir := filepath.Join(small, fmt.Sprintf("d%02d", i%100))
		require.NoError(b, os.MkdirAll(dir, 0o755))
		require.NoError(b, os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%05d", i)), fmt.Appendf(nil, "%d\n%s", i, strings.Repeat("x", i%2000)), 0o644))
	}
	writeRandom(b, filepath.Join(big, "big"), 1<<30)
	for _, tree := range []struct{ name, dir string }{{"10000files", small}, {"1GiB", big}} {
		b.Run(tree.name, func(b *testing.B) { benchCopy(b, o, client, id, tree.dir) })
	}
}

func writeRandom(b *testing.B, name string, size int64) {
	f, err := os.Create(name)
	require.NoError(b, err)
	_, err = io.Copy(f, io.LimitReader(rand.NewChaCha8([32]byte{1}), size))
	require.NoError(b, err)
	require.NoError(b, f.Close())
}

func benchCopy(b *testing.B, o engine.Options, client *engine.Client, id, src string) {
	rt, err := runtime.New(config(b, client))
	require.NoError(b, err)
	s := rt.NewSession(b.Context())
	defer func() { require.NoError(b, s.Close()) }()
	require.NoError(b, s.Exec(b.Context(), "c = container.get('"+id+"')\nc.mkdir('/in')"))
	out := b.TempDir()
	ours := func(script string) func() {
		return func() {
			_, err := s.Eval(b.Context(), script)
			require.NoError(b, err)
		}
	}
	peer := func(args ...string) func() {
		if _, err := exec.LookPath("docker"); err != nil {
			return nil
		}
		return func() {
			cmd := exec.Command("docker", append([]string{"cp", "-q"}, args...)...)
			cmd.Env = append(os.Environ(), "DOCKER_HOST="+o.Host)
			said, err := cmd.CombinedOutput()
			require.NoError(b, err, "%s", said)
		}
	}
	clean := func() {
		require.NoError(b, os.RemoveAll(filepath.Join(out, "t")))
		require.NoError(b, s.Exec(b.Context(), "c.remove_path('/in', recursive = True)\nc.mkdir('/in')"))
	}
	want := digest(b, src)
	b.Run("in", func(b *testing.B) {
		beside(b, clean, ours(fmt.Sprintf("c.copy_in(%q, '/in/t')", src)), peer(src, id+":/in/t"), nil)
	})
	clean()
	ours(fmt.Sprintf("c.copy_in(%q, '/in/t')", src))()
	b.Run("out", func(b *testing.B) {
		beside(b, func() { require.NoError(b, os.RemoveAll(filepath.Join(out, "t"))) },
			ours(fmt.Sprintf("c.copy_out('/in/t', %q)", out+"/t")), peer(id+":/in/t", out+"/t"),
			func() {
				require.Equal(b, want, digest(b, filepath.Join(out, "t")), "what came out is not what went in")
			})
	})
	clean()
}

// beside times ours and the peer in turns, each after clean, and reports both.
func beside(b *testing.B, clean, ours, peer, check func()) {
	var mine, theirs time.Duration
	var above int64
	measure := func() {
		clean()
		idle := memory(b, "VmRSS", true)
		mine += timed(ours)
		above = max(above, memory(b, "VmHWM", false)-idle)
		if check != nil {
			check()
		}
	}
	for i := 0; b.Loop(); i++ { // who is first has the colder caches
		if i%2 == 0 {
			measure()
		}
		if peer != nil {
			clean()
			theirs += timed(peer)
		}
		if i%2 == 1 {
			measure()
		}
	}
	b.ReportMetric(mine.Seconds()/float64(b.N), "s/copy")
	b.ReportMetric(float64(above)/1024, "MiB-above-idle")
	if peer != nil {
		b.ReportMetric(theirs.Seconds()/float64(b.N), "s/docker-cp")
		b.ReportMetric(float64(mine)/float64(theirs), "ratio")
	}
}

func timed(fn func()) time.Duration {
	start := time.Now()
	fn()
	return time.Since(start)
}

// memory gives a line of /proc/self/status in KiB, and 0 elsewhere; reset begins a
// new peak (proc(5), clear_refs).
func memory(b *testing.B, line string, reset bool) int64 {
	if reset {
		debug.FreeOSMemory()
		_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte(line+":"))
	fields := bytes.Fields(rest)
	require.NotEmpty(b, fields)
	kib, err := strconv.ParseInt(string(fields[0]), 10, 64)
	require.NoError(b, err)
	return kib
}

// digest is a hash over the names and contents of a tree.
func digest(b *testing.B, dir string) string {
	h := sha256.New()
	require.NoError(b, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		rel, _ := filepath.Rel(dir, name)
		fmt.Fprintf(h, "%s\n", rel)
		_, err = io.Copy(h, f)
		return err
	}))
	return fmt.Sprintf("%x", h.Sum(nil))
}
