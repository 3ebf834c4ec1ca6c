package builtins

// This file removes what is not used any more: containers that have ended, and images
// that have lost their names. Networks and volumes are with their nouns.

import (
	"context"

	"github.com/moby/moby/api/types/container"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const pruneContainersDoc = `
prune(*, all=False) -> list

Remove the containers of this session that have ended, and the volumes without a name
that they have made. What is kept stays. Gives their names.

all  every container of the engine that does not run, kept ones and those that were
     never started too; their volumes stay. Gives their ids

>>> done = container("busybox", ["true"], wait = "running")
>>> code = done.wait()
>>> done.name in container.prune()
True
`

func (e *dockerEngine) pruneContainers(call *runtime.Call, a pruneArgs) (names []string, err error) {
	names = []string{}
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		if a.All {
			pruned, err := client.PruneContainers(ctx, nil)
			for _, id := range pruned {
				e.disown(id)
				names = append(names, id)
			}
			return err
		}
		found, err := client.ListContainers(ctx, engine.ListContainersOptions{All: true, Filters: e.ofSession(call)})
		if err != nil {
			return err
		}
		for _, c := range found {
			_, owned := e.owned.Load(c.ID) // keep() has taken others off their scope
			if !owned || c.State != container.StateExited && c.State != container.StateDead {
				continue
			}
			removed, err := e.unused(c.ID, client.RemoveContainer(ctx, c.ID, engine.RemoveContainerOptions{Volumes: true}))
			if err != nil {
				return err
			}
			if removed {
				names = append(names, nameOr(firstName(c.Names), c.ID))
			}
		}
		return nil
	})
	return names, err
}

const pruneImagesDoc = `
prune(*, all=False) -> list

Remove the images that this session has made, that have no name any more and that
nothing uses. Gives their ids.

all  every such image of the engine; gives the ids of all parts that were removed
`

func (e *dockerEngine) pruneImages(call *runtime.Call, a pruneArgs) (ids []string, err error) {
	ids = []string{}
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		if a.All {
			pruned, err := client.PruneImages(ctx, nil)
			for _, id := range pruned {
				e.disown(id)
				ids = append(ids, id)
			}
			return err
		}
		for more := true; more; { // a parent loses its last child
			removed, err := e.pruneMade(ctx, call, client)
			ids, more = append(ids, removed...), len(removed) > 0
			if err != nil {
				return err
			}
		}
		return nil
	})
	return ids, err
}

// pruneMade removes the images without name and child that the session has made.
// Their parents may be of other sessions, and stay.
func (e *dockerEngine) pruneMade(ctx context.Context, call *runtime.Call, client *engine.Client) (ids []string, err error) {
	found, err := client.ListImages(ctx, engine.ListImagesOptions{Filters: filters{"dangling": {"true"}}})
	if err != nil {
		return nil, err
	}
	for _, i := range found {
		if by, ok := e.images.Load(i.ID); !ok || by != call.Session().ID() {
			continue
		}
		_, err := client.RemoveImage(ctx, i.ID, engine.RemoveImageOptions{NoPrune: true})
		removed, err := e.unused(i.ID, err)
		if err != nil {
			return ids, err
		}
		if removed {
			ids = append(ids, i.ID)
		}
	}
	return ids, nil
}

// madeBy notes that the session has made an image, until the session ends: images
// have no labels of ours.
func (e *dockerEngine) madeBy(call *runtime.Call, id string) {
	s := call.Session()
	if _, known := e.images.LoadOrStore(id, s.ID()); known {
		return
	}
	s.Scope().Defer("forget image "+shortID(id), call.Pos(), func(context.Context) error {
		e.images.Delete(id)
		return nil
	})
}
