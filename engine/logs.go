// Logs, and files in and out.

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

// LogsOptions say what of a container's log is read.
type LogsOptions struct {
	Stdout, Stderr     bool // neither: both
	Follow, Timestamps bool
	Tail               string // number of lines; "": all
	Since, Until       string
}

// Logs reads a container's log (GET /containers/{id}/logs). Whether it has
// frames depends on the container's TTY alone, so that the container is asked
// first. A log is not what an exec put out: Docker's replaces what is not UTF-8,
// and following one that ends without a newline may lose its last line (moby#43860).
func (c *Client) Logs(ctx context.Context, id string, o LogsOptions) (*Stream, error) {
	k := &call{op: "container.logs", object: id}
	box, err := c.InspectContainer(ctx, id)
	if err != nil {
		return nil, named(err, k)
	}
	api, err := c.ready(ctx)
	if err != nil {
		return nil, err
	}
	both := !o.Stdout && !o.Stderr
	body, err := api.ContainerLogs(k.with(ctx), id, client.ContainerLogsOptions{
		ShowStdout: o.Stdout || both, ShowStderr: o.Stderr || both, Follow: o.Follow, Timestamps: o.Timestamps,
		Tail: o.Tail, Since: o.Since, Until: o.Until,
	})
	if err != nil {
		return nil, c.failed(ctx, k, err)
	}
	return c.newStream(ctx, k.verb(), id, body, nil, box.Config != nil && box.Config.Tty), nil
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
