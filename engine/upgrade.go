// Upgrades: requests after which the connection belongs to the caller. The
// official client's hijacking calls are not used: they lose the engine's words
// when it refuses, and forget their context.

package engine

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
)

// upgraded is a connection that an engine has handed over: what is read is the
// answer's body, what is written goes to the connection below it.
type upgraded struct {
	body io.ReadCloser
	conn atomic.Pointer[net.Conn]
}

func (u *upgraded) Read(p []byte) (int, error) { return u.body.Read(p) }

func (u *upgraded) Write(p []byte) (int, error) { return (*u.conn.Load()).Write(p) }

// CloseWrite ends what is written.
func (u *upgraded) CloseWrite() error {
	w, ok := (*u.conn.Load()).(interface{ CloseWrite() error })
	if !ok {
		return http.ErrNotSupported
	}
	return w.CloseWrite()
}

// Close closes the connection itself first: closing the body of an answer
// without end would wait for a read that is under way.
func (u *upgraded) Close() error {
	err := (*u.conn.Load()).Close()
	_ = u.body.Close()
	return err
}

// upgrade sends a POST that asks for the connection (Engine API, "Hijacking" of
// container attach). 101 is the answer; 200 is that of engines and proxies that
// hand it over without a word. Everything else is an error that keeps the
// engine's text and kind.
func (c *Client) upgrade(ctx context.Context, k *call, path string, body any) (*upgraded, error) {
	return c.upgradeTo(ctx, k, path, body, http.Header{"Upgrade": {"tcp"}})
}

// upgradeTo is upgrade with a header that names the protocol.
func (c *Client) upgradeTo(ctx context.Context, k *call, path string, body any, header http.Header) (*upgraded, error) {
	u := &upgraded{}
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { u.conn.Store(&info.Conn) }}
	header.Set("Connection", "Upgrade")
	resp, err := c.requestWith(httptrace.WithClientTrace(ctx, trace), k, http.MethodPost, path, body, header)
	if err != nil {
		return nil, err
	}
	u.body = resp.Body
	switch {
	case resp.StatusCode == http.StatusSwitchingProtocols:
		return u, nil
	case resp.StatusCode == http.StatusOK && resp.ContentLength < 0:
		return u, nil
	}
	_ = u.Close()
	return nil, &Error{Op: k.verb(), Object: k.object, Kind: KindUnavailable, Status: resp.StatusCode,
		Message: "the engine did not hand over the connection: it answered " + resp.Status,
		Hint:    "a proxy between here and the engine may not pass upgrades on"}
}
