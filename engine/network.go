// Networks: create, inspect, list, remove, connect and disconnect, prune.

package engine

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"

	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// A NetworkSpec says what network to create.
type NetworkSpec struct {
	Name       string // "": one that is made up
	Driver     string // "": the engine's own, bridge
	Options    map[string]string
	Internal   bool // no way out
	Attachable bool
	IPv6       bool
	Subnet     string // "10.1.2.0/24"; "": the engine picks one
	Gateway    string
	Labels     map[string]string
	Raw        map[string]any // merged last into the body
	Owner      Owner
}

// A Network is what the engine says of a network.
type Network struct {
	network.Inspect
	Raw json.RawMessage
}

// CreateNetwork creates a network (POST /networks/create) with its owner's labels.
// A name that is taken is a conflict; engines before API 1.44 would make a second
// network of it. When the engine's answer is lost, the network is found again by its
// nonce.
func (c *Client) CreateNetwork(ctx context.Context, spec NetworkSpec) (id string, err error) {
	labels, nonce, err := c.birth(spec.Owner)
	if err != nil {
		return "", err
	}
	if spec.Name == "" { // an engine makes one up for volumes alone
		spec.Name = "dscript-" + nonce[:12]
	}
	k := &call{op: "network.create", object: spec.Name, owner: spec.Owner, raw: spec.Raw}
	ipam, err := spec.ipam(k)
	if err != nil {
		return "", err
	}
	if _, err := c.InspectNetwork(ctx, spec.Name); err == nil {
		return "", &Error{Op: k.verb(), Object: spec.Name, Kind: KindConflict, Message: "network " + spec.Name + " exists already"}
	} else if !errors.Is(err, ErrNotFound) {
		return "", named(err, k)
	}
	k.finish = func(body map[string]any) { addLabels(body, labels) }
	api, err := c.ready(ctx)
	if err != nil {
		return "", err
	}
	made, err := api.NetworkCreate(k.with(ctx), spec.Name, client.NetworkCreateOptions{
		Driver: spec.Driver, Options: spec.Options, Internal: spec.Internal, Attachable: spec.Attachable,
		EnableIPv6: optional(spec.IPv6), IPAM: ipam, Labels: spec.Labels,
	})
	if err == nil {
		return made.ID, nil
	}
	err = c.failed(ctx, k, err)
	if ctx.Err() == nil && answerLost(err) {
		found, findErr := c.ListNetworks(ctx, map[string][]string{"label": {LabelNonce + "=" + nonce}})
		if findErr == nil && len(found) > 0 {
			return found[0].ID, nil
		}
	}
	return "", err
}

// optional leaves out a false that would ask for more than the default.
func optional(set bool) *bool {
	if !set {
		return nil
	}
	return &set
}

// answerLost reports whether a request may have been carried out without our knowing.
func answerLost(err error) bool {
	var own *Error
	return errors.As(err, &own) && own.Status == 0 && own.Kind != KindDenied && own.Kind != KindInvalid && !isDial(own)
}

func (s NetworkSpec) ipam(k *call) (*network.IPAM, error) {
	if s.Subnet == "" && s.Gateway == "" {
		return nil, nil
	}
	var config network.IPAMConfig
	var err error
	if config.Subnet, err = netip.ParsePrefix(s.Subnet); err != nil {
		return nil, &Error{Op: k.verb(), Object: s.Name, Kind: KindInvalid, Message: "subnet: " + clean(err.Error()), Hint: "a subnet is like 10.1.2.0/24"}
	}
	if s.Gateway != "" {
		if config.Gateway, err = netip.ParseAddr(s.Gateway); err != nil {
			return nil, &Error{Op: k.verb(), Object: s.Name, Kind: KindInvalid, Message: "gateway: " + clean(err.Error())}
		}
	}
	return &network.IPAM{Config: []network.IPAMConfig{config}}, nil
}

// InspectNetwork asks the engine about a network (GET /networks/{id}).
func (c *Client) InspectNetwork(ctx context.Context, id string) (Network, error) {
	k := &call{op: "network.inspect", object: id}
	if err := checkID(k, id); err != nil {
		return Network{}, err
	}
	var r Network
	var err error
	r.Raw, err = c.get(ctx, k, "/networks/"+id, &r.Inspect)
	if err == nil && r.ID == "" {
		err = c.answerError(ctx, k.verb(), id, errors.New("it has no id"))
	}
	return r, err
}

// ListNetworks lists networks (GET /networks).
func (c *Client) ListNetworks(ctx context.Context, by map[string][]string) ([]network.Summary, error) {
	api, err := c.ready(ctx)
	if err != nil {
		return nil, err
	}
	k := &call{op: "network.list"}
	r, err := api.NetworkList(k.with(ctx), client.NetworkListOptions{Filters: filters(by)})
	return r.Items, c.failed(ctx, k, err)
}

// RemoveNetwork removes a network (DELETE /networks/{id}). One that containers use
// is a conflict. Podman looks whether one is used by its name only, and would remove
// it under the containers when it is asked by id.
func (c *Client) RemoveNetwork(ctx context.Context, id string) error {
	podman, err := c.IsPodman(ctx)
	if err != nil {
		return err
	}
	if podman {
		n, err := c.InspectNetwork(ctx, id)
		if err != nil {
			return named(err, &call{op: "network.remove"})
		}
		id = n.Name
	}
	return c.on(ctx, "network.remove", id, func(ctx context.Context, api *client.Client) error {
		_, err := api.NetworkRemove(ctx, id, client.NetworkRemoveOptions{})
		return err
	})
}

// ConnectNetwork joins a container to a network (POST /networks/{id}/connect). nil
// settings are the engine's own.
func (c *Client) ConnectNetwork(ctx context.Context, id, containerID string, settings *network.EndpointSettings) error {
	return c.on(ctx, "network.connect", id, func(ctx context.Context, api *client.Client) error {
		_, err := api.NetworkConnect(ctx, id, client.NetworkConnectOptions{Container: containerID, EndpointConfig: settings})
		return err
	})
}

// DisconnectNetwork takes a container off a network (POST /networks/{id}/disconnect).
func (c *Client) DisconnectNetwork(ctx context.Context, id, containerID string, force bool) error {
	return c.on(ctx, "network.disconnect", id, func(ctx context.Context, api *client.Client) error {
		_, err := api.NetworkDisconnect(ctx, id, client.NetworkDisconnectOptions{Container: containerID, Force: force})
		return err
	})
}

// PruneNetworks removes the networks that no container uses (POST /networks/prune)
// and gives their names.
func (c *Client) PruneNetworks(ctx context.Context, by map[string][]string) ([]string, error) {
	api, err := c.ready(ctx)
	if err != nil {
		return nil, err
	}
	k := &call{op: "network.prune"}
	r, err := api.NetworkPrune(k.with(ctx), client.NetworkPruneOptions{Filters: filters(by)})
	return r.Report.NetworksDeleted, c.failed(ctx, k, err)
}
