package builtins

// This file tells how a container's ports are reached from here.

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/moby/moby/api/types/network"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const portDoc = `
port(container, port) -> int

The port of the host that a published port has now; free ones change on restart.

port  80, or "53/udp"
`

const addrDoc = `
addr(container, port) -> string

The address where a published port answers from here: "127.0.0.1:32768".

port  80, or "53/udp"
`

const urlDoc = `
url(container, port, path="/", *, scheme="http") -> string

The URL where a published port answers from here: "http://127.0.0.1:32768/".

port    80
path    begins with a slash, or is put behind one
scheme  what stands before ://
`

// portRef is a port of a container in a call.
type portRef struct{ network.Port }

func (p *portRef) Unpack(v starlark.Value) (err error) {
	p.Port, err = containerPort(v)
	return err
}

type portArgs struct {
	Container containerRef
	Port      portRef
}

func (e *dockerEngine) port(call *runtime.Call, a portArgs) (any, error) {
	_, port, err := e.address(call, a.Container, a.Port.Port)
	return port, err
}

func (e *dockerEngine) addr(call *runtime.Call, a portArgs) (any, error) {
	host, port, err := e.address(call, a.Container, a.Port.Port)
	return joinHostPort(host, strconv.Itoa(port)), err
}

type urlArgs struct {
	Container containerRef
	Port      portRef
	Path      string
	Scheme    string
}

func (e *dockerEngine) url(call *runtime.Call, a urlArgs) (any, error) {
	host, port, err := e.address(call, a.Container, a.Port.Port)
	return a.Scheme + "://" + joinHostPort(host, strconv.Itoa(port)) + "/" + strings.TrimPrefix(a.Path, "/"), err
}

// address asks where a published port is bound now.
func (e *dockerEngine) address(call *runtime.Call, ref containerRef, port network.Port) (host string, number int, err error) {
	err = e.on(call, ref, func(ctx context.Context, client *engine.Client, c *Container) error {
		got, err := client.InspectContainer(ctx, c.id)
		if err != nil {
			return err
		}
		if !got.State.Running { // Podman keeps the bindings
			return unpublished(c, got, port)
		}
		binding, ok := preferred(got.NetworkSettings.Ports[port])
		if !ok {
			return unpublished(c, got, port)
		}
		if number, err = strconv.Atoi(binding.HostPort); err != nil {
			return fmt.Errorf("%s: the engine gives port %s as %q", c.label(), port, binding.HostPort)
		}
		host, err = reachable(client.Host(), binding.HostIP)
		return err
	})
	return host, number, err
}

// unpublished says why a port has no address.
func unpublished(c *Container, got engine.Container, port network.Port) error {
	if !got.State.Running {
		return &runtime.Error{Kind: "conflict", Message: fmt.Sprintf("%s does not run, so port %s has no address", c.label(), port)}
	}
	form := strconv.Itoa(int(port.Num()))
	if port.Proto() != network.TCP {
		form = strconv.Quote(port.String())
	}
	return &runtime.Error{Kind: "invalid",
		Message: fmt.Sprintf("%s does not publish port %s", c.label(), port),
		Hint:    fmt.Sprintf("create it with ports=[%s]", form)}
}

// preferred picks the binding to use from here: one of IPv4 before one of IPv6,
// since the two may have different numbers (moby#42442).
func preferred(bindings []network.PortBinding) (network.PortBinding, bool) {
	for _, b := range bindings {
		if b.HostPort != "" && b.HostIP.Is4() {
			return b, true
		}
	}
	for _, b := range bindings {
		if b.HostPort != "" {
			return b, true
		}
	}
	return network.PortBinding{}, false
}

// isLocal reports whether an engine runs on this machine, as far as its address tells.
func isLocal(client *engine.Client) bool {
	return strings.HasPrefix(client.Host(), "unix://") || strings.HasPrefix(client.Host(), "npipe://")
}

// reachable is the address where a port that the engine bound to ip answers from here.
func reachable(engineHost string, ip netip.Addr) (string, error) {
	scheme, _, _ := strings.Cut(engineHost, "://")
	local := "127.0.0.1"
	if ip.Is6() && !ip.IsUnspecified() {
		local = "::1"
	}
	switch scheme {
	case "unix", "npipe":
		if ip.IsValid() && !ip.IsUnspecified() && !ip.IsLoopback() {
			return ip.String(), nil
		}
		return local, nil
	case "ssh":
		return "", &runtime.Error{Kind: "unsupported", Message: "ports of an engine behind ssh have no address here yet",
			Hint: "forward one by hand: ssh -L"}
	}
	u, err := url.Parse(engineHost)
	if err != nil {
		return "", err
	}
	return u.Hostname(), nil
}

func joinHostPort(host, port string) string {
	if host == "invalid IP" || host == "" {
		host = "0.0.0.0"
	}
	return net.JoinHostPort(host, port)
}
