// Requests that the official client does not make, or makes wrongly: sent by
// hand, through the same gate.

package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// request sends one request; body is JSON. path begins with / and gets no
// version; versioned gives one that has.
func (c *Client) request(ctx context.Context, k *call, method, path string, body any) (*http.Response, error) {
	return c.requestWith(ctx, k, method, path, body, nil)
}

func (c *Client) requestWith(ctx context.Context, k *call, method, path string, body any, header http.Header) (*http.Response, error) {
	var reader io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: clean(err.Error()), Err: err}
		}
		reader = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.gate.addr+path, reader)
	if err != nil {
		return nil, &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: clean(err.Error()), Err: err}
	}
	if header != nil {
		req.Header = header
	}
	req.Header.Set("User-Agent", "dscript")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, failed := c.gate.send(k, req)
	if failed != nil {
		return nil, failed
	}
	return resp, nil
}

// versioned is a path with the negotiated version before it. The segments are
// joined and escaped.
func (c *Client) versioned(ctx context.Context, segments ...string) (string, error) {
	api, err := c.ready(ctx)
	if err != nil {
		return "", err
	}
	path := "/v" + api.ClientVersion()
	for _, s := range segments {
		path += "/" + url.PathEscape(s)
	}
	return path, nil
}

// get reads a JSON answer into out, and gives it as it came.
func (c *Client) get(ctx context.Context, k *call, path string, out any) (json.RawMessage, error) {
	prefix, err := c.versioned(ctx)
	if err != nil {
		return nil, err
	}
	resp, err := c.request(ctx, k, http.MethodGet, prefix+path, nil)
	if err != nil {
		return nil, err
	}
	return c.decode(ctx, k, resp, out)
}

// decode reads an answer into out, to its end, and gives it as it came.
func (c *Client) decode(ctx context.Context, k *call, resp *http.Response, out any) (json.RawMessage, error) {
	defer discard(resp)
	raw, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(raw, out)
	}
	if err != nil {
		return nil, c.answerError(ctx, k.verb(), k.object, err)
	}
	return raw, nil
}

// discard reads what is left of a small answer, so that the connection can be
// used again, and closes it.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	_ = resp.Body.Close()
}

// failed makes an Error of what the official client returned for a call.
func (c *Client) failed(ctx context.Context, k *call, err error) error {
	switch {
	case err == nil:
		return nil
	case k.err != nil:
		return k.err
	case k.sent || ctx.Err() != nil:
		return c.answerError(ctx, k.verb(), k.object, err)
	}
	var own *Error
	if errors.As(err, &own) {
		return own.named(k.verb(), k.object)
	}
	return &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: clean(err.Error()), Err: err}
}

// checkID refuses what is no name or id of a container, so that no path of the
// API can be made up by one.
func checkID(k *call, id string) error {
	for _, r := range id {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '.' && r != '-' {
			return &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: fmt.Sprintf("%q is no name or id", id)}
		}
	}
	if id == "" || id == "." || id == ".." {
		return &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: fmt.Sprintf("%q is no name or id", id)}
	}
	return nil
}
