package builtins

// This file reads the forms that container, container.create and run accept for
// ports, mounts, networks and limits. Each form is what the docker command line or
// Compose accept, in Starlark's own values.

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/runtime"
)

// ports is what a container publishes, bound to 127.0.0.1 unless said otherwise:
// [80] any free port, {80: 8080} or "8080:80" that one, "53/udp", "all" what the
// image exposes.
type ports struct {
	all      bool
	bindings network.PortMap
}

var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

func (p *ports) Unpack(v starlark.Value) error {
	p.bindings = network.PortMap{}
	switch v := v.(type) {
	case starlark.NoneType:
		return nil
	case starlark.String, starlark.Int:
		return p.add(v)
	case *starlark.Dict:
		for _, item := range v.Items() {
			port, err := containerPort(item[0])
			if err != nil {
				return err
			}
			if err := p.bind(port, item[1]); err != nil {
				return err
			}
		}
		return nil
	case starlark.Sequence:
		for item := range starlark.Elements(v) {
			if err := p.add(item); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf(`got %s, want a list like [80, "8080:80"], a dict like {80: 8080}, or "all"`, v.Type())
}

// add takes one entry of a list: 80, "80", "53/udp", "8080:80", "0.0.0.0:8080:80".
func (p *ports) add(v starlark.Value) error {
	s, ok := v.(starlark.String)
	if !ok {
		port, err := containerPort(v)
		if err != nil {
			return err
		}
		return p.bind(port, starlark.None)
	}
	if s == "all" {
		p.all = true
		return nil
	}
	host, inside := "", string(s)
	if i := strings.LastIndexByte(inside, ':'); i >= 0 {
		host, inside = inside[:i], inside[i+1:]
	}
	port, err := containerPort(starlark.String(inside))
	if err != nil {
		return err
	}
	return p.bind(port, starlark.String(host))
}

// bind adds one binding: None or "" any free port, 8080, "8080", "0.0.0.0:8080",
// ("0.0.0.0", 8080), or a list of these.
func (p *ports) bind(port network.Port, v starlark.Value) error {
	binding := network.PortBinding{HostIP: loopback}
	switch v := v.(type) {
	case starlark.NoneType:
	case starlark.Int:
		binding.HostPort = v.String()
	case starlark.String:
		host := string(v)
		if i := strings.LastIndexByte(host, ':'); i >= 0 {
			ip, err := netip.ParseAddr(strings.Trim(host[:i], "[]"))
			if err != nil {
				return fmt.Errorf("port %s: %q is not an address to bind", port, host[:i])
			}
			binding.HostIP, host = ip, host[i+1:]
		}
		binding.HostPort = host
	case starlark.Tuple:
		if len(v) != 2 {
			return fmt.Errorf("port %s: want (address, port), got a tuple of %d", port, len(v))
		}
		ip, ok := starlark.AsString(v[0])
		if !ok {
			return fmt.Errorf("port %s: want (address, port), got %s", port, v)
		}
		if strings.Contains(ip, ":") {
			ip = "[" + ip + "]"
		}
		hostPort := ""
		if v[1] != starlark.None {
			hostPort = strings.Trim(v[1].String(), `"`)
		}
		return p.bind(port, starlark.String(ip+":"+hostPort))
	case *starlark.List:
		for item := range starlark.Elements(v) {
			if err := p.bind(port, item); err != nil {
				return err
			}
		}
		return nil
	default:
		return fmt.Errorf("port %s: got %s, want a port of the host, None, or (address, port)", port, v.Type())
	}
	if binding.HostPort == "0" {
		binding.HostPort = ""
	}
	if n, err := strconv.Atoi(binding.HostPort); binding.HostPort != "" && (err != nil || n < 1 || n > 65535) {
		return fmt.Errorf("port %s: %q is not a port of the host", port, binding.HostPort)
	}
	p.bindings[port] = append(p.bindings[port], binding)
	return nil
}

// containerPort reads 80, "80" or "53/udp".
func containerPort(v starlark.Value) (network.Port, error) {
	var s string
	switch v := v.(type) {
	case starlark.Int:
		s = v.String()
	case starlark.String:
		s = string(v)
	default:
		return network.Port{}, fmt.Errorf(`got %s, want a port like 80 or "53/udp"`, v.Type())
	}
	port, err := network.ParsePort(s)
	if err != nil || port.Num() == 0 {
		return network.Port{}, fmt.Errorf(`%q is not a port: want one like 80 or "53/udp"`, s)
	}
	switch port.Proto() {
	case network.TCP, network.UDP, network.SCTP:
		return port, nil
	}
	return network.Port{}, fmt.Errorf("%q: the protocol is tcp, udp or sctp", s)
}

// mounts is a list of "src:dst[:ro]" or (src, dst[, "ro"]).
type mounts []mountForm

type mountForm struct {
	source, target string
	readOnly       bool
}

func (m *mounts) Unpack(v starlark.Value) error {
	seq, ok := v.(*starlark.List)
	if !ok {
		if v == starlark.None {
			return nil
		}
		return fmt.Errorf(`got %s, want a list of "source:target" or (source, target)`, v.Type())
	}
	for item := range starlark.Elements(seq) {
		form, err := readMount(item)
		if err != nil {
			return err
		}
		*m = append(*m, form)
	}
	return nil
}

func readMount(v starlark.Value) (mountForm, error) {
	var parts []string
	switch v := v.(type) {
	case starlark.String:
		parts = splitMount(string(v))
	case starlark.Tuple:
		for _, item := range v {
			s, ok := starlark.AsString(item)
			if n, named := item.(interface{ VolumeName() string }); named {
				s, ok = n.VolumeName(), true
			}
			if !ok {
				return mountForm{}, fmt.Errorf("got %s in %s, want a path, or the name of a volume", item.Type(), v)
			}
			parts = append(parts, s)
		}
	default:
		return mountForm{}, fmt.Errorf(`got %s, want "source:target" or (source, target)`, v.Type())
	}
	if len(parts) < 2 || len(parts) > 3 || parts[0] == "" {
		return mountForm{}, fmt.Errorf(`%s is not a mount: want "source:target" or "source:target:ro"`, v)
	}
	form := mountForm{source: parts[0], target: parts[1]}
	if !strings.HasPrefix(form.target, "/") {
		return mountForm{}, fmt.Errorf("%s: the target %q is not an absolute path", v, form.target)
	}
	if len(parts) == 3 {
		switch parts[2] {
		case "ro":
			form.readOnly = true
		case "rw":
		default:
			return mountForm{}, fmt.Errorf(`%s: the mode %q is neither "ro" nor "rw"`, v, parts[2])
		}
	}
	return form, nil
}

// splitMount splits at colons, but not at that of a Windows drive.
func splitMount(s string) []string {
	if len(s) > 2 && s[1] == ':' && (s[2] == '\\' || s[2] == '/') {
		parts := strings.Split(s[2:], ":")
		parts[0] = s[:2] + parts[0]
		return parts
	}
	return strings.Split(s, ":")
}

// isPath reports whether the source of a mount is a path of this machine and not
// a volume's name.
func (m mountForm) isPath() bool {
	return strings.HasPrefix(m.source, ".") || strings.HasPrefix(m.source, "/") || (len(m.source) > 1 && m.source[1] == ':')
}

// mount makes the engine's mount. A volume that the engine makes for it carries
// labels. The path of a local engine's mount must exist.
func (m mountForm) mount(call *runtime.Call, local bool, labels map[string]string) (mount.Mount, error) {
	out := mount.Mount{Target: m.target, ReadOnly: m.readOnly}
	if !m.isPath() {
		out.Type, out.Source = mount.TypeVolume, m.source
		out.VolumeOptions = &mount.VolumeOptions{Labels: labels}
		return out, nil
	}
	path, err := call.ReadPath(m.source)
	if err == nil && !m.readOnly {
		path, err = call.WritePath(m.source)
	}
	if err != nil {
		return out, err
	}
	if _, err := call.Stat(m.source); err != nil && local {
		return out, err // Podman would make a directory of that name, as root
	}
	out.Type, out.Source = mount.TypeBind, path
	return out, nil
}

// tmpfs is a list of paths, or a dict of path to mount options.
type tmpfs map[string]string

func (t *tmpfs) Unpack(v starlark.Value) error {
	*t = tmpfs{}
	switch v := v.(type) {
	case starlark.NoneType:
		return nil
	case *starlark.Dict:
		for _, item := range v.Items() {
			path, ok := starlark.AsString(item[0])
			options, ok2 := starlark.AsString(item[1])
			if !ok || !ok2 {
				return fmt.Errorf(`want a dict like {"/tmp": "size=64m"}, got %s`, v)
			}
			(*t)[path] = options
		}
		return nil
	}
	paths, err := stringList(v)
	if err != nil {
		return fmt.Errorf("want a list of paths or a dict of path to options, %w", err)
	}
	for _, path := range paths {
		(*t)[path] = ""
	}
	return nil
}

// networks is what a container joins, in order: a name, a Network, a list of
// these, or {network: {"aliases": […], "ip": "…"}}.
type networks struct {
	names    []string
	settings map[string]*network.EndpointSettings
}

func (n *networks) Unpack(v starlark.Value) error {
	n.settings = map[string]*network.EndpointSettings{}
	switch v := v.(type) {
	case starlark.NoneType:
		return nil
	case *starlark.List:
		for item := range starlark.Elements(v) {
			if err := n.add(item, nil); err != nil {
				return err
			}
		}
		return nil
	case *starlark.Dict:
		for _, item := range v.Items() {
			if err := n.add(item[0], item[1]); err != nil {
				return err
			}
		}
		return nil
	}
	return n.add(v, nil)
}

func (n *networks) add(v, settings starlark.Value) error {
	name, ok := starlark.AsString(v)
	if net, named := v.(interface{ NetworkName() string }); named {
		name, ok = net.NetworkName(), true
	}
	if !ok || name == "" {
		return fmt.Errorf("got %s, want the name of a network, a list or a dict of them", describe(v))
	}
	if _, twice := n.settings[name]; twice {
		return fmt.Errorf("network %q stands twice", name)
	}
	endpoint := &network.EndpointSettings{}
	if settings != nil && settings != starlark.None {
		var s struct {
			Aliases []string
			IP      string
		}
		if err := runtime.Decode(settings, &s); err != nil {
			return fmt.Errorf("network %q: %w", name, err)
		}
		endpoint.Aliases = s.Aliases
		if s.IP != "" {
			ip, err := netip.ParseAddr(s.IP)
			if err != nil {
				return fmt.Errorf("network %q: %q is not an address", name, s.IP)
			}
			endpoint.IPAMConfig = &network.EndpointIPAMConfig{}
			if ip.Is4() {
				endpoint.IPAMConfig.IPv4Address = ip
			} else {
				endpoint.IPAMConfig.IPv6Address = ip
			}
		}
	}
	n.names = append(n.names, name)
	n.settings[name] = endpoint
	return nil
}

// ulimits is {"nofile": 1024} or {"nofile": (1024, 2048)}: soft and hard.
type ulimits []*container.Ulimit

func (u *ulimits) Unpack(v starlark.Value) error {
	if v == starlark.None {
		return nil
	}
	dict, ok := v.(*starlark.Dict)
	if !ok {
		return fmt.Errorf(`got %s, want a dict like {"nofile": 1024} or {"nofile": (1024, 2048)}`, v.Type())
	}
	for _, item := range dict.Items() {
		name, ok := starlark.AsString(item[0])
		if !ok {
			return fmt.Errorf("got %s, want the name of a limit", item[0].Type())
		}
		limit := &container.Ulimit{Name: name}
		pair, isPair := item[1].(starlark.Tuple)
		if !isPair {
			pair = starlark.Tuple{item[1], item[1]}
		}
		if len(pair) != 2 || starlark.AsInt(pair[0], &limit.Soft) != nil || starlark.AsInt(pair[1], &limit.Hard) != nil {
			return fmt.Errorf("%s: got %s, want a number or (soft, hard)", name, item[1])
		}
		*u = append(*u, limit)
	}
	return nil
}

// restart is a restart policy: "no", "always", "unless-stopped", "on-failure" or
// "on-failure:3".
type restart container.RestartPolicy

func (r *restart) Unpack(v starlark.Value) error {
	s, ok := starlark.AsString(v)
	if !ok {
		return fmt.Errorf("got %s, want string", v.Type())
	}
	name, times, _ := strings.Cut(s, ":")
	r.Name = container.RestartPolicyMode(name)
	if times != "" {
		n, err := strconv.Atoi(times)
		if err != nil || n < 0 || name != "on-failure" {
			return fmt.Errorf(`%q is not a restart policy: only on-failure takes a number, as in "on-failure:3"`, s)
		}
		r.MaximumRetryCount = n
	}
	if !slices.Contains([]string{"", "no", "always", "unless-stopped", "on-failure"}, name) {
		return fmt.Errorf(`%q is not a restart policy: want "no", "always", "unless-stopped" or "on-failure"`, s)
	}
	return nil
}

// healthcheck is a command, a dict {test, interval, timeout, retries,
// start_period}, or False for none at all.
type healthcheck struct{ config *container.HealthConfig }

func (h *healthcheck) Unpack(v starlark.Value) error {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil
	case starlark.Bool:
		if v {
			return fmt.Errorf("want a command, or False for none; True is neither")
		}
		h.config = &container.HealthConfig{Test: []string{"NONE"}}
		return nil
	case *starlark.Dict:
		var form struct {
			Test        starlark.Value
			Interval    time.Duration
			Timeout     time.Duration
			StartPeriod time.Duration
			Retries     int
		}
		if err := runtime.Decode(v, &form); err != nil {
			return err
		}
		if form.Test == nil {
			return fmt.Errorf(`the dict has no "test", the command to run`)
		}
		if err := h.Unpack(form.Test); err != nil {
			return fmt.Errorf("test: %w", err)
		}
		h.config.Interval, h.config.Timeout = form.Interval, form.Timeout
		h.config.StartPeriod, h.config.Retries = form.StartPeriod, form.Retries
		return nil
	}
	var cmd command
	if err := cmd.Unpack(v); err != nil {
		return err
	}
	test := append([]string{"CMD"}, cmd.argv...)
	if cmd.shell { // Podman cuts the arguments of CMD at blanks
		test = []string{"CMD-SHELL", cmd.argv[2]}
	}
	h.config = &container.HealthConfig{Test: test}
	return nil
}

// sortedKeys gives the keys of m in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
