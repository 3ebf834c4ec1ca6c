// What differs between engines, in one table: the words and statuses that each
// gives for the same mistake, and the kind that we make of it. Docker is known
// from 20.10 to 29, Podman from 4.3.

package engine

import (
	"net/http"
	"strings"
)

// A quirk turns an engine's words into a kind. The first row that matches wins.
type quirk struct {
	op     string // of the call, or its beginning ("exec."); "": any
	status int    // 0: any
	text   string // lower case, contained in the message; "": any
	kind   Kind
	hint   string
}

const hintPort = "another container or program holds the port; let the engine choose a free one"

const hintName = "remove the container that has the name, or give another one"

const hintLogin = `engine.login(registry, username, password) says who you are`

const hintRegistry = "the engine itself asks the registry: can it reach it?"

var quirks = []quirk{
	// what registries said; in the answer of a pull or push it counts as status 500
	{status: 500, text: "no basic auth credentials", kind: KindUnauthorized, hint: hintLogin},
	{status: 500, text: "authentication required", kind: KindUnauthorized, hint: hintLogin},
	{status: 500, text: "unauthorized", kind: KindUnauthorized, hint: hintLogin},
	{op: "image.push", text: "requested access to the resource is denied", kind: KindUnauthorized, hint: hintLogin},
	{op: "image.push", text: "does not exist locally", kind: KindNotFound},
	{op: "image.push", text: "server gave http response to https client", kind: KindUnavailable, hint: "the registry speaks plain HTTP: the engine's configuration must list it as insecure"},
	{op: "image.push", text: "dial tcp", kind: KindUnavailable, hint: hintRegistry},
	{op: "engine.login", text: "server gave http response to https client", kind: KindUnavailable, hint: "the registry speaks plain HTTP: the engine's configuration must list it as insecure"},
	{op: "engine.login", text: "dial tcp", kind: KindUnavailable, hint: hintRegistry},
	{op: "engine.login", text: "invalid username/password", kind: KindUnauthorized},

	// a name that is taken; Podman answers 500
	{op: "container.", text: "is already in use by", kind: KindConflict, hint: hintName},
	{op: "container.", text: "name is already in use", kind: KindConflict, hint: hintName},

	// versions: JSON from 25 on, plain text before; Podman accepts every version
	{status: 400, text: "client version", kind: KindTooOld, hint: "this engine and dscript have no API version in common"},

	// the process never started; where the kind is "", startKind reads the words
	{op: "container.start", text: "port is already allocated", kind: KindStartFailed, hint: hintPort},
	{op: "container.start", text: "address already in use", kind: KindStartFailed, hint: hintPort},
	{op: "container.start", text: "error setting rlimit", kind: KindStartFailed, hint: "the engine asks for higher limits than this machine gives it: set default_ulimits in containers.conf"},
	{op: "container.start", text: "oci runtime"}, // 400 of Docker, 500 of Podman
	{op: "container.start", text: "failed to create"},
	{op: "container.attach", text: "oci runtime"}, // Podman prepares the process when it is attached to
	{op: "container.start", text: "unable to find user", kind: KindStartFailed},
	{op: "container.start", text: "unable to find group", kind: KindStartFailed},
	{op: "container.start", text: "no matching entries in", kind: KindStartFailed},
	{op: "container.start", status: 400},
	{op: "exec.", text: "unable to find user", kind: KindStartFailed},  // 500 at start (Podman), 400 at create (Docker 29)
	{op: "exec.", text: "unable to find group", kind: KindStartFailed}, // the same
	{op: "exec.", text: "no matching entries in", kind: KindStartFailed},

	// Podman answers 500 to what Docker answers 409, 404 or 400
	{status: 500, text: "container state improper", kind: KindConflict},
	{status: 500, text: "is already in use", kind: KindConflict},
	{status: 500, text: "image is in use", kind: KindConflict},
	{status: 500, text: "image used by", kind: KindConflict},
	{status: 500, text: "image not known", kind: KindNotFound},
	{status: 500, text: "no such ", kind: KindNotFound},
	{status: 500, text: "could not find the file", kind: KindNotFound},
	{status: 500, text: "process does not exist", kind: KindConflict},
	{op: "network.remove", status: 500, text: "network is being used", kind: KindConflict},
	{status: 500, text: "invalid argument", kind: KindInvalid},
	{status: 500, text: "names must match", kind: KindInvalid},
	{status: 500, text: "invalid reference format", kind: KindInvalid},
	{status: 500, text: "parsing reference", kind: KindInvalid},
	{status: 500, text: "container-init binary not found", kind: KindUnsupported, hint: "install catatonit, or create the container without init"},

	// Docker answers 403 to what is in use
	{op: "network.remove", status: 403, text: "has active endpoints", kind: KindConflict},

	// Docker 20.10 answers 500 to a body that it cannot read
	{status: 500, text: "invalid character", kind: KindInvalid},
	{status: 500, text: "cannot unmarshal", kind: KindInvalid},
	{status: 500, text: "is not paused", kind: KindConflict},
}

func (q quirk) matches(op string, status int, text string) bool {
	return strings.HasPrefix(op, q.op) && (q.status == 0 || q.status == status) && strings.Contains(text, q.text)
}

// kindOf is the kind of an error answer, and a hint where there is one.
func kindOf(op string, status int, message string) (Kind, string) {
	text := strings.ToLower(message)
	if status == http.StatusNotFound && (text == "not found" || text == "page not found") {
		return KindUnsupported, "the engine does not know this request" // Podman, of what it has not
	}
	for _, q := range quirks {
		if status < 400 || status == http.StatusNotFound || !q.matches(op, status, text) {
			continue
		}
		if q.kind == "" {
			return startKind(message), q.hint
		}
		return q.kind, q.hint
	}
	switch status {
	case http.StatusBadRequest:
		return KindInvalid, ""
	case http.StatusUnauthorized:
		return KindUnauthorized, ""
	case http.StatusForbidden:
		return KindForbidden, ""
	case http.StatusNotFound:
		return KindNotFound, ""
	case http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return KindUnsupported, ""
	case http.StatusConflict, http.StatusNotModified:
		return KindConflict, ""
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return KindTimeout, ""
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusTooManyRequests:
		return KindUnavailable, ""
	}
	if strings.HasPrefix(op, "image.pull") {
		return KindPullFailed, ""
	}
	if op == "container.start" && status >= 400 {
		return startKind(message), ""
	}
	if status < 400 {
		return KindUnavailable, "" // a redirect, or an answer from something that is no engine
	}
	return KindInternal, ""
}

// A process that never started: Docker sends its own error text as the output of
// the process (stdout, in a 101), with exit code 126 (20.10) or 126…128, and no
// pid. Podman sends it on stderr, with 125…128, and never keeps the pid.
// neverStarted gives that text, cleaned of what the engine puts around it.
func neverStarted(podman bool, pid, exitCode int, stdout, stderr []byte) (text string, yes bool) {
	if exitCode < 125 || exitCode > 128 || pid != 0 {
		return "", false
	}
	if !podman {
		return strings.TrimSpace(string(stdout) + string(stderr)), exitCode != 125
	}
	text, ok := strings.CutPrefix(string(stderr), "Error: ")
	if !ok || len(stdout) > 0 || !strings.Contains(text, "exec failed: ") && !strings.Contains(text, "OCI ") && !strings.Contains(text, "executable file") {
		return "", false
	}
	text, _, _ = strings.Cut(text, "\nError: read unixpacket")
	return strings.TrimSpace(text), true
}

// startKind tells from the engine's words why a process did not start.
func startKind(text string) Kind {
	missing := strings.Contains(text, "executable file not found") ||
		strings.Contains(text, "exec: ") && strings.Contains(text, "no such file or directory")
	if missing && !strings.Contains(text, "chdir to cwd") {
		return KindCommandNotFound
	}
	return KindStartFailed
}
