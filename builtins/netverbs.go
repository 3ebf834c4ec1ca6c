package builtins

// This file is the verbs on a network, those seen from a container too.

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/moby/moby/api/types/network"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// A networkRef names a network in a call: a Network, or the name or id of one.
type networkRef struct {
	value *Network
	name  string
}

func (r *networkRef) Unpack(v starlark.Value) error {
	switch v := v.(type) {
	case *Network:
		r.value = v
		return nil
	case starlark.String:
		return unpackName(&r.name, v)
	}
	return fmt.Errorf("got %s, want a Network, or the name or id of one", v.Type())
}

// NamesOf lets a prompt complete the names of networks.
func (networkRef) NamesOf() string { return "Network" }

// resolveNetwork finds the network that a reference names.
func (e *dockerEngine) resolveNetwork(call *runtime.Call, ref networkRef) (n *Network, err error) {
	if ref.value != nil {
		return ref.value, nil
	}
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		got, err := client.InspectNetwork(ctx, ref.name)
		n = e.network(call, got.Network)
		return err
	})
	return n, err
}

// onNetwork runs fn for the network that ref names; errors name it as scripts do.
func (e *dockerEngine) onNetwork(call *runtime.Call, ref networkRef, fn func(context.Context, *engine.Client, *Network) error) error {
	n, err := e.resolveNetwork(call, ref)
	if err != nil {
		return err
	}
	return n.named(n.engine.with(call, func(ctx context.Context, client *engine.Client) error { return fn(ctx, client, n) }))
}

// networkContainers lists the containers on a network. Docker's own answer about a
// network has only those that run, Podman's none.
func (e *dockerEngine) networkContainers(call *runtime.Call, n *Network) (any, error) {
	return e.listContainers(call, listContainersArgs{All: true, Filters: filters{"network": {n.id}}})
}

const connectNetworkDoc = `
connect(network, container, *, aliases=[], ip="")

Put a container on the network.

container  a Container, or the name or id of one
aliases    further names by which others on the network find it
ip         its address there; "": the engine picks one
`

type connectNetworkArgs struct {
	Network   networkRef
	Container containerRef
	Aliases   []string
	IP        string
}

func (e *dockerEngine) connectNetwork(call *runtime.Call, a connectNetworkArgs) error {
	settings := &network.EndpointSettings{Aliases: a.Aliases}
	if a.IP != "" {
		ip, err := netip.ParseAddr(a.IP)
		if err != nil {
			return runtime.Errorf("invalid", "ip: %q is not an address", a.IP)
		}
		settings.IPAMConfig = &network.EndpointIPAMConfig{}
		if ip.Is4() {
			settings.IPAMConfig.IPv4Address = ip
		} else {
			settings.IPAMConfig.IPv6Address = ip
		}
	}
	c, err := e.resolve(call, a.Container)
	if err != nil {
		return err
	}
	return c.named(e.onNetwork(call, a.Network, func(ctx context.Context, client *engine.Client, n *Network) error {
		return client.ConnectNetwork(ctx, n.id, c.id, settings)
	}))
}

const disconnectNetworkDoc = `
disconnect(network, container, *, force=False)

Take a container off the network.

container  a Container, or the name or id of one
force      also when the engine takes the container for lost
`

type disconnectNetworkArgs struct {
	Network   networkRef
	Container containerRef
	Force     bool
}

func (e *dockerEngine) disconnectNetwork(call *runtime.Call, a disconnectNetworkArgs) error {
	c, err := e.resolve(call, a.Container)
	if err != nil {
		return err
	}
	return c.named(e.onNetwork(call, a.Network, func(ctx context.Context, client *engine.Client, n *Network) error {
		return client.DisconnectNetwork(ctx, n.id, c.id, a.Force)
	}))
}

const connectContainerDoc = `
connect(container, network, *, aliases=[], ip="")

Put the container on one more network.

network  a Network, or the name or id of one
aliases  further names by which others on the network find it
ip       its address there; "": the engine picks one
`

type connectContainerArgs struct {
	Container containerRef
	Network   networkRef
	Aliases   []string
	IP        string
}

func (e *dockerEngine) connectContainer(call *runtime.Call, a connectContainerArgs) error {
	return e.connectNetwork(call, connectNetworkArgs{Network: a.Network, Container: a.Container, Aliases: a.Aliases, IP: a.IP})
}

const disconnectContainerDoc = `
disconnect(container, network, *, force=False)

Take the container off a network.

network  a Network, or the name or id of one
force    also when the engine takes the container for lost
`

type disconnectContainerArgs struct {
	Container containerRef
	Network   networkRef
	Force     bool
}

func (e *dockerEngine) disconnectContainer(call *runtime.Call, a disconnectContainerArgs) error {
	return e.disconnectNetwork(call, disconnectNetworkArgs{Network: a.Network, Container: a.Container, Force: a.Force})
}

const removeNetworkDoc = `
remove(network)

Remove a network. One that containers are on is an error of kind conflict.
`

type networkArgs struct{ Network networkRef }

func (e *dockerEngine) removeNetwork(call *runtime.Call, a networkArgs) error {
	return e.onNetwork(call, a.Network, func(ctx context.Context, client *engine.Client, n *Network) error {
		if err := client.RemoveNetwork(ctx, n.id); err != nil {
			return err
		}
		n.engine.disown(n.id)
		return nil
	})
}

const keepNetworkDoc = `
keep(network) -> Network

Leave the network when its scope ends. Gives the network.
`

func (e *dockerEngine) keepNetwork(call *runtime.Call, a networkArgs) (starlark.Value, error) {
	n, err := e.resolveNetwork(call, a.Network)
	if err != nil {
		return nil, err
	}
	n.engine.disown(n.id)
	return n, nil
}

const inspectNetworkDoc = `
inspect(network) -> dict

All that the engine says of the network, as its API names it.
`

func (e *dockerEngine) inspectNetwork(call *runtime.Call, a networkArgs) (v any, err error) {
	err = e.onNetwork(call, a.Network, func(ctx context.Context, client *engine.Client, n *Network) error {
		got, err := client.InspectNetwork(ctx, n.id)
		v = got.Raw
		return err
	})
	return v, err
}
