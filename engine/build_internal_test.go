package engine

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func contextOf(paths ...string) (files []BuildFile) {
	for _, p := range paths {
		switch {
		case p[len(p)-1] == '/':
			files = append(files, BuildFile{Path: p[:len(p)-1], Mode: fs.ModeDir | 0o755})
		case bytes.ContainsRune([]byte(p), '>'):
			at := bytes.IndexByte([]byte(p), '>')
			files = append(files, BuildFile{Path: p[:at], Mode: fs.ModeSymlink | 0o777, Link: p[at+1:]})
		default:
			files = append(files, TextFile(p, []byte(p)))
		}
	}
	return files
}

func TestSelection(t *testing.T) {
	files := contextOf("a/", "a/b/", "a/b/c", "a/d", "abs>/a/b", "bad>../../../etc/passwd", "dir>a", "e.go", "f.go", "loop>loop/x", "ping>pong", "pong>ping", "rel>./a/d")
	for _, test := range []struct {
		s    selection
		want []string
	}{
		{selection{}, []string{"a", "a/b", "a/b/c", "a/d", "abs", "bad", "dir", "e.go", "f.go", "loop", "ping", "pong", "rel"}},
		{selection{follow: []string{"a/b"}}, []string{"a", "a/b", "a/b/c"}},
		{selection{follow: []string{"/a/d"}}, []string{"a", "a/d"}},
		{selection{follow: []string{"*.go"}}, []string{"e.go", "f.go"}},
		{selection{follow: []string{"rel"}}, []string{"a", "a/d", "rel"}},
		{selection{follow: []string{"dir/b/c"}}, []string{"a", "a/b", "a/b/c", "dir"}},
		{selection{follow: []string{"abs"}}, []string{"a", "a/b", "a/b/c", "abs"}},
		{selection{follow: []string{"nothing"}}, nil},
		{selection{follow: []string{"../../etc/passwd", "/etc/passwd", "a/../../etc"}}, nil},
		{selection{follow: []string{"bad"}}, []string{"bad"}},
		{selection{follow: []string{"ping", "loop/x"}}, []string{"loop", "ping", "pong"}},
		{selection{include: []string{"a/d", "*.go"}}, []string{"a", "a/d", "e.go", "f.go"}},
		{selection{follow: []string{"a"}, exclude: []string{"a", "!a/b"}}, []string{"a", "a/b", "a/b/c"}},
		{selection{exclude: []string{"*", "!f.go"}}, []string{"f.go"}},
	} {
		got, err := test.s.of(files)
		require.NoError(t, err)
		var paths []string
		for _, f := range got {
			paths = append(paths, f.Path)
		}
		assert.Equal(t, test.want, paths, "%+v", test.s)
	}
	_, err := selection{exclude: []string{"[a"}}.of(files)
	assert.Error(t, err)

	plain := selectionOf(http.Header{"Followpaths": {"a+b", "c%20d"}, "Exclude-Patterns": {"*.md", "!x"}})
	assert.Equal(t, selection{follow: []string{"a+b", "c%20d"}, exclude: []string{"*.md", "!x"}}, plain)
	encoded := selectionOf(http.Header{"Include-Patterns": {"gr%C3%BCn", "a+b"}, "Include-Patterns-Encoded": {"1"}})
	assert.Equal(t, selection{include: []string{"grün", "a b"}}, encoded)
}

// ask sends messages to a session's method and gives the answers and the status.
func ask(t *testing.T, methods grpcMethods, path string, header http.Header, messages ...[]byte) (answers [][]byte, status string) {
	t.Helper()
	server := httptest.NewUnstartedServer(methods)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	var body bytes.Buffer
	for _, m := range messages {
		body.Write([]byte{0, 0, 0, byte(len(m) >> 8), byte(len(m))})
		body.Write(m)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path, &body)
	require.NoError(t, err)
	req.Header = header
	resp, err := server.Client().Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	stream := grpcStream{body: resp.Body}
	for {
		m, err := stream.receive()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		answers = append(answers, m)
	}
	return answers, resp.Trailer.Get("Grpc-Status")
}

// Whatever a session is asked for, it gives the files of its context and no other.
func TestSessionHostile(t *testing.T) {
	s := &buildSession{}
	files := contextOf("a", "dir/", "link>/etc/passwd")
	methods := grpcMethods{"/sync": s.syncing(BuildContext{Files: files, Dockerfile: TextFile("d/Dockerfile", []byte("FROM x"))})}
	dir := func(name string) http.Header { return http.Header{"Dir-Name": {name}} }
	end := packet(packetEnd, 0)
	for _, test := range []struct {
		name     string
		header   http.Header
		messages [][]byte
		status   string
		answers  int
	}{
		{"all", dir("context"), [][]byte{packet(packetRequest, 0), end}, "0", 3 + 1 + 2 + 1},
		{"the Dockerfile", dir("dockerfile"), [][]byte{packet(packetRequest, 1), end}, "0", 2 + 1 + 2 + 1},
		{"no such directory", dir("/etc"), [][]byte{end}, "2", 0},
		{"no directory", nil, [][]byte{end}, "2", 0},
		{"a file that is none of them", dir("context"), [][]byte{packet(packetRequest, 9), end}, "2", 4},
		{"a directory", dir("context"), [][]byte{packet(packetRequest, 1), end}, "2", 4},
		{"a link", dir("context"), [][]byte{packet(packetRequest, 2), end}, "2", 4},
		{"no packet", dir("context"), [][]byte{{0xff}}, "2", 4},
		{"a packet of another type", dir("context"), [][]byte{packet(9, 0)}, "2", 4},
		{"an error", dir("context"), [][]byte{appendBytes(packet(packetError, 0), 4, "no")}, "2", 4},
		{"an end too early", dir("context"), nil, "2", 4},
		{"paths above", http.Header{"Dir-Name": {"context"}, "Followpaths": {"../../etc/passwd", "/etc/passwd"}}, [][]byte{end}, "0", 1 + 1},
		{"a link that leads out", http.Header{"Dir-Name": {"context"}, "Followpaths": {"link"}}, [][]byte{end}, "0", 1 + 1 + 1},
	} {
		answers, status := ask(t, methods, "/sync", test.header, test.messages...)
		assert.Equal(t, test.status, status, test.name)
		assert.Len(t, answers, test.answers, test.name)
	}
	requests := make([][]byte, 50)
	for i := range requests {
		requests[i] = packet(packetRequest, 0)
	}
	_, _ = ask(t, methods, "/sync", dir("context"), requests...) // more than there are: it ends
	_, status := ask(t, methods, "/moby.sshforward.v1.SSH/ForwardAgent", nil)
	assert.Equal(t, "12", status)
	assert.NoError(t, s.failure())
}

func TestSessionSecrets(t *testing.T) {
	o := BuildOptions{Secrets: map[string][]byte{"key": []byte("value"), "empty": nil}}
	methods := grpcMethods{"/secret": unary(o.secret)}
	for id, want := range map[string][]byte{"key": appendBytes(nil, 1, "value"), "empty": appendBytes(nil, 1, "")} {
		answers, status := ask(t, methods, "/secret", nil, appendBytes(nil, 1, id))
		assert.Equal(t, "0", status)
		assert.Equal(t, [][]byte{want}, answers)
	}
	_, status := ask(t, methods, "/secret", nil, appendBytes(nil, 1, "../key"))
	assert.Equal(t, "5", status)
}

func TestSessionCredentials(t *testing.T) {
	o := BuildOptions{Credentials: func(_ context.Context, registry string) (string, string, error) {
		if registry != "known.test" {
			return "", "", errors.New("no helper")
		}
		return "user", "pass", nil
	}}
	methods := grpcMethods{"/credentials": unary(o.credentials)}
	answers, status := ask(t, methods, "/credentials", nil, appendBytes(nil, 1, "known.test"))
	assert.Equal(t, "0", status)
	assert.Equal(t, [][]byte{appendBytes(appendBytes(nil, 1, "user"), 2, "pass")}, answers)
	_, status = ask(t, methods, "/credentials", nil, appendBytes(nil, 1, "other.test"))
	assert.Equal(t, "2", status)
}

func FuzzProtoFields(f *testing.F) {
	f.Add(appendBytes(appendNumber(nil, 1, 1<<40), 2, "text"))
	f.Add([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01})
	f.Add([]byte{0x09, 1, 2})
	f.Fuzz(func(t *testing.T, message []byte) {
		var again []byte
		plain := true
		err := protoFields(message, func(f protoField) error {
			switch {
			case f.bytes != nil:
				again = appendBytes(again, f.number, f.bytes)
			case f.value != 0:
				again = appendNumber(again, f.number, f.value)
			default:
				plain = false
			}
			return nil
		})
		if err != nil || !plain {
			return
		}
		if err := protoFields(again, func(protoField) error { return nil }); err != nil {
			t.Error(err)
		}
		_ = (&trace{steps: map[string]*tracedStep{}}).read(message)
	})
}
