// Images: what the engine has of them.

package engine

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"time"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
	"github.com/moby/moby/client/pkg/versions"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// An Image is what the engine says of one, typed and as it came.
type Image struct {
	image.InspectResponse
	Raw json.RawMessage
}

// ListImagesOptions narrow a list.
type ListImagesOptions struct {
	All     bool
	Filters map[string][]string
}

// PullOptions say how an image is pulled.
type PullOptions struct {
	Platform string         // "linux/arm64"; "": the engine's own
	Progress func(Progress) // called for each line, on the caller's goroutine; nil: no
}

// A Progress is one decoded line of a pull, push, load or import.
type Progress struct {
	ID, Status, Text string
	Current, Total   int64
}

// A PullPolicy says when an image is pulled.
type PullPolicy string

// The pull policies. The zero value is PullMissing.
const (
	PullMissing PullPolicy = "missing"
	PullAlways  PullPolicy = "always"
	PullNever   PullPolicy = "never"
)

// EnsureOptions say when and how an image is pulled.
type EnsureOptions struct {
	Policy PullPolicy
	PullOptions
}

// RemoveImageOptions say how an image is removed.
type RemoveImageOptions struct {
	Force   bool
	NoPrune bool // keep untagged parents
}

// ImportOptions say what an imported file system becomes.
type ImportOptions struct {
	Ref, Message string
	Changes      []string // "CMD [\"/bin/sh\"]"
	Platform     string
}

// InspectImage asks the engine about an image (GET /images/{name}/json), by name,
// digest or id.
func (c *Client) InspectImage(ctx context.Context, ref string) (Image, error) {
	return c.inspectImage(ctx, ref, nil)
}

// inspectImage asks for one platform of an image, where the engine has images of
// many (from API 1.49 on), and else for the image.
func (c *Client) inspectImage(ctx context.Context, ref string, platform *ocispec.Platform) (Image, error) {
	k := &call{op: "image.inspect", object: ref}
	if _, err := reference.ParseAnyReference(ref); err != nil {
		return Image{}, &Error{Op: k.verb(), Object: ref, Kind: KindInvalid, Message: clean(err.Error()), Err: err}
	}
	path := "/images/" + ref + "/json"
	if platform != nil {
		api, err := c.ready(ctx)
		if err != nil {
			return Image{}, err
		}
		if versions.GreaterThanOrEqualTo(api.ClientVersion(), "1.49") {
			one, err := json.Marshal(platform)
			if err != nil {
				return Image{}, err
			}
			path += "?platform=" + url.QueryEscape(string(one))
		}
	}
	var r Image
	var err error
	r.Raw, err = c.get(ctx, k, path, &r.InspectResponse)
	if err == nil && r.ID == "" {
		err = c.answerError(ctx, k.verb(), ref, errors.New("it has no id"))
	}
	return r, err
}

// listSettles is how long a list may fail because of images that are being removed.
const listSettles = 5 * time.Second

// ListImages lists images (GET /images/json). It asks again where an image is removed
// meanwhile, which Podman 4.3 takes for an error of the list.
func (c *Client) ListImages(ctx context.Context, o ListImagesOptions) ([]image.Summary, error) {
	api, err := c.ready(ctx)
	if err != nil {
		return nil, err
	}
	for start := time.Now(); ; {
		k := &call{op: "image.list"}
		r, err := api.ImageList(k.with(ctx), client.ImageListOptions{All: o.All, Filters: filters(o.Filters)})
		err = c.failed(ctx, k, err)
		if err == nil || !errors.Is(err, ErrNotFound) || time.Since(start) > listSettles || pause(ctx, execPoll) != nil {
			return r.Items, err
		}
	}
}

// TagImage gives an image another name (POST /images/{name}/tag).
func (c *Client) TagImage(ctx context.Context, source, ref string) error {
	api, err := c.ready(ctx)
	if err != nil {
		return err
	}
	k := &call{op: "image.tag", object: source}
	_, err = api.ImageTag(k.with(ctx), client.ImageTagOptions{Source: source, Target: ref})
	return c.failed(ctx, k, err)
}

// RemoveImage removes a name of an image, and the image with its last name
// (DELETE /images/{name}). The result says what was untagged and deleted.
func (c *Client) RemoveImage(ctx context.Context, ref string, o RemoveImageOptions) ([]image.DeleteResponse, error) {
	k := &call{op: "image.remove", object: ref}
	if _, err := reference.ParseAnyReference(ref); err != nil {
		return nil, &Error{Op: k.verb(), Object: ref, Kind: KindInvalid, Message: clean(err.Error()), Err: err}
	}
	api, err := c.ready(ctx)
	if err != nil {
		return nil, err
	}
	r, err := api.ImageRemove(k.with(ctx), ref, client.ImageRemoveOptions{Force: o.Force, PruneChildren: !o.NoPrune})
	return r.Items, c.failed(ctx, k, err)
}

// ImportImage makes an image of a root file system, a tar archive (POST
// /images/create?fromSrc=-), and gives its id.
func (c *Client) ImportImage(ctx context.Context, tar io.Reader, o ImportOptions) (string, error) {
	k := &call{op: "image.import", object: o.Ref}
	platform, err := parsePlatform(k, o.Platform)
	if err != nil {
		return "", err
	}
	if o.Ref != "" {
		if _, err := parseReference(k, o.Ref); err != nil {
			return "", err
		}
	}
	api, err := c.ready(ctx)
	if err != nil {
		return "", err
	}
	options := client.ImageImportOptions{Message: o.Message, Changes: o.Changes}
	if platform != nil {
		options.Platform = *platform
	}
	body, err := api.ImageImport(k.with(ctx), client.ImageImportSource{Source: tar, SourceName: "-"}, o.Ref, options)
	if err != nil {
		return "", c.failed(ctx, k, err)
	}
	id, err := c.progress(ctx, k, body, KindInvalid, nil)
	if err != nil {
		return "", err
	}
	if id == "" {
		return "", c.answerError(ctx, k.verb(), o.Ref, errors.New("it has no id"))
	}
	got, err := c.InspectImage(ctx, id)
	return got.ID, err
}
