// The session of a build: BuildKit asks back for files, secrets and credentials, over
// a connection that POST /session hands over. On it we are the server.

package engine

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
)

// A buildSession serves one build.
type buildSession struct {
	id     string
	conn   *upgraded
	server *http.Server
	served sync.WaitGroup
	busy   sync.RWMutex // read by each call that is served

	mu     sync.Mutex
	failed error // why files could not be sent; the engine knows only that they were not
}

// openSession offers what a build may ask for (POST /session). It must be closed.
func (c *Client) openSession(ctx context.Context, k *call, b BuildContext, o BuildOptions) (*buildSession, error) {
	id, err := c.nonce()
	if err != nil {
		return nil, err
	}
	s := &buildSession{id: id}
	methods := grpcMethods{
		"/grpc.health.v1.Health/Check":                unary(func(*http.Request, []byte) ([]byte, error) { return appendNumber(nil, 1, 1), nil }), // SERVING
		"/moby.filesync.v1.FileSync/DiffCopy":         s.syncing(b),
		"/moby.buildkit.secrets.v1.Secrets/GetSecret": unary(o.secret),
	}
	if o.Credentials != nil {
		methods["/moby.filesync.v1.Auth/Credentials"] = unary(o.credentials)
	}
	header := http.Header{
		"Upgrade":                           {"h2c"},
		"X-Docker-Expose-Session-Uuid":      {id},
		"X-Docker-Expose-Session-Name":      {"dscript"},
		"X-Docker-Expose-Session-Sharedkey": {id}, // BuildKit compares by size and time with what the last session of the same key sent, and all times are the same
	}
	for path := range methods {
		header.Add("X-Docker-Expose-Session-Grpc-Method", path)
	}
	path, err := c.versioned(ctx, "session")
	if err != nil {
		return nil, err
	}
	s.conn, err = c.upgradeTo(ctx, k, path, nil, header)
	if err != nil {
		return nil, err
	}
	s.server = &http.Server{Handler: methods, Protocols: new(http.Protocols), ErrorLog: log.New(io.Discard, "", 0)}
	s.server.Protocols.SetUnencryptedHTTP2(true)
	l := &oneConn{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	l.conns <- sessionConn{Conn: *s.conn.conn.Load(), u: s.conn}
	s.served.Go(func() { _ = s.server.Serve(l) })
	return s, nil
}

// close ends the session; with it ends a build that still runs.
func (s *buildSession) close() {
	_ = s.conn.Close()
	_ = s.server.Close()
	s.served.Wait()
	s.busy.Lock()
	defer s.busy.Unlock()
}

func (s *buildSession) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = err
	}
}

func (s *buildSession) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// secret answers GetSecretRequest{ID = 1} by GetSecretResponse{data = 1}.
func (o BuildOptions) secret(_ *http.Request, message []byte) ([]byte, error) {
	id, err := protoString(message, 1)
	if err != nil {
		return nil, err
	}
	value, ok := o.Secrets[id]
	if !ok {
		return nil, &grpcError{grpcNotFound, "secret " + id + " is not given"}
	}
	return appendBytes(nil, 1, value), nil
}

// credentials answers CredentialsRequest{Host = 1} by CredentialsResponse{Username = 1, Secret = 2}.
func (o BuildOptions) credentials(r *http.Request, message []byte) ([]byte, error) {
	host, err := protoString(message, 1)
	if err != nil {
		return nil, err
	}
	user, secret, err := o.Credentials(r.Context(), host)
	if err != nil {
		return nil, err
	}
	return appendBytes(appendBytes(nil, 1, user), 2, secret), nil
}

// A sessionConn reads what the answer's body has; the rest is the connection's.
type sessionConn struct {
	net.Conn
	u *upgraded
}

func (c sessionConn) Read(p []byte) (int, error) { return c.u.Read(p) }
func (c sessionConn) Close() error               { return c.u.Close() }

// oneConn is a listener with one connection.
type oneConn struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

var errListener = errors.New("closed")

func (l *oneConn) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, errListener
	}
}

func (l *oneConn) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *oneConn) Addr() net.Addr { return &net.UnixAddr{Name: "session", Net: "unix"} }
