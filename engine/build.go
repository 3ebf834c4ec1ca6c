// Build: images come from Dockerfiles.

package engine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/moby/moby/client/pkg/versions"
)

// BuildOptions say how an image is built.
type BuildOptions struct {
	Args      map[string]string // for ARG
	Labels    map[string]string // of the image
	Target    string            // the stage to build; "": the last
	Tags      []string          // names of the image
	Platform  string            // "linux/arm64"; "": the engine's own
	Network   string            // of RUN; "": the engine's own choice
	CacheFrom []string          // images whose steps may be used again
	NoCache   bool
	Pull      bool              // the base images, also when the engine has them
	Secrets   map[string][]byte // for RUN --mount=type=secret, by their ids; they are in no request but the one for them
	Raw       map[string]any    // parameters of the request, over all others; {"version": "1"} chooses the classic builder
	Owner     Owner             // its labels go on the image, without a nonce: a build that changes nothing gives the same image
	Progress  func(BuildStep)   // called for what happens, on the caller's goroutine; nil: no

	// Credentials are asked for when a registry wants them; "" means none. nil: those
	// of Client.Credentials. Only BuildKit asks. It may be called from several
	// goroutines at once.
	Credentials func(ctx context.Context, registry string) (user, secret string, err error)
}

// A BuildStep is something that happened to a step of a build.
type BuildStep struct {
	Number   int    // 1, 2, … in the order in which the steps began
	Name     string // "[2/3] RUN make"
	State    BuildState
	Text     string        // what a running step put out, or why it failed; as it came, so not safe to print
	Duration time.Duration // of a step that is done or failed; 0 where the engine does not tell
}

// A BuildState says what happened.
type BuildState string

// The states of a step.
const (
	BuildStarted BuildState = "started"
	BuildOutput  BuildState = "output"
	BuildCached  BuildState = "cached"
	BuildDone    BuildState = "done"
	BuildError   BuildState = "failed"
)

// BuildImage builds an image of a context (POST /build) and inspects it. BuildKit does
// it where the engine has it, Podman by buildah, and engines before 1.39 by the classic
// builder. A step that fails, and a Dockerfile that makes no sense, is build_failed; the
// message ends with the last lines that the step put out. The end of ctx ends a build,
// but Podman's step that is under way, which goes on to its end.
func (c *Client) BuildImage(ctx context.Context, b BuildContext, o BuildOptions) (Image, error) {
	k := &call{op: "image.build", owner: o.Owner}
	if len(o.Tags) > 0 {
		k.object = o.Tags[0]
	}
	query, err := o.query(k, b.Dockerfile.Path)
	if err != nil {
		return Image{}, err
	}
	podman, err := c.IsPodman(ctx)
	if err != nil {
		return Image{}, err
	}
	var id string
	switch version := query.Get("version"); {
	case podman:
		id, err = c.buildah(ctx, k, b, o, query)
	case version == "1" || version == "" && !c.hasBuildKit():
		id, err = c.buildClassic(ctx, k, b, o, query)
	default:
		id, err = c.buildKit(ctx, k, b, o, query)
	}
	if err != nil {
		return Image{}, err
	}
	got, err := c.InspectImage(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Image{}, &Error{Op: k.verb(), Object: k.object, Kind: KindTruncated, Message: "the build ended well and its image is not there", Err: err}
	}
	return got, err
}

// hasBuildKit is asked of Docker that has been negotiated with.
func (c *Client) hasBuildKit() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.api != nil && versions.GreaterThanOrEqualTo(c.api.ClientVersion(), "1.39")
}

func (o BuildOptions) query(k *call, dockerfile string) (url.Values, error) {
	if _, err := parsePlatform(k, o.Platform); err != nil {
		return nil, err
	}
	query := url.Values{"rm": {"1"}, "forcerm": {"1"}}
	for _, tag := range o.Tags {
		if _, err := parseReference(k, tag); err != nil {
			return nil, err
		}
		query.Add("t", tag)
	}
	for name, value := range map[string]string{"dockerfile": dockerfile, "target": o.Target, "platform": o.Platform, "networkmode": o.Network} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, set := range map[string]bool{"nocache": o.NoCache, "pull": o.Pull} {
		if set {
			query.Set(name, "1")
		}
	}
	labels := maps.Clone(o.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	maps.Copy(labels, o.Owner.Labels())
	values := map[string]any{}
	if len(o.Args) > 0 {
		values["buildargs"] = o.Args
	}
	if len(labels) > 0 {
		values["labels"] = labels
	}
	if len(o.CacheFrom) > 0 {
		values["cachefrom"] = o.CacheFrom
	}
	maps.Copy(values, o.Raw)
	for name, value := range values {
		if text, ok := value.(string); ok {
			query.Set(name, text)
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: clean(err.Error()), Err: err}
		}
		query.Set(name, string(text))
	}
	return query, nil
}

// build asks for the build. The answer's body is to be read to its end and closed.
func (c *Client) build(ctx context.Context, k *call, query url.Values, tar io.Reader) (io.ReadCloser, error) {
	path, err := c.versioned(ctx, "build")
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.gate.addr+path+"?"+query.Encode(), tar)
	if err != nil {
		return nil, &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: clean(err.Error()), Err: err}
	}
	req.Header.Set("Content-Type", "application/x-tar")
	req.Header.Set("User-Agent", "dscript")
	resp, failed := c.gate.send(k, req)
	if failed != nil {
		return nil, buildError(failed)
	}
	return resp.Body, nil
}

// A buildMessage is one line of a build, of either engine.
type buildMessage struct {
	progressMessage
	Aux         json.RawMessage // of the image, {"ID": …}; of BuildKit, a protobuf message in base64
	ErrorDetail struct {
		Code    int // of the command, where it is known
		Message string
	}
}

func (m buildMessage) failure() (text string, failed bool) {
	if text = m.ErrorDetail.Message; text == "" {
		text = m.Error
	}
	return text, text != ""
}

// imageID is the image that the line tells of, "" when it tells of none.
func (m buildMessage) imageID() string {
	var aux struct{ ID string }
	if len(m.Aux) == 0 || json.Unmarshal(m.Aux, &aux) != nil || aux.ID == "" {
		return ""
	}
	return imageID(aux.ID)
}

// buildLines reads the lines of a build to their end and closes them. It gives the
// image's id, or the error of the first line for which each gives one.
func (c *Client) buildLines(ctx context.Context, k *call, body io.ReadCloser, each func(buildMessage) error) (id string, err error) {
	defer body.Close()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, buildLine)
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var m buildMessage
		if err := json.Unmarshal(line, &m); err != nil {
			return "", c.answerError(ctx, k.verb(), k.object, err)
		}
		if found := m.imageID(); found != "" {
			id = found
		}
		if err := each(m); err != nil {
			return "", err
		}
	}
	err = lines.Err()
	if err == nil && id == "" {
		err = errors.New("the build ended without an image")
	}
	if err != nil {
		return "", c.answerError(ctx, k.verb(), k.object, err)
	}
	return id, nil
}

const buildLine = 16 << 20 // a longer line is no engine's; BuildKit puts much output into one

// sendArchive builds of the context as an archive, while it is packed.
func (c *Client) sendArchive(ctx context.Context, k *call, b BuildContext, query url.Values, each func(buildMessage) error, more ...BuildFile) (id string, err error) {
	r, w := io.Pipe()
	var failed error
	packed := make(chan struct{})
	go func() {
		defer close(packed)
		failed = b.pack(ctx, w, more...)
		w.CloseWithError(failed)
	}()
	body, err := c.build(ctx, k, query, r)
	if err == nil {
		id, err = c.buildLines(ctx, k, body, each)
	}
	_ = r.CloseWithError(errStopped)
	<-packed
	if err != nil && failed != nil && !errors.Is(failed, errStopped) && ctx.Err() == nil {
		return "", failed // the engine's words are only that the archive is cut
	}
	return id, err
}

var errStopped = fmt.Errorf("the engine wants no more: %w", io.ErrClosedPipe)
