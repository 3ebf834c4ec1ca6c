// Push: images go to registries, which affirm what they have got.

package engine

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"

	"github.com/distribution/reference"
)

// PushOptions say how an image is pushed.
type PushOptions struct {
	Progress func(Progress) // called for each line, on the caller's goroutine; nil: no
}

// PushImage sends the image of a name to the registry in it (POST
// /images/{name}/push), and gives the digest that it has there. An image that the
// engine does not have is not_found; a registry that does not answer, unavailable.
func (c *Client) PushImage(ctx context.Context, ref string, o PushOptions) (digest string, err error) {
	k := &call{op: "image.push", object: ref}
	named, err := parseReference(k, ref)
	if err != nil {
		return "", err
	}
	tagged, ok := named.(reference.Tagged)
	if _, digested := named.(reference.Digested); digested || !ok {
		return "", &Error{Op: k.verb(), Object: ref, Kind: KindInvalid, Message: ref + " is not a name with a tag: only those are pushed"}
	}
	prefix, err := c.versioned(ctx)
	if err != nil {
		return "", err
	}
	header, err := c.registryHeader(ctx, k, named)
	if err != nil {
		return "", err
	}
	path := prefix + "/images/" + named.Name() + "/push?" + url.Values{"tag": {tagged.Tag()}}.Encode()
	resp, err := c.requestWith(ctx, k, http.MethodPost, path, nil, header)
	if err != nil {
		return "", err
	}
	last, err := c.progress(ctx, k, resp.Body, KindInternal, o.Progress)
	if err != nil {
		return "", err
	}
	if found := pushedDigest.FindStringSubmatch(last); found != nil {
		return found[1], nil
	}
	return "", c.answerError(ctx, k.verb(), ref, errors.New("the push ended without a digest"))
}

// pushedDigest is in the last status of a push: "1: digest: sha256:… size: 527".
var pushedDigest = regexp.MustCompile(`digest: ([a-z0-9+._-]+:[0-9a-f]{32,})`)
