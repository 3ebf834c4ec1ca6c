package builtins_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
	"github.com/dscript/dscript/runtime"
)

// A build sends of this machine what the program allows, and nothing else.
func TestBuildWithoutHost(t *testing.T) {
	client := enginetest.Client(t)
	id := enginetest.Container(t, client)
	allowed, outside := t.TempDir(), filepath.Join(t.TempDir(), "ignore")
	require.NoError(t, os.WriteFile(outside, []byte("secret\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(allowed, "Dockerfile"), []byte("FROM busybox\n"), 0o600))
	require.NoError(t, os.Symlink(outside, filepath.Join(allowed, ".dockerignore")))

	c := config(t, client)
	c.Dir, c.Host = allowed, runtime.Host{}
	assert.Equal(t, "denied", runtime.KindOf(runIn(t, c, id, `image.build(".")`)))
	assert.NoError(t, runIn(t, c, id, `image.build(files = {"Dockerfile": "FROM busybox\nENV a=b\n"})`))

	c.Host.Read = runtime.Everything()
	c.Dir = allowed
	assert.Equal(t, "denied", runtime.KindOf(runIn(t, c, id, `image.build(".")`)), "a .dockerignore that links out of the context")
}

// What a .dockerignore leaves out is what docker leaves out, and what BuildKit does not
// ask for when it is offered everything. (With "node\n!**/keep.txt", docker's own way to the
// classic builder skips node; BuildKit and we find node/keep.txt.)
func TestDockerignoreAsDocker(t *testing.T) {
	client := enginetest.Client(t)
	if enginetest.IsPodman(t) {
		t.Skip("Podman reads a .dockerignore in its own way: see docs/differences.md")
	}
	docker, err := exec.LookPath("docker")
	if err != nil {
		t.Skip("there is no docker command to compare with")
	}
	id := enginetest.Container(t, client)
	dir := t.TempDir()
	for _, name := range []string{"a.md", "README.md", "src/main.go", "src/main_test.go", "src/deep/x.go", "src/deep/x.md", "node/a/n", "node/a/keep.txt",
		"node/b/c/keep.txt", "secret/s", "secret/keep/k", "secret/keep/drop/d", ".git/config", "sub/.git/config", "b[1]", "with space", "foo", "foobar", "x/foo"} {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
	}
	require.NoError(t, os.Symlink("src/deep", filepath.Join(dir, "ln")))
	dockerfile := fmt.Sprintf("FROM busybox\nENV fresh=%d\nCOPY . /ctx/\nRUN cd /ctx && echo \">>>$(find . ! -name Dockerfile ! -name .dockerignore | sort | tr '\\n' ',')<<<\"; exit 9\n", time.Now().UnixNano())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o600))

	c := config(t, client)
	c.Dir = dir
	for _, ignore := range []string{
		"", "*.md\n!README.md\nsr?/main.go", "secret\n!secret/keep\nsecret/keep/drop", "*\n!src\nsrc/deep", "**\n!foo", "**/foo\nln\n/node/",
		"./src/deep\n../x\n**/.git\n# not this\n#x", "b[[]1]\nwith space\nfoo", "*/*/*\n!**/*.go", "Dockerfile\n.dockerignore\nnode",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, ".dockerignore"), []byte(ignore), 0o600))
		cmd := exec.CommandContext(t.Context(), docker, "build", ".")
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "DOCKER_BUILDKIT=0")
		out, err := cmd.CombinedOutput()
		require.Error(t, err)
		want := listed(t, string(out))
		_, err = client.BuildImage(t.Context(), everything(t, dir), engine.BuildOptions{})
		assert.Equal(t, want, listed(t, err.Error()), "%q read by BuildKit", ignore)
		assert.Equal(t, want, listed(t, runIn(t, c, id, `image.build(".")`).Error()), "%q by BuildKit", ignore)
		assert.Equal(t, want, listed(t, runIn(t, c, id, `image.build(".", raw = {"version": "1"})`).Error()), "%q by the classic builder", ignore)
	}
}

var listing = regexp.MustCompile(`>>>(\..*?)<<<`)

// listed is what the context had, by the output of the step that failed.
func listed(t *testing.T, output string) []string {
	t.Helper()
	all := listing.FindAllStringSubmatch(output, -1)
	require.NotEmpty(t, all, output)
	return strings.Split(all[len(all)-1][1], ",")
}

// everything is a directory as a context of which nothing is left out.
func everything(t *testing.T, dir string) (b engine.BuildContext) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		f := engine.BuildFile{Path: filepath.ToSlash(name), Mode: info.Mode(), Size: info.Size(), Open: func() (io.ReadCloser, error) { return os.Open(path) }}
		if f.Mode&fs.ModeSymlink != 0 {
			f.Link, err = os.Readlink(path)
		}
		if f.Path == "Dockerfile" {
			b.Dockerfile = f
		}
		b.Files = append(b.Files, f)
		return err
	}))
	return b
}
