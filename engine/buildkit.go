// BuildKit: the builder that asks back for what it needs, and tells of its steps in a
// trace of protobuf messages (moby.buildkit.v1.StatusResponse).

package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// buildKit builds by BuildKit, in a session of its own.
func (c *Client) buildKit(ctx context.Context, k *call, b BuildContext, o BuildOptions, query url.Values) (id string, err error) {
	if o.Credentials == nil {
		o.Credentials = c.buildCredentials
	}
	session, err := c.openSession(ctx, k, b, o)
	if err != nil {
		return "", err
	}
	defer session.close()
	query.Set("version", "2")
	query.Set("session", session.id)
	query.Set("remote", "client-session")
	body, err := c.build(ctx, k, query, nil)
	if err != nil {
		return "", err
	}
	t := trace{each: o.Progress, steps: map[string]*tracedStep{}}
	id, err = c.buildLines(ctx, k, body, func(m buildMessage) error {
		if text, failed := m.failure(); failed {
			if err := session.failure(); err != nil && ctx.Err() == nil {
				return err // the engine's words are only that a file did not come
			}
			if ctx.Err() != nil {
				return c.contextError(ctx, k.verb(), k.object)
			}
			return c.traceError(k, &t, text)
		}
		if m.ID != "moby.buildkit.trace" {
			return nil
		}
		var status []byte
		err := json.Unmarshal(m.Aux, &status)
		if err == nil {
			err = t.read(status)
		}
		if err != nil {
			return c.answerError(ctx, k.verb(), k.object, fmt.Errorf("trace: %w", err))
		}
		return nil
	})
	return id, err
}

var (
	kitStatus = regexp.MustCompile(`exit code: (\d+)\s*$`)
	kitName   = regexp.MustCompile(`^\[(?:(\S+) +)?(\d+)/\d+\] (.*)`) // "[2/3] RUN make", "[stage 2/3] RUN make"
)

// traceError is the failure of a build by BuildKit.
func (c *Client) traceError(k *call, t *trace, message string) error {
	if strings.Contains(message, "rpc error: code = Unavailable") {
		return &Error{Op: k.verb(), Object: k.object, Kind: KindUnavailable, Message: "the connection of the build's session was lost: " + c.redact(clean(message))}
	}
	s := t.failed
	if s == nil {
		return c.buildFailed(k, "", message, "")
	}
	name := s.Name
	if found := kitName.FindStringSubmatch(s.Name); found != nil {
		stage := ""
		if found[1] != "" {
			stage = " of stage " + found[1]
		}
		name = fmt.Sprintf("step %s%s (%s)", found[2], stage, found[3])
	}
	if found := kitStatus.FindStringSubmatch(message); found != nil {
		message = "exit code " + found[1]
	}
	return c.buildFailed(k, name, message, s.text.tail())
}

// A trace is what BuildKit has told of a build until now.
type trace struct {
	steps  map[string]*tracedStep // by digest
	begun  int
	failed *tracedStep
	each   func(BuildStep)
}

// A tracedStep is one step: BuildKit calls it a vertex.
type tracedStep struct {
	BuildStep
	ended bool
	text  tailText
}

// read reads a StatusResponse{vertexes = 1, statuses = 2, logs = 3}. Statuses are how
// far transfers have come.
func (t *trace) read(status []byte) error {
	return protoFields(status, func(f protoField) error {
		switch f.number {
		case 1:
			return t.vertex(f.bytes)
		case 3:
			return t.log(f.bytes)
		}
		return nil
	})
}

// vertex reads a Vertex{digest = 1, name = 3, cached = 4, started = 5, completed = 6, error = 7}.
func (t *trace) vertex(message []byte) error {
	var digest, name, failure string
	var cached bool
	var started, completed time.Time
	err := protoFields(message, func(f protoField) (err error) {
		switch f.number {
		case 1:
			digest = string(f.bytes)
		case 3:
			name = string(f.bytes)
		case 4:
			cached = f.value != 0
		case 5:
			started, err = protoTime(f.bytes)
		case 6:
			completed, err = protoTime(f.bytes)
		case 7:
			failure = string(f.bytes)
		}
		return err
	})
	if err != nil {
		return err
	}
	s := t.steps[digest]
	if s == nil {
		s = &tracedStep{BuildStep: BuildStep{Name: name}}
		t.steps[digest] = s
	}
	if !cached && started.IsZero() && failure == "" || s.ended {
		return nil
	}
	if s.Number == 0 {
		t.begun++
		s.Number = t.begun
		t.tell(s, BuildStarted, "")
	}
	if !started.IsZero() && !completed.IsZero() {
		s.Duration = completed.Sub(started)
	}
	switch {
	case failure != "" && !strings.HasSuffix(failure, "context canceled"):
		s.ended, t.failed = true, s
		t.tell(s, BuildError, failure)
	case cached:
		s.ended = true
		t.tell(s, BuildCached, "")
	case !completed.IsZero():
		s.ended, s.text = true, tailText{}
		t.tell(s, BuildDone, "")
	}
	return nil
}

// log reads a VertexLog{vertex = 1, msg = 4}.
func (t *trace) log(message []byte) error {
	var digest string
	var text []byte
	err := protoFields(message, func(f protoField) error {
		switch f.number {
		case 1:
			digest = string(f.bytes)
		case 4:
			text = f.bytes
		}
		return nil
	})
	s := t.steps[digest]
	if err != nil || s == nil {
		return err
	}
	if !s.ended || s == t.failed {
		s.text.add(text)
	}
	t.tell(s, BuildOutput, string(text))
	return nil
}

func (t *trace) tell(s *tracedStep, state BuildState, text string) {
	if t.each == nil {
		return
	}
	step := s.BuildStep
	step.State, step.Text = state, text
	t.each(step)
}
