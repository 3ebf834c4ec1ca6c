package engine

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What engines really answered, and the kind that it is. D: Docker 20.10, N: the
// newest Docker, P: Podman 4.3.
func TestKindsOfAnswers(t *testing.T) {
	const id = "1f8acc10b8f1570856c17525f6fb877c"
	for _, test := range []struct {
		engine, op string
		status     int
		message    string
		kind       Kind
	}{
		{"D", "exec.create", 409, "Container " + id + " is not running", KindConflict},
		{"D", "exec.create", 409, "Container " + id + " is paused, unpause the container before exec", KindConflict},
		{"P", "exec.create", 500, "can only create exec sessions on running containers: container state improper", KindConflict},
		{"P", "exec.create", 409, "cannot create exec session as container " + id + " is paused", KindConflict},
		{"D", "exec.create", 400, "No exec command specified", KindInvalid},
		{"P", "exec.create", 500, "must provide a non-empty command to start an exec session: invalid argument", KindInvalid},
		{"N", "exec.create", 400, "unable to find user nobodyx: no matching entries in passwd file", KindStartFailed},
		{"P", "exec.start", 500, "unable to find group nogrp: no matching entries in group file", KindStartFailed},
		{"D", "exec.start", 404, "No such exec instance: abcd", KindNotFound},
		{"P", "exec.start", 404, "no exec session with ID abcd found: no such exec session", KindNotFound},
		{"N", "exec.resize", 404, "NotFound: process does not exist", KindNotFound},
		{"D", "container.create", 409, `Conflict. The container name "/x" is already in use by container "1"`, KindConflict},
		{"P", "container.create", 500, `creating container storage: the container name "x" is already in use by 1`, KindConflict},
		{"D", "container.create", 404, "No such image: nosuch:1", KindNotFound},
		{"P", "container.create", 404, "no such image: docker.io/library/nosuch:1: image not known", KindNotFound},
		{"D", "container.create", 400, "Invalid container name (a b)", KindInvalid},
		{"P", "container.create", 500, "running container create option: names must match [a-zA-Z0-9]: invalid argument", KindInvalid},
		{"P", "container.create", 500, "container create: container-init binary not found on the host: stat /usr/libexec/podman/catatonit", KindUnsupported},
		{"D", "container.create", 500, "invalid character 'x' looking for beginning of value", KindInvalid},
		{"D", "container.start", 400, `failed to create shim task: OCI runtime create failed: runc create failed: exec: "nosuch": executable file not found in $PATH: unknown`, KindCommandNotFound},
		{"P", "container.start", 500, `runc: runc create failed: exec: "nosuch": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found`, KindCommandNotFound},
		{"D", "container.start", 400, `failed to create shim task: OCI runtime create failed: exec: "/nope/x": stat /nope/x: no such file or directory: unknown`, KindCommandNotFound},
		{"D", "container.start", 400, `failed to create shim task: OCI runtime create failed: exec: "/etc": permission denied: unknown`, KindStartFailed},
		{"P", "container.start", 500, `runc: runc create failed: exec: "/etc": permission denied: OCI permission denied`, KindStartFailed},
		{"P", "container.start", 500, "runc: error setting rlimit type 7: operation not permitted: OCI runtime error", KindStartFailed},
		{"D", "container.start", 500, "driver failed programming external connectivity on endpoint x: Bind for 0.0.0.0:18099 failed: port is already allocated", KindStartFailed},
		{"D", "container.kill", 409, "Cannot kill container: x: Container x is not running", KindConflict},
		{"P", "container.kill", 500, "can only kill running containers. x is in state exited: container state improper", KindConflict},
		{"D", "container.remove", 409, "You cannot remove a running container x", KindConflict},
		{"P", "container.remove", 500, "cannot remove container x as it is running: container state improper", KindConflict},
		{"D", "container.unpause", 500, "Container x is not paused", KindConflict},
		{"D", "engine.info", 400, "client version 1.99 is too new. Maximum supported API version is 1.41", KindTooOld},
		{"N", "engine.info", 400, "client version 1.24 is too old. Minimum supported API version is 1.40", KindTooOld},
		{"D", "image.pull", 500, "Get \"http://x/v2/\": dial tcp: connection refused", KindPullFailed},
		{"D", "image.pull", 500, "unauthorized: authentication required", KindUnauthorized},
		{"P", "image.remove", 500, "image used by 1234: image is in use by a container", KindConflict},
		{"D", "network.remove", 403, "error while removing network: network x id 1f8a has active endpoints", KindConflict},
		{"D", "network.remove", 403, "bridge is a pre-defined network and cannot be removed", KindForbidden},
		{"P", "network.remove", 500, `"x" has associated containers with it. Use -f to forcibly delete containers and pods: network is being used`, KindConflict},
		{"P", "container.update", 404, "Not Found", KindUnsupported},
		{"P", "container.attach", 409, `preparing container 1 for attach: runc: exec: "nosuch": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found`, KindCommandNotFound},
		{"any", "container.list", 501, "not here", KindUnsupported},
		{"any", "container.list", 301, "", KindUnavailable},
		{"any", "container.list", 500, "boom", KindInternal},
	} {
		kind, _ := kindOf(test.op, test.status, test.message)
		assert.Equal(t, test.kind, kind, "%s %s: %d %s", test.engine, test.op, test.status, test.message)
	}
}

func TestNeverStarted(t *testing.T) {
	const docker = "OCI runtime exec failed: exec failed: exec: \"x\": executable file not found in $PATH: unknown\r\n"
	const podman = "Error: runc: exec failed: exec: \"x\": executable file not found in $PATH: OCI runtime attempted to invoke a command that was not found\n"
	for _, test := range []struct {
		name           string
		podman         bool
		pid, code      int
		stdout, stderr string
		yes            bool
	}{
		{"Docker", false, 0, 126, docker, "", true},
		{"newest Docker", false, 0, 127, docker, "", true},
		{"Docker, it ran", false, 99, 127, docker, "", false},
		{"Docker, other code", false, 0, 1, docker, "", false},
		{"Podman", true, 0, 127, "", podman, true},
		{"Podman, second error", true, 0, 127, "", podman + "Error: read unixpacket @->x: connection reset by peer\n", true},
		{"Podman, the command's own words", true, 0, 127, "", "Error: x\n", false},
		{"Podman, it wrote to stdout", true, 0, 127, "x", podman, false},
	} {
		text, yes := neverStarted(test.podman, test.pid, test.code, []byte(test.stdout), []byte(test.stderr))
		assert.Equal(t, test.yes, yes, test.name)
		if yes {
			assert.Equal(t, KindCommandNotFound, startKind(text), test.name)
			assert.NotContains(t, text, "unixpacket")
		}
	}
	assert.Equal(t, KindStartFailed, startKind(`chdir to cwd ("/nope") set in config.json failed: no such file or directory`))
}

func TestBodiesAreReadAsEnginesReadThem(t *testing.T) {
	create := reflect.TypeFor[container.CreateRequest]()
	for _, test := range []struct{ name, body, want string }{
		{"letter case", `{"image":"a","HOSTCONFIG":{"privileged":true,"binds":["x"]}}`, `{"HostConfig":{"Binds":["x"],"Privileged":true},"Image":"a"}`},
		{"the last wins", `{"Image":"a","image":"b","IMAGE":"c"}`, `{"Image":"c"}`},
		{"objects merge", `{"HostConfig":{"Privileged":true},"hostconfig":{"Memory":1}}`, `{"HostConfig":{"Memory":1,"Privileged":true}}`},
		{"null clears a pointer", `{"HostConfig":{"Privileged":true},"hostConfig":null}`, `{"HostConfig":null}`},
		{"names in maps are the user's", `{"labels":{"a":"1","A":"2"}}`, `{"Labels":{"A":"2","a":"1"}}`},
		{"unknown ones stay", `{"Future":{"x":1,"X":2}}`, `{"Future":{"X":2,"x":1}}`},
		{"numbers stay", `{"HostConfig":{"Memory":9007199254740993}}`, `{"HostConfig":{"Memory":9007199254740993}}`},
		{"odd letters fold as Go folds them", `{"ho\u017ftConfig":{"Privileged":true}}`, `{"HostConfig":{"Privileged":true}}`},
		{"inside lists", `{"hostconfig":{"mounts":[{"TYPE":"bind","source":"/"}]}}`, `{"HostConfig":{"Mounts":[{"Source":"/","Type":"bind"}]}}`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := finalBody([]byte(test.body), create, nil, nil)
			require.NoError(t, err)
			assert.JSONEq(t, test.want, string(got))
			// What an engine reads from the canonical form is what it reads from the original.
			var before, after container.CreateRequest
			require.NoError(t, json.Unmarshal([]byte(test.body), &before))
			require.NoError(t, json.Unmarshal(got, &after))
			assert.Equal(t, before, after)
		})
	}
	for _, bad := range []string{`{} {}`, `[]`, `{`, `{"a":1`, ``, `null`} {
		_, err := finalBody([]byte(bad), create, nil, nil)
		assert.Error(t, err, bad)
	}
}
