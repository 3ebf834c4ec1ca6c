package builtins

// This file is engine.events and engine.df.

import (
	"context"
	"errors"
	"time"

	"github.com/moby/moby/api/types/events"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const eventsDoc = `
events(each, *, filters={}, since="", until="", timeout=None)

Call each(event) for what happens on the engine, in order, until it returns False. An
event is a dict: {"type": "container", "action": "die", "id": "…", "name": "db", "time":
…, "attributes": {"exitCode": "0"}}. A lost connection is made again, and no event is
missed or given twice.

each     a function of one event
filters  {"type": "container", "event": ["start", "die"], "container": "db"}, as the API names them
since    also what has happened since a time like "2026-01-02T15:04:05Z", or "10m" ago
until    end at such a time
timeout  end after it; not an error
`

type eventsArgs struct {
	Each    starlark.Callable
	Filters filters
	Since   string
	Until   string
	Timeout time.Duration
}

var errWatchedLongEnough = errors.New("watched for the time given")

func (e *dockerEngine) events(call *runtime.Call, a eventsArgs) error {
	return e.with(call, func(ctx context.Context, client *engine.Client) error {
		if a.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, a.Timeout, errWatchedLongEnough)
			defer cancel()
		}
		o := engine.EventsOptions{Since: a.Since, Until: a.Until, Filters: a.Filters}
		err := client.Events(ctx, o, func(m events.Message) error { return a.told(call, m) })
		if context.Cause(ctx) == errWatchedLongEnough {
			return nil
		}
		return err
	})
}

func (a eventsArgs) told(call *runtime.Call, m events.Message) error {
	at := time.Unix(0, m.TimeNano)
	if m.TimeNano == 0 {
		at = time.Unix(m.Time, 0)
	}
	value, err := runtime.ToValue(map[string]any{
		"type": string(m.Type), "action": string(m.Action), "id": m.Actor.ID, "name": m.Actor.Attributes["name"],
		"time": at, "attributes": m.Actor.Attributes,
	})
	if err != nil {
		return err
	}
	if got, err := call.Callback(a.Each, value); err != nil {
		return err
	} else if got == starlark.False {
		return engine.ErrStop
	}
	return nil
}

const dfDoc = `
df() -> dict

What images, containers and volumes take up on the engine's disk, as its API names it.
`

func (e *dockerEngine) df(call *runtime.Call, _ noArgs) (v any, err error) {
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		got, err := client.DiskUsage(ctx)
		v = got
		return err
	})
	return v, err
}
