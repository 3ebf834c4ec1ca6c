package main

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/host"
)

// engines is the program's way to its engine: looked for when a script first
// needs it, and then kept.
type engines struct {
	o *options

	mu     sync.Mutex
	client *engine.Client
	tracer *tracer
}

// newEngines opens the trace file, if one was asked for, and touches nothing else.
func newEngines(o *options) (*engines, error) {
	t, err := newTracer(o)
	if err != nil {
		return nil, err
	}
	return &engines{o: o, tracer: t}, nil
}

// find looks for the engine by the flags and the environment.
func (o *options) find(ctx context.Context) (host.Found, error) {
	home, _ := os.UserHomeDir()
	return host.Find(ctx, host.FindOptions{Host: o.host, Context: o.context, Getenv: os.Getenv, Home: home})
}

// Connect finds the engine and gives a client of it; the same one at each call.
func (e *engines) Connect(ctx context.Context) (*engine.Client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		return e.client, nil
	}
	found, err := e.o.find(ctx)
	if err != nil {
		return nil, err
	}
	for _, w := range found.Warnings {
		e.o.note("warning: %s", w)
	}
	if e.o.verbose {
		e.o.note("engine %s (%s)", found.Options.Host, found.Source)
	}
	found.Options.Trace = e.tracer.trace
	c, err := engine.New(found.Options)
	if err != nil {
		return nil, err
	}
	e.client = c
	return c, nil
}

// connected gives the client, or nil when no script needed one.
func (e *engines) connected() *engine.Client {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.client
}

// close ends the connections and the trace.
func (e *engines) close() error {
	if c := e.connected(); c != nil {
		c.Close()
	}
	return e.tracer.close()
}

// sayKept names what --keep has left, with what looks into it.
func (e *engines) sayKept(session string) {
	for _, m := range e.madeBy(session) {
		look := e.command() + " exec -it " + m.name + " sh"
		if m.state != "running" {
			look = e.command() + " logs " + m.name
		}
		e.o.note("kept container %s (%s, %s): %s", m.name, m.image, m.state, look)
	}
}

// command is the engine's own command-line program.
func (e *engines) command() string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if podman, err := e.connected().IsPodman(ctx); err == nil && podman {
		return "podman"
	}
	return "docker"
}

// sayEnded names what is removed now because the session ends.
func (e *engines) sayEnded(session string) {
	for _, m := range e.madeBy(session) {
		if m.owner == string(engine.OwnerSession) {
			e.o.note("removing container %s (%s)", m.name, m.image)
		}
	}
}

// madeBy lists the containers of a session; none where that cannot be known
// within a few seconds.
func (e *engines) madeBy(session string) []made {
	c := e.connected()
	if c == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	list, err := madeContainers(ctx, c, "dscript.session="+session)
	if err != nil {
		e.o.note("what this session made cannot be listed: %s", err)
	}
	return list
}

// made is a container that dscript made.
type made struct{ name, image, state, owner string }

// madeContainers lists the containers with a label.
func madeContainers(ctx context.Context, c *engine.Client, label string) ([]made, error) {
	list, err := c.ListContainers(ctx, engine.ListContainersOptions{All: true, Filters: map[string][]string{"label": {label}}})
	if err != nil {
		return nil, err
	}
	all := make([]made, len(list))
	for i, s := range list {
		name := s.ID[:min(12, len(s.ID))]
		if len(s.Names) > 0 && len(s.Names[0]) > 1 {
			name = s.Names[0][1:] // the engine writes "/name"
		}
		all[i] = made{name, s.Image, string(s.State), s.Labels["dscript.owner"]}
	}
	return all, nil
}
