// Package engine performs operations on a Docker engine (or Podman's service in
// its place) and tells the truth about them: no operation succeeds unless the
// engine affirmed it, output is byte-exact or an error, and an exit code that is
// not known is never 0.
//
// The wire is the official client's, github.com/moby/moby/client, over one gate
// through which every request passes. Nothing here knows of scripts.
package engine

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"time"
)

// Options say which engine a Client talks to, and how. The zero value is the
// default socket of the platform.
type Options struct {
	Host       string                                                            // "unix:///var/run/docker.sock", "tcp://h:2376"; "ssh://…" needs Dial
	TLS        *tls.Config                                                       // nil: none
	Dial       func(ctx context.Context, network, addr string) (net.Conn, error) // nil: chosen by Host
	APIVersion string                                                            // "": negotiated
	Policy     func(context.Context, Request) error                              // nil: everything is allowed
	Trace      func(Trace)                                                       // called after each request; nothing in it is secret
	Redact     func(string) string                                               // applied to traces and to the texts of errors; nil: none
	Rand       io.Reader                                                         // nil: crypto/rand
	Now        func() time.Time                                                  // nil: time.Now
}

// A Request is what a policy judges: one request, exactly as it will be sent.
type Request struct {
	Op     string // of this package: "create", "exec", "inspect"
	Method string
	Path   string // without the API version, with its query
	Object string // as the caller named it
	Owner  Owner  // of a create
	Body   []byte // the JSON that is sent, in canonical form; nil when there is none or it is not JSON
}

// A Trace is one request, after it.
type Trace struct {
	Op       string
	Method   string
	Path     string // with its query, redacted
	Object   string
	Status   int // 0: no answer
	Duration time.Duration
	Err      string // "" when the request succeeded; redacted
}

// A PingResult is the engine's answer to a ping.
type PingResult struct {
	APIVersion     string // the newest that it speaks
	OSType         string
	BuilderVersion string
	Swarm          string
	Experimental   bool
}

// A VersionResult says what the engine is.
type VersionResult struct {
	Version    string
	APIVersion string
	OS, Arch   string
	Engine     string // "Docker Engine", "Podman Engine"
	Raw        json.RawMessage
}
