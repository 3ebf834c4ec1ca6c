package builtins

// This file is how containers are made: the parameters that container,
// container.create and run share, and the transaction from the image to a
// container that belongs to a scope.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// createParams stands in the signatures of container, container.create and run,
// createTexts under them.
const createParams = `name="", env={}, ports=[], mounts=[], tmpfs=[], files={}, network=None, aliases=[], user="", workdir="", entrypoint=None, labels={}, hostname="", memory=None, cpus=None, shm_size=None, privileged=False, cap_add=[], cap_drop=[], healthcheck=None, restart="no", ulimits={}, read_only=False, extra_hosts={}, stop_signal="", stop_timeout=None, platform="", pull="missing", keep=False, tty=False, raw={}`

const createTexts = `
image         a reference like "postgres:16", or an Image; pulled when it is missing
cmd           a list is an argv, a string is run by /bin/sh -c; None: the image's own
name          its name; "": one that the engine makes up
env           dict or list of "NAME=value"
ports         what to publish: [80] on any free port, {80: 8080} or "8080:80" on that one,
              "53/udp", "0.0.0.0:80:80", "all" what the image exposes; on 127.0.0.1 unless said
mounts        list of "source:target[:ro]" or (source, target[, "ro"]); a source that starts with
              . or / is a path of this machine and must exist, another is a volume's name
tmpfs         list of paths, or {path: "size=64m"}
files         {path: str, bytes or host file}, put in before it starts; (data, 0o755) gives a mode
network       a name, a list, or {name: {"aliases": [], "ip": ""}}; "none", "host"; None: the engine's own
aliases       further names on the first network
user          name or id, with ":group" when wanted
workdir       the directory that cmd runs in
entrypoint    list, or the name of one program; [] clears the image's own
labels        dict or list of "name=value"
hostname      its host name; "": its short id
init          run an init as process 1, for quick stops and no zombies; None: where the engine has one
memory        limit: "512m" or bytes
cpus          limit: 0.5 is half a processor
shm_size      size of /dev/shm: "64m" or bytes
privileged    all that root of the engine's machine may do
cap_add       capabilities to add, like "NET_ADMIN"
cap_drop      capabilities to drop
healthcheck   a command, a dict {"test", "interval", "timeout", "retries", "start_period"}, or False for none
restart       "no", "always", "unless-stopped", "on-failure" or "on-failure:3"
ulimits       {"nofile": 1024} or {"nofile": (1024, 2048)}: soft and hard
read_only     its root file system cannot be written
extra_hosts   {name: address} for its /etc/hosts
stop_signal   what stop sends; "": the image's own
stop_timeout  what stop waits before it kills, where the engine is asked without a timeout
platform      like "linux/arm64"; "": the engine's own
pull          "missing", "always" or "never"
keep          leave it when its scope ends
tty           give it a terminal: stdout and stderr become one
raw           merged last into the body of the create request: {"HostConfig": {"ShmSize": 1 << 26}}`

// createArgs are the parameters of createParams.
type createArgs struct {
	Image       imageRef
	Cmd         command
	Name        string
	Env         map[string]string
	Ports       ports
	Mounts      mounts
	Tmpfs       tmpfs
	Files       files
	Network     networks
	Aliases     []string
	User        string
	Workdir     string
	Entrypoint  program
	Labels      map[string]string
	Hostname    string
	Init        runtime.Opt[bool]
	Memory      runtime.Size
	Cpus        float64
	ShmSize     runtime.Size
	Privileged  bool
	CapAdd      []string
	CapDrop     []string
	Healthcheck healthcheck
	Restart     restart
	Ulimits     ulimits
	ReadOnly    bool
	ExtraHosts  map[string]string
	StopSignal  string
	StopTimeout runtime.Opt[time.Duration]
	Platform    string
	Pull        string
	Keep        bool
	Tty         bool
	Raw         *starlark.Dict
}

// An imageRef is an Image, or a reference to one.
type imageRef struct {
	ref   string
	value *Image
}

func (r *imageRef) Unpack(v starlark.Value) error {
	if img, ok := v.(*Image); ok {
		r.value, r.ref = img, img.id
		return nil
	}
	return unpackName(&r.ref, v)
}

// NamesOf lets a prompt complete the names of images.
func (imageRef) NamesOf() string { return "Image" }

// spec makes the engine's request of the arguments and of what the image says.
func (a *createArgs) spec(call *runtime.Call, local bool, img engine.Image, owner engine.Owner) (engine.ContainerSpec, error) {
	spec := engine.ContainerSpec{Name: a.Name, Platform: a.Platform, Owner: owner}
	if err := a.checkCommand(img); err != nil {
		return spec, err
	}
	spec.Config = container.Config{
		Image: a.Image.ref, Cmd: a.Cmd.argv, Entrypoint: a.Entrypoint.argv,
		Env: envList(a.Env), Labels: a.Labels, Hostname: a.Hostname, User: a.User, WorkingDir: a.Workdir,
		Tty: a.Tty, Healthcheck: a.Healthcheck.config, StopSignal: a.StopSignal,
	}
	if a.StopTimeout.Set {
		seconds := int(a.StopTimeout.Value.Round(time.Second) / time.Second)
		spec.Config.StopTimeout = &seconds
	}
	spec.Host = container.HostConfig{
		PortBindings: a.Ports.published(img), Tmpfs: a.Tmpfs, Init: a.init(),
		Privileged: a.Privileged, CapAdd: a.CapAdd, CapDrop: a.CapDrop, ReadonlyRootfs: a.ReadOnly,
		RestartPolicy: container.RestartPolicy(a.Restart), ShmSize: int64(a.ShmSize), ExtraHosts: hostList(a.ExtraHosts),
		Resources: container.Resources{Memory: int64(a.Memory), NanoCPUs: int64(a.Cpus * 1e9), Ulimits: a.Ulimits},
	}
	for _, form := range a.Mounts {
		m, err := form.mount(call, local, owner.Labels())
		if err != nil {
			return spec, err
		}
		spec.Host.Mounts = append(spec.Host.Mounts, m)
	}
	a.joinFirst(&spec)
	raw, err := rawBody(a.Raw)
	spec.Raw = raw
	return spec, err
}

// init asks for an init unless told not to.
func (a *createArgs) init() *bool {
	wanted := !a.Init.Set || a.Init.Value
	return &wanted
}

// checkCommand refuses a string for an image with an entrypoint: the entrypoint
// would be given "/bin/sh" as its argument.
func (a *createArgs) checkCommand(img engine.Image) error {
	if !a.Cmd.shell || a.Entrypoint.set || img.Config == nil || len(img.Config.Entrypoint) == 0 {
		return nil
	}
	entrypoint := quoteList(img.Config.Entrypoint)
	return &runtime.Error{
		Kind:    "invalid",
		Message: fmt.Sprintf("cmd is a string, and image %s has the entrypoint %s, which would get it as arguments", a.Image.ref, entrypoint),
		Hint:    fmt.Sprintf(`give cmd as a list (the arguments of %s), or entrypoint=[] to run it by the shell`, entrypoint),
	}
}

// published are the bindings, with what the image exposes for "all".
func (p ports) published(img engine.Image) network.PortMap {
	if !p.all || img.Config == nil {
		return p.bindings
	}
	bindings := p.bindings
	for exposed := range img.Config.ExposedPorts {
		port, err := network.ParsePort(exposed)
		if _, given := bindings[port]; err == nil && !given {
			bindings[port] = []network.PortBinding{{HostIP: loopback}}
		}
	}
	return bindings
}

// joinFirst puts the first network into the create request; engines before API
// 1.44 refuse more than one there.
func (a *createArgs) joinFirst(spec *engine.ContainerSpec) {
	if len(a.Network.names) == 0 {
		return
	}
	first := a.Network.names[0]
	endpoint := a.Network.settings[first]
	endpoint.Aliases = append(endpoint.Aliases, a.Aliases...)
	spec.Host.NetworkMode = container.NetworkMode(first)
	if endpoint.Aliases != nil || endpoint.IPAMConfig != nil {
		spec.Networks = map[string]*network.EndpointSettings{first: endpoint}
	}
}

// create makes a container that is not started and puts it on the scope.
func (e *dockerEngine) create(call *runtime.Call, a *createArgs, change func(*engine.ContainerSpec)) (c *Container, err error) {
	if err := call.Count(); err != nil {
		return nil, err
	}
	archive, err := a.Files.archive(call)
	if err != nil {
		return nil, err
	}
	owner := e.owner(call, a.Keep)
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		img, err := e.ensure(ctx, client, a.Image.ref, a.Pull, a.Platform)
		if err != nil {
			return err
		}
		spec, err := a.spec(call, isLocal(client), img, owner)
		if err != nil {
			return err
		}
		if change != nil {
			change(&spec)
		}
		if err := e.makeMissing(ctx, call, client, a.Mounts, owner); err != nil {
			return err
		}
		created, err := client.CreateContainer(ctx, spec)
		if err != nil {
			return err
		}
		c = &Container{engine: e, session: call.Session(), id: created.ID, name: nameOr(a.Name, created.ID), image: a.Image.ref}
		e.own(call, owner, c.id, "container "+c.name, func(ctx context.Context) error {
			return gone(client.RemoveContainer(ctx, c.id, engine.RemoveContainerOptions{Force: true, Volumes: true}))
		})
		if created.NoInit && a.Init.Set {
			call.Warn("%s: the engine has no init; it runs without one", c.label())
		}
		for _, warning := range created.Warnings {
			call.Warn("%s", warning)
		}
		if err := e.prepare(ctx, client, c, a, archive); err != nil {
			return e.abandon(client, c, c.named(err))
		}
		return nil
	})
	return c, did(call, err)
}

// prepare gives a created container the rest of what was asked for.
func (e *dockerEngine) prepare(ctx context.Context, client *engine.Client, c *Container, a *createArgs, archive []byte) error {
	if len(a.Network.names) > 1 {
		for _, name := range a.Network.names[1:] {
			if err := client.ConnectNetwork(ctx, name, c.id, a.Network.settings[name]); err != nil {
				return err
			}
		}
	}
	if archive != nil {
		if err := client.CopyTo(ctx, c.id, "/", bytes.NewReader(archive)); err != nil {
			return err
		}
	}
	got, err := client.InspectContainer(ctx, c.id)
	if err != nil {
		return err
	}
	c.name, c.labels = strings.TrimPrefix(got.Name, "/"), got.Config.Labels
	return nil
}

// abandon removes a container at once, and gives cause: after an error a script
// that goes on must not find its name taken. What cannot be removed now stays on
// the scope.
func (e *dockerEngine) abandon(client *engine.Client, c *Container, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := gone(client.RemoveContainer(ctx, c.id, engine.RemoveContainerOptions{Force: true, Volumes: true})); err != nil {
		return errors.Join(cause, fmt.Errorf("and its container stays until its scope ends: %w", err))
	}
	e.disown(c.id)
	return cause
}

// gone takes an object that is not there for one that was removed.
func gone(err error) error {
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	return err
}

func nameOr(name, id string) string {
	if name != "" {
		return name
	}
	return shortID(id)
}

// envList makes NAME=value of each, in order: the same arguments, the same request.
func envList(env map[string]string) []string {
	var list []string
	for _, name := range sortedKeys(env) {
		list = append(list, name+"="+env[name])
	}
	return list
}

func hostList(hosts map[string]string) []string {
	var list []string
	for _, name := range sortedKeys(hosts) {
		list = append(list, name+":"+hosts[name])
	}
	return list
}

// rawBody makes Go values of raw=.
func rawBody(raw *starlark.Dict) (map[string]any, error) {
	if raw == nil || raw.Len() == 0 {
		return nil, nil
	}
	var body map[string]any
	if err := runtime.Decode(raw, &body); err != nil {
		return nil, fmt.Errorf("raw: %w", err)
	}
	return body, nil
}

// files is what is put into a container before it starts: path to str, bytes or a
// host file, or (data, mode).
type files map[string]fileForm

type fileForm struct {
	data []byte
	host *HostFile
	mode int64
}

func (f *files) Unpack(v starlark.Value) error {
	*f = files{}
	if v == starlark.None {
		return nil
	}
	dict, ok := v.(*starlark.Dict)
	if !ok {
		return fmt.Errorf("got %s, want a dict of path to str, bytes or host file", v.Type())
	}
	for _, item := range dict.Items() {
		name, ok := starlark.AsString(item[0])
		if !ok || !path.IsAbs(name) || path.Clean(name) == "/" {
			return fmt.Errorf("%s is not the absolute path of a file", item[0])
		}
		form, err := readFile(item[1])
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		(*f)[path.Clean(name)] = form
	}
	return nil
}

func readFile(v starlark.Value) (fileForm, error) {
	switch v := v.(type) {
	case starlark.String:
		return fileForm{data: []byte(v), mode: 0o644}, nil
	case starlark.Bytes:
		return fileForm{data: []byte(v), mode: 0o644}, nil
	case *HostFile:
		return fileForm{host: v, mode: int64(v.mode())}, nil
	case starlark.Tuple:
		if len(v) == 2 {
			form, err := readFile(v[0])
			if err != nil {
				return form, err
			}
			return form, starlark.AsInt(v[1], &form.mode)
		}
	}
	return fileForm{}, fmt.Errorf("got %s, want str, bytes, a host file, or one of these with a mode", v.Type())
}

// archive makes the tar of the files, in order of their paths; nil for none.
func (f files) archive(call *runtime.Call) ([]byte, error) {
	if len(f) == 0 {
		return nil, nil
	}
	var buf bytes.Buffer
	err := f.pack(call.Context(), &buf)
	return buf.Bytes(), err
}
