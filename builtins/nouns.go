package builtins

// This file is the noun container: make one, find one, list them.

import (
	"context"
	"time"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const containerDoc = `
container(image, cmd=None, *, ` + createParams + `, init=None, stdin=False, wait=None, timeout="60s") -> Container

Create a container, start it, and wait until it is ready. It belongs to the
innermost scope and is removed when that ends. When anything fails, it is removed
at once.
` + createTexts + `
stdin         keep its standard input open
wait          None: healthy where it has a healthcheck, else every published TCP port accepts from
              inside, else started; "healthy"; "running": started
timeout       of the wait

>>> c = container("busybox", ["sleep", "60"])
>>> c.exec("echo hi").stdout
"hi\n"
`

const createDoc = `
create(image, cmd=None, *, ` + createParams + `, init=None, stdin=False) -> Container

Create a container and do not start it. It belongs to the innermost scope.
` + createTexts + `
stdin         keep its standard input open
`

const getContainerDoc = `
get(name, default=None) -> Container

Find a container by its name, its id or the start of its id.

name     a name or an id
default  given instead when there is none; without it that is an error of kind not_found
`

const listContainersDoc = `
list(*, all=False, filters={}, limit=0) -> list

The containers of the engine.

all      those that do not run, too
filters  {"label": "x=y", "status": ["exited", "dead"]}, as the engine's API names them
limit    the newest ones only; 0: no limit
`

func (e *dockerEngine) declareContainer() runtime.Member {
	return runtime.Noun(containerDoc, e.makeContainer,
		runtime.Func(createDoc, e.createContainer),
		runtime.Func(getContainerDoc, e.getContainer),
		runtime.Func(listContainersDoc, e.listContainers),
		runtime.Func(pruneContainersDoc, e.pruneContainers),
	)
}

type containerCreateArgs struct {
	createArgs
	Stdin bool
}

// open keeps a container's standard input open where that was asked for.
func (a containerCreateArgs) open(spec *engine.ContainerSpec) {
	spec.Config.OpenStdin = a.Stdin
}

func (e *dockerEngine) createContainer(call *runtime.Call, a containerCreateArgs) (starlark.Value, error) {
	return e.create(call, &a.createArgs, a.open)
}

type makeContainerArgs struct {
	containerCreateArgs
	Wait    readiness
	Timeout time.Duration
}

func (e *dockerEngine) makeContainer(call *runtime.Call, a makeContainerArgs) (starlark.Value, error) {
	c, err := e.create(call, &a.createArgs, a.open)
	if err != nil {
		return nil, err
	}
	err = c.with(call, func(ctx context.Context, client *engine.Client) error {
		err := launch(ctx, client, c)
		if err == nil {
			err = waitReady(ctx, client, c, a.Wait, a.Timeout)
		}
		if err != nil {
			return e.abandon(client, c, c.named(err))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

type getContainerArgs struct {
	Name    containerName
	Default runtime.Opt[starlark.Value]
}

func (e *dockerEngine) getContainer(call *runtime.Call, a getContainerArgs) (starlark.Value, error) {
	c, err := e.resolve(call, containerRef{name: string(a.Name)})
	if err != nil {
		return orDefault(err, a.Default)
	}
	return c, nil
}

type listContainersArgs struct {
	All     bool
	Filters filters
	Limit   int
}

func (e *dockerEngine) listContainers(call *runtime.Call, a listContainersArgs) (starlark.Value, error) {
	var list []starlark.Value
	err := e.with(call, func(ctx context.Context, client *engine.Client) error {
		found, err := client.ListContainers(ctx, engine.ListContainersOptions{All: a.All, Filters: a.Filters, Limit: a.Limit})
		if err != nil {
			return err
		}
		for _, s := range found {
			c := &Container{engine: e, session: call.Session(), id: s.ID, image: s.Image, labels: s.Labels}
			if len(s.Names) > 0 {
				c.name = firstName(s.Names)
			}
			list = append(list, c)
		}
		return nil
	})
	return starlark.NewList(list), err
}
