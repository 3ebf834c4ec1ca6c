package builtins

// This file builds images.

import (
	"context"
	"fmt"
	"io"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const buildDoc = `
build(context=None, *, dockerfile="", dockerfile_text="", files={}, args={}, target="", tags=[], labels={}, platform="", secrets={}, cache_from=[], no_cache=False, pull=False, network="", raw={}) -> Image

Build an image. An image without tags is removed with its scope. BuildKit does it on
Docker, buildah on Podman. The same files give the same image: times and owners are
not sent. A step that fails is build_failed, with the end of its output.

context          a directory of this machine; its .dockerignore, or one named after the
                 Dockerfile (app.Dockerfile.dockerignore), tells what is left out
dockerfile       its path in the context; "": Dockerfile
dockerfile_text  its content, in place of a file; COPY does not see it
files            {path: str, bytes or host file}, in the context and over what it has there;
                 (data, 0o755) gives a mode
args             dict or list of "name=value", for ARG
target           the stage to build; "": the last
tags             names of the image: ["app:test"]
labels           dict or list of "name=value"
platform         like "linux/arm64"; "": the engine's own
secrets          {id: str, bytes or host file}, for RUN --mount=type=secret,id=…; they are
                 in no image and no cache; what a step prints of them is shown
cache_from       images whose steps may be used again
no_cache         run every step
pull             ask registries for newer base images
network          of RUN: "none", "host" or a network's name; "": the engine's choice
raw              parameters of the request to the engine, over all others;
                 {"version": "1"} chooses Docker's classic builder

>>> img = image.build(files = {"greeting": "hi\n"}, dockerfile_text = "FROM busybox\nCOPY greeting /")
>>> run(img, ["cat", "/greeting"]).stdout
"hi\n"
`

type buildArgs struct {
	Context        runtime.Opt[string]
	Dockerfile     string
	DockerfileText string
	Files          contextFiles
	Args           map[string]string
	Target         string
	Tags           []string
	Labels         map[string]string
	Platform       string
	Secrets        map[string]input
	CacheFrom      []string
	NoCache        bool
	Pull           bool
	Network        string
	Raw            *starlark.Dict
}

func (e *dockerEngine) buildImage(call *runtime.Call, a buildArgs) (img *Image, err error) {
	o, err := a.options()
	if err != nil {
		return nil, err
	}
	root, sent, err := a.context(call)
	if root != nil {
		defer root.Close()
	}
	if err != nil {
		return nil, hostError(err)
	}
	if err := call.Count(); err != nil {
		return nil, err
	}
	o.Owner = e.owner(call, false)
	name := ""
	if len(a.Tags) > 0 { // it stays as a cache does: with labels of one session, each would leave an image of its own
		name, o.Owner = a.Tags[0], engine.Owner{Kind: engine.OwnerKept}
	}
	if begin := e.d.options.Build; begin != nil {
		o.Progress = begin(name)
	}
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		got, err := client.BuildImage(ctx, sent, o)
		if err != nil {
			return hostError(err)
		}
		if _, again := e.owned.Load(got.ID); again { // the cache gave what an outer scope has
			img = e.image(call, got, nameOr(name, got.ID))
			return nil
		}
		img = e.made(call, client, got.ID, name)
		return nil
	})
	return img, did(call, err)
}

// options are those of the arguments that say nothing of files.
func (a buildArgs) options() (o engine.BuildOptions, err error) {
	o = engine.BuildOptions{Args: a.Args, Labels: a.Labels, Target: a.Target, Tags: a.Tags, Platform: a.Platform,
		CacheFrom: a.CacheFrom, NoCache: a.NoCache, Pull: a.Pull, Network: a.Network, Secrets: map[string][]byte{}}
	for id, secret := range a.Secrets {
		if o.Secrets[id], err = secretValue(secret); err != nil {
			return o, fmt.Errorf("secrets: %q: %w", id, err)
		}
	}
	o.Raw, err = rawBody(a.Raw)
	return o, err
}

// secretValue reads a secret, which BuildKit limits to 500 KB.
func secretValue(in input) ([]byte, error) {
	r, err := in.reader()
	if err != nil || r == nil {
		return nil, err
	}
	const most = 500 << 10
	value, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && len(value) > most {
		err = runtime.Errorf("invalid", "a secret holds at most 500 KiB")
	}
	return value, err
}

// contextFiles are files by their paths in a build context.
type contextFiles struct{ files files }

func (f *contextFiles) Unpack(v starlark.Value) error {
	dict, ok := v.(*starlark.Dict)
	if !ok {
		return f.files.Unpack(v)
	}
	var s seedSource
	err := s.Unpack(dict)
	f.files = s.files
	return err
}
