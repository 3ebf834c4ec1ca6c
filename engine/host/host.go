// Package host finds the engine that this machine's user means: an option, an
// environment variable, a Docker context, or the first well-known socket that
// answers. It is the only importer of docker/cli.
package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/docker/cli/cli/connhelper"
	"github.com/docker/go-connections/tlsconfig"

	"github.com/dscript/dscript/engine"
)

// FindOptions say where to look. The zero value looks nowhere but at the
// well-known sockets; a program passes os.Getenv and its user's home.
type FindOptions struct {
	Host    string                   // takes precedence over everything
	Context string                   // name of a Docker context; over the environment
	Getenv  func(name string) string // nil: no environment
	Home    string                   // "": no home
	Sockets []string                 // "unix://…", tried in order when nothing else says; nil: the well-known ones
}

// Found is the engine that was found.
type Found struct {
	Options  engine.Options
	Source   string    // why this one: "DOCKER_HOST", "context colima", "/var/run/docker.sock"
	Tried    []Attempt // in vain, before this one
	Warnings []string
}

// An Attempt is a place where no engine was.
type Attempt struct {
	Source, Host string
	Err          error
}

// pingLimit is for one well-known socket.
const pingLimit = 3 * time.Second

// Find finds the engine: Host, Context, DOCKER_HOST, DOCKER_CONTEXT, the current
// context of Docker's configuration, then the first well-known socket that
// answers a ping. What is named is taken at its word: nothing is sent to it.
// DOCKER_API_VERSION, DOCKER_TLS_VERIFY, DOCKER_CERT_PATH and DOCKER_CONFIG count.
//
// The error is of kind unavailable and lists what was tried, which Found.Tried
// holds too; a context or an address that makes no sense is of kind invalid or
// not_found.
func Find(ctx context.Context, o FindOptions) (Found, error) {
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	f := finder{FindOptions: o, config: o.Getenv("DOCKER_CONFIG")}
	if f.config == "" && o.Home != "" {
		f.config = filepath.Join(o.Home, ".docker")
	}
	found, err := f.find(ctx)
	if err != nil {
		return found, err
	}
	found.Options.APIVersion = strings.TrimPrefix(strings.TrimSpace(o.Getenv("DOCKER_API_VERSION")), "v")
	found.Warnings = append(f.warnings, found.Warnings...)
	if w := exposed(found.Options); w != "" {
		found.Warnings = append(found.Warnings, w)
	}
	return found, nil
}

// A finder is one search.
type finder struct {
	FindOptions
	config   string // directory of Docker's configuration; "": none
	warnings []string
}

func (f *finder) find(ctx context.Context) (Found, error) {
	if f.Host != "" {
		return f.named("option", f.Host)
	}
	if f.Context != "" {
		return f.context("option", f.Context)
	}
	if h := f.Getenv("DOCKER_HOST"); h != "" {
		return f.named("DOCKER_HOST", h)
	}
	if name := f.Getenv("DOCKER_CONTEXT"); name != "" && name != "default" {
		return f.context("DOCKER_CONTEXT", name)
	} else if name == "" {
		if name := f.currentContext(); name != "" && name != "default" {
			return f.context("current context", name)
		}
	}
	return f.sockets(ctx)
}

// named is an engine whose address somebody gave.
func (f *finder) named(source, host string) (Found, error) {
	o, err := options(host)
	if err == nil && isTCP(host) {
		o.TLS, err = f.envTLS()
	}
	if err != nil {
		return Found{}, invalid(source, host, err)
	}
	return Found{Options: o, Source: source}, nil
}

// options are those for an address.
func options(host string) (engine.Options, error) {
	o := engine.Options{Host: host}
	if strings.HasPrefix(host, "ssh://") {
		helper, err := connhelper.GetConnectionHelper(host)
		var parse *url.Error
		if errors.As(err, &parse) {
			err = errors.New("the ssh address cannot be read") // the cause repeats the password in it
		}
		if err != nil {
			return o, err
		}
		o.Dial = helper.Dialer
	}
	c, err := engine.New(o)
	if err != nil {
		return o, err
	}
	return o, c.Close()
}

// envTLS is the TLS that the environment asks for; nil: none.
func (f *finder) envTLS() (*tlsConfig, error) {
	verify, dir := f.Getenv("DOCKER_TLS_VERIFY") != "", f.Getenv("DOCKER_CERT_PATH")
	if !verify && dir == "" {
		return nil, nil
	}
	if dir == "" {
		dir = f.config
	}
	return tlsconfig.Client(tlsconfig.Options{
		CAFile:             filepath.Join(dir, "ca.pem"),
		CertFile:           filepath.Join(dir, "cert.pem"),
		KeyFile:            filepath.Join(dir, "key.pem"),
		InsecureSkipVerify: !verify,
		ExclusiveRootPools: true,
	})
}

// currentContext reads Docker's configuration for the name of the context.
func (f *finder) currentContext() string {
	if f.config == "" {
		return ""
	}
	name := filepath.Join(f.config, "config.json")
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	var c struct {
		CurrentContext string `json:"currentContext"`
	}
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		f.warnings = append(f.warnings, fmt.Sprintf("%s is ignored: %v", name, err))
	}
	return c.CurrentContext
}

// exposed warns of an engine that anybody on the way can read and command.
func exposed(o engine.Options) string {
	if !isTCP(o.Host) || o.TLS != nil || strings.HasPrefix(o.Host, "https://") {
		return ""
	}
	u, err := url.Parse(o.Host)
	if err != nil {
		return ""
	}
	name := u.Hostname()
	if ip := net.ParseIP(name); ip != nil && ip.IsLoopback() || name == "localhost" {
		return ""
	}
	return o.Host + " is without TLS: whoever can reach it, or sees the traffic, is root there"
}

func isTCP(host string) bool {
	scheme, _, _ := strings.Cut(host, "://")
	return scheme == "tcp" || scheme == "http" || scheme == "https"
}

// invalid is the error for a setting that makes no sense.
func invalid(source, host string, err error) error {
	var own *engine.Error
	if errors.As(err, &own) {
		e := *own
		e.Message = source + ": " + e.Message
		return &e
	}
	return &engine.Error{Op: "connect", Kind: engine.KindInvalid, Message: source + ": " + err.Error(), Err: err}
}
