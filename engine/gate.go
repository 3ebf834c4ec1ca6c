// The gate: every request and every upgrade to an engine passes here, whoever
// built it. Here raw parameters are merged, labels written, the policy asked,
// errors read and traces made.

package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// A call is what the gate knows of a request besides the request itself.
type call struct {
	op     string // "container.create"
	object string
	owner  Owner
	raw    map[string]any       // merged last into a JSON body
	finish func(map[string]any) // then changes that body; it runs before the policy
	err    *Error               // what the gate refused or the engine answered
	sent   bool                 // the gate was reached
}

type callKey struct{}

// with gives a context that tells the gate of the call.
func (k *call) with(ctx context.Context) context.Context {
	return context.WithValue(ctx, callKey{}, k)
}

// verb is the operation as errors name it: "create" of "container.create", but
// "exec" of "exec.create".
func (k *call) verb() string {
	noun, verb, ok := strings.Cut(k.op, ".")
	switch {
	case !ok || noun == "exec":
		return noun
	}
	return verb
}

// errGate is what the official client sees of an error that the call holds.
var errGate = errors.New("stopped at the gate")

// A gate is an http.RoundTripper over one transport.
type gate struct {
	c         *Client
	transport *http.Transport
	scheme    string
	addr      string // the URL's host
	host      string // the Host header
	prefix    string // of the path, where an engine lives below one
}

// RoundTrip sends a request of the official client.
func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	k, ok := req.Context().Value(callKey{}).(*call)
	if !ok {
		k = &call{op: strings.ToLower(req.Method)}
	}
	resp, err := g.send(k, req)
	if err != nil {
		k.err = err
		return nil, errGate
	}
	return resp, nil
}

// send sends a request. An answer that is no success is an error.
func (g *gate) send(k *call, req *http.Request) (*http.Response, *Error) {
	k.sent = true
	ctx := req.Context()
	out := *req
	where := *req.URL
	out.URL = &where
	body, err := g.prepare(k, &out)
	if err == nil && g.c.opts.Policy != nil {
		err = g.judge(ctx, k, &out, body)
	}
	if err != nil {
		g.trace(k, &out, 0, 0, err)
		return nil, err
	}
	where.Scheme, where.Host, out.Host = g.scheme, g.addr, g.host
	if g.prefix != "" {
		where.Path = g.prefix + where.Path
	}
	start := g.c.now()
	resp, err := g.exchange(k, &out)
	status := 0
	if resp != nil {
		status = resp.StatusCode
	} else if err != nil {
		status = err.Status
	}
	g.trace(k, req, status, g.c.now().Sub(start), err)
	return resp, err
}

// exchange asks the engine. Reading is tried again when the connection broke
// before an answer; nothing else ever is.
func (g *gate) exchange(k *call, req *http.Request) (*http.Response, *Error) {
	resp, err := g.transport.RoundTrip(req)
	if req.Method == http.MethodGet && req.Body == nil {
		for delay := 50 * time.Millisecond; err != nil && delay < time.Second && !isDial(err) && req.Context().Err() == nil; delay *= 4 {
			if pause(req.Context(), delay) != nil {
				break
			}
			resp, err = g.transport.RoundTrip(req)
		}
	}
	if err != nil {
		return nil, g.c.wireError(req.Context(), k.verb(), k.object, err)
	}
	if s := resp.StatusCode; s >= 200 && s < 300 || s == http.StatusSwitchingProtocols || s == http.StatusNotModified {
		return resp, nil
	}
	return nil, g.c.statusError(k, resp)
}

// prepare makes the final body, and gives it when it is JSON and somebody looks at it.
func (g *gate) prepare(k *call, req *http.Request) ([]byte, *Error) {
	if req.Body == nil || req.Body == http.NoBody || req.Header.Get("Content-Type") != "application/json" {
		return nil, nil
	}
	if k.raw == nil && k.finish == nil && g.c.opts.Policy == nil {
		return nil, nil
	}
	body, err := io.ReadAll(req.Body)
	_ = req.Body.Close()
	if err == nil {
		body, err = finalBody(body, bodyType(apiPath(req.URL)), k.raw, k.finish)
	}
	if err != nil {
		return nil, &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: "body of the request: " + clean(err.Error()), Err: err}
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	req.GetBody = nil
	req.ContentLength = int64(len(body))
	return body, nil
}

// judge asks the policy.
func (g *gate) judge(ctx context.Context, k *call, req *http.Request, body []byte) *Error {
	path := apiPath(req.URL)
	if req.URL.RawQuery != "" {
		path += "?" + req.URL.RawQuery
	}
	err := g.c.opts.Policy(ctx, Request{Op: k.op, Method: req.Method, Path: path, Object: k.object, Owner: k.owner, Body: body})
	if err == nil {
		return nil
	}
	if req.Body != nil {
		_ = req.Body.Close()
	}
	if ctx.Err() != nil {
		return g.c.contextError(ctx, k.verb(), k.object)
	}
	return &Error{Op: k.verb(), Object: k.object, Kind: KindDenied, Message: g.c.redact(clean(err.Error())), Err: err}
}

func (g *gate) trace(k *call, req *http.Request, status int, took time.Duration, err *Error) {
	if g.c.opts.Trace == nil {
		return
	}
	t := Trace{Op: k.op, Method: req.Method, Path: g.c.redact(maskQuery(req.URL)), Object: k.object, Status: status, Duration: took}
	if err != nil {
		t.Err = err.Error()
	}
	g.c.opts.Trace(t)
}

// secretParams are parameters of requests that may hold secrets in their values.
var secretParams = []string{"buildargs", "fromSrc", "remote", "changes"}

// maskQuery is a URL's path with a query that holds no secret.
func maskQuery(u *url.URL) string {
	path := apiPath(u)
	if u.RawQuery == "" {
		return path
	}
	query := u.Query()
	for _, name := range secretParams {
		if query.Has(name) {
			query.Set(name, "***")
		}
	}
	return path + "?" + query.Encode()
}

// apiPath is a URL's path without the version of the API.
func apiPath(u *url.URL) string {
	rest, ok := strings.CutPrefix(u.Path, "/v")
	if !ok {
		return u.Path
	}
	version, rest, ok := strings.Cut(rest, "/")
	if !ok || strings.Trim(version, "0123456789.") != "" {
		return u.Path
	}
	return "/" + rest
}

// pause waits for d, or for the context's end.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
