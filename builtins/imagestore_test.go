package builtins_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine/enginetest"
	"github.com/dscript/dscript/runtime"
)

// What the proxy answers in the place of an engine, scripts, and what they get.
func TestImageStoreAnswers(t *testing.T) {
	tests := []struct {
		name, method, path string
		status             int
		body, script       string
		kind, says         string // of the error; "": none
	}{
		{"prune all containers", "POST", "^/containers/prune", 200, `{"ContainersDeleted":["a","b"],"SpaceReclaimed":1}`,
			`assert.eq(container.prune(all = True), ["a", "b"])`, "", ""},
		{"prune no containers", "POST", "^/containers/prune", 200, `{"ContainersDeleted":null,"SpaceReclaimed":0}`,
			`assert.eq(container.prune(all = True), [])`, "", ""},
		{"prune all images", "POST", "^/images/prune.*dangling.*true", 200, `{"ImagesDeleted":[{"Untagged":"x@sha256:aa"},{"Deleted":"sha256:aa"}],"SpaceReclaimed":1}`,
			`assert.eq(image.prune(all = True), ["sha256:aa"])`, "", ""},
		{"search", "GET", "^/images/search.*limit=2.*term=box", 200, `[{"name":"busybox","description":"small","star_count":3,"is_official":true,"is_automated":false}]`,
			`assert.eq(image.search("box", limit = 2), [{"name": "busybox", "description": "small", "stars": 3, "official": True}])`, "", ""},
		{"search without a registry", "GET", "^/images/search", 500, `{"message":"dial tcp: lookup registry.invalid: no such host"}`,
			`image.search("box")`, "unavailable", "no such host"},
		{"search is refused", "GET", "^/images/search", 401, `{"message":"unauthorized"}`,
			`image.search("box")`, "unauthorized", "unauthorized"},
		{"load fails inside the answer", "POST", "^/images/load", 200, "{\"status\":\"Loading layer\"}\n{\"error\":\"no space left on device\",\"errorDetail\":{\"message\":\"no space left on device\"}}\n",
			`image.from_archive(b"x")`, "invalid", "no space left"},
		{"load of nothing", "POST", "^/images/load", 200, "{\"stream\":\"\"}\n", `image.from_archive(b"x")`, "invalid", "holds no images"},
		{"load of one that is there", "POST", "^/images/load", 200, "{\"stream\":\"Loaded image: busybox:latest\\n\"}\n",
			`assert.eq(image.from_archive(b"x"), [image("busybox")])`, "", ""},
		{"load of several by Podman", "POST", "^/images/load", 200, "{\"stream\":\"Loaded image: busybox:latest,busybox\\n\"}\n",
			`assert.eq(image.from_archive(b"x"), [image("busybox")] * 2)`, "", ""},
		{"save breaks off in words", "GET", "^/images/get", 200, `tar…{"errorDetail":{"message":"layer is gone"},"error":"layer is gone"}`,
			`image("busybox").save("out.tar")`, "internal", "layer is gone"},
		{"save breaks off in silence", "GET", "^/images/get", 200, "tar…", `image("busybox").save("out.tar")`, "truncated", ""},
		{"graph", "GET", "^/images/json", 200, `[{"Id":"sha256:bbbbbbbbbbbbbbbb","ParentId":"sha256:aaaaaaaaaaaaaaaa","RepoTags":["x:1"]},{"Id":"sha256:aaaaaaaaaaaaaaaa","ParentId":"","RepoTags":null}]`,
			`assert.eq(image.graph().splitlines(), ["digraph docker {", ' base -> "aaaaaaaaaaaa" [style=invis]', ' "aaaaaaaaaaaa" -> "bbbbbbbbbbbb"',
    ' "bbbbbbbbbbbb" [label="bbbbbbbbbbbb\\nx:1",shape=box,fillcolor="paleturquoise",style="filled,rounded"];', " base [style=invisible]", "}"])`, "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			proxy := enginetest.NewProxy(t, enginetest.Options(t))
			proxy.Add(enginetest.Fault{Method: test.method, Path: test.path, Status: test.status, Body: test.body})
			proxy.Add(enginetest.Fault{Method: http.MethodPost, Path: "/prune", Status: 500, Body: `{"message":"never the engine of this machine"}`})
			rt, err := runtime.New(config(t, proxy.Client(t)))
			require.NoError(t, err)
			s, err := rt.Run(t.Context(), "x.star", test.script)
			if test.kind != "" {
				assert.Equal(t, test.kind, runtime.KindOf(err), "%v", err)
				assert.ErrorContains(t, err, test.says)
				return
			}
			require.NoError(t, err)
			assert.NoError(t, s.Close())
		})
	}
}
