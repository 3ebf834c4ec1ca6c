// The proxy: stands before a real engine, passes everything on as it is, and
// breaks what a test tells it to.

package enginetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dscript/dscript/engine"
)

// A Fault is what a proxy does to the requests that match. All that it says is
// done, in the order of the fields.
type Fault struct {
	// Which requests. Path is a regular expression for the path without the API
	// version and with the query; "" matches all, as an empty Method does.
	Method, Path string
	Nth          int // the Nth match from now on, counted from 1; 0: each

	Drop   bool                  // cut before the engine hears of it
	Then   func(r *http.Request) // called before the request is passed on
	Status int                   // not 0: the proxy answers in the engine's place
	Header http.Header           // of that answer
	Body   string                // of that answer

	Lose  bool          // the engine does it, and the answer is lost
	Delay time.Duration // before the answer
	Split bool          // the answer comes in single bytes
	Cut   bool          // the answer ends after After bytes
	After int           // of the stream or body; with Head, of all
	Head  bool
	Reset bool // the cut is a reset rather than a clean end

	seen int
	path *regexp.Regexp
}

// A Proxy is an engine's socket with faults. It passes on each request over a
// connection of its own, and everything as it comes.
type Proxy struct {
	Host string // "unix://…"

	t      testing.TB
	dial   func(context.Context) (net.Conn, error)
	ctx    context.Context
	mu     sync.Mutex
	faults []*Fault
	seen   []string
	conns  map[net.Conn]bool
	work   sync.WaitGroup
}

// NewProxy puts a proxy before the engine of o. It ends with the test.
func NewProxy(t testing.TB, o engine.Options) *Proxy {
	t.Helper()
	dir, err := os.MkdirTemp("", "proxy") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "engine.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	p := &Proxy{Host: "unix://" + socket, t: t, ctx: ctx, dial: dialer(t, o), conns: map[net.Conn]bool{}}
	p.work.Go(func() { p.accept(listener) })
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		p.closeAll()
		p.work.Wait()
		_ = os.RemoveAll(dir)
	})
	return p
}

// dialer connects to the engine behind the proxy.
func dialer(t testing.TB, o engine.Options) func(context.Context) (net.Conn, error) {
	network, addr, _ := strings.Cut(o.Host, "://")
	if o.TLS != nil {
		t.Skip("the proxy does not speak TLS to the engine")
	}
	if o.Dial != nil {
		return func(ctx context.Context) (net.Conn, error) { return o.Dial(ctx, network, addr) }
	}
	return func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, addr)
	}
}

// Client gives a client that reaches the engine through the proxy.
func (p *Proxy) Client(t testing.TB) *engine.Client {
	t.Helper()
	return Connect(t, engine.Options{Host: p.Host})
}

// Add adds a fault; of several that match a request, the first counts.
func (p *Proxy) Add(f Fault) {
	p.t.Helper()
	path, err := regexp.Compile(f.Path)
	if err != nil {
		p.t.Fatal(err)
	}
	f.path = path
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, &f)
}

// Clear takes all faults away.
func (p *Proxy) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
}

// Seen gives the requests that came, as "POST /containers/x/start?…".
func (p *Proxy) Seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.seen...)
}

// Count gives how many requests came whose line, as in Seen, contains text.
func (p *Proxy) Count(text string) int {
	n := 0
	for _, line := range p.Seen() {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

var version = regexp.MustCompile(`^/v[0-9.]+/`)

// match notes a request and finds the fault for it; the zero Fault does nothing.
func (p *Proxy) match(r *http.Request) Fault {
	path := version.ReplaceAllString(r.URL.RequestURI(), "/")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, r.Method+" "+path)
	for _, f := range p.faults {
		if f.Method != "" && f.Method != r.Method || !f.path.MatchString(path) {
			continue
		}
		if f.seen++; f.Nth == 0 || f.seen == f.Nth {
			return *f
		}
	}
	return Fault{}
}

func (p *Proxy) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		p.work.Go(func() {
			defer p.track(conn)()
			p.serve(conn)
		})
	}
}

// track closes a connection with the proxy, or when its user is done.
func (p *Proxy) track(conn net.Conn) (done func()) {
	p.mu.Lock()
	p.conns[conn] = true
	p.mu.Unlock()
	return func() {
		_ = conn.Close()
		p.mu.Lock()
		delete(p.conns, conn)
		p.mu.Unlock()
	}
}

func (p *Proxy) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		_ = conn.Close()
	}
}

// serve serves the one request that a connection carries.
func (p *Proxy) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	req, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	f := p.match(req)
	upgrade := req.Header.Get("Upgrade") != ""
	if f.Drop {
		return
	}
	if f.Then != nil {
		f.Then(req)
	}
	if f.Status != 0 {
		_, _ = io.Copy(io.Discard, req.Body)
		if p.sleep(f.Delay) {
			p.send(conn, f, strings.NewReader(f.answer()))
			p.linger(conn, f)
		}
		return
	}
	up, err := p.dial(p.ctx)
	if err != nil {
		return
	}
	defer p.track(up)()
	p.pass(conn, in, req, up, f, upgrade)
}

// pass passes a request and its answer on; after one that asked for an upgrade,
// the connection both ways.
func (p *Proxy) pass(conn net.Conn, in *bufio.Reader, req *http.Request, up net.Conn, f Fault, upgrade bool) {
	req.Close = !upgrade // so that the end of the answer is the end of the connection
	if !upgrade {
		req.Header.Del("Connection")
	}
	sent := make(chan error, 1)
	p.work.Go(func() {
		err := req.Write(up)
		if err == nil && upgrade {
			_, err = io.Copy(up, in)
			if half, ok := up.(interface{ CloseWrite() error }); ok && err == nil {
				err = half.CloseWrite()
			}
		}
		sent <- err
	})
	if f.Lose {
		_, _ = bufio.NewReader(up).ReadByte()
	} else if p.sleep(f.Delay) {
		p.send(conn, f, up)
		p.linger(conn, f)
	}
	_ = conn.Close()
	_ = up.Close()
	<-sent
}

// answer is the answer in the engine's place.
func (f Fault) answer() string {
	var b strings.Builder
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nConnection: close\r\n", f.Status, http.StatusText(f.Status))
	if f.Header.Get("Transfer-Encoding") == "" && f.Status != http.StatusSwitchingProtocols {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(f.Body))
	}
	_ = f.Header.Write(&b)
	return b.String() + "\r\n" + f.Body
}

// send sends an answer the way the fault wants it.
func (p *Proxy) send(conn net.Conn, f Fault, answer io.Reader) {
	if f.Cut {
		answer = cut(answer, f)
	}
	if !f.Split {
		_, _ = io.Copy(conn, answer)
		return
	}
	one := make([]byte, 1)
	for {
		if _, err := io.ReadFull(answer, one); err != nil {
			return
		}
		if _, err := conn.Write(one); err != nil {
			return
		}
	}
}

// cut ends an answer early.
func cut(answer io.Reader, f Fault) io.Reader {
	if f.Head {
		return io.LimitReader(answer, int64(f.After))
	}
	in := bufio.NewReader(answer)
	var head strings.Builder
	for {
		line, err := in.ReadString('\n')
		head.WriteString(line)
		if err != nil || line == "\r\n" {
			break
		}
	}
	return io.MultiReader(strings.NewReader(head.String()), io.LimitReader(in, int64(f.After)))
}

// linger ends an answer cleanly: a socket that is closed with input unread looks
// like a reset to the other side.
func (p *Proxy) linger(conn net.Conn, f Fault) {
	half, ok := conn.(interface{ CloseWrite() error })
	if f.Reset || !ok || half.CloseWrite() != nil {
		return
	}
	if f.Cut || f.Status != 0 {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		_, err := io.Copy(io.Discard, conn)
		if err != nil && !errors.Is(err, net.ErrClosed) && p.ctx.Err() == nil {
			p.t.Logf("proxy: %v", err)
		}
	}
}

// sleep reports whether the proxy still stands after d.
func (p *Proxy) sleep(d time.Duration) bool {
	if d == 0 {
		return p.ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.ctx.Done():
		return false
	}
}
