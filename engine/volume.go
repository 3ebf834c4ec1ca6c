// Volumes: create, inspect, list, remove, prune.

package engine

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/moby/moby/api/types/volume"
	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"
)

// A VolumeSpec says what volume to create.
type VolumeSpec struct {
	Name    string // "": the engine makes one up
	Driver  string // "": local
	Options map[string]string
	Labels  map[string]string
	Raw     map[string]any // merged last into the body
	Owner   Owner
}

// A Volume is what the engine says of a volume.
type Volume struct {
	volume.Volume
	Raw json.RawMessage
}

// CreateVolume creates a volume (POST /volumes/create) with its owner's labels. A name
// that is taken is a conflict; engines would give the old volume, and silently leave
// its options as they are.
func (c *Client) CreateVolume(ctx context.Context, spec VolumeSpec) (Volume, error) {
	k := &call{op: "volume.create", object: spec.Name, owner: spec.Owner, raw: spec.Raw}
	labels, nonce, err := c.birth(spec.Owner)
	if err != nil {
		return Volume{}, err
	}
	k.finish = func(body map[string]any) { addLabels(body, labels) }
	api, err := c.ready(ctx)
	if err != nil {
		return Volume{}, err
	}
	made, err := api.VolumeCreate(k.with(ctx), client.VolumeCreateOptions{
		Name: spec.Name, Driver: spec.Driver, DriverOpts: spec.Options, Labels: spec.Labels,
	})
	v := Volume{Volume: made.Volume}
	if err = c.failed(ctx, k, err); err != nil && ctx.Err() == nil && answerLost(err) {
		found, findErr := c.ListVolumes(ctx, map[string][]string{"label": {LabelNonce + "=" + nonce}})
		if findErr != nil || len(found) == 0 {
			return Volume{}, err
		}
		v.Volume, err = found[0], nil
	}
	switch {
	case err != nil:
		return Volume{}, err
	case v.Labels[LabelNonce] != nonce:
		return Volume{}, &Error{Op: k.verb(), Object: spec.Name, Kind: KindConflict, Message: "volume " + v.Name + " exists already"}
	}
	return v, nil
}

// InspectVolume asks the engine about a volume (GET /volumes/{name}).
func (c *Client) InspectVolume(ctx context.Context, name string) (Volume, error) {
	k := &call{op: "volume.inspect", object: name}
	if err := checkID(k, name); err != nil {
		return Volume{}, err
	}
	var r Volume
	var err error
	r.Raw, err = c.get(ctx, k, "/volumes/"+name, &r.Volume)
	if err == nil && r.Name == "" {
		err = c.answerError(ctx, k.verb(), name, errors.New("it has no name"))
	}
	return r, err
}

// ListVolumes lists volumes (GET /volumes).
func (c *Client) ListVolumes(ctx context.Context, by map[string][]string) ([]volume.Volume, error) {
	api, err := c.ready(ctx)
	if err != nil {
		return nil, err
	}
	k := &call{op: "volume.list"}
	r, err := api.VolumeList(k.with(ctx), client.VolumeListOptions{Filters: filters(by)})
	return r.Items, c.failed(ctx, k, err)
}

// RemoveVolume removes a volume (DELETE /volumes/{name}). One that a container uses
// is a conflict, by force too; Podman, which by force would remove the containers, is
// not told of it.
func (c *Client) RemoveVolume(ctx context.Context, name string, force bool) error {
	k := &call{op: "volume.remove", object: name}
	if err := checkID(k, name); err != nil {
		return err
	}
	api, err := c.ready(ctx)
	if err != nil {
		return err
	}
	if force {
		podman, err := c.IsPodman(ctx)
		if err != nil {
			return err
		}
		force = !podman
	}
	_, err = api.VolumeRemove(k.with(ctx), name, client.VolumeRemoveOptions{Force: force})
	return c.failed(ctx, k, err)
}

// PruneVolumes removes the volumes that no container uses (POST /volumes/prune), those
// with a name too, and gives their names and the bytes freed. Engines from API 1.42
// spare named ones unless they are told otherwise; older ones refuse to be told.
func (c *Client) PruneVolumes(ctx context.Context, by map[string][]string) ([]string, uint64, error) {
	api, err := c.ready(ctx)
	if err != nil {
		return nil, 0, err
	}
	k := &call{op: "volume.prune"}
	narrow := filters(by)
	if versions.GreaterThanOrEqualTo(api.ClientVersion(), "1.42") {
		narrow.Add("all", "true")
	}
	r, err := api.VolumePrune(k.with(ctx), client.VolumePruneOptions{Filters: narrow})
	return r.Report.VolumesDeleted, r.Report.SpaceReclaimed, c.failed(ctx, k, err)
}
