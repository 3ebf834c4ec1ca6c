// gRPC, the serving side: unary calls and streams over the HTTP/2 server of net/http.
// BuildKit calls back by it during a build; see buildsession.go.

package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// Codes of gRPC (google.golang.org/grpc/codes).
const (
	grpcUnknown       = 2
	grpcNotFound      = 5
	grpcUnimplemented = 12
)

// A grpcError is how a call ends that fails.
type grpcError struct {
	code    int
	message string
}

func (e *grpcError) Error() string { return e.message }

// grpcMessageLimit is what BuildKit itself takes of one message, and more than it sends.
const grpcMessageLimit = 4 << 20

// A grpcStream is one call: messages are received and sent in any order. One
// goroutine may receive while another one sends.
type grpcStream struct {
	body io.Reader
	w    http.ResponseWriter
	buf  []byte // of send
}

// receive gives the next message; io.EOF is the end of what the caller sends.
func (s *grpcStream) receive() ([]byte, error) {
	var prefix [5]byte
	if _, err := io.ReadFull(s.body, prefix[:]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(prefix[1:])
	if prefix[0] != 0 || size > grpcMessageLimit {
		return nil, fmt.Errorf("a message that is compressed or too long (%d bytes)", size)
	}
	message := make([]byte, size)
	if _, err := io.ReadFull(s.body, message); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return message, nil
}

// send sends a message, by the next flush at the latest.
func (s *grpcStream) send(message []byte) error {
	s.buf = append(s.buf[:0], 0)
	s.buf = binary.BigEndian.AppendUint32(s.buf, uint32(len(message)))
	s.buf = append(s.buf, message...)
	_, err := s.w.Write(s.buf)
	return err
}

func (s *grpcStream) flush() error { return http.NewResponseController(s.w).Flush() }

// A grpcMethod serves one call.
type grpcMethod func(r *http.Request, s *grpcStream) error

// unary is a method with one message each way.
func unary(answer func(r *http.Request, message []byte) ([]byte, error)) grpcMethod {
	return func(r *http.Request, s *grpcStream) error {
		message, err := s.receive()
		if err != nil {
			return err
		}
		reply, err := answer(r, message)
		if err != nil {
			return err
		}
		return s.send(reply)
	}
}

// grpcMethods are methods by their paths.
type grpcMethods map[string]grpcMethod

func (m grpcMethods) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/grpc")
	w.WriteHeader(http.StatusOK)
	if err := http.NewResponseController(w).Flush(); err != nil {
		return
	}
	method := m[r.URL.Path]
	if method == nil {
		method = func(*http.Request, *grpcStream) error {
			return &grpcError{grpcUnimplemented, "not served: " + r.URL.Path}
		}
	}
	code, message := 0, ""
	if err := method(r, &grpcStream{body: r.Body, w: w}); err != nil {
		code, message = grpcUnknown, err.Error()
		var own *grpcError
		if errors.As(err, &own) {
			code = own.code
		}
	}
	w.Header().Set(http.TrailerPrefix+"Grpc-Status", strconv.Itoa(code))
	if message != "" {
		w.Header().Set(http.TrailerPrefix+"Grpc-Message", url.PathEscape(message))
	}
}
