package engine_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
)

// A network or volume whose create was answered to nobody is found again.
func TestNetworkAndVolumeWithLostAnswers(t *testing.T) {
	proxy := enginetest.NewProxy(t, enginetest.Options(t))
	c := proxy.Client(t)
	proxy.Add(enginetest.Fault{Method: http.MethodPost, Path: "^/(networks|volumes)/create", Lose: true})
	id, err := c.CreateNetwork(t.Context(), engine.NetworkSpec{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.RemoveNetwork(context.Background(), id)) })
	n, err := c.InspectNetwork(t.Context(), id)
	require.NoError(t, err)
	assert.Regexp(t, "^dscript-[0-9a-f]{12}$", n.Name)
	v, err := c.CreateVolume(t.Context(), engine.VolumeSpec{})
	require.NoError(t, err)
	assert.NoError(t, c.RemoveVolume(t.Context(), v.Name, false))
	_, err = c.InspectVolume(t.Context(), v.Name)
	assert.ErrorIs(t, err, engine.ErrNotFound)
}

// What a container uses is not removed under it: Podman would, of a network by its
// id and of a volume by force, the container with it.
func TestNetworkAndVolumeInUse(t *testing.T) {
	c := enginetest.Client(t)
	network, err := c.CreateNetwork(t.Context(), engine.NetworkSpec{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.RemoveNetwork(context.Background(), network)) })
	volume, err := c.CreateVolume(t.Context(), engine.VolumeSpec{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.RemoveVolume(context.Background(), volume.Name, true)) })
	n, err := c.InspectNetwork(t.Context(), network)
	require.NoError(t, err)

	id := enginetest.Create(t, c, engine.ContainerSpec{
		Config: container.Config{Cmd: []string{"sleep", "2000000"}},
		Host: container.HostConfig{NetworkMode: container.NetworkMode(n.Name),
			Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: volume.Name, Target: "/v"}}},
	})
	require.NoError(t, c.StartContainer(t.Context(), id))
	assert.ErrorIs(t, c.RemoveNetwork(t.Context(), network), engine.ErrConflict)
	assert.ErrorIs(t, c.RemoveVolume(t.Context(), volume.Name, true), engine.ErrConflict)
	box, err := c.InspectContainer(t.Context(), id)
	require.NoError(t, err)
	assert.True(t, box.State.Running)
}
