package builtins

// This file is the Container value and the verbs on one that is there.

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// A Container is a container of an engine, known by its id. It is immutable: what
// changes (status, ports) is asked each time. Two are equal when engine and id are.
type Container struct {
	engine  *dockerEngine
	session *runtime.Session
	id      string
	name    string
	image   string // as the container was made
	labels  map[string]string
}

var (
	_ starlark.HasAttrs   = (*Container)(nil)
	_ starlark.Comparable = (*Container)(nil)
	_ runtime.Tabler      = (*Container)(nil)
)

const containerTypeDoc = `
Container

A container of an engine. id, name, image and labels are as it was created; status,
health, exit_code, ip and ports are asked each time.
`

func (e *dockerEngine) declareContainerType() *runtime.TypeDecl {
	members := []runtime.Member{
		runtime.Attr("id -> string\n\nIts full id.", func(_ *runtime.Call, c *Container) (any, error) { return c.id, nil }),
		runtime.Attr("name -> string\n\nIts name, without a slash.", func(_ *runtime.Call, c *Container) (any, error) { return c.name, nil }),
		runtime.Attr("image -> string\n\nThe image that it was made from, as it was written.", func(_ *runtime.Call, c *Container) (any, error) { return c.image, nil }),
		runtime.Attr("labels -> dict\n\nIts labels, as created.", func(_ *runtime.Call, c *Container) (any, error) { return c.labels, nil }),
		runtime.Attr("status -> string\n\ncreated, running, paused, restarting, removing, exited or dead.", asked(func(s container.InspectResponse) any { return string(s.State.Status) })),
		runtime.Attr("health -> string\n\nstarting, healthy or unhealthy; None without a healthcheck.", asked(health)),
		runtime.Attr("exit_code -> int\n\nThe exit code of a container that has ended; None before.", asked(exitCode)),
		runtime.Attr("ip -> string\n\nIts address on its first network; None when it has none.", asked(firstIP)),
		runtime.Attr("ports -> dict\n\nThe published ports: {\"80/tcp\": \"127.0.0.1:32768\"}.", asked(publishedPorts)),
		e.execDecl.As("container"),
		runtime.Func(spawnDoc, e.spawn).As("container"),
		runtime.Func(logsDoc, e.logs).As("logs"),
		runtime.Func(waitDoc, e.wait).As("wait"),
		runtime.Func(startDoc, e.start).As("start"),
		runtime.Func(stopDoc, e.stop).As("stop"),
		runtime.Func(restartDoc, e.restart).As("restart"),
		runtime.Func(killDoc, e.kill).As("kill"),
		runtime.Func(removeDoc, e.remove).As("remove"),
		runtime.Func(keepDoc, e.keep).As("keep"),
		runtime.Func(portDoc, e.port).As("port"),
		runtime.Func(addrDoc, e.addr).As("addr"),
		runtime.Func(urlDoc, e.url).As("url"),
		runtime.Func(inspectDoc, e.inspect).As("inspect"),
		runtime.Func(connectContainerDoc, e.connectContainer).As("connect"),
		runtime.Func(disconnectContainerDoc, e.disconnectContainer).As("disconnect"),
		runtime.Func(readFileDoc, e.readFile).As("read"),
		runtime.Func(writeFileDoc, e.writeFile).As("write"),
		runtime.Func(copyInDoc, e.copyIn).As("copy_in"),
		runtime.Func(copyOutDoc, e.copyOut).As("copy_out"),
		runtime.Func(statFileDoc, e.statFile).As("stat"),
		runtime.Func(existsDoc, e.exists).As("exists"),
		runtime.Func(listDirDoc, e.listDir).As("list_dir"),
		runtime.Func(mkdirDoc, e.mkdir).As("mkdir"),
		runtime.Func(removePathDoc, e.removePath).As("remove_path"),
	}
	return runtime.Type[*Container](containerTypeDoc, append(members, e.declareVerbs()...)...)
}

// asked makes an attribute that is read off the engine's own answer each time.
func asked(read func(container.InspectResponse) any) func(*runtime.Call, *Container) (any, error) {
	return func(call *runtime.Call, c *Container) (any, error) {
		got, err := c.inspect(call)
		if err != nil {
			return nil, err
		}
		return read(got.InspectResponse), nil
	}
}

// inspect asks the engine for the container as it is now.
func (c *Container) inspect(call *runtime.Call) (got engine.Container, err error) {
	err = c.with(call, func(ctx context.Context, client *engine.Client) error {
		got, err = client.InspectContainer(ctx, c.id)
		return err
	})
	return got, err
}

func health(c container.InspectResponse) any {
	if !hasHealthcheck(c) {
		return nil
	}
	return string(c.State.Health.Status)
}

func exitCode(c container.InspectResponse) any {
	switch c.State.Status {
	case container.StateExited, container.StateDead:
		return c.State.ExitCode
	}
	return nil
}

func firstIP(c container.InspectResponse) any {
	if c.NetworkSettings == nil {
		return nil
	}
	for _, name := range sortedKeys(c.NetworkSettings.Networks) {
		if ip := c.NetworkSettings.Networks[name].IPAddress; ip.IsValid() {
			return ip.String()
		}
	}
	return nil
}

func publishedPorts(c container.InspectResponse) any {
	ports := map[string]string{}
	if c.NetworkSettings == nil {
		return ports
	}
	for port, bindings := range c.NetworkSettings.Ports {
		if b, ok := preferred(bindings); ok {
			ports[port.String()] = joinHostPort(b.HostIP.String(), b.HostPort)
		}
	}
	return ports
}

// container makes the value of a container that the engine knows.
func (e *dockerEngine) container(call *runtime.Call, got engine.Container) *Container {
	c := &Container{engine: e, session: call.Session(), id: got.ID, name: strings.TrimPrefix(got.Name, "/")}
	if got.Config != nil {
		c.image, c.labels = got.Config.Image, got.Config.Labels
	}
	return c
}

// resolve finds the container that a reference names: one of the session first.
func (e *dockerEngine) resolve(call *runtime.Call, ref containerRef) (c *Container, err error) {
	if ref.value != nil {
		return ref.value, nil
	}
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		got, err := client.InspectContainer(ctx, ref.name)
		if err != nil {
			return err
		}
		c = e.container(call, got)
		return nil
	})
	return c, did(call, err)
}

// did names an engine's error after what the script did: it never asked for the
// looking up of what it named.
func did(call *runtime.Call, err error) error {
	if own, ok := err.(*engine.Error); ok && own.Op == "inspect" {
		n := *own
		n.Op = call.Name()
		return &n
	}
	return err
}

// with is dockerEngine.with, for a container: errors name it as the script does.
func (c *Container) with(call *runtime.Call, fn func(context.Context, *engine.Client) error) error {
	return did(call, c.named(c.engine.with(call, fn)))
}

// named puts the container's name in place of its id in an engine's error.
func (c *Container) named(err error) error {
	switch e := err.(type) {
	case *engine.ExecError:
		return c.named(e.Err) // what was put out until then is the capture's to tell
	case *engine.Error:
		n := *e
		n.Message = strings.ReplaceAll(n.Message, c.id, c.name)
		if n.Object == c.id {
			n.Object = ""
			if !strings.Contains(n.Message, c.name) {
				n.Message = c.label() + ": " + n.Message
			}
		}
		return &n
	}
	return err
}

// label is how messages name the container.
func (c *Container) label() string { return fmt.Sprintf("container %q", c.name) }

// on runs fn for the container that ref names.
func (e *dockerEngine) on(call *runtime.Call, ref containerRef, fn func(context.Context, *engine.Client, *Container) error) error {
	c, err := e.resolve(call, ref)
	if err != nil {
		return err
	}
	return c.with(call, func(ctx context.Context, client *engine.Client) error { return fn(ctx, client, c) })
}

const startDoc = `
start(container)

Start a container that was created or has ended. One that runs is left alone.
`

type containerArgs struct{ Container containerRef }

func (e *dockerEngine) start(call *runtime.Call, a containerArgs) error {
	return e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		return launch(ctx, client, c)
	})
}

const stopDoc = `
stop(container, *, timeout=10, signal="")

Ask a container to end, and kill it when it has not after timeout. One that has
ended is left alone.

timeout  how long it gets
signal   what to send first, for engines from API 1.42; "": the image's own
`

type stopArgs struct {
	Container containerRef
	Timeout   time.Duration
	Signal    string
}

func (a stopArgs) options() engine.StopOptions {
	return engine.StopOptions{Timeout: &a.Timeout, Signal: a.Signal}
}

func (e *dockerEngine) stop(call *runtime.Call, a stopArgs) error {
	return e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		return client.StopContainer(ctx, c.id, a.options())
	})
}

const restartDoc = `
restart(container, *, timeout=10, signal="")

Stop a container and start it again. Free ports may change: ask addr() afterwards.

timeout  how long it gets to end
signal   what to send first, for engines from API 1.42; "": the image's own
`

func (e *dockerEngine) restart(call *runtime.Call, a stopArgs) error {
	return e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		return client.RestartContainer(ctx, c.id, a.options())
	})
}

const killDoc = `
kill(container, signal="KILL")

Send a signal to the container's main process.
`

type killArgs struct {
	Container containerRef
	Signal    string
}

func (e *dockerEngine) kill(call *runtime.Call, a killArgs) error {
	return e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		return client.KillContainer(ctx, c.id, a.Signal)
	})
}

const removeDoc = `
remove(container, *, force=True, volumes=True)

Remove a container.

force    kill it first when it runs
volumes  remove the volumes without a name that it has made, too
`

type removeArgs struct {
	Container containerRef
	Force     bool
	Volumes   bool
}

func (e *dockerEngine) remove(call *runtime.Call, a removeArgs) error {
	return e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		if err := client.RemoveContainer(ctx, c.id, engine.RemoveContainerOptions{Force: a.Force, Volumes: a.Volumes}); err != nil {
			return err
		}
		c.engine.disown(c.id)
		return nil
	})
}

const keepDoc = `
keep(container) -> Container

Leave the container when its scope ends. Gives the container.
`

func (e *dockerEngine) keep(call *runtime.Call, a containerArgs) (starlark.Value, error) {
	c, err := e.resolve(call, a.Container)
	if err != nil {
		return nil, err
	}
	c.engine.disown(c.id)
	return c, nil
}

const inspectDoc = `
inspect(container) -> dict

All that the engine says of the container, as its API names it.
`

func (e *dockerEngine) inspect(call *runtime.Call, a containerArgs) (any, error) {
	c, err := e.resolve(call, a.Container)
	if err != nil {
		return nil, err
	}
	got, err := c.inspect(call)
	if err != nil {
		return nil, err
	}
	return got.Raw, nil
}

func (c *Container) String() string        { return fmt.Sprintf("<Container %s %s>", c.name, shortID(c.id)) }
func (c *Container) Type() string          { return "Container" }
func (c *Container) Freeze()               {}
func (c *Container) Truth() starlark.Bool  { return true }
func (c *Container) Hash() (uint32, error) { return hashOf(c.id), nil }
func (c *Container) AttrNames() []string   { return c.engine.containerType.AttrNames() }
func (c *Container) Attr(name string) (starlark.Value, error) {
	return c.engine.containerType.Attr(c.session, c, name)
}

func (c *Container) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	other := y.(*Container)
	return equalOnly(op, c.engine == other.engine && c.id == other.id, "Container")
}

// equalOnly answers == and !=; other comparisons make no sense of a typeName.
func equalOnly(op syntax.Token, equal bool, typeName string) (bool, error) {
	switch op {
	case syntax.EQL:
		return equal, nil
	case syntax.NEQ:
		return !equal, nil
	}
	return false, fmt.Errorf("%s %s %s not implemented", typeName, op, typeName)
}

var hashSeed = maphash.MakeSeed()

func hashOf(id string) uint32 { return uint32(maphash.String(hashSeed, id)) }

// shortID is the first 12 digits of an id, as docker shows it.
func shortID(id string) string {
	id = strings.TrimPrefix(id, "sha256:")
	return id[:min(12, len(id))]
}

// shortImage shortens an image's id where it stands for its name.
func shortImage(name string) string {
	if strings.HasPrefix(name, "sha256:") {
		return shortID(name)
	}
	return name
}

// Table draws containers as docker ps does.
func (c *Container) Table(ctx context.Context, values []starlark.Value) ([]string, [][]string, error) {
	client, err := c.engine.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	list, err := client.ListContainers(ctx, engine.ListContainersOptions{All: true})
	if err != nil {
		return nil, nil, err
	}
	header := []string{"NAME", "IMAGE", "STATUS", "PORTS", "ID"}
	rows := make([][]string, 0, len(values))
	for _, v := range values {
		c := v.(*Container)
		row := []string{c.name, shortImage(c.image), "gone", "", shortID(c.id)}
		if i := slices.IndexFunc(list, func(s container.Summary) bool { return s.ID == c.id }); i >= 0 {
			row[2], row[3] = list[i].Status, summaryPorts(list[i].Ports)
		}
		rows = append(rows, row)
	}
	return header, rows, nil
}

func summaryPorts(ports []container.PortSummary) string {
	var shown []string
	for _, p := range ports {
		if p.PublicPort == 0 {
			shown = append(shown, fmt.Sprintf("%d/%s", p.PrivatePort, p.Type))
			continue
		}
		shown = append(shown, fmt.Sprintf("%s->%d/%s", joinHostPort(p.IP.String(), fmt.Sprint(p.PublicPort)), p.PrivatePort, p.Type))
	}
	slices.Sort(shown)
	return strings.Join(slices.Compact(shown), ", ")
}
