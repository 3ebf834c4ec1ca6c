// Package host finds the engine that this machine's user means: an option, an
// environment variable, a Docker context, or the first well-known socket that
// answers. It is the only importer of docker/cli.
package host

import (
	"context"
	"errors"

	"github.com/dscript/dscript/engine"
)

// FindOptions say where to look. The zero value looks nowhere but at the
// well-known sockets; a program passes os.Getenv and its user's home.
type FindOptions struct {
	Host    string                   // takes precedence over everything
	Context string                   // name of a Docker context
	Getenv  func(name string) string // nil: no environment
	Home    string                   // "": no home
}

// Found is the engine that was found.
type Found struct {
	Options  engine.Options
	Source   string // why this one: "DOCKER_HOST", "context colima", "/var/run/docker.sock"
	Tried    []Attempt
	Warnings []string
}

// An Attempt is a place where no engine was.
type Attempt struct {
	Source, Host string
	Err          error
}

// Find finds the engine.
func Find(ctx context.Context, o FindOptions) (Found, error) {
	return Found{}, errors.New("not there yet")
}
