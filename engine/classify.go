// Classification: what an error from the wire, a context or an engine's answer is.

package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"
	"unicode/utf8"
)

const (
	errorBodyLimit    = 64 << 10
	errorMessageLimit = 4 << 10
)

// kinder is what errors of ours have, whatever package they come from.
type kinder interface{ ErrorKind() string }

// messageOf is an error's text without its operation and kind.
func messageOf(err error) string {
	var own interface{ ErrorMessage() string }
	if errors.As(err, &own) {
		return own.ErrorMessage()
	}
	return err.Error()
}

// contextError is the error of an operation whose context has ended.
func (c *Client) contextError(ctx context.Context, op, object string) *Error {
	cause := context.Cause(ctx)
	e := &Error{Op: op, Object: object, Kind: KindCancelled, Message: "cancelled", Err: cause}
	var own kinder
	switch {
	case errors.As(cause, &own) && own.ErrorKind() != "":
		e.Kind, e.Message = Kind(own.ErrorKind()), c.redact(clean(messageOf(cause)))
	case errors.Is(cause, context.DeadlineExceeded):
		e.Kind, e.Message = KindTimeout, "timed out"
	}
	return e
}

// wireError is the error of a request that got no answer.
func (c *Client) wireError(ctx context.Context, op, object string, err error) *Error {
	if ctx.Err() != nil {
		return c.contextError(ctx, op, object)
	}
	var own *Error
	if errors.As(err, &own) {
		return own.named(op, object)
	}
	e := &Error{Op: op, Object: object, Kind: KindUnavailable, Message: c.redact(clean(innermost(err))), Err: err}
	dial := isDial(err)
	switch {
	case dial && errors.Is(err, fs.ErrPermission):
		e.Message = "no permission for the engine's socket " + c.host
		e.Hint = "add this user to the group that owns the socket (usually docker) and log in again, or use sudo"
	case dial && errors.Is(err, fs.ErrNotExist):
		e.Message = "there is no engine at " + c.host + ": the socket does not exist"
		e.Hint = "is the engine running? is DOCKER_HOST right?"
	case dial && errors.Is(err, syscall.ECONNREFUSED):
		e.Message = "no engine listens at " + c.host
		e.Hint = "start the engine (systemctl start docker), or say where it is with DOCKER_HOST"
	case dial:
		e.Message = "cannot connect to the engine at " + c.host + ": " + e.Message
	case strings.Contains(e.Message, "malformed HTTP response"):
		e.Hint = "does this engine expect TLS? set DOCKER_TLS_VERIFY and DOCKER_CERT_PATH"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		e.Message = "the engine closed the connection without an answer"
	}
	return e
}

// isDial reports whether err happened before there was a connection.
func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

// innermost is the text of err without the request that net/http repeats in it.
func innermost(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Error()
	}
	return err.Error()
}

// streamError is the error of a stream that broke.
func (c *Client) streamError(op, object string, err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own.named(op, object)
	}
	return &Error{Op: op, Object: object, Kind: KindUnavailable,
		Message: "the connection to the engine was lost: " + c.redact(clean(innermost(err))), Err: err}
}

// answerError is the error of an answer that could not be read to its end.
func (c *Client) answerError(ctx context.Context, op, object string, err error) *Error {
	if ctx.Err() != nil {
		return c.contextError(ctx, op, object)
	}
	return &Error{Op: op, Object: object, Kind: KindTruncated,
		Message: "the engine's answer is not whole: " + c.redact(clean(err.Error())), Err: err}
}

// statusError is the error that an engine answered with. It closes the body.
func (c *Client) statusError(call *call, resp *http.Response) *Error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, errorBodyLimit))
	_ = resp.Body.Close()
	message := errorText(body)
	if message == "" {
		message = fmt.Sprintf("the engine answered %d %s without a message", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	e := &Error{Op: call.verb(), Object: call.object, Status: resp.StatusCode, Message: c.redact(clean(message))}
	e.Kind, e.Hint = kindOf(call.op, resp.StatusCode, message)
	return e
}

// errorText finds the message in the body of an error: JSON of Docker or
// Podman, else the text as it is.
func errorText(body []byte) string {
	var m struct {
		Message string `json:"message"`
		Cause   string `json:"cause"`
	}
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) && json.Unmarshal(body, &m) == nil {
		if m.Message == "" {
			m.Message = m.Cause
		}
		return strings.TrimSpace(m.Message)
	}
	return strings.TrimSpace(string(body))
}

// clean makes a text safe to print: control characters are escaped, bytes that
// are not UTF-8 replaced, and what is over 4 KiB cut.
func clean(s string) string {
	s = strings.TrimSpace(s)
	var b strings.Builder
	for _, r := range s {
		if b.Len() > errorMessageLimit-16 {
			b.WriteString("…")
			break
		}
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x20 || r >= 0x7f && r < 0xa0:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r == utf8.RuneError, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			b.WriteRune(utf8.RuneError)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// named is e with an operation and an object, where it has none.
func (e *Error) named(op, object string) *Error {
	n := *e
	if n.Op == "" {
		n.Op = op
	}
	if n.Object == "" {
		n.Object = object
	}
	return &n
}

func (c *Client) redact(s string) string {
	if c.opts.Redact != nil {
		s = c.opts.Redact(s)
	}
	return c.hidden.mask(s)
}
