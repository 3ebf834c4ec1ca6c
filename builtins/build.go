package builtins

// This file builds images.

import (
	"context"
	"errors"
	"io"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const buildDoc = `
build(context=None, *, dockerfile="", dockerfile_text="", files={}, args={}, target="", tags=[], labels={}, platform="", no_cache=False, pull=False, network="") -> Image

Build an image. An image without tags is removed with its scope. Docker's classic
builder does it, which knows neither RUN --mount nor heredocs.

context          a directory of this machine, sent without what its .dockerignore names
dockerfile       its path in the context; "": Dockerfile
dockerfile_text  its content, in place of a file
files            {path: str, bytes or host file}, in the context and over what it has there;
                 (data, 0o755) gives a mode
args             dict or list of "name=value", for ARG
target           the stage to build; "": the last
tags             names of the image: ["app:test"]
labels           dict or list of "name=value"
platform         like "linux/arm64"; "": the engine's own
no_cache         run every step
pull             ask registries for newer base images
network          of RUN: "none", "host" or a network's name; "": the engine's choice

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
	NoCache        bool
	Pull           bool
	Network        string
}

func (e *dockerEngine) buildImage(call *runtime.Call, a buildArgs) (img *Image, err error) {
	sent, err := a.context(call)
	if err != nil {
		return nil, err
	}
	defer sent.close()
	if err := call.Count(); err != nil {
		return nil, err
	}
	o := engine.BuildOptions{Dockerfile: sent.dockerfile, Args: a.Args, Labels: a.Labels, Target: a.Target, Tags: a.Tags, Platform: a.Platform,
		NoCache: a.NoCache, Pull: a.Pull, Network: a.Network, Owner: e.owner(call, false)}
	name := ""
	if len(a.Tags) > 0 { // it stays as a cache does: with labels of one session, each would leave an image of its own
		name, o.Owner = a.Tags[0], engine.Owner{Kind: engine.OwnerKept}
	}
	if tell := e.d.options.Progress; tell != nil {
		o.Progress = func(p engine.Progress) { tell(name, p) }
	}
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		got, err := buildOf(ctx, client, sent, o)
		if err != nil {
			return err
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

// buildOf builds while the context is packed.
func buildOf(ctx context.Context, client *engine.Client, sent *buildContext, o engine.BuildOptions) (engine.Image, error) {
	r, w := io.Pipe()
	var failed error
	written := make(chan struct{})
	go func() {
		defer close(written)
		b := newBuffered(w)
		failed = sent.pack(ctx, b)
		if failed == nil {
			failed = b.Flush()
		}
		w.CloseWithError(failed)
	}()
	got, err := client.BuildImage(ctx, r, o)
	_ = r.CloseWithError(errStopped)
	<-written
	if failed != nil && !errors.Is(failed, errStopped) && ctx.Err() == nil {
		return engine.Image{}, failed // the engine's words are only that the archive is cut
	}
	return got, err
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
