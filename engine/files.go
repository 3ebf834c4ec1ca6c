// Files of a container, without its help.

package engine

import (
	"context"

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
