// Healthchecks of Podman.

package engine

import (
	"context"
	"net/http"
	"net/url"
)

// CheckHealth has Podman run a container's healthcheck once (GET
// /libpod/containers/{id}/healthcheck). Podman leaves that to timers of systemd, and
// where there are none nobody runs it. Other engines run healthchecks themselves:
// there it does nothing.
func (c *Client) CheckHealth(ctx context.Context, id string) error {
	podman, err := c.IsPodman(ctx)
	if err != nil || !podman {
		return err
	}
	k := &call{op: "container.check_health", object: id}
	resp, err := c.request(ctx, k, http.MethodGet, "/v4.0.0/libpod/containers/"+url.PathEscape(id)+"/healthcheck", nil)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
