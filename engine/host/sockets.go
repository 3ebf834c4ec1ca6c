// Well-known sockets.

package host

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/dscript/dscript/engine"
)

// wellKnown gives the sockets where engines usually listen.
func (f *finder) wellKnown() []string {
	if runtime.GOOS == "windows" {
		return []string{"npipe:////./pipe/docker_engine", "npipe:////./pipe/podman-machine-default"}
	}
	list := []string{"/var/run/docker.sock"}
	run := f.Getenv("XDG_RUNTIME_DIR")
	if run != "" {
		list = append(list, filepath.Join(run, "docker.sock")) // rootless Docker
	}
	if f.Home != "" {
		for _, socket := range []string{
			".docker/run/docker.sock",     // Docker Desktop
			".docker/desktop/docker.sock", // Docker Desktop on Linux
			".colima/default/docker.sock",
			".orbstack/run/docker.sock",
			".rd/docker.sock", // Rancher Desktop
		} {
			list = append(list, filepath.Join(f.Home, socket))
		}
	}
	list = append(list, "/run/podman/podman.sock")
	if run != "" {
		list = append(list, filepath.Join(run, "podman/podman.sock"))
	}
	for i := range list {
		list[i] = "unix://" + list[i]
	}
	return list
}

// sockets finds the first well-known socket that answers.
func (f *finder) sockets(ctx context.Context) (Found, error) {
	var found Found
	list := f.Sockets
	if list == nil {
		list = f.wellKnown()
	}
	for _, host := range list {
		o := engine.Options{Host: host}
		err := ping(ctx, o)
		source := strings.TrimPrefix(host, "unix://")
		if err == nil {
			found.Options, found.Source = o, source
			return found, nil
		}
		found.Tried = append(found.Tried, Attempt{Source: source, Host: host, Err: err})
		if ctx.Err() != nil {
			break
		}
	}
	return found, nothing(found.Tried)
}

func ping(ctx context.Context, o engine.Options) error {
	c, err := engine.New(o)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	_, err = c.Ping(ctx)
	return err
}

// Reason says in a few words why it was in vain; the place is not named again.
func (a Attempt) Reason() string {
	var own *engine.Error
	switch {
	case errors.Is(a.Err, fs.ErrNotExist):
		return "does not exist"
	case errors.Is(a.Err, fs.ErrPermission):
		return "permission denied"
	case errors.As(a.Err, &own):
		return strings.TrimPrefix(own.Message, "no permission for the engine's socket ")
	}
	return a.Err.Error()
}

// nothing is the error when no socket answers.
func nothing(tried []Attempt) error {
	var places []string
	hint := "install Docker or Podman and start it (systemctl start docker), or say where the engine is with DOCKER_HOST"
	missing := true
	var first error
	for _, a := range tried {
		if !errors.Is(a.Err, fs.ErrNotExist) {
			missing = false
			var own *engine.Error
			if first == nil && errors.As(a.Err, &own) {
				first, hint = a.Err, own.Hint
			}
		}
		places = append(places, a.Source+": "+a.Reason())
	}
	message := "no container engine answers; tried " + strings.Join(places, "; ")
	if missing {
		message = "no container engine is running here; tried " + strings.Join(places, "; ")
	}
	return &engine.Error{Op: "connect", Kind: engine.KindUnavailable, Message: message, Hint: hint, Err: first}
}
