package builtins

// This file waits until a container is ready: healthy, or its published ports
// accept, or it runs.

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// readiness is what container waits for: "" the default, "healthy" or "running".
type readiness string

func (r *readiness) Unpack(v starlark.Value) error {
	switch v {
	case starlark.None:
		return nil
	case starlark.String("healthy"), starlark.String("running"):
		*r = readiness(v.(starlark.String))
		return nil
	}
	return fmt.Errorf(`got %s, want None, "healthy" or "running"`, describe(v))
}

// A condition looks at a container once. It says whether it holds, and else what
// it saw.
type condition struct {
	name  string
	check func(context.Context, engine.Container) (ok bool, saw string, err error)
}

// waitReady waits until c is ready as r says, for at most timeout. A container
// that ends before is an error of kind exited_early at once.
func waitReady(ctx context.Context, client *engine.Client, c *Container, r readiness, timeout time.Duration) error {
	if r == "running" {
		return nil
	}
	got, err := client.InspectContainer(ctx, c.id)
	if err != nil {
		return err
	}
	var conditions []condition
	ports := publishedTCP(got)
	switch {
	case r == "healthy" && !hasHealthcheck(got.InspectResponse):
		return &runtime.Error{Kind: "invalid", Message: fmt.Sprintf("%s has no healthcheck to wait for", c.label()), Hint: "give healthcheck=, or another wait="}
	case r == "healthy" || hasHealthcheck(got.InspectResponse):
		conditions = append(conditions, condition{"healthy", healthy(client, got)})
	case len(ports) > 0:
		conditions = append(conditions, condition{portNames(ports), listens(client, ports)})
	}
	for _, cond := range conditions {
		if err := waitFor(ctx, client, c, cond, timeout); err != nil {
			return err
		}
	}
	return nil
}

// waitFor asks quickly at first and more slowly later.
func waitFor(ctx context.Context, client *engine.Client, c *Container, cond condition, timeout time.Duration) error {
	limit := time.NewTimer(timeout)
	defer limit.Stop()
	pause := 10 * time.Millisecond
	for {
		got, err := client.InspectContainer(ctx, c.id)
		if err != nil {
			return err
		}
		if s := got.State.Status; s == container.StateExited || s == container.StateDead {
			return exitedEarly(ctx, client, c, got, cond)
		}
		ok, saw, err := cond.check(ctx, got)
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-limit.C:
			return waitFailed(ctx, client, c, cond, saw, timeout)
		case <-time.After(pause):
		}
		pause = min(pause*3/2, 250*time.Millisecond)
	}
}

// hasHealthcheck knows that Podman gives an empty status where Docker gives none.
func hasHealthcheck(c container.InspectResponse) bool {
	return c.State.Health != nil && c.State.Health.Status != "" && c.State.Health.Status != container.NoHealthcheck
}

// healthy does not take unhealthy for the end: a container may recover, and
// within its start period it is expected to. On Podman it has the check run, as
// often as the container asks for.
func healthy(client *engine.Client, c engine.Container) func(context.Context, engine.Container) (bool, string, error) {
	interval := 30 * time.Second // the engines' own
	if h := c.Config.Healthcheck; h != nil && h.Interval > 0 {
		interval = h.Interval
	}
	var last time.Time
	return func(ctx context.Context, c engine.Container) (bool, string, error) {
		if time.Since(last) >= interval {
			last = time.Now()
			if err := client.CheckHealth(ctx, c.ID); err != nil && !errors.Is(err, engine.ErrConflict) {
				return false, "", err
			}
		}
		ok, saw := isHealthy(c)
		return ok, saw, nil
	}
}

func isHealthy(c engine.Container) (bool, string) {
	if c.State.Health == nil {
		return false, "no healthcheck"
	}
	saw := string(c.State.Health.Status)
	if log := c.State.Health.Log; len(log) > 0 {
		last := log[len(log)-1]
		saw += fmt.Sprintf(" (the last check exited with %d: %s)", last.ExitCode, short(strings.TrimSpace(last.Output)))
	}
	return c.State.Health.Status == container.Healthy, saw
}

// publishedTCP are the TCP ports that the container publishes, in order.
func publishedTCP(c engine.Container) []network.Port {
	var ports []network.Port
	if c.HostConfig == nil {
		return nil
	}
	for port := range c.HostConfig.PortBindings {
		if port.Proto() == network.TCP {
			ports = append(ports, port)
		}
	}
	slices.SortFunc(ports, func(a, b network.Port) int { return int(a.Num()) - int(b.Num()) })
	return ports
}

func portNames(ports []network.Port) string {
	var names []string
	for _, p := range ports {
		names = append(names, strconv.Itoa(int(p.Num())))
	}
	return "port " + strings.Join(names, ", ") + " accepts"
}

// listens checks that the program itself listens on each port. The engine's own
// proxy accepts before the program does, so the table of sockets in the container
// is read; where it has no cat, its own address is dialled, and at last the
// published one.
func listens(client *engine.Client, ports []network.Port) func(context.Context, engine.Container) (bool, string, error) {
	table := true
	return func(ctx context.Context, c engine.Container) (bool, string, error) {
		var open func(network.Port) bool
		if table {
			listening, err := listeningPorts(ctx, client, c.ID)
			switch {
			case errors.Is(err, engine.ErrCommandNotFound):
				table = false
			case errors.Is(err, engine.ErrUnavailable), errors.Is(err, engine.ErrDenied), ctx.Err() != nil:
				return false, "", err
			case err != nil: // it is ending: engines have many words for that
				return false, err.Error(), nil
			}
			open = func(p network.Port) bool { return listening[p.Num()] }
		}
		if !table {
			open = func(p network.Port) bool { return accepts(ctx, c, p) }
		}
		for _, p := range ports {
			if !open(p) {
				return false, fmt.Sprintf("nothing listens on port %d", p.Num()), nil
			}
		}
		return true, "", nil
	}
}

// listeningPorts reads the sockets in state LISTEN (0A) off the kernel's tables.
func listeningPorts(ctx context.Context, client *engine.Client, id string) (map[uint16]bool, error) {
	r, err := client.Exec(ctx, id, engine.ExecOptions{Cmd: []string{"cat", "/proc/net/tcp", "/proc/net/tcp6"}})
	if err != nil {
		return nil, err
	}
	ports := map[uint16]bool{}
	for line := range strings.Lines(string(r.Stdout)) {
		fields := strings.Fields(line)
		if len(fields) < 4 || fields[3] != "0A" {
			continue
		}
		_, hex, _ := strings.Cut(fields[1], ":")
		if n, err := strconv.ParseUint(hex, 16, 16); err == nil {
			ports[uint16(n)] = true
		}
	}
	return ports, nil
}

// accepts dials the container's own address where it is reachable from here, and
// else the published port.
func accepts(ctx context.Context, c engine.Container, port network.Port) bool {
	if ip, ok := firstIP(c.InspectResponse).(string); ok && dials(ctx, joinHostPort(ip, strconv.Itoa(int(port.Num())))) {
		return true
	}
	b, ok := preferred(c.NetworkSettings.Ports[port])
	return ok && dials(ctx, joinHostPort(b.HostIP.String(), b.HostPort))
}

func dials(ctx context.Context, addr string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

func exitedEarly(ctx context.Context, client *engine.Client, c *Container, got engine.Container, cond condition) error {
	code := got.State.ExitCode
	message := fmt.Sprintf("%s exited with code %d before it was ready (%s)", c.label(), code, cond.name)
	if got.State.OOMKilled {
		message += ": it was out of memory"
	}
	return &runtime.Error{Kind: "exited_early", ExitCode: &code, Message: message + lastLog(ctx, client, c.id)}
}

func waitFailed(ctx context.Context, client *engine.Client, c *Container, cond condition, saw string, timeout time.Duration) error {
	return &runtime.Error{Kind: "wait_failed",
		Message: fmt.Sprintf("%s was not ready after %s: waited for %s, last seen: %s%s", c.label(), timeout, cond.name, saw, lastLog(ctx, client, c.id))}
}

// lastLog gives the last lines of a container's log for a message, and nothing
// when it has none or cannot be read.
func lastLog(ctx context.Context, client *engine.Client, id string) string {
	var log strings.Builder
	_ = client.ReadLogs(ctx, id, engine.LogsOptions{Tail: "10"}, func(e engine.LogEntry) error {
		log.Write(e.Data)
		return nil
	})
	if tail := lastLines(log.String(), 10); tail != "" {
		return "; the end of its log:\n" + tail
	}
	return ""
}
