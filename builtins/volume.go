package builtins

// This file is the noun volume, and the Volume value.

import (
	"context"
	"errors"
	"fmt"

	"github.com/moby/moby/api/types/volume"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// A Volume is a volume of an engine, known by its name. Two are equal when engine
// and name are.
type Volume struct {
	engine     *dockerEngine
	session    *runtime.Session
	name       string
	driver     string
	mountpoint string
	labels     map[string]string
}

var (
	_ starlark.HasAttrs   = (*Volume)(nil)
	_ starlark.Comparable = (*Volume)(nil)
	_ runtime.Tabler      = (*Volume)(nil)
)

const volumeTypeDoc = `
Volume

A volume of an engine. Its attributes are as it was created.
`

func (e *dockerEngine) declareVolumeType() *runtime.TypeDecl {
	return runtime.Type[*Volume](volumeTypeDoc,
		runtime.Attr("name -> string\n\nIts name.", func(_ *runtime.Call, v *Volume) (any, error) { return v.name, nil }),
		runtime.Attr("driver -> string\n\nIts driver, like \"local\".", func(_ *runtime.Call, v *Volume) (any, error) { return v.driver, nil }),
		runtime.Attr("labels -> dict\n\nIts labels.", func(_ *runtime.Call, v *Volume) (any, error) { return v.labels, nil }),
		runtime.Attr("mountpoint -> string\n\nWhere it lies on the engine's machine.", func(_ *runtime.Call, v *Volume) (any, error) { return v.mountpoint, nil }),
		runtime.Func(seedVolumeDoc, e.seedVolume).As("seed"),
		runtime.Func(dumpVolumeDoc, e.dumpVolume).As("dump"),
		runtime.Func(removeVolumeDoc, e.removeVolume).As("remove"),
		runtime.Func(keepVolumeDoc, e.keepVolume).As("keep"),
		runtime.Func(inspectVolumeDoc, e.inspectVolume).As("inspect"),
	)
}

const volumeDoc = `
volume(name=None, *, driver="", options={}, labels={}, keep=False, raw={}) -> Volume

Create a volume, for mounts= of containers. It belongs to the innermost scope and is
removed when that ends.

name     None: one that the engine makes up
driver   "": the engine's own, local
options  of the driver
labels   dict or list of "name=value"
keep     leave it when its scope ends
raw      merged last into the body of the create request

>>> data = volume()
>>> run("busybox", "echo hi >/data/f", mounts = [(data, "/data")]).ok
True
>>> run("busybox", "cat /data/f", mounts = [(data, "/data", "ro")]).stdout
"hi\n"
`

const getVolumeDoc = `
get(name, default=None) -> Volume

Find a volume by its name.

default  given instead when there is none; without it that is an error of kind not_found

>>> volume.get("no-such-volume", "none of that name")
"none of that name"
`

const listVolumesDoc = `
list(*, filters={}) -> list

The volumes of the engine.

filters  {"driver": "local", "label": "x=y"}, as the engine's API names them
`

const pruneVolumesDoc = `
prune(*, all=False) -> list

Remove the volumes of this session that no container uses. Gives their names.

all  every volume of the engine that no container uses, with all that is in it
`

func (e *dockerEngine) declareVolume() runtime.Member {
	return runtime.Noun(volumeDoc, e.makeVolume,
		runtime.Func(getVolumeDoc, e.getVolume),
		runtime.Func(listVolumesDoc, e.listVolumes),
		runtime.Func(pruneVolumesDoc, e.pruneVolumes),
	)
}

// volume makes the value of a volume that the engine knows.
func (e *dockerEngine) volume(call *runtime.Call, got volume.Volume) *Volume {
	labels := got.Labels
	if labels == nil {
		labels = map[string]string{}
	}
	return &Volume{engine: e, session: call.Session(), name: got.Name, driver: got.Driver, mountpoint: got.Mountpoint, labels: labels}
}

// volumeKey is what a volume is owned under: it has no id.
func volumeKey(name string) string { return "volume " + name }

type makeVolumeArgs struct {
	Name    runtime.Opt[string]
	Driver  string
	Options map[string]string
	Labels  map[string]string
	Keep    bool
	Raw     *starlark.Dict
}

func (e *dockerEngine) makeVolume(call *runtime.Call, a makeVolumeArgs) (v *Volume, err error) {
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
	spec := engine.VolumeSpec{Name: a.Name.Value, Driver: a.Driver, Options: a.Options, Labels: a.Labels, Raw: raw, Owner: e.owner(call, a.Keep)}
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		got, err := client.CreateVolume(ctx, spec)
		if err != nil {
			return err
		}
		e.own(call, spec.Owner, volumeKey(got.Name), "volume "+got.Name, func(ctx context.Context) error {
			return gone(client.RemoveVolume(ctx, got.Name, false))
		})
		v = e.volume(call, got.Volume)
		return nil
	})
	return v, err
}

// makeMissing makes the volumes that mounts name and the engine has not: it would
// make them itself, and nobody would remove them. One that a kept container uses
// when its scope ends stays.
func (e *dockerEngine) makeMissing(ctx context.Context, call *runtime.Call, client *engine.Client, forms mounts, owner engine.Owner) error {
	for _, form := range forms {
		if form.isPath() {
			continue
		}
		_, err := client.InspectVolume(ctx, form.source)
		if !errors.Is(err, engine.ErrNotFound) {
			if err != nil {
				return err
			}
			continue
		}
		got, err := client.CreateVolume(ctx, engine.VolumeSpec{Name: form.source, Owner: owner})
		if errors.Is(err, engine.ErrConflict) {
			continue // another branch was first
		}
		if err != nil {
			return err
		}
		e.own(call, owner, volumeKey(got.Name), "volume "+got.Name, func(ctx context.Context) error {
			err := gone(client.RemoveVolume(ctx, got.Name, false))
			if errors.Is(err, engine.ErrConflict) {
				return nil
			}
			return err
		})
	}
	return nil
}

// A volumeRef names a volume in a call: a Volume, or the name of one.
type volumeRef struct {
	engine *dockerEngine // nil: of the noun's
	name   string
}

func (r *volumeRef) Unpack(v starlark.Value) error {
	switch v := v.(type) {
	case *Volume:
		r.engine, r.name = v.engine, v.name
		return nil
	case starlark.String:
		return unpackName(&r.name, v)
	}
	return fmt.Errorf("got %s, want a Volume, or the name of one", v.Type())
}

// NamesOf lets a prompt complete the names of volumes.
func (volumeRef) NamesOf() string { return "Volume" }

func (r volumeRef) on(e *dockerEngine) *dockerEngine {
	if r.engine != nil {
		return r.engine
	}
	return e
}

type getVolumeArgs struct {
	Name    volumeRef
	Default runtime.Opt[starlark.Value]
}

func (e *dockerEngine) getVolume(call *runtime.Call, a getVolumeArgs) (starlark.Value, error) {
	var v *Volume
	err := e.with(call, func(ctx context.Context, client *engine.Client) error {
		got, err := client.InspectVolume(ctx, a.Name.name)
		v = e.volume(call, got.Volume)
		return err
	})
	if err != nil {
		return orDefault(err, a.Default)
	}
	return v, nil
}

func (e *dockerEngine) listVolumes(call *runtime.Call, a listFilteredArgs) (starlark.Value, error) {
	var list []starlark.Value
	err := e.with(call, func(ctx context.Context, client *engine.Client) error {
		found, err := client.ListVolumes(ctx, a.Filters)
		for _, v := range found {
			list = append(list, e.volume(call, v))
		}
		return err
	})
	return starlark.NewList(list), err
}

func (e *dockerEngine) pruneVolumes(call *runtime.Call, a pruneArgs) (names []string, err error) {
	names = []string{}
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		if a.All {
			pruned, _, err := client.PruneVolumes(ctx, nil)
			for _, name := range pruned {
				e.disown(volumeKey(name))
				names = append(names, name)
			}
			return err
		}
		found, err := client.ListVolumes(ctx, e.ofSession(call))
		if err != nil {
			return err
		}
		for _, v := range found {
			removed, err := e.unused(volumeKey(v.Name), client.RemoveVolume(ctx, v.Name, false))
			if err != nil {
				return err
			}
			if removed {
				names = append(names, v.Name)
			}
		}
		return nil
	})
	return names, err
}

const removeVolumeDoc = `
remove(volume, *, force=False)

Remove a volume and what is in it. One that a container uses is an error of kind
conflict, by force too.

force  no error when it is not there, or when its driver is not
`

type removeVolumeArgs struct {
	Volume volumeRef
	Force  bool
}

func (e *dockerEngine) removeVolume(call *runtime.Call, a removeVolumeArgs) error {
	on := a.Volume.on(e)
	return on.with(call, func(ctx context.Context, client *engine.Client) error {
		err := client.RemoveVolume(ctx, a.Volume.name, a.Force)
		if a.Force {
			err = gone(err)
		}
		if err == nil {
			on.disown(volumeKey(a.Volume.name))
		}
		return err
	})
}

const keepVolumeDoc = `
keep(volume) -> Volume

Leave the volume when its scope ends. Gives the volume.
`

type volumeArgs struct{ Volume volumeRef }

func (e *dockerEngine) keepVolume(call *runtime.Call, a volumeArgs) (starlark.Value, error) {
	on := a.Volume.on(e)
	on.disown(volumeKey(a.Volume.name))
	return on.getVolume(call, getVolumeArgs{Name: a.Volume})
}

const inspectVolumeDoc = `
inspect(volume) -> dict

All that the engine says of the volume, as its API names it.
`

func (e *dockerEngine) inspectVolume(call *runtime.Call, a volumeArgs) (v any, err error) {
	err = a.Volume.on(e).with(call, func(ctx context.Context, client *engine.Client) error {
		got, err := client.InspectVolume(ctx, a.Volume.name)
		v = got.Raw
		return err
	})
	return v, err
}

// VolumeName lets mounts= take a Volume.
func (v *Volume) VolumeName() string { return v.name }

func (v *Volume) String() string        { return fmt.Sprintf("<Volume %s>", v.name) }
func (v *Volume) Type() string          { return "Volume" }
func (v *Volume) Freeze()               {}
func (v *Volume) Truth() starlark.Bool  { return true }
func (v *Volume) Hash() (uint32, error) { return hashOf(v.name), nil }
func (v *Volume) AttrNames() []string   { return v.engine.volumeType.AttrNames() }
func (v *Volume) Attr(name string) (starlark.Value, error) {
	return v.engine.volumeType.Attr(v.session, v, name)
}

func (v *Volume) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	other := y.(*Volume)
	return equalOnly(op, v.engine == other.engine && v.name == other.name, "Volume")
}

// Table draws volumes as docker volume ls does.
func (v *Volume) Table(_ context.Context, values []starlark.Value) ([]string, [][]string, error) {
	rows := make([][]string, 0, len(values))
	for _, value := range values {
		v := value.(*Volume)
		rows = append(rows, []string{v.name, v.driver})
	}
	return []string{"NAME", "DRIVER"}, rows, nil
}
