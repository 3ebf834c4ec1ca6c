// The engine itself: ping, the negotiation of the API version, what it says of itself.

package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"
)

// pingTimeout ends the negotiation with something that takes connections and never answers.
const pingTimeout = 10 * time.Second

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

// Ping asks the engine whether it is there (GET /_ping).
func (c *Client) Ping(ctx context.Context) (PingResult, error) {
	return c.ping(ctx)
}

func (c *Client) ping(ctx context.Context) (PingResult, error) {
	k := &call{op: "ping", object: c.host}
	resp, err := c.request(ctx, k, http.MethodGet, "/_ping", nil)
	if err != nil {
		return PingResult{}, err
	}
	discard(resp)
	h := resp.Header
	if h.Get("Api-Version") == "" {
		return PingResult{}, &Error{Op: "ping", Object: c.host, Kind: KindUnavailable, Status: resp.StatusCode,
			Message: "what answers at " + c.host + " is no container engine: its ping names no API version"}
	}
	return PingResult{
		APIVersion:     h.Get("Api-Version"),
		OSType:         h.Get("Ostype"),
		BuilderVersion: h.Get("Builder-Version"),
		Swarm:          h.Get("Swarm"),
		Experimental:   h.Get("Docker-Experimental") == "true",
	}, nil
}

// ready gives the official client with the negotiated version. The negotiation
// happens once, before the first versioned request; its failure is returned and
// the next operation tries again.
func (c *Client) ready(ctx context.Context) (*client.Client, error) {
	c.mu.Lock()
	api := c.api
	c.mu.Unlock()
	if api != nil {
		return api, nil
	}
	select {
	case c.negotiation <- struct{}{}:
		defer func() { <-c.negotiation }()
	case <-ctx.Done():
		return nil, c.contextError(ctx, "connect", c.host)
	}
	c.mu.Lock()
	api = c.api
	c.mu.Unlock()
	if api != nil {
		return api, nil
	}
	version, err := c.negotiate(ctx)
	if err != nil {
		return nil, err
	}
	api, err = client.New(
		client.WithHost("tcp://"+client.DummyHost), // the gate knows the real one
		client.WithHTTPClient(&http.Client{Transport: c.gate, CheckRedirect: client.CheckRedirect}),
		client.WithScheme("http"),
		client.WithAPIVersion(version),
		client.WithUserAgent("dscript"),
	)
	if err != nil {
		return nil, &Error{Op: "connect", Object: c.host, Kind: KindInvalid, Message: clean(err.Error()), Err: err}
	}
	c.mu.Lock()
	c.api = api
	c.mu.Unlock()
	return api, nil
}

// negotiate chooses the newest version that both sides speak.
func (c *Client) negotiate(ctx context.Context) (string, error) {
	if v := strings.TrimPrefix(c.opts.APIVersion, "v"); v != "" {
		if strings.Trim(v, "0123456789.") != "" {
			return "", &Error{Op: "connect", Object: c.host, Kind: KindInvalid, Message: fmt.Sprintf("%q is no API version", v)}
		}
		return v, nil
	}
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	ping, err := c.ping(ctx)
	if err != nil {
		return "", err
	}
	if versions.LessThan(ping.APIVersion, client.MinAPIVersion) {
		return "", &Error{Op: "connect", Object: c.host, Kind: KindTooOld,
			Message: fmt.Sprintf("the engine speaks API version %s at most; %s is the oldest that dscript speaks", ping.APIVersion, client.MinAPIVersion),
			Hint:    "update the engine: Docker 20.10 and Podman 4 are new enough"}
	}
	if versions.LessThan(ping.APIVersion, client.MaxAPIVersion) {
		return ping.APIVersion, nil
	}
	return client.MaxAPIVersion, nil
}

// Version asks what the engine is (GET /version).
func (c *Client) Version(ctx context.Context) (VersionResult, error) {
	var v struct {
		Version, ApiVersion, Os, Arch string //nolint:revive // the wire's names
		Components                    []struct{ Name string }
	}
	raw, err := c.get(ctx, &call{op: "engine.version", object: c.host}, "/version", &v)
	if err != nil {
		return VersionResult{}, err
	}
	r := VersionResult{Version: v.Version, APIVersion: v.ApiVersion, OS: v.Os, Arch: v.Arch, Engine: "Docker Engine", Raw: raw}
	for _, component := range v.Components {
		if strings.HasPrefix(component.Name, "Podman") {
			r.Engine = component.Name
		}
	}
	return r, nil
}

// Info asks for all that the engine says of itself (GET /info).
func (c *Client) Info(ctx context.Context) (json.RawMessage, error) {
	var any json.RawMessage
	return c.get(ctx, &call{op: "engine.info", object: c.host}, "/info", &any)
}

// IsPodman reports whether the engine is Podman. It asks once.
func (c *Client) IsPodman(ctx context.Context) (bool, error) {
	c.mu.Lock()
	known := c.podman
	c.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	v, err := c.Version(ctx)
	if err != nil {
		return false, err
	}
	podman := strings.HasPrefix(v.Engine, "Podman")
	c.mu.Lock()
	c.podman = &podman
	c.mu.Unlock()
	return podman, nil
}
