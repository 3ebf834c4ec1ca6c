package engine_test

import (
	"context"
	"errors"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/enginetest"
)

// The connection is cut in the middle of an event: it is made again, and no event is
// lost or given twice.
func TestEventsResume(t *testing.T) {
	o := enginetest.Options(t)
	direct := enginetest.Connect(t, o)
	id := enginetest.Create(t, direct, engine.ContainerSpec{Config: container.Config{Cmd: []string{"true"}}})
	require.NoError(t, direct.StartContainer(t.Context(), id))
	_, err := direct.WaitContainer(t.Context(), id, container.WaitConditionNotRunning)
	require.NoError(t, err)

	until := func(c *engine.Client) (actions []string) {
		err := c.Events(t.Context(), engine.EventsOptions{Since: "1h", Filters: map[string][]string{"container": {id}}}, func(m events.Message) error {
			actions = append(actions, string(m.Action))
			if m.Action == "die" || m.Action == "died" {
				return engine.ErrStop
			}
			return nil
		})
		require.NoError(t, err)
		return actions
	}
	want := until(direct)
	require.GreaterOrEqual(t, len(want), 3)

	p := enginetest.NewProxy(t, o)
	p.Add(enginetest.Fault{Path: "^/events", Nth: 1, Cut: true, After: 700})
	assert.Equal(t, want, until(p.Client(t)))
	assert.GreaterOrEqual(t, p.Count("/events"), 2)
}

func TestEventsEnd(t *testing.T) {
	c := enginetest.Client(t)
	require.NoError(t, c.Events(t.Context(), engine.EventsOptions{Since: "2h", Until: "1h", Filters: map[string][]string{"container": {"none"}}}, func(events.Message) error { return nil }))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := c.Events(ctx, engine.EventsOptions{}, func(events.Message) error { return nil })
	assert.ErrorIs(t, err, engine.ErrCancelled)

	boom := errors.New("boom")
	id := enginetest.Container(t, c)
	err = c.Events(t.Context(), engine.EventsOptions{Since: "1h", Filters: map[string][]string{"container": {id}}}, func(events.Message) error { return boom })
	assert.ErrorIs(t, err, boom)
}
