// Files of a container, without its help.

package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// StatPath describes a path of a container (HEAD /containers/{id}/archive); a link is
// described itself. A path that is missing is not_found. Paths below /proc, and of a
// tmpfs mount, are not seen.
func (c *Client) StatPath(ctx context.Context, id, path string) (stat container.PathStat, err error) {
	err = c.on(ctx, "container.stat", id, func(ctx context.Context, api *client.Client) error {
		r, err := api.ContainerStatPath(ctx, id, client.ContainerStatPathOptions{Path: path})
		stat = r.Stat
		return err
	})
	return stat, err
}

// CopyTo unpacks a tar archive, which must not be compressed, into a directory of
// a container (PUT /containers/{id}/archive).
func (c *Client) CopyTo(ctx context.Context, id, dir string, tar io.Reader) error {
	return c.on(ctx, "container.copy_to", id, func(ctx context.Context, api *client.Client) error {
		_, err := api.CopyToContainer(ctx, id, client.CopyToContainerOptions{DestinationPath: dir, Content: tar, AllowOverwriteDirWithFile: true})
		return err
	})
}

// CopyFrom gives a path of a container as a tar archive (GET
// /containers/{id}/archive). It must be closed, and soon: until then the engine
// holds the container's lock.
func (c *Client) CopyFrom(ctx context.Context, id, path string) (io.ReadCloser, container.PathStat, error) {
	var stat container.PathStat
	k := &call{op: "container.copy_from", object: id}
	if err := checkID(k, id); err != nil {
		return nil, stat, err
	}
	at, err := c.versioned(ctx, "containers", id, "archive")
	if err != nil {
		return nil, stat, err
	}
	resp, err := c.request(ctx, k, http.MethodGet, at+"?path="+url.QueryEscape(path), nil)
	if err != nil {
		return nil, stat, err
	}
	header, err := base64.StdEncoding.DecodeString(resp.Header.Get("X-Docker-Container-Path-Stat"))
	if err == nil {
		err = json.Unmarshal(header, &stat)
	}
	if err != nil {
		_ = resp.Body.Close()
		return nil, stat, c.answerError(ctx, k.verb(), id, err)
	}
	return &archive{ReadCloser: resp.Body, c: c, ctx: ctx, id: id}, stat, nil
}

// An archive is the body of a CopyFrom; its errors are ours.
type archive struct {
	io.ReadCloser
	c   *Client
	ctx context.Context
	id  string
}

func (a *archive) Read(p []byte) (int, error) {
	n, err := a.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = a.c.answerError(a.ctx, "copy_from", a.id, err)
	}
	return n, err
}
