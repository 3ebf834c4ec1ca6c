package builtins

// This file is the noun image and the Image value.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// An Image is an image of an engine, known by its id. Two are equal when engine
// and id are.
type Image struct {
	engine  *dockerEngine
	session *runtime.Session
	id      string
	name    string // as the script named it, or its first tag
}

var (
	_ starlark.HasAttrs   = (*Image)(nil)
	_ starlark.Comparable = (*Image)(nil)
	_ runtime.Tabler      = (*Image)(nil)
)

const imageTypeDoc = `
Image

An image of an engine. All but id and name is asked each time.
`

func (e *dockerEngine) declareImageType() *runtime.TypeDecl {
	members := []runtime.Member{
		runtime.Attr("id -> string\n\nIts id, with sha256: before it.", func(_ *runtime.Call, i *Image) (any, error) { return i.id, nil }),
		runtime.Attr("name -> string\n\nThe name that it was asked for by, or its first tag.", func(_ *runtime.Call, i *Image) (any, error) { return i.name, nil }),
		runtime.Attr("tags -> list\n\nAll names that it has.", askedImage(func(i engine.Image) any { return orEmpty(i.RepoTags) })),
		runtime.Attr("digests -> list\n\nName and digest for each repository that it is known in.", askedImage(func(i engine.Image) any { return orEmpty(i.RepoDigests) })),
		runtime.Attr("size -> int\n\nIts size in bytes, as the engine counts it.", askedImage(func(i engine.Image) any { return i.Size })),
		runtime.Attr("platform -> string\n\nLike \"linux/amd64\".", askedImage(imagePlatform)),
		runtime.Attr("labels -> dict\n\nIts labels.", askedImage(func(i engine.Image) any {
			if i.Config == nil || i.Config.Labels == nil {
				return map[string]string{}
			}
			return i.Config.Labels
		})),
		runtime.Func(tagImageDoc, e.tagImage).As("tag"),
		runtime.Func(pushDoc, e.push).As("push"),
		runtime.Func(removeImageDoc, e.removeImage).As("remove"),
		runtime.Func(inspectImageDoc, e.inspectImage).As("inspect"),
	}
	return runtime.Type[*Image](imageTypeDoc, append(members, e.declareImageVerbs()...)...)
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

func imagePlatform(i engine.Image) any {
	p := i.Os + "/" + i.Architecture
	if i.Variant != "" {
		p += "/" + i.Variant
	}
	return p
}

// askedImage makes an attribute that is read off the engine's answer each time.
func askedImage(read func(engine.Image) any) func(*runtime.Call, *Image) (any, error) {
	return func(call *runtime.Call, i *Image) (any, error) {
		got, err := i.inspect(call)
		if err != nil {
			return nil, err
		}
		return read(got), nil
	}
}

func (i *Image) inspect(call *runtime.Call) (got engine.Image, err error) {
	err = i.engine.with(call, func(ctx context.Context, client *engine.Client) error {
		got, err = client.InspectImage(ctx, i.id)
		return err
	})
	return got, err
}

const imageDoc = `
image(ref, *, pull="missing", platform="") -> Image

An image of the engine, pulled when it is missing. Images are a cache: they stay
when the script ends.

ref       a reference like "postgres:16", or an id
pull      "missing", "always" or "never"
platform  like "linux/arm64"; "": the engine's own

>>> image("busybox").platform.split("/")[0]
"linux"
`

const getImageDoc = `
get(ref, default=None) -> Image

Find an image that the engine has; nothing is pulled.

ref      a reference or an id
default  given instead when there is none; without it that is an error of kind not_found
`

const listImagesDoc = `
list(*, all=False, filters={}) -> list

The images of the engine.

all      those without a name that are part of others, too
filters  {"reference": "postgres", "dangling": "true"}, as the engine's API names them
`

const pullImageDoc = `
pull(ref, *, platform="") -> Image

Pull an image, also when the engine has one of that name.

ref       a reference like "postgres:16"
platform  like "linux/arm64"; "": the engine's own
`

const fromTarDoc = `
from_tar(file, ref="", *, changes=[], message="", platform="") -> Image

Make an image of the root file system in a tar archive.

file      host.open(path), or bytes
ref       its name; "": it has none, and is removed with its scope
changes   lines of a Dockerfile: 'CMD ["/bin/sh"]'
message   a comment in its history
platform  like "linux/arm64"; "": the engine's own
`

func (e *dockerEngine) declareImage() runtime.Member {
	members := []runtime.Member{
		runtime.Func(getImageDoc, e.getImage),
		runtime.Func(listImagesDoc, e.listImages),
		runtime.Func(pullImageDoc, e.pullImage),
		runtime.Func(fromTarDoc, e.imageFromTar),
		runtime.Func(buildDoc, e.buildImage),
	}
	return runtime.Noun(imageDoc, e.makeImage, append(members, e.declareImageStore()...)...)
}

// ensure gives the image of a reference by the policy "missing", "always" or "never".
func (e *dockerEngine) ensure(ctx context.Context, client *engine.Client, ref, policy, platform string) (engine.Image, error) {
	if policies := []string{"missing", "always", "never"}; !slices.Contains(policies, policy) {
		return engine.Image{}, runtime.Errorf("invalid", "pull=%q: want one of %s", policy, strings.Join(policies, ", "))
	}
	return client.EnsureImage(ctx, ref, engine.EnsureOptions{Policy: engine.PullPolicy(policy), PullOptions: e.pullOptions(ref, platform)})
}

func (e *dockerEngine) pullOptions(ref, platform string) engine.PullOptions {
	o := engine.PullOptions{Platform: platform}
	if tell := e.d.options.Progress; tell != nil {
		o.Progress = func(p engine.Progress) { tell(ref, p) }
	}
	return o
}

// image makes the value of an image that the engine knows.
func (e *dockerEngine) image(call *runtime.Call, got engine.Image, name string) *Image {
	return &Image{engine: e, session: call.Session(), id: got.ID, name: name}
}

type makeImageArgs struct {
	Ref      imageName
	Pull     string
	Platform string
}

func (e *dockerEngine) makeImage(call *runtime.Call, a makeImageArgs) (img *Image, err error) {
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		got, err := e.ensure(ctx, client, string(a.Ref), a.Pull, a.Platform)
		img = e.image(call, got, string(a.Ref))
		return err
	})
	return img, did(call, err)
}

type getImageArgs struct {
	Ref     imageName
	Default runtime.Opt[starlark.Value]
}

func (e *dockerEngine) getImage(call *runtime.Call, a getImageArgs) (starlark.Value, error) {
	var img *Image
	err := e.with(call, func(ctx context.Context, client *engine.Client) error {
		got, err := client.InspectImage(ctx, string(a.Ref))
		img = e.image(call, got, string(a.Ref))
		return err
	})
	if err != nil {
		return orDefault(did(call, err), a.Default)
	}
	return img, nil
}

type listImagesArgs struct {
	All     bool
	Filters filters
}

func (e *dockerEngine) listImages(call *runtime.Call, a listImagesArgs) (starlark.Value, error) {
	var list []starlark.Value
	err := e.with(call, func(ctx context.Context, client *engine.Client) error {
		found, err := client.ListImages(ctx, engine.ListImagesOptions{All: a.All, Filters: a.Filters})
		if err != nil {
			return err
		}
		for _, s := range found {
			img := &Image{engine: e, session: call.Session(), id: s.ID, name: "<none>"}
			if len(s.RepoTags) > 0 && s.RepoTags[0] != "<none>:<none>" {
				img.name = s.RepoTags[0]
			}
			list = append(list, img)
		}
		return nil
	})
	return starlark.NewList(list), err
}

type pullImageArgs struct {
	Ref      imageName
	Platform string
}

func (e *dockerEngine) pullImage(call *runtime.Call, a pullImageArgs) (img *Image, err error) {
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		got, err := client.PullImage(ctx, string(a.Ref), e.pullOptions(string(a.Ref), a.Platform))
		img = e.image(call, got, string(a.Ref))
		return err
	})
	return img, did(call, err)
}

type fromTarArgs struct {
	File     input
	Ref      string
	Changes  []string
	Message  string
	Platform string
}

func (e *dockerEngine) imageFromTar(call *runtime.Call, a fromTarArgs) (img *Image, err error) {
	archive, err := a.File.reader()
	if err != nil {
		return nil, err
	}
	if archive == nil {
		return nil, runtime.Errorf("invalid", "file is None: want host.open(path) or bytes")
	}
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		id, err := client.ImportImage(ctx, archive, engine.ImportOptions{Ref: a.Ref, Message: a.Message, Changes: a.Changes, Platform: a.Platform})
		if err != nil {
			return err
		}
		img = e.made(call, client, id, a.Ref)
		return nil
	})
	return img, did(call, err)
}

// made is an image that a script has made. One without a name is removed with its scope.
func (e *dockerEngine) made(call *runtime.Call, client *engine.Client, id, ref string) *Image {
	e.madeBy(call, id)
	if ref == "" {
		e.own(call, e.owner(call, false), id, "image "+shortID(id), func(ctx context.Context) error {
			_, err := client.RemoveImage(ctx, id, engine.RemoveImageOptions{Force: true})
			return gone(err)
		})
	}
	return &Image{engine: e, session: call.Session(), id: id, name: nameOr(ref, id)}
}

const tagImageDoc = `
tag(image, ref) -> Image

Give an image one more name. Gives the image under that name.

ref  a reference like "app:test"
`

type tagImageArgs struct {
	Image imageRef
	Ref   string
}

func (e *dockerEngine) tagImage(call *runtime.Call, a tagImageArgs) (img *Image, err error) {
	err = a.Image.on(e).with(call, func(ctx context.Context, client *engine.Client) error {
		if err := client.TagImage(ctx, a.Image.ref, a.Ref); err != nil {
			return err
		}
		got, err := client.InspectImage(ctx, a.Ref)
		img = e.image(call, got, a.Ref)
		return err
	})
	return img, did(call, err)
}

// on is the engine of the referenced image: its own, or e for a mere name.
func (r imageRef) on(e *dockerEngine) *dockerEngine {
	if r.value != nil {
		return r.value.engine
	}
	return e
}

const removeImageDoc = `
remove(image, *, force=False, prune=True)

Remove the name that the image was asked for by, and the image with its last name.

force  also when a container that has ended uses it
prune  remove the parents that have no name, too
`

type removeImageArgs struct {
	Image imageRef
	Force bool
	Prune bool
}

func (e *dockerEngine) removeImage(call *runtime.Call, a removeImageArgs) error {
	return a.Image.on(e).with(call, func(ctx context.Context, client *engine.Client) error {
		ref := a.Image.ref
		if img := a.Image.value; img != nil && isReference(img.name) {
			ref = img.name
		}
		if _, err := client.RemoveImage(ctx, ref, engine.RemoveImageOptions{Force: a.Force, NoPrune: !a.Prune}); err != nil {
			return err
		}
		e.disown(a.Image.ref)
		return nil
	})
}

// isReference tells a name that can be removed from an id or its start.
func isReference(name string) bool {
	named, err := reference.ParseAnyReference(name)
	if err != nil {
		return false
	}
	_, ok := named.(reference.Named)
	return ok
}

const inspectImageDoc = `
inspect(image) -> dict

All that the engine says of the image, as its API names it.
`

type imageArgs struct{ Image imageRef }

func (e *dockerEngine) inspectImage(call *runtime.Call, a imageArgs) (v any, err error) {
	err = a.Image.on(e).with(call, func(ctx context.Context, client *engine.Client) error {
		got, err := client.InspectImage(ctx, a.Image.ref)
		v = got.Raw
		return err
	})
	return v, err
}

func (i *Image) String() string        { return fmt.Sprintf("<Image %s %s>", i.name, shortID(i.id)) }
func (i *Image) Type() string          { return "Image" }
func (i *Image) Freeze()               {}
func (i *Image) Truth() starlark.Bool  { return true }
func (i *Image) Hash() (uint32, error) { return hashOf(i.id), nil }
func (i *Image) AttrNames() []string   { return i.engine.imageType.AttrNames() }
func (i *Image) Attr(name string) (starlark.Value, error) {
	return i.engine.imageType.Attr(i.session, i, name)
}

func (i *Image) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	other := y.(*Image)
	return equalOnly(op, i.engine == other.engine && i.id == other.id, "Image")
}

// Table draws images as docker images does.
func (i *Image) Table(ctx context.Context, values []starlark.Value) ([]string, [][]string, error) {
	client, err := i.engine.connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	header := []string{"NAME", "ID", "SIZE"}
	rows := make([][]string, 0, len(values))
	for _, v := range values {
		i := v.(*Image)
		row := []string{i.name, shortID(i.id), "gone"}
		got, err := client.InspectImage(ctx, i.id)
		switch {
		case err == nil:
			row[2] = humanSize(got.Size)
		case !errors.Is(err, engine.ErrNotFound):
			return nil, nil, err
		}
		rows = append(rows, row)
	}
	return header, rows, nil
}

// humanSize shows bytes in powers of 1000, as docker does.
func humanSize(n int64) string {
	size, unit := float64(n), 0
	for units := "kMGT"; size >= 1000 && unit < len(units); unit++ {
		size /= 1000
	}
	if unit == 0 {
		return fmt.Sprintf("%dB", n)
	}
	return fmt.Sprintf("%.3g%cB", size, "kMGT"[unit-1])
}
