// Containers: how they are created and found.

package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A ContainerSpec is what a container is created from.
type ContainerSpec struct {
	Name     string
	Config   container.Config
	Host     container.HostConfig
	Networks map[string]*network.EndpointSettings
	Platform string         // "linux/arm64"; "": the engine's own
	Raw      map[string]any // merged last into the body that is sent
	Owner    Owner
	ImageID  string // for the hash; "": the container gets no label with its hash
}

// A CreateContainerResult is a created container.
type CreateContainerResult struct {
	ID       string
	Warnings []string // the engine's own
	NoInit   bool     // an init was asked for, and the engine has none
}

// A Container is what the engine says of one, typed and as it came.
type Container struct {
	container.InspectResponse
	Raw json.RawMessage
}

// ListContainersOptions narrow a list. The zero value lists what runs.
type ListContainersOptions struct {
	All     bool
	Limit   int // 0: all
	Filters map[string][]string
}

// request is the typed body of the create. A published port is exposed too:
// Docker 20.10 ignores a binding of a port that is not, without a word.
func (s ContainerSpec) request() container.CreateRequest {
	config, host := s.Config, s.Host
	if len(host.PortBindings) > 0 {
		exposed := network.PortSet{}
		for port := range config.ExposedPorts {
			exposed[port] = struct{}{}
		}
		for port := range host.PortBindings {
			exposed[port] = struct{}{}
		}
		config.ExposedPorts = exposed
	}
	r := container.CreateRequest{Config: &config, HostConfig: &host}
	if len(s.Networks) > 0 {
		r.NetworkingConfig = &network.NetworkingConfig{EndpointsConfig: s.Networks}
	}
	return r
}

// CreateContainer creates a container (POST /containers/create) with its owner's
// labels. When the engine's answer is lost, the container is found again by its
// nonce; when ctx ends first, it is removed. An engine without an init gets the
// container without one, and the result says so.
func (c *Client) CreateContainer(ctx context.Context, spec ContainerSpec) (CreateContainerResult, error) {
	labels, nonce, err := c.birth(spec.Owner)
	if err != nil {
		return CreateContainerResult{}, err
	}
	r, err := c.createContainer(ctx, spec, labels)
	init := spec.Host.Init != nil && *spec.Host.Init
	var own *Error
	if init && errors.As(err, &own) && own.Status != 0 && strings.Contains(own.Message, "init binary") {
		spec.Host.Init = nil
		r, err = c.createContainer(ctx, spec, labels)
		r.NoInit = true
	}
	lost := errors.As(err, &own) && own.Status == 0 && own.Kind != KindDenied && own.Kind != KindInvalid && !isDial(own)
	if !lost {
		return r, err
	}
	if ctx.Err() != nil {
		_, _ = c.cleanUp(ctx, killPatience, killLimit, func(ctx context.Context) error { return c.removeByNonce(ctx, nonce) })
		return CreateContainerResult{}, err
	}
	if id, findErr := c.findByNonce(ctx, nonce); findErr == nil {
		return CreateContainerResult{ID: id, NoInit: r.NoInit, Warnings: []string{"the engine's answer to the create was lost; the container was found again"}}, nil
	}
	return CreateContainerResult{}, err
}

func (c *Client) createContainer(ctx context.Context, spec ContainerSpec, labels map[string]string) (CreateContainerResult, error) {
	object := spec.Name
	if object == "" {
		object = spec.Config.Image
	}
	k := &call{op: "container.create", object: object, owner: spec.Owner, raw: spec.Raw}
	k.finish = func(body map[string]any) {
		if spec.ImageID != "" && labels[LabelHash] == "" { // a second try, without an init, keeps the hash of what was asked
			if hash, err := spec.hash(body, spec.ImageID); err == nil {
				labels[LabelHash] = hash
			}
		}
		addLabels(body, labels)
	}
	platform, err := parsePlatform(k, spec.Platform)
	if err != nil {
		return CreateContainerResult{}, err
	}
	api, err := c.ready(ctx)
	if err != nil {
		return CreateContainerResult{}, err
	}
	body := spec.request()
	made, err := api.ContainerCreate(k.with(ctx), client.ContainerCreateOptions{
		Config: body.Config, HostConfig: body.HostConfig, NetworkingConfig: body.NetworkingConfig,
		Platform: platform, Name: spec.Name,
	})
	if err != nil {
		return CreateContainerResult{}, c.failed(ctx, k, err)
	}
	if made.ID == "" {
		return CreateContainerResult{}, c.answerError(ctx, k.verb(), object, errors.New("it has no id"))
	}
	return CreateContainerResult{ID: made.ID, Warnings: made.Warnings}, nil
}

// parsePlatform reads "linux/arm64/v8"; nil for "".
func parsePlatform(k *call, s string) (*ocispec.Platform, error) {
	if s == "" {
		return nil, nil
	}
	parts := strings.Split(s, "/")
	if len(parts) < 2 || len(parts) > 3 {
		return nil, &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: fmt.Sprintf("%q is no platform", s), Hint: "a platform is like linux/arm64"}
	}
	p := &ocispec.Platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
	}
	return p, nil
}

// findByNonce finds the container of a create whose answer was lost; the engine
// may still be making it.
func (c *Client) findByNonce(ctx context.Context, nonce string) (string, error) {
	filter := map[string][]string{"label": {LabelNonce + "=" + nonce}}
	for delay := 25 * time.Millisecond; ; delay *= 2 {
		found, err := c.ListContainers(ctx, ListContainersOptions{All: true, Filters: filter})
		if err == nil && len(found) > 0 {
			return found[0].ID, nil
		}
		if delay > time.Second {
			return "", ErrNotFound
		}
		if err := pause(ctx, delay); err != nil {
			return "", err
		}
	}
}

func (c *Client) removeByNonce(ctx context.Context, nonce string) error {
	id, err := c.findByNonce(ctx, nonce)
	if err != nil {
		return err
	}
	return c.RemoveContainer(ctx, id, RemoveContainerOptions{Force: true, Volumes: true})
}

// InspectContainer asks the engine about a container (GET /containers/{id}/json).
func (c *Client) InspectContainer(ctx context.Context, id string) (Container, error) {
	k := &call{op: "container.inspect", object: id}
	if err := checkID(k, id); err != nil {
		return Container{}, err
	}
	var r Container
	var err error
	r.Raw, err = c.get(ctx, k, "/containers/"+id+"/json", &r.InspectResponse)
	if err == nil && (r.ID == "" || r.State == nil) {
		err = c.answerError(ctx, k.verb(), id, errors.New("it has no id or no state"))
	}
	return r, err
}

// ListContainers lists containers (GET /containers/json).
func (c *Client) ListContainers(ctx context.Context, o ListContainersOptions) ([]container.Summary, error) {
	api, err := c.ready(ctx)
	if err != nil {
		return nil, err
	}
	k := &call{op: "container.list"}
	r, err := api.ContainerList(k.with(ctx), client.ContainerListOptions{All: o.All, Limit: o.Limit, Filters: filters(o.Filters)})
	return r.Items, c.failed(ctx, k, err)
}

func filters(from map[string][]string) client.Filters {
	f := client.Filters{}
	for name, values := range from {
		f.Add(name, values...)
	}
	return f
}
