// Events: what happens on an engine, and what its objects take up.

package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/moby/moby/api/types/events"
)

// EventsOptions say which events are wanted.
type EventsOptions struct {
	Since, Until string              // a time like 2026-01-02T15:04:05Z, a Unix time, or "10m" ago; "": from now on, for ever
	Filters      map[string][]string // by the API's names: {"type": {"container"}, "event": {"die"}}
}

const (
	eventsRetries = 15 * time.Second // how long a lost engine is asked again; a restart of dockerd takes 11 s
	eventsPause   = 200 * time.Millisecond
)

// Events gives events to each, in order, until Until, the end of ctx, or an error of
// each (GET /events); ErrStop ends it well. When the connection is lost it is made
// again, and goes on after the last event, once each; an engine that stays away is
// unavailable.
func (c *Client) Events(ctx context.Context, o EventsOptions, each func(events.Message) error) error {
	var err error
	if o.Since, err = c.moment(o.Since); err != nil {
		return err
	}
	if o.Until, err = c.moment(o.Until); err != nil {
		return err
	}
	f := &follower{c: c, o: o, each: each, since: o.Since, started: c.now(), seen: map[string]bool{}}
	lost := time.Time{}
	for {
		got, err := f.follow(ctx)
		switch {
		case errors.Is(err, ErrStop):
			return nil
		case err == nil || ctx.Err() != nil || !f.resumable(err):
			return err
		case got || lost.IsZero():
			lost = time.Now()
		case time.Since(lost) > eventsRetries:
			return err
		}
		f.resume()
		if pause(ctx, eventsPause) != nil {
			return c.contextError(ctx, "events", "")
		}
	}
}

// A follower is one call of Events over several connections.
type follower struct {
	c       *Client
	o       EventsOptions
	each    func(events.Message) error
	started time.Time
	since   string
	last    int64           // nanoseconds of the last event
	seen    map[string]bool // the events of that very moment
	resumed bool            // what is older than last came before
	stopped error           // each's own
}

func (f *follower) resumable(err error) bool {
	return f.stopped == nil && (errors.Is(err, ErrUnavailable) || errors.Is(err, ErrTruncated))
}

// resume asks for what came after the last event, or after the beginning.
func (f *follower) resume() {
	f.resumed = true
	at := f.last
	if at == 0 {
		if f.o.Since != "" {
			return
		}
		at = f.started.UnixNano()
	}
	f.since = unixTime(time.Unix(0, at))
}

// moment is a time as an engine takes it: seconds of Unix time.
func (c *Client) moment(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if ago, err := time.ParseDuration(s); err == nil {
		return unixTime(c.now().Add(-ago)), nil
	}
	if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return unixTime(at), nil
	}
	if _, err := strconv.ParseFloat(s, 64); err == nil {
		return s, nil
	}
	return "", &Error{Op: "events", Kind: KindInvalid, Message: fmt.Sprintf("%q is no time", s), Hint: "a time is like 2026-01-02T15:04:05Z, 1767366245, or 10m for ten minutes ago"}
}

func unixTime(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }

// follow reads one connection to its end. It reports whether an event came.
func (f *follower) follow(ctx context.Context) (got bool, err error) {
	k := &call{op: "engine.events"}
	at, err := f.c.versioned(ctx, "events")
	if err != nil {
		return false, err
	}
	query := url.Values{}
	for name, value := range map[string]string{"since": f.since, "until": f.o.Until} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if len(f.o.Filters) > 0 {
		by, err := json.Marshal(f.o.Filters)
		if err != nil {
			return false, err
		}
		query.Set("filters", string(by))
	}
	resp, err := f.c.request(ctx, k, http.MethodGet, at+"?"+query.Encode(), nil)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	for messages := json.NewDecoder(resp.Body); ; {
		var m events.Message
		err := messages.Decode(&m)
		switch {
		case errors.Is(err, io.EOF) && f.o.Until != "" && ctx.Err() == nil:
			return got, nil
		case err != nil:
			return got, f.c.answerError(ctx, k.verb(), "", err)
		}
		if !f.isNew(m) {
			continue
		}
		got = true
		if f.stopped = f.each(m); f.stopped != nil {
			return got, f.stopped
		}
	}
}

// isNew tells an event from one that came over the connection before.
func (f *follower) isNew(m events.Message) bool {
	nanos := m.TimeNano
	if nanos == 0 {
		nanos = m.Time * 1e9
	}
	key := fmt.Sprintf("%s %s %s", m.Type, m.Action, m.Actor.ID)
	if nanos < f.last && f.resumed || nanos == f.last && f.seen[key] {
		return false
	}
	if nanos > f.last {
		f.last = nanos
		clear(f.seen)
	}
	f.seen[key] = true
	return true
}

// DiskUsage is what the objects of the engine take up, as it says itself (GET
// /system/df).
func (c *Client) DiskUsage(ctx context.Context) (json.RawMessage, error) {
	var any json.RawMessage
	return c.get(ctx, &call{op: "engine.df"}, "/system/df", &any)
}
