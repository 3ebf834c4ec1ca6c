// A registry: a real one, on loopback.

package enginetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Username and Password are those of a registry that wants them.
const (
	Username = "dscript"
	Password = "open sesame"
)

// passwords are Username and Password as htpasswd -B writes them.
const passwords = "dscript:$2y$04$l1Xit84JdJtOpcLznqCLDONyDzrwZORIJpSpyEd5885sXSX5WzcYu\n"

// RegistryOptions say what a registry does.
type RegistryOptions struct {
	Private bool                // it wants Username and Password
	Seen    func(*http.Request) // called with each request before it is passed on; nil: nobody looks
}

// Registry starts a registry, the program docker-registry, and gives its address as
// references begin with it. It ends with the test. Where there is no such program, the
// test fails when the environment variable CI is set, else it is skipped.
func Registry(t testing.TB, o RegistryOptions) string {
	t.Helper()
	program, err := exec.LookPath("docker-registry")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("no registry: %v", err)
	}
	if err != nil {
		t.Skipf("no registry: %v (Debian's package docker-registry has it)", err)
	}
	dir := t.TempDir()
	port := freePort(t)
	config := fmt.Sprintf("version: 0.1\nlog: {level: warn}\nstorage: {filesystem: {rootdirectory: %q}}\nhttp: {addr: 127.0.0.1:%d, relativeurls: true}\n", filepath.Join(dir, "data"), port)
	if o.Private {
		htpasswd := filepath.Join(dir, "htpasswd")
		write(t, htpasswd, passwords)
		config += fmt.Sprintf("auth: {htpasswd: {realm: dscript, path: %q}}\n", htpasswd)
	}
	write(t, filepath.Join(dir, "config.yml"), config)
	cmd := exec.Command(program, "serve", filepath.Join(dir, "config.yml"))
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start a registry: %v", err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = log.Close()
	})
	if err := answers(port, ended); err != nil {
		said, _ := os.ReadFile(log.Name())
		t.Fatalf("the registry: %v\n%s", err, said)
	}
	if o.Seen != nil {
		port = recorder(t, port, o.Seen)
	}
	return "localhost:" + strconv.Itoa(port) // Podman's login takes plain HTTP for this name alone
}

func write(t testing.TB, name, text string) {
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// NoRegistry gives the address of a registry that does not run.
func NoRegistry(t testing.TB) string { return "localhost:" + strconv.Itoa(freePort(t)) }

func freePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// answers waits until something answers on a port of this machine.
func answers(port int, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/", port))
		if err == nil {
			return resp.Body.Close()
		}
		select {
		case <-ended:
			return errors.New("it has ended")
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}
