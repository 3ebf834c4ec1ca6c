// Looking into a container: its processes, what it uses, what it has changed.

package engine

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Top lists the processes of a running container (GET /containers/{id}/top), as ps
// with args prints them. Docker runs ps on its own machine, Podman in a way of its
// own: the columns differ.
func (c *Client) Top(ctx context.Context, id string, args ...string) (titles []string, processes [][]string, err error) {
	err = c.on(ctx, "container.top", id, func(ctx context.Context, api *client.Client) error {
		r, err := api.ContainerTop(ctx, id, client.ContainerTopOptions{Arguments: args})
		titles, processes = r.Titles, r.Processes
		return err
	})
	return titles, processes, err
}

// Changes lists what a container has changed in its files (GET
// /containers/{id}/changes).
func (c *Client) Changes(ctx context.Context, id string) (changes []container.FilesystemChange, err error) {
	err = c.on(ctx, "container.diff", id, func(ctx context.Context, api *client.Client) error {
		r, err := api.ContainerDiff(ctx, id, client.ContainerDiffOptions{})
		changes = r.Changes
		return err
	})
	return changes, err
}

// Usage is one sample of what a container uses, with what follows from it.
type Usage struct {
	container.StatsResponse
	CPU    float64 // in percent: 100 is one processor; 0 in the first sample of a stream
	Memory int64   // bytes, without the page cache
	Raw    json.RawMessage
}

// Stats gives samples of what a container uses to each, about one a second, until each
// fails, ctx ends or the container does (GET /containers/{id}/stats). ErrStop from each
// ends it well.
func (c *Client) Stats(ctx context.Context, id string, each func(Usage) error) error {
	k := &call{op: "container.stats", object: id}
	if err := checkID(k, id); err != nil {
		return err
	}
	at, err := c.versioned(ctx, "containers", id, "stats")
	if err != nil {
		return err
	}
	resp, err := c.request(ctx, k, http.MethodGet, at+"?stream=true", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var before container.CPUStats
	for samples := json.NewDecoder(resp.Body); ; {
		var u Usage
		if err := samples.Decode(&u.Raw); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return c.answerError(ctx, k.verb(), id, err)
		}
		if err := json.Unmarshal(u.Raw, &u.StatsResponse); err != nil {
			return c.answerError(ctx, k.verb(), id, err)
		}
		if u.PreCPUStats.SystemUsage == 0 { // the engine does not say in the first one
			u.PreCPUStats = before
		}
		before = u.CPUStats
		u.compute()
		if err := each(u); errors.Is(err, ErrStop) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// compute does as docker stats does.
func (u *Usage) compute() {
	used := float64(u.CPUStats.CPUUsage.TotalUsage) - float64(u.PreCPUStats.CPUUsage.TotalUsage)
	all := float64(u.CPUStats.SystemUsage) - float64(u.PreCPUStats.SystemUsage)
	processors := float64(u.CPUStats.OnlineCPUs)
	if processors == 0 {
		processors = max(1, float64(len(u.CPUStats.CPUUsage.PercpuUsage)))
	}
	if all > 0 && used > 0 && u.PreCPUStats.SystemUsage > 0 {
		u.CPU = used / all * processors * 100
	}
	cache := u.MemoryStats.Stats["total_inactive_file"] // cgroup v1
	if cache == 0 {
		cache = u.MemoryStats.Stats["inactive_file"] // v2
	}
	u.Memory = int64(u.MemoryStats.Usage)
	if cache < u.MemoryStats.Usage {
		u.Memory -= int64(cache)
	}
}

// Export gives the files of a container as a tar archive (GET
// /containers/{id}/export). It must be closed.
func (c *Client) Export(ctx context.Context, id string) (io.ReadCloser, error) {
	k := &call{op: "container.export", object: id}
	if err := checkID(k, id); err != nil {
		return nil, err
	}
	at, err := c.versioned(ctx, "containers", id, "export")
	if err != nil {
		return nil, err
	}
	resp, err := c.request(ctx, k, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	return &archive{ReadCloser: resp.Body, c: c, ctx: ctx, id: id}, nil
}

// CommitOptions say what image to make of a container.
type CommitOptions struct {
	Ref     string // "": the image has no name
	Comment string
	Author  string
	Changes []string // lines of a Dockerfile
	NoPause bool     // do not pause the container meanwhile
}

// Commit makes an image of a container's files (POST /commit) and gives its id.
func (c *Client) Commit(ctx context.Context, id string, o CommitOptions) (image string, err error) {
	podman, err := c.IsPodman(ctx)
	if err != nil {
		return "", err
	}
	var config *container.Config
	if podman { // it wants a body, also an empty one; Docker takes the container's own for none
		config = &container.Config{}
	}
	err = c.on(ctx, "container.commit", id, func(ctx context.Context, api *client.Client) error {
		r, err := api.ContainerCommit(ctx, id, client.ContainerCommitOptions{
			Reference: o.Ref, Comment: o.Comment, Author: o.Author, Changes: o.Changes, NoPause: o.NoPause, Config: config})
		image = imageID(r.ID)
		return err
	})
	if err == nil && image == "" {
		err = c.answerError(ctx, "commit", id, errors.New("it has no id"))
	}
	return image, err
}

// imageID is an id with its algorithm, which Podman leaves out of some answers.
func imageID(id string) string {
	if id == "" || strings.Contains(id, ":") {
		return id
	}
	return "sha256:" + id
}

// UpdateContainer changes limits and the restart policy of a container (POST
// /containers/{id}/update). body has the fields to change, by the API's names.
func (c *Client) UpdateContainer(ctx context.Context, id string, body map[string]any) (warnings []string, err error) {
	k := &call{op: "container.update", object: id}
	if err := checkID(k, id); err != nil {
		return nil, err
	}
	at, err := c.versioned(ctx, "containers", id, "update")
	if err != nil {
		return nil, err
	}
	resp, err := c.request(ctx, k, http.MethodPost, at, body)
	if err != nil {
		return nil, err
	}
	var r container.UpdateResponse
	_, err = c.decode(ctx, k, resp, &r)
	return r.Warnings, err
}

// PauseContainer stops the processes of a container where they are (POST
// /containers/{id}/pause).
func (c *Client) PauseContainer(ctx context.Context, id string) error {
	return c.on(ctx, "container.pause", id, func(ctx context.Context, api *client.Client) error {
		_, err := api.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return err
	})
}

// UnpauseContainer lets them go on (POST /containers/{id}/unpause).
func (c *Client) UnpauseContainer(ctx context.Context, id string) error {
	return c.on(ctx, "container.unpause", id, func(ctx context.Context, api *client.Client) error {
		_, err := api.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
		return err
	})
}

// RenameContainer gives a container another name (POST /containers/{id}/rename).
func (c *Client) RenameContainer(ctx context.Context, id, name string) error {
	return c.on(ctx, "container.rename", id, func(ctx context.Context, api *client.Client) error {
		_, err := api.ContainerRename(ctx, id, client.ContainerRenameOptions{NewName: name})
		return err
	})
}
