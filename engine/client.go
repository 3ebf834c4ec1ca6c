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
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"
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

	// Credentials gives what a registry ("docker.io", "registry.example:5000") is told
	// of who asks, the zero Auth for nothing; nil: nothing. It is called for each pull
	// and push. Logins lists the names of users by registry; nil: none.
	Credentials func(ctx context.Context, registry string) (Auth, error)
	Logins      func(ctx context.Context) (map[string]string, error)
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

// A Client performs operations on one engine. It is safe for concurrent use.
// It connects to nothing before its first operation.
type Client struct {
	opts Options
	host string
	gate *gate

	negotiation chan struct{} // held, by a token in it, by who negotiates
	mu          sync.Mutex
	api         *client.Client // nil until negotiated
	podman      *bool          // nil until asked
	randomness  sync.Mutex     // serialises Options.Rand

	logins logins
	hidden secrets

	behind sync.WaitGroup // clean-up that outlives the call that began it
}

// New makes a Client. An error means that the options make no sense.
func New(o Options) (*Client, error) {
	if o.Host == "" {
		o.Host = client.DefaultDockerHost
	}
	u, err := client.ParseHostURL(o.Host)
	if err != nil {
		return nil, &Error{Op: "connect", Object: withoutSecrets(o.Host), Kind: KindInvalid, Message: "the engine's address is not of the form scheme://address", Hint: "unix:///var/run/docker.sock, tcp://host:2376, ssh://user@host"}
	}
	c := &Client{opts: o, host: withoutSecrets(o.Host), negotiation: make(chan struct{}, 1)}
	c.gate = &gate{c: c, scheme: "http", addr: client.DummyHost, host: client.DummyHost}
	dial := o.Dial
	switch u.Scheme {
	case "unix", "npipe", "tcp", "http", "https":
		if dial == nil {
			dial, err = dialer(u)
		}
	default:
		if dial == nil {
			err = fmt.Errorf("%s:// needs a dialer", u.Scheme)
		}
	}
	if err != nil {
		return nil, &Error{Op: "connect", Object: c.host, Kind: KindInvalid, Message: clean(err.Error()), Err: err}
	}
	if u.Scheme == "tcp" || u.Scheme == "http" || u.Scheme == "https" {
		c.gate.addr, c.gate.host, c.gate.prefix = u.Host, u.Host, strings.TrimSuffix(u.Path, "/")
	}
	if o.TLS != nil || u.Scheme == "https" {
		c.gate.scheme = "https"
	}
	c.gate.transport = &http.Transport{
		DialContext:           dial,
		TLSClientConfig:       o.TLS,
		TLSHandshakeTimeout:   20 * time.Second,
		DisableCompression:    true,
		MaxIdleConnsPerHost:   32,
		IdleConnTimeout:       30 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
	return c, nil
}

// Over makes a Client that reaches the engine the way api does. It uses the
// dialer and the host of api and nothing else of it, and never closes it.
// Host, Dial and TLS of o are ignored.
func Over(api *client.Client, o Options) (*Client, error) {
	dial := api.Dialer()
	o.Host, o.TLS = api.DaemonHost(), nil
	o.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }
	return New(o)
}

// dialer connects to a host. The keepalive keeps an idle exec alive through
// routers that forget connections (moby#46775).
func dialer(u *url.URL) (func(ctx context.Context, network, addr string) (net.Conn, error), error) {
	d := &net.Dialer{Timeout: 30 * time.Second, KeepAlive: 15 * time.Second}
	switch u.Scheme {
	case "npipe":
		api, err := client.New(client.WithHost(u.Scheme + "://" + u.Host))
		if err != nil {
			return nil, err
		}
		pipe := api.Dialer()
		return func(ctx context.Context, _, _ string) (net.Conn, error) { return pipe(ctx) }, nil
	case "unix":
		return func(ctx context.Context, _, _ string) (net.Conn, error) {
			return d.DialContext(ctx, "unix", u.Host)
		}, nil
	}
	return d.DialContext, nil
}

// withoutSecrets is a host without a password.
func withoutSecrets(host string) string {
	scheme, rest, ok := strings.Cut(host, "://")
	if !ok {
		return host
	}
	at := strings.LastIndex(rest, "@")
	if at < 0 {
		return host
	}
	user, _, _ := strings.Cut(rest[:at], ":")
	return scheme + "://" + user + rest[at:]
}

// Close waits for clean-up that is still under way, and closes idle connections.
// Streams that are open stay so.
func (c *Client) Close() error {
	c.behind.Wait()
	c.gate.transport.CloseIdleConnections()
	return nil
}

// Host is the engine's address, as it was given, without a password.
func (c *Client) Host() string { return c.host }

// cleanUp runs f on a context that the end of ctx does not end, for at most
// limit, and waits for it, but no longer than patience. It reports whether f
// has ended, and how; what is still under way Close waits for.
func (c *Client) cleanUp(ctx context.Context, patience, limit time.Duration, f func(context.Context) error) (ended bool, err error) {
	done := make(chan error, 1)
	c.behind.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		defer cancel()
		done <- f(ctx)
	})
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-done:
		return true, err
	case <-timer.C:
		return false, nil
	}
}

func (c *Client) now() time.Time {
	if c.opts.Now == nil {
		return time.Now()
	}
	return c.opts.Now()
}

// nonce gives 128 random bits.
func (c *Client) nonce() (string, error) {
	from := c.opts.Rand
	if from == nil {
		from = rand.Reader
	}
	var b [16]byte
	c.randomness.Lock()
	defer c.randomness.Unlock()
	if _, err := io.ReadFull(from, b[:]); err != nil {
		return "", &Error{Kind: KindInternal, Message: "no randomness: " + err.Error(), Err: err}
	}
	return hex.EncodeToString(b[:]), nil
}
