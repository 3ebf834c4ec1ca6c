// The life of a container: start, stop, restart, kill, remove, wait.

package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// StopOptions say how a container is stopped.
type StopOptions struct {
	Timeout *time.Duration // nil: the container's own, else 10 s; negative is refused
	Signal  string         // "": the container's own
}

// RemoveContainerOptions say how a container is removed.
type RemoveContainerOptions struct {
	Force   bool // also when it runs
	Volumes bool // with its anonymous volumes
}

// on makes one request of the official client about one object.
func (c *Client) on(ctx context.Context, op, id string, do func(context.Context, *client.Client) error) error {
	k := &call{op: op, object: id}
	if err := checkID(k, id); err != nil {
		return err
	}
	api, err := c.ready(ctx)
	if err != nil {
		return err
	}
	return c.failed(ctx, k, do(k.with(ctx), api))
}

// StartContainer starts a container (POST /containers/{id}/start); one that runs
// already is no error. A command that the engine cannot start is start_failed or
// command_not_found, and the container is left as it was created. A port that was
// to be published and is not is start_failed too.
func (c *Client) StartContainer(ctx context.Context, id string) error {
	err := c.on(ctx, "container.start", id, func(ctx context.Context, api *client.Client) error {
		_, err := api.ContainerStart(ctx, id, client.ContainerStartOptions{})
		return err
	})
	if err != nil {
		return err
	}
	return c.checkPorts(ctx, id)
}

// checkPorts makes sure that every port which was asked for is published.
func (c *Client) checkPorts(ctx context.Context, id string) error {
	box, err := c.InspectContainer(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil // it has ended, and was to be removed then
	}
	if err != nil {
		return err
	}
	if box.HostConfig == nil || box.NetworkSettings == nil || box.HostConfig.NetworkMode.IsHost() {
		return nil
	}
	for port, asked := range box.HostConfig.PortBindings {
		if len(asked) == 0 || len(box.NetworkSettings.Ports[port]) > 0 {
			continue
		}
		again, err := c.InspectContainer(ctx, id) // a container that has ended publishes nothing
		if err != nil || !again.State.Running || len(again.NetworkSettings.Ports[port]) > 0 {
			return nil
		}
		return &Error{Op: "start", Object: id, Kind: KindStartFailed, Message: fmt.Sprintf("the engine did not publish port %s", port)}
	}
	return nil
}

// StopContainer stops a container (POST /containers/{id}/stop); one that is
// stopped already is no error.
func (c *Client) StopContainer(ctx context.Context, id string, o StopOptions) error {
	seconds, err := c.stopTimeout(ctx, "stop", id, o)
	if err != nil {
		return err
	}
	return c.on(ctx, "container.stop", id, func(ctx context.Context, api *client.Client) error {
		_, err := api.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: seconds, Signal: o.Signal})
		return err
	})
}

// RestartContainer stops a container and starts it (POST /containers/{id}/restart).
// Its ports may change.
func (c *Client) RestartContainer(ctx context.Context, id string, o StopOptions) error {
	seconds, err := c.stopTimeout(ctx, "restart", id, o)
	if err != nil {
		return err
	}
	return c.on(ctx, "container.restart", id, func(ctx context.Context, api *client.Client) error {
		_, err := api.ContainerRestart(ctx, id, client.ContainerRestartOptions{Timeout: seconds, Signal: o.Signal})
		return err
	})
}

// stopTimeout is the timeout as the engine takes it, rounded up; nil: the engine's
// choice. A negative one would wait for ever on Docker. Podman 4.3 kills at once a
// container that was created without a stop timeout, and says 0 for one.
func (c *Client) stopTimeout(ctx context.Context, op, id string, o StopOptions) (*int, error) {
	if o.Timeout == nil {
		podman, err := c.IsPodman(ctx)
		if err != nil || !podman {
			return nil, err
		}
		box, err := c.InspectContainer(ctx, id)
		if err != nil {
			return nil, named(err, &call{op: "container." + op})
		}
		if box.Config != nil && box.Config.StopTimeout != nil && *box.Config.StopTimeout > 0 {
			return nil, nil
		}
		n := 10
		return &n, nil
	}
	if *o.Timeout < 0 {
		return nil, &Error{Op: op, Object: id, Kind: KindInvalid, Message: "a timeout cannot be negative"}
	}
	n := int((*o.Timeout + time.Second - 1) / time.Second)
	return &n, nil
}

// KillContainer sends a signal to a container's main process (POST
// /containers/{id}/kill); "" is SIGKILL.
func (c *Client) KillContainer(ctx context.Context, id, signal string) error {
	return c.on(ctx, "container.kill", id, func(ctx context.Context, api *client.Client) error {
		_, err := api.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: signal})
		return err
	})
}

// removalLimit is how long a removal that somebody else began is waited for.
const removalLimit = 30 * time.Second

// RemoveContainer removes a container (DELETE /containers/{id}). When it is being
// removed already, RemoveContainer waits until it is gone. One that is missing is
// not_found.
func (c *Client) RemoveContainer(ctx context.Context, id string, o RemoveContainerOptions) error {
	err := c.on(ctx, "container.remove", id, func(ctx context.Context, api *client.Client) error {
		_, err := api.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: o.Force, RemoveVolumes: o.Volumes})
		return err
	})
	var own *Error
	if !errors.As(err, &own) || own.Kind != KindConflict || !strings.Contains(own.Message, "removal of container") {
		return err
	}
	deadline := time.Now().Add(removalLimit)
	for delay := 5 * time.Millisecond; time.Now().Before(deadline); delay = min(delay*2, 200*time.Millisecond) {
		if _, gone := c.InspectContainer(ctx, id); errors.Is(gone, ErrNotFound) {
			return nil
		}
		if pause(ctx, delay) != nil {
			return c.contextError(ctx, "remove", id)
		}
	}
	return err
}

// WaitContainer waits until a container has ended, or is gone, and gives its exit
// code (POST /containers/{id}/wait). A container that was never started is a
// conflict unless cond is next-exit: engines answer 0 at once.
func (c *Client) WaitContainer(ctx context.Context, id string, cond container.WaitCondition) (int, error) {
	k := &call{op: "container.wait", object: id}
	if cond != container.WaitConditionNextExit {
		box, err := c.InspectContainer(ctx, id)
		if err != nil {
			return 0, named(err, k)
		}
		if box.State.Status == container.StateCreated {
			return 0, &Error{Op: "wait", Object: id, Kind: KindConflict, Message: "container " + id + " was never started"}
		}
	}
	if cond == container.WaitConditionRemoved {
		return c.waitRemoved(ctx, id)
	}
	resp, err := c.beginWait(ctx, k, id, cond)
	if err != nil {
		return 0, err
	}
	return c.endWait(ctx, k, resp)
}

// waitRemoved waits for the exit and then for the removal: Podman tells a wait
// for the removal that the exit code is 0, whatever it was.
func (c *Client) waitRemoved(ctx context.Context, id string) (int, error) {
	code, err := c.WaitContainer(ctx, id, container.WaitConditionNotRunning)
	for delay := 5 * time.Millisecond; err == nil; delay = min(delay*2, 200*time.Millisecond) {
		if _, gone := c.InspectContainer(ctx, id); errors.Is(gone, ErrNotFound) {
			break
		}
		if pause(ctx, delay) != nil {
			err = c.contextError(ctx, "wait", id)
		}
	}
	return code, err
}

// beginWait sends a wait and gives the answer that is still to come. Docker
// sends the header at once, Podman with the result.
func (c *Client) beginWait(ctx context.Context, k *call, id string, cond container.WaitCondition) (*http.Response, error) {
	path, err := c.versioned(ctx, "containers", id, "wait")
	if err != nil {
		return nil, err
	}
	if cond != "" {
		path += "?condition=" + string(cond)
	}
	return c.request(ctx, k, http.MethodPost, path, nil)
}

// endWait reads the result of a wait. An answer without an exit code, which is
// what an engine that dies leaves, is no success.
func (c *Client) endWait(ctx context.Context, k *call, resp *http.Response) (int, error) {
	var r struct {
		StatusCode *int
		Error      *struct{ Message string }
	}
	_, err := c.decode(ctx, k, resp, &r)
	switch {
	case errors.Is(err, ErrTruncated):
		return 0, &Error{Op: k.verb(), Object: k.object, Kind: KindUnavailable, Message: "the engine was lost before the container ended", Err: io.ErrUnexpectedEOF}
	case err != nil:
		return 0, err
	case r.Error != nil && strings.Contains(r.Error.Message, "already been removed"):
		return 0, &Error{Op: k.verb(), Object: k.object, Kind: KindGone, Message: clean(r.Error.Message)}
	case r.Error != nil && r.Error.Message != "":
		return 0, &Error{Op: k.verb(), Object: k.object, Kind: KindInternal, Message: clean(r.Error.Message)}
	case r.StatusCode == nil:
		return 0, c.answerError(ctx, k.verb(), k.object, errors.New("it has no exit code"))
	}
	return *r.StatusCode, nil
}

// named gives an error the operation of another call.
func named(err error, k *call) error {
	var own *Error
	if !errors.As(err, &own) {
		return err
	}
	n := *own
	n.Op = k.verb()
	return &n
}
