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
	"regexp"
	"strings"
)

// BuildOptions say how an image is built.
type BuildOptions struct {
	Dockerfile string            // its path in the context; "": Dockerfile
	Args       map[string]string // for ARG
	Labels     map[string]string // of the image
	Target     string            // the stage to build; "": the last
	Tags       []string          // names of the image
	Platform   string            // "linux/arm64"; "": the engine's own
	Network    string            // of RUN; "": the engine's own choice
	NoCache    bool
	Pull       bool           // the base images, also when the engine has them
	Owner      Owner          // its labels go on the image, without a nonce: a build that changes nothing gives the same image
	Progress   func(Progress) // called for each line, on the caller's goroutine; nil: no
}

// BuildImage builds an image of a context, a tar archive that is not compressed
// (POST /build), and inspects it. The classic builder does it on Docker: it knows no
// RUN --mount and no heredocs. A step that fails, and a Dockerfile that makes no
// sense, is build_failed; the message ends with the last lines that the step put out.
func (c *Client) BuildImage(ctx context.Context, tar io.Reader, o BuildOptions) (Image, error) {
	k := &call{op: "image.build", owner: o.Owner}
	if len(o.Tags) > 0 {
		k.object = o.Tags[0]
	}
	query, err := o.query(k)
	if err != nil {
		return Image{}, err
	}
	path, err := c.versioned(ctx, "build")
	if err != nil {
		return Image{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+c.gate.addr+path+"?"+query.Encode(), tar)
	if err != nil {
		return Image{}, &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: clean(err.Error()), Err: err}
	}
	req.Header.Set("Content-Type", "application/x-tar")
	req.Header.Set("User-Agent", "dscript")
	resp, failed := c.gate.send(k, req)
	if failed != nil {
		return Image{}, buildError(failed)
	}
	id, err := c.built(ctx, k, resp.Body, o.Progress)
	if err != nil {
		return Image{}, err
	}
	got, err := c.InspectImage(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return Image{}, &Error{Op: k.verb(), Object: k.object, Kind: KindTruncated, Message: "the build ended well and its image is not there", Err: err}
	}
	return got, err
}

func (o BuildOptions) query(k *call) (url.Values, error) {
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
	for name, value := range map[string]string{"dockerfile": o.Dockerfile, "target": o.Target, "platform": o.Platform, "networkmode": o.Network} {
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
	for name, values := range map[string]map[string]string{"buildargs": o.Args, "labels": labels} {
		if len(values) == 0 {
			continue
		}
		text, err := json.Marshal(values)
		if err != nil {
			return nil, &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: clean(err.Error()), Err: err}
		}
		query.Set(name, string(text))
	}
	return query, nil
}

// buildError makes one kind of what engines answer in many: what Docker refuses with
// a status before the first step, Podman reports within the stream.
func buildError(e *Error) error {
	if e.Status != 0 && (e.Kind == KindInvalid || e.Kind == KindNotFound || e.Kind == KindInternal) {
		failed := *e
		failed.Kind = KindBuildFailed
		return &failed
	}
	return e
}

// A buildMessage is one line of a build, of either engine.
type buildMessage struct {
	progressMessage
	Aux         json.RawMessage // {"ID": …} for the image
	ErrorDetail struct {
		Code    int // of the command, where it is known
		Message string
	}
}

// built reads the lines of a build to their end, closes them and gives the image's id.
func (c *Client) built(ctx context.Context, k *call, body io.ReadCloser, each func(Progress)) (id string, err error) {
	defer body.Close()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, progressLine)
	var log buildLog
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		var m buildMessage
		if err := json.Unmarshal(line, &m); err != nil {
			return "", c.answerError(ctx, k.verb(), k.object, err)
		}
		if m.ErrorDetail.Message != "" || m.Error != "" {
			return "", c.stepError(k, &log, m)
		}
		log.add(m.Stream)
		var aux struct{ ID string }
		if len(m.Aux) > 0 && json.Unmarshal(m.Aux, &aux) == nil && aux.ID != "" {
			id = imageID(aux.ID)
		}
		if each != nil {
			each(Progress{ID: m.ID, Status: m.Status, Text: m.Stream, Current: m.Detail.Current, Total: m.Detail.Total})
		}
	}
	if err := lines.Err(); err != nil {
		return "", c.answerError(ctx, k.verb(), k.object, err)
	}
	if id == "" {
		return "", c.answerError(ctx, k.verb(), k.object, errors.New("the build ended without an image"))
	}
	return id, nil
}

// podmanStatus is how Podman tells the exit code of a command.
var podmanStatus = regexp.MustCompile(`exit status (\d+)\s*$`)

// stepError is the failure of a step: which, how, and the end of its output.
func (c *Client) stepError(k *call, log *buildLog, m buildMessage) *Error {
	message := m.ErrorDetail.Message
	if message == "" {
		message = m.Error
	}
	code := ""
	if m.ErrorDetail.Code > 0 {
		code = fmt.Sprint(m.ErrorDetail.Code)
	} else if found := podmanStatus.FindStringSubmatch(message); found != nil {
		code = found[1]
	}
	if code != "" && log.step != "" {
		message = "exit code " + code
	}
	message = clean(message)
	if log.step != "" {
		message = clean(log.step) + ": " + message
	}
	if tail := log.tail(); tail != "" {
		message += ":\n" + tail
	}
	return &Error{Op: k.verb(), Object: k.object, Kind: KindBuildFailed, Status: http.StatusOK, Message: c.redact(message)}
}

// A buildLog is the step that a build is at, and the end of what it has put out.
type buildLog struct {
	step string // "step 2 (RUN make)"; Docker counts labels as steps, so that of how many says nothing
	text []byte
}

var (
	stepLine  = regexp.MustCompile(`^(?:\[[^\]]*\] )?(?i:step) (\d+)/\d+ ?: (.*)`) // Docker: "Step 1/2 : FROM x"; Podman: "[1/2] STEP 1/2: FROM x"
	colorCode = regexp.MustCompile("\x1b\\[[0-9;]*m")                              // Docker paints stderr
	ownLine   = regexp.MustCompile(`^( ---> |Removing intermediate container )`)   // of Docker's, not of the command
)

func (l *buildLog) add(text string) {
	if found := stepLine.FindStringSubmatch(strings.TrimSuffix(text, "\n")); found != nil {
		l.step, l.text = fmt.Sprintf("step %s (%s)", found[1], found[2]), nil
		return
	}
	if text = colorCode.ReplaceAllString(text, ""); ownLine.MatchString(text) {
		return
	}
	l.text = append(l.text, text...)
	if over := len(l.text) - errorMessageLimit/2; over > 0 {
		l.text = append([]byte(nil), l.text[over:]...)
	}
}

// tail is the last lines, safe to print.
func (l *buildLog) tail() string {
	const most = 20
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(l.text), "")), "\n")
	lines = lines[max(0, len(lines)-most):]
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Join(lines, "\n")
}
