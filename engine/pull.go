// Pull: images come from registries, and prove that they came.

package engine

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// PullImage pulls an image (POST /images/create) and inspects it. A failure that
// the engine reports inside its answer is an error like any other. The registry in
// its name is told who asks, see Credentials.
func (c *Client) PullImage(ctx context.Context, ref string, o PullOptions) (Image, error) {
	k := &call{op: "image.pull", object: ref}
	named, err := parseReference(k, ref)
	if err != nil {
		return Image{}, err
	}
	if _, err := parsePlatform(k, o.Platform); err != nil {
		return Image{}, err
	}
	query := url.Values{"fromImage": {named.Name()}, "tag": {tagOf(named)}}
	if o.Platform != "" {
		query.Set("platform", o.Platform)
	}
	path, err := c.versioned(ctx, "images", "create")
	if err != nil {
		return Image{}, err
	}
	header, err := c.registryHeader(ctx, k, named)
	if err != nil {
		return Image{}, err
	}
	resp, err := c.requestWith(ctx, k, http.MethodPost, path+"?"+query.Encode(), nil, header)
	if err != nil {
		return Image{}, pullError(err)
	}
	if _, err := c.progress(ctx, k, resp.Body, KindPullFailed, o.Progress); err != nil {
		return Image{}, err
	}
	got, err := c.InspectImage(ctx, ref)
	if errors.Is(err, ErrNotFound) {
		return Image{}, &Error{Op: "pull", Object: ref, Kind: KindTruncated, Message: "the pull ended without a word and the image is not there", Err: err}
	}
	return got, err
}

// pullError makes one kind of what engines answer in many: Docker says 500 where
// newer ones say 404, for a tag that a registry does not have.
func pullError(err error) error {
	var own *Error
	if errors.As(err, &own) && (own.Kind == KindNotFound || own.Kind == KindInternal || own.Kind == KindForbidden) {
		e := *own
		e.Kind = KindPullFailed
		return &e
	}
	return err
}

// EnsureImage gives an image, pulled when the policy says so. One that is there
// for another platform than the one asked for is missing.
func (c *Client) EnsureImage(ctx context.Context, ref string, o EnsureOptions) (Image, error) {
	switch o.Policy {
	case PullAlways:
		return c.PullImage(ctx, ref, o.PullOptions)
	case PullMissing, PullNever, "":
	default:
		return Image{}, &Error{Op: "pull", Object: ref, Kind: KindInvalid, Message: "unknown pull policy " + string(o.Policy), Hint: "missing, always or never"}
	}
	platform, err := parsePlatform(&call{op: "image.pull", object: ref}, o.Platform)
	if err != nil {
		return Image{}, err
	}
	got, err := c.inspectImage(ctx, ref, platform)
	if err == nil && !got.is(platform) {
		err = &Error{Op: "inspect", Object: ref, Kind: KindNotFound,
			Message: fmt.Sprintf("image %s is here for %s/%s, not for %s", ref, got.Os, got.Architecture, o.Platform)}
	}
	if errors.Is(err, ErrNotFound) && o.Policy != PullNever {
		return c.PullImage(ctx, ref, o.PullOptions)
	}
	if err != nil {
		return Image{}, err
	}
	return got, nil
}

// is reports whether an image is for the platform. Variants that only one side
// names are not compared: engines leave them out where there is only one.
func (i Image) is(p *ocispec.Platform) bool {
	return p == nil || p.OS == i.Os && p.Architecture == i.Architecture &&
		(p.Variant == "" || i.Variant == "" || p.Variant == i.Variant)
}

// parseReference reads a name of an image as Docker does.
func parseReference(k *call, ref string) (reference.Named, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return nil, &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: clean(err.Error()), Err: err}
	}
	return reference.TagNameOnly(named), nil
}

// tagOf is the tag or digest, as the engine takes it.
func tagOf(named reference.Named) string {
	if digested, ok := named.(reference.Digested); ok {
		return digested.Digest().String()
	}
	if tagged, ok := named.(reference.Tagged); ok {
		return tagged.Tag()
	}
	return ""
}

const progressLine = 1 << 20 // a longer line is no engine's

// progress reads the lines of a pull, import, load or push to their end, and
// closes them. It gives the last status. An error inside is of the given kind, unless
// its words say better.
func (c *Client) progress(ctx context.Context, k *call, body io.ReadCloser, kind Kind, each func(Progress)) (last string, err error) {
	defer body.Close()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, progressLine)
	for lines.Scan() {
		line := bytes.TrimLeft(bytes.TrimSpace(lines.Bytes()), "\x1e")
		if len(line) == 0 {
			continue
		}
		var m progressMessage
		if err := json.Unmarshal(line, &m); err != nil {
			return last, c.answerError(ctx, k.verb(), k.object, err)
		}
		if text := m.failure(); text != "" {
			e := &Error{Op: k.verb(), Object: k.object, Status: http.StatusOK, Message: c.redact(clean(text))}
			e.Kind, e.Hint = kindInside(k.op, text, kind)
			return last, e
		}
		if m.Status != "" {
			last = m.Status
		}
		if each != nil {
			p := m.Detail
			each(Progress{ID: m.ID, Status: m.Status, Text: m.Stream, Current: p.Current, Total: p.Total})
		}
	}
	if err := lines.Err(); err != nil {
		return last, c.answerError(ctx, k.verb(), k.object, err)
	}
	return last, nil
}

// kindInside is the kind of an error inside an answer. What a registry said has the
// kind that it has as an answer of its own.
func kindInside(op, text string, kind Kind) (Kind, string) {
	if op != "image.push" && op != "image.pull" {
		return kind, ""
	}
	own, hint := kindOf(op, http.StatusInternalServerError, text)
	if own == KindInternal || op == "image.pull" && own != KindUnauthorized {
		return kind, hint
	}
	return own, hint
}

// A progressMessage is one line, of either engine.
type progressMessage struct {
	ID, Status, Stream string
	Detail             struct{ Current, Total int64 } `json:"progressDetail"`
	Error              string
	ErrorDetail        struct{ Message string }
}

func (m progressMessage) failure() string {
	if m.ErrorDetail.Message != "" {
		return m.ErrorDetail.Message
	}
	return m.Error
}
