package runtime_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/runtime"
)

// inCall runs fn inside a call of a builtin under cfg.
func inCall(t *testing.T, cfg runtime.Config, fn func(*runtime.Call) error) error {
	t.Helper()
	s := newSession(t, cfg, runtime.Func("f()", func(c *runtime.Call, _ struct{}) error { return fn(c) }))
	return s.Exec(context.Background(), "f()")
}

func TestNothingIsReachedWithoutAHost(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	for name, fn := range map[string]func(c *runtime.Call) error{
		"Open":      func(c *runtime.Call) error { _, err := c.Open(file); return err },
		"ReadFile":  func(c *runtime.Call) error { _, err := c.ReadFile(file); return err },
		"Stat":      func(c *runtime.Call) error { _, err := c.Stat(file); return err },
		"Lstat":     func(c *runtime.Call) error { _, err := c.Lstat(file); return err },
		"Readlink":  func(c *runtime.Call) error { _, err := c.Readlink(file); return err },
		"ReadDir":   func(c *runtime.Call) error { _, err := c.ReadDir(file); return err },
		"ReadPath":  func(c *runtime.Call) error { _, err := c.ReadPath(file); return err },
		"Create":    func(c *runtime.Call) error { _, err := c.Create(file); return err },
		"WriteFile": func(c *runtime.Call) error { return c.WriteFile(file, nil, 0o600) },
		"MkdirAll":  func(c *runtime.Call) error { return c.MkdirAll(file, 0o700) },
		"RemoveAll": func(c *runtime.Call) error { return c.RemoveAll(file) },
		"MkdirTemp": func(c *runtime.Call) error { _, err := c.MkdirTemp("x"); return err },
		"WritePath": func(c *runtime.Call) error { _, err := c.WritePath(file); return err },
		"Getenv":    func(c *runtime.Call) error { _, _, err := c.Getenv("HOME"); return err },
		"Run": func(c *runtime.Call) error {
			_, err := c.Run(c.Context(), runtime.HostCommand{Args: []string{"true"}})
			return err
		},
	} {
		err := inCall(t, runtime.Config{}, fn)
		assert.Equal(t, "denied", runtime.KindOf(err), name)
		assert.NoFileExists(t, file, name)
	}
}

func TestTreeHoldsScriptsInside(t *testing.T) {
	base := t.TempDir()
	dir, outside := filepath.Join(base, "dir"), filepath.Join(base, "outside")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o700))
	require.NoError(t, os.WriteFile(outside, []byte("secret"), 0o600))
	require.NoError(t, os.Symlink("../outside", filepath.Join(dir, "link")))
	cfg := runtime.Config{Dir: dir, Host: runtime.Host{Read: runtime.Below(dir), Write: runtime.Below(dir)}}
	err := inCall(t, cfg, func(c *runtime.Call) error {
		require.NoError(t, c.WriteFile("sub/new", []byte("text"), 0o600))
		data, err := c.ReadFile("./sub/../sub/new")
		require.NoError(t, err)
		assert.Equal(t, "text", string(data))
		names, err := c.Glob("*/n*")
		require.NoError(t, err)
		assert.Equal(t, []string{"sub/new"}, names)
		names, err = c.Glob(filepath.Join(dir, "su*"))
		require.NoError(t, err)
		assert.Equal(t, []string{filepath.Join(dir, "sub")}, names)
		_, err = c.Glob("../*")
		assert.Equal(t, "denied", runtime.KindOf(err))
		target, err := c.Readlink("link")
		require.NoError(t, err)
		assert.Equal(t, "../outside", target)
		info, err := c.Lstat("link")
		require.NoError(t, err)
		assert.Equal(t, os.ModeSymlink, info.Mode().Type())
		entries, err := c.ReadDir(".")
		require.NoError(t, err)
		require.Len(t, entries, 2)
		assert.Equal(t, "link", entries[0].Name())
		path, err := c.ReadPath("sub/new")
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(dir, "sub", "new"), path)
		_, err = c.ReadPath("sub/not-yet")
		require.NoError(t, err)
		temp, err := c.MkdirTemp("t")
		require.NoError(t, err)
		assert.DirExists(t, temp)
		require.NoError(t, c.MkdirAll("a/b", 0o700))
		require.NoError(t, c.RemoveAll("a"))
		for _, name := range []string{"../outside", "link", outside, "sub/../../outside"} {
			_, err := c.ReadFile(name)
			assert.Equal(t, "denied", runtime.KindOf(err), name)
			_, err = c.ReadPath(name)
			assert.Equal(t, "denied", runtime.KindOf(err), name)
			assert.Equal(t, "denied", runtime.KindOf(c.WriteFile(name, nil, 0o600)), name)
		}
		_, err = c.ReadFile("nothing")
		assert.EqualError(t, err, "f: nothing: no such file or directory (not_found)")
		return err
	})
	assert.Equal(t, "not_found", runtime.KindOf(err))
	data, err := os.ReadFile(outside)
	require.NoError(t, err)
	assert.Equal(t, "secret", string(data))
}

// A relative Root is the process's, as the names in errors that begin with it are.
func TestHere(t *testing.T) {
	base := t.TempDir()
	t.Chdir(base)
	dir := filepath.Join(base, "proj", "lib")
	require.NoError(t, os.MkdirAll(dir, 0o700))
	script := "def show():\n    return here_dir()\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.star"), []byte(script), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(base, "proj", "main.star"), []byte(`load("./lib/a.star", "show")`+"\nmine, its = here_dir(), show()\n"), 0o600))
	here := runtime.Func("here_dir() -> string", func(c *runtime.Call, _ struct{}) (string, error) { return c.Here(), nil })
	for _, root := range []string{"proj", "./proj", filepath.Join(base, "proj")} {
		rt, err := runtime.New(runtime.Config{
			Libraries: []*runtime.Library{{Members: []runtime.Member{here}}},
			Files:     os.DirFS("proj"), Root: root, Dir: t.TempDir(),
		})
		require.NoError(t, err)
		for _, name := range []string{"main.star", filepath.Join(root, "main.star")} {
			s, err := rt.Run(t.Context(), name, nil)
			require.NoError(t, err, "%s in %s", name, root)
			globals := s.Globals()
			require.NoError(t, s.Close())
			assert.Equal(t, fmt.Sprintf("%q", filepath.Dir(dir)), globals["mine"].String(), "%s in %s", name, root)
			assert.Equal(t, fmt.Sprintf("%q", dir), globals["its"].String(), "%s in %s", name, root)
		}
	}
}

func TestTempDirsEndWithTheScope(t *testing.T) {
	var dir string
	temp := runtime.Func("temp()", func(c *runtime.Call, _ struct{}) (_ any, err error) { dir, err = c.MkdirTemp("x"); return nil, err })
	s := newSession(t, runtime.Config{Host: runtime.Host{Write: runtime.Below(t.TempDir())}}, temp)
	require.NoError(t, s.Exec(context.Background(), "scope(temp)"))
	assert.NotEmpty(t, dir)
	assert.NoDirExists(t, dir)
}

func TestEverythingEnvAndRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	cfg := runtime.Config{Host: runtime.Host{
		Read: runtime.Everything(), Write: runtime.Everything(), Run: runtime.LocalRun,
		Env: func(name string) (string, bool) { return "value of " + name, true },
	}}
	err := inCall(t, cfg, func(c *runtime.Call) error {
		f, err := c.Create(file)
		require.NoError(t, err)
		_, err = io.WriteString(f, "x")
		require.NoError(t, err)
		require.NoError(t, f.Close())
		info, err := c.Stat(file)
		require.NoError(t, err)
		assert.EqualValues(t, 1, info.Size())
		value, ok, err := c.Getenv("A")
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, "value of A", value)
		var out bytes.Buffer
		code, err := c.Run(c.Context(), runtime.HostCommand{Args: []string{"sh", "-c", "cat; echo $B; exit 3"}, Env: []string{"B=b"}, Stdin: bytes.NewBufferString("in "), Stdout: &out})
		require.NoError(t, err)
		assert.Equal(t, 3, code)
		assert.Equal(t, "in b\n", out.String())
		_, err = c.Run(c.Context(), runtime.HostCommand{Args: []string{"no-such-command-at-all"}})
		assert.Equal(t, "command_not_found", runtime.KindOf(err))
		return nil
	})
	require.NoError(t, err)
}
