package builtins

// This file is the noun network, and the Network value.

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/moby/moby/api/types/network"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// A Network is a network of an engine, known by its id. Two are equal when engine
// and id are.
type Network struct {
	engine  *dockerEngine
	session *runtime.Session
	id      string
	name    string
	driver  string
	labels  map[string]string
}

var (
	_ starlark.HasAttrs   = (*Network)(nil)
	_ starlark.Comparable = (*Network)(nil)
	_ runtime.Tabler      = (*Network)(nil)
)

const networkTypeDoc = `
Network

A network of an engine. id, name, driver and labels are as it was created; containers
is asked each time.
`

func (e *dockerEngine) declareNetworkType() *runtime.TypeDecl {
	return runtime.Type[*Network](networkTypeDoc,
		runtime.Attr("id -> string\n\nIts full id.", func(_ *runtime.Call, n *Network) (any, error) { return n.id, nil }),
		runtime.Attr("name -> string\n\nIts name.", func(_ *runtime.Call, n *Network) (any, error) { return n.name, nil }),
		runtime.Attr("driver -> string\n\nIts driver, like \"bridge\".", func(_ *runtime.Call, n *Network) (any, error) { return n.driver, nil }),
		runtime.Attr("labels -> dict\n\nIts labels, as created.", func(_ *runtime.Call, n *Network) (any, error) { return n.labels, nil }),
		runtime.Attr("containers -> list\n\nThe containers on it, those that do not run too.", e.networkContainers),
		runtime.Func(connectNetworkDoc, e.connectNetwork).As("connect"),
		runtime.Func(disconnectNetworkDoc, e.disconnectNetwork).As("disconnect"),
		runtime.Func(removeNetworkDoc, e.removeNetwork).As("remove"),
		runtime.Func(keepNetworkDoc, e.keepNetwork).As("keep"),
		runtime.Func(inspectNetworkDoc, e.inspectNetwork).As("inspect"),
	)
}

const networkDoc = `
network(name=None, *, driver="", subnet="", gateway="", internal=False, ipv6=False, attachable=False, labels={}, options={}, keep=False, raw={}) -> Network

Create a network. Containers on it find each other by name. It belongs to the
innermost scope and is removed when that ends.

name        None: one that is made up
driver      "": the engine's own, bridge
subnet      its addresses, like "10.1.2.0/24"; "": the engine picks them
gateway     an address of the subnet; "": the engine picks one
internal    no way out of it
ipv6        IPv6 addresses, too
attachable  a swarm's network that containers may join
labels      dict or list of "name=value"
options     of the driver
keep        leave it when its scope ends
raw         merged last into the body of the create request

>>> net = network()
>>> db = container("busybox", ["sleep", "60"], network = net, aliases = ["db"])
>>> run("busybox", "ping -c1 db >/dev/null && echo reached", network = net).stdout
"reached\n"
`

const getNetworkDoc = `
get(name, default=None) -> Network

Find a network by its name or id.

name     a name or an id
default  given instead when there is none; without it that is an error of kind not_found

>>> network.get("no-such-network", "none of that name")
"none of that name"
`

const listNetworksDoc = `
list(*, filters={}) -> list

The networks of the engine.

filters  {"driver": "bridge", "label": "x=y"}, as the engine's API names them
`

const pruneNetworksDoc = `
prune(*, all=False) -> list

Remove the networks of this session that no container is on. Gives their names.

all  every network of the engine that no container is on
`

func (e *dockerEngine) declareNetwork() runtime.Member {
	return runtime.Noun(networkDoc, e.makeNetwork,
		runtime.Func(getNetworkDoc, e.getNetwork),
		runtime.Func(listNetworksDoc, e.listNetworks),
		runtime.Func(pruneNetworksDoc, e.pruneNetworks),
	)
}

// network makes the value of a network that the engine knows.
func (e *dockerEngine) network(call *runtime.Call, got network.Network) *Network {
	labels := got.Labels
	if labels == nil {
		labels = map[string]string{}
	}
	return &Network{engine: e, session: call.Session(), id: got.ID, name: got.Name, driver: got.Driver, labels: labels}
}

type makeNetworkArgs struct {
	Name       runtime.Opt[string]
	Driver     string
	Subnet     string
	Gateway    string
	Internal   bool
	Ipv6       bool
	Attachable bool
	Labels     map[string]string
	Options    map[string]string
	Keep       bool
	Raw        *starlark.Dict
}

func (e *dockerEngine) makeNetwork(call *runtime.Call, a makeNetworkArgs) (n *Network, err error) {
	if a.Name.Set && a.Name.Value == "" {
		return nil, runtime.Errorf("invalid", "the name is empty: leave it out for one that is made up")
	}
	raw, err := rawBody(a.Raw)
	if err != nil {
		return nil, err
	}
	if err := call.Count(); err != nil {
		return nil, err
	}
	owner := e.owner(call, a.Keep)
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		id, err := client.CreateNetwork(ctx, engine.NetworkSpec{
			Name: a.Name.Value, Driver: a.Driver, Subnet: a.Subnet, Gateway: a.Gateway, Internal: a.Internal, IPv6: a.Ipv6,
			Attachable: a.Attachable, Labels: a.Labels, Options: a.Options, Raw: raw, Owner: owner,
		})
		if err != nil {
			return err
		}
		e.own(call, owner, id, "network "+nameOr(a.Name.Value, id), func(ctx context.Context) error {
			return e.endNetwork(ctx, client, id)
		})
		got, err := client.InspectNetwork(ctx, id)
		if err != nil {
			return err
		}
		n = e.network(call, got.Network)
		return nil
	})
	return n, err
}

// endNetwork removes a network at the end of its scope. Scopes end newest first, so
// its containers are usually gone; those that the session will remove later are
// taken off it.
func (e *dockerEngine) endNetwork(ctx context.Context, client *engine.Client, id string) error {
	err := gone(client.RemoveNetwork(ctx, id))
	if !errors.Is(err, engine.ErrConflict) {
		return err
	}
	on, listErr := client.ListContainers(ctx, engine.ListContainersOptions{All: true, Filters: filters{"network": {id}}})
	if listErr != nil {
		return err
	}
	for _, c := range on {
		if _, ours := e.owned.Load(c.ID); !ours {
			continue
		}
		if err := gone(client.DisconnectNetwork(ctx, id, c.ID, true)); err != nil {
			return err
		}
	}
	return gone(client.RemoveNetwork(ctx, id))
}

// A networkName is a parameter that takes only a name or an id.
type networkName string

func (n *networkName) Unpack(v starlark.Value) error { return unpackName((*string)(n), v) }
func (networkName) NamesOf() string                  { return "Network" }

type getNetworkArgs struct {
	Name    networkName
	Default runtime.Opt[starlark.Value]
}

func (e *dockerEngine) getNetwork(call *runtime.Call, a getNetworkArgs) (starlark.Value, error) {
	n, err := e.resolveNetwork(call, networkRef{name: string(a.Name)})
	if err != nil {
		return orDefault(err, a.Default)
	}
	return n, nil
}

type listFilteredArgs struct{ Filters filters }

func (e *dockerEngine) listNetworks(call *runtime.Call, a listFilteredArgs) (starlark.Value, error) {
	var list []starlark.Value
	err := e.with(call, func(ctx context.Context, client *engine.Client) error {
		found, err := client.ListNetworks(ctx, a.Filters)
		for _, n := range found {
			list = append(list, e.network(call, n.Network))
		}
		return err
	})
	return starlark.NewList(list), err
}

type pruneArgs struct{ All bool }

func (e *dockerEngine) pruneNetworks(call *runtime.Call, a pruneArgs) (names []string, err error) {
	names = []string{}
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		if a.All {
			pruned, err := client.PruneNetworks(ctx, nil)
			names = append(names, pruned...)
			return err
		}
		// Not by the engine's own prune, of which there can be but one at a time.
		found, err := client.ListNetworks(ctx, e.ofSession(call))
		if err != nil {
			return err
		}
		for _, n := range found {
			removed, err := e.unused(n.ID, client.RemoveNetwork(ctx, n.ID))
			if err != nil {
				return err
			}
			if removed {
				names = append(names, n.Name)
			}
		}
		return nil
	})
	return names, err
}

// ofSession filters what the session of call has made.
func (e *dockerEngine) ofSession(call *runtime.Call) filters {
	return filters{"label": {engine.LabelSession + "=" + e.owner(call, false).Session, engine.LabelOwner + "=" + string(engine.OwnerSession)}}
}

// unused takes an object off its scope when its removal went well. One that is in
// use stays, without an error.
func (e *dockerEngine) unused(id string, err error) (removed bool, _ error) {
	switch {
	case err == nil:
		e.disown(id)
		return true, nil
	case errors.Is(err, engine.ErrConflict), errors.Is(err, engine.ErrNotFound):
		return false, nil
	}
	return false, err
}

// NetworkName lets network= take a Network.
func (n *Network) NetworkName() string { return n.name }

func (n *Network) String() string        { return fmt.Sprintf("<Network %s %s>", n.name, shortID(n.id)) }
func (n *Network) Type() string          { return "Network" }
func (n *Network) Freeze()               {}
func (n *Network) Truth() starlark.Bool  { return true }
func (n *Network) Hash() (uint32, error) { return hashOf(n.id), nil }
func (n *Network) AttrNames() []string   { return n.engine.networkType.AttrNames() }
func (n *Network) Attr(name string) (starlark.Value, error) {
	return n.engine.networkType.Attr(n.session, n, name)
}

func (n *Network) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	other := y.(*Network)
	return equalOnly(op, n.engine == other.engine && n.id == other.id, "Network")
}

// Table draws networks as docker network ls does.
func (n *Network) Table(_ context.Context, values []starlark.Value) ([]string, [][]string, error) {
	rows := make([][]string, 0, len(values))
	for _, v := range values {
		n := v.(*Network)
		rows = append(rows, []string{n.name, n.driver, shortID(n.id)})
	}
	return []string{"NAME", "DRIVER", "ID"}, rows, nil
}

// named puts the network's name in place of its id in an engine's error.
func (n *Network) named(err error) error {
	var e *engine.Error
	if n == nil || !errors.As(err, &e) {
		return err
	}
	named := *e
	if named.Object == n.id {
		named.Object = n.name
	}
	named.Message = strings.ReplaceAll(named.Message, n.id, n.name)
	return &named
}
