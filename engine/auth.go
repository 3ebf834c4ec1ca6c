// Credentials: who somebody is to a registry, and that only that registry learns it.

package engine

import (
	"cmp"
	"context"
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"
)

// DockerHub is the name of the registry that references mean which name none.
const DockerHub = "docker.io"

// dockerHubAddress is what engines and Docker's configuration call it.
const dockerHubAddress = "https://index.docker.io/v1/"

// An Auth says who somebody is to one registry. The zero value is nobody.
type Auth struct {
	Username, Password string
	IdentityToken      string // in place of the password
	ServerAddress      string // the registry, in any form that RegistryHost reads
}

// String tells who, and nothing that is secret.
func (a Auth) String() string { return a.Username + "@" + RegistryHost(a.ServerAddress) }

// GoString is String: %#v must not show a password either.
func (a Auth) GoString() string { return a.String() }

func (a Auth) isZero() bool { return a.Username == "" && a.Password == "" && a.IdentityToken == "" }

func (a Auth) config() registry.AuthConfig {
	address := RegistryHost(a.ServerAddress)
	if address == DockerHub {
		address = dockerHubAddress
	}
	return registry.AuthConfig{Username: a.Username, Password: a.Password, IdentityToken: a.IdentityToken, ServerAddress: address}
}

// RegistryHost is the host of a registry as references have it, of an address like
// "https://index.docker.io/v1/", "registry.example:5000" or "": DockerHub.
func RegistryHost(address string) string {
	_, host, ok := strings.Cut(address, "://")
	if !ok {
		host = address
	}
	host, _, _ = strings.Cut(host, "/")
	switch host = strings.ToLower(host); host {
	case "", "index.docker.io", "registry-1.docker.io":
		return DockerHub
	}
	return host
}

// Login has the engine prove who somebody is to a registry (POST /auth), and keeps
// it for later pulls and pushes of this Client. Nothing is written to a file.
// The status is the engine's word for success.
func (c *Client) Login(ctx context.Context, a Auth) (status string, err error) {
	host := RegistryHost(a.ServerAddress)
	k := &call{op: "engine.login", object: host}
	if a.Username == "" || a.Password == "" {
		return "", &Error{Op: k.verb(), Object: host, Kind: KindInvalid, Message: "registry " + host + ": the name of the user or the password is empty"}
	}
	c.hidden.add(a.Password)
	path, err := c.versioned(ctx, "auth")
	if err != nil {
		return "", err
	}
	resp, err := c.request(ctx, k, http.MethodPost, path, a.config())
	if err != nil {
		return "", err
	}
	var r registry.AuthResponse
	if _, err := c.decode(ctx, k, resp, &r); err != nil {
		return "", err
	}
	if r.IdentityToken != "" {
		a.Password, a.IdentityToken = "", r.IdentityToken
		c.hidden.add(r.IdentityToken)
	}
	c.logins.keep(host, a)
	return c.redact(clean(r.Status)), nil
}

// Logins are the names of the users by the registries that this Client has
// credentials for: by Login, and what Options.Logins lists.
func (c *Client) Logins(ctx context.Context) (map[string]string, error) {
	all := map[string]string{}
	if c.opts.Logins != nil {
		listed, err := c.opts.Logins(ctx)
		if err != nil {
			return nil, c.credentialsError(ctx, "logins", "", err)
		}
		for address, user := range listed {
			all[RegistryHost(address)] = user
		}
	}
	maps.Copy(all, c.logins.users())
	return all, nil
}

// Credentials gives what a registry is told: of Login, else of Options.Credentials.
// The zero Auth means that there are none.
func (c *Client) Credentials(ctx context.Context, host string) (Auth, error) {
	host = RegistryHost(host)
	if a, ok := c.logins.get(host); ok {
		return a, nil
	}
	if c.opts.Credentials == nil {
		return Auth{}, nil
	}
	a, err := c.opts.Credentials(ctx, host)
	if err != nil {
		return Auth{}, c.credentialsError(ctx, "credentials", host, err)
	}
	c.hidden.add(a.Password, a.IdentityToken)
	a.ServerAddress = host
	return a, nil
}

// buildCredentials are Credentials as BuildKit takes them: a token has no user.
func (c *Client) buildCredentials(ctx context.Context, host string) (user, secret string, err error) {
	a, err := c.Credentials(ctx, RegistryHost(host))
	if err != nil || a.IdentityToken != "" {
		return "", a.IdentityToken, err
	}
	return a.Username, a.Password, nil
}

func (c *Client) credentialsError(ctx context.Context, op, host string, err error) error {
	if ctx.Err() != nil {
		return c.contextError(ctx, op, host)
	}
	return &Error{Op: op, Object: host, Kind: KindUnauthorized, Message: c.redact(clean(messageOf(err))), Err: err}
}

// registryHeader is the header by which the registry of an image learns who asks. The
// engine passes it on to that registry alone. Docker wants one for a push, also an
// empty one.
func (c *Client) registryHeader(ctx context.Context, k *call, named reference.Named) (http.Header, error) {
	a, err := c.Credentials(ctx, reference.Domain(named))
	if err != nil {
		return nil, err
	}
	config := registry.AuthConfig{}
	if !a.isZero() {
		config = a.config()
	}
	value, err := authconfig.Encode(config)
	if err != nil {
		return nil, &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: "the credentials cannot be sent", Err: err}
	}
	return http.Header{registry.AuthHeader: {value}}, nil
}

// logins are what a Client was told by Login.
type logins struct {
	mu   sync.Mutex
	auth map[string]Auth // by RegistryHost
}

func (l *logins) keep(host string, a Auth) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.auth == nil {
		l.auth = map[string]Auth{}
	}
	l.auth[host] = a
}

func (l *logins) get(host string) (Auth, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a, ok := l.auth[host]
	return a, ok
}

func (l *logins) users() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	users := map[string]string{}
	for host, a := range l.auth {
		users[host] = a.Username
	}
	return users
}

// secrets are texts that no trace and no error shows.
type secrets struct {
	mu    sync.RWMutex
	texts []string // the longest first
}

// add adds secrets, and the forms that they take on the wire.
func (s *secrets) add(texts ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range texts {
		if text == "" {
			continue
		}
		for _, form := range []string{text, base64.StdEncoding.EncodeToString([]byte(text)), base64.URLEncoding.EncodeToString([]byte(text))} {
			if !slices.Contains(s.texts, form) {
				s.texts = append(s.texts, form)
			}
		}
	}
	slices.SortStableFunc(s.texts, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
}

func (s *secrets) mask(text string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, secret := range s.texts {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}
