package builtins

// This file is the store of images: history, archives, the tree that they make, what
// a registry has, and images with files put in.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/image"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// declareImageStore are further members of the noun image.
func (e *dockerEngine) declareImageStore() []runtime.Member {
	return []runtime.Member{
		runtime.Func(saveImagesDoc, e.saveImages),
		runtime.Func(fromArchiveDoc, e.imagesFromArchive),
		runtime.Func(graphDoc, e.imageGraph),
		runtime.Func(searchDoc, e.searchImages),
		runtime.Func(pruneImagesDoc, e.pruneImages),
	}
}

// declareImageVerbs are further methods of an Image.
func (e *dockerEngine) declareImageVerbs() []runtime.Member {
	return []runtime.Member{
		runtime.Func(historyDoc, e.imageHistory).As("image"),
		runtime.Func(saveImagesDoc, e.saveImages).As("images"),
		runtime.Func(withFilesDoc, e.withFiles).As("image"),
	}
}

const historyDoc = `
history(image) -> list

The steps that the image was made by, the last one first, a dict each: {"id": "sha256:…",
"created": a time, "created_by": "CMD [\"sh\"]", "size": 12, "tags": [], "comment": ""}. id is
None where the engine has only the files of a step; Podman gives no tags.

>>> image("busybox").history()[0]["size"] >= 0
True
`

func (e *dockerEngine) imageHistory(call *runtime.Call, a imageArgs) (list []map[string]any, err error) {
	list = []map[string]any{}
	err = a.Image.on(e).with(call, func(ctx context.Context, client *engine.Client) error {
		steps, err := client.ImageHistory(ctx, a.Image.ref)
		for _, step := range steps {
			row := map[string]any{"id": nil, "created": time.Unix(step.Created, 0).UTC(), "created_by": step.CreatedBy,
				"size": step.Size, "tags": orEmpty(step.Tags), "comment": step.Comment}
			if step.ID != "" {
				row["id"] = step.ID
			}
			list = append(list, row)
		}
		return err
	})
	return list, err
}

const saveImagesDoc = `
save(images, file)

Write images into a tar archive, for image.from_archive, with the names that they were
asked for by.

images  an image, or a list of some
file    a path of this machine, or host.open(path, "w")
`

// An imageList is an image, or a list of some.
type imageList []imageRef

func (l *imageList) Unpack(v starlark.Value) error {
	*l = nil
	items, isList := v.(starlark.Iterable)
	if !isList {
		items = starlark.Tuple{v}
	}
	for item := range starlark.Elements(items) {
		var ref imageRef
		if err := ref.Unpack(item); err != nil {
			return err
		}
		*l = append(*l, ref)
	}
	if len(*l) == 0 {
		return errors.New("the list is empty")
	}
	return nil
}

// NamesOf lets a prompt complete the names of images.
func (imageList) NamesOf() string { return "Image" }

// on is the engine of the images.
func (l imageList) on(e *dockerEngine) (*dockerEngine, error) {
	of := l[0].on(e)
	for _, ref := range l {
		if ref.on(e) != of {
			return nil, runtime.Errorf("invalid", "the images are of several engines")
		}
	}
	return of, nil
}

// names are what the images are saved by: the name of an Image as long as it is
// still its own, else its id.
func (l imageList) names(ctx context.Context, client *engine.Client) ([]string, error) {
	var names []string
	for _, ref := range l {
		if ref.value != nil && isReference(ref.value.name) {
			if got, err := client.InspectImage(ctx, ref.value.name); err == nil && got.ID == ref.value.id {
				names = append(names, ref.value.name)
				continue
			}
		}
		if _, err := client.InspectImage(ctx, ref.ref); err != nil {
			return nil, err
		}
		names = append(names, ref.ref)
	}
	return names, nil
}

type saveImagesArgs struct {
	Images imageList
	File   outputFile
}

func (e *dockerEngine) saveImages(call *runtime.Call, a saveImagesArgs) error {
	of, err := a.Images.on(e)
	if err != nil {
		return err
	}
	var names []string
	err = of.with(call, func(ctx context.Context, client *engine.Client) error {
		names, err = a.Images.names(ctx, client)
		return err
	})
	if err != nil {
		return did(call, err)
	}
	w, done, err := a.File.open(call)
	if err != nil {
		return err
	}
	err = of.with(call, func(ctx context.Context, client *engine.Client) error {
		archive, err := client.SaveImages(ctx, names...)
		if err != nil {
			return err
		}
		defer archive.Close()
		_, err = io.Copy(w, archive)
		return err
	})
	if closeErr := done(); err == nil {
		err = closeErr
	}
	return err
}

const fromArchiveDoc = `
from_archive(file) -> list

Take the images out of an archive of save(), or of docker save. Gives the Images. They
stay when the script ends; only one without a name that was not there is removed with
its scope.

file  host.open(path), or bytes
`

type fromArchiveArgs struct{ File input }

func (e *dockerEngine) imagesFromArchive(call *runtime.Call, a fromArchiveArgs) (list []*Image, err error) {
	archive, err := a.File.reader()
	if err != nil {
		return nil, err
	}
	if archive == nil {
		return nil, runtime.Errorf("invalid", "file is None: want host.open(path) or bytes")
	}
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		before, err := client.ListImages(ctx, engine.ListImagesOptions{All: true})
		if err != nil {
			return err
		}
		refs, err := client.LoadImages(ctx, archive, nil)
		if err != nil {
			return err
		}
		for _, ref := range refs {
			got, err := client.InspectImage(ctx, ref)
			if err != nil {
				return err
			}
			there := slices.ContainsFunc(before, func(s image.Summary) bool { return s.ID == got.ID })
			if len(got.RepoTags) == 0 && !there {
				list = append(list, e.made(call, client, got.ID, ""))
				continue
			}
			list = append(list, e.image(call, got, ref))
		}
		return nil
	})
	return list, did(call, err)
}

const graphDoc = `
graph() -> string

The images of the engine and what they were made from, as a graph in the DOT language
of Graphviz. Engines know the parents only of images that were made on them.

>>> image.graph().startswith("digraph docker {")
True
`

func (e *dockerEngine) imageGraph(call *runtime.Call, _ noArgs) (dot string, err error) {
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		images, err := client.ListImages(ctx, engine.ListImagesOptions{All: true})
		dot = drawImages(images)
		return err
	})
	return dot, err
}

// drawImages draws as GET /images/viz of API 1.0 did; the same images give the same text.
func drawImages(images []image.Summary) string {
	images = slices.Clone(images)
	slices.SortFunc(images, func(a, b image.Summary) int { return strings.Compare(a.ID, b.ID) })
	var dot strings.Builder
	dot.WriteString("digraph docker {\n")
	for _, i := range images {
		if i.ParentID != "" {
			fmt.Fprintf(&dot, " %s -> %s\n", dotString(shortID(i.ParentID)), dotString(shortID(i.ID)))
		} else {
			fmt.Fprintf(&dot, " base -> %s [style=invis]\n", dotString(shortID(i.ID)))
		}
	}
	for _, i := range images {
		names := slices.DeleteFunc(slices.Clone(i.RepoTags), func(name string) bool { return name == "<none>:<none>" })
		if len(names) == 0 {
			continue
		}
		slices.Sort(names)
		label := strings.Join(append([]string{shortID(i.ID)}, names...), "\n")
		fmt.Fprintf(&dot, " %s [label=%s,shape=box,fillcolor=\"paleturquoise\",style=\"filled,rounded\"];\n", dotString(shortID(i.ID)), dotString(label))
	}
	dot.WriteString(" base [style=invisible]\n}\n")
	return dot.String()
}

// dotString quotes as DOT does: ids and names of images are plain ASCII.
func dotString(s string) string { return strconv.Quote(s) }

const searchDoc = `
search(term, *, limit=25) -> list

Look for images in the engine's registry: dicts like {"name": "busybox", "description": "…",
"stars": 3000, "official": True}. A registry that the engine cannot reach is an error of
kind unavailable.

term   a part of the name
limit  how many to give at most, up to 100
`

type searchArgs struct {
	Term  string
	Limit int
}

func (e *dockerEngine) searchImages(call *runtime.Call, a searchArgs) (list []map[string]any, err error) {
	switch {
	case a.Term == "":
		return nil, runtime.Errorf("invalid", "term is empty")
	case a.Limit < 1 || a.Limit > 100:
		return nil, runtime.Errorf("invalid", "limit=%d: want 1 to 100", a.Limit)
	}
	list = []map[string]any{}
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		found, err := client.SearchImages(ctx, a.Term, a.Limit)
		for _, r := range found {
			list = append(list, map[string]any{"name": r.Name, "description": r.Description, "stars": r.StarCount, "official": r.IsOfficial})
		}
		return err
	})
	return list, err
}

const withFilesDoc = `
with_files(image, files, ref="") -> Image

Make an image that has more files and is otherwise the same. Nothing is run.

files  {path: str, bytes or host file}; (data, 0o755) gives a mode
ref    its name; "": it has none, and is removed with its scope

>>> run(image("busybox").with_files({"/greeting": "hi\n"}), ["cat", "/greeting"]).stdout
"hi\n"
`

type withFilesArgs struct {
	Image imageRef
	Files files
	Ref   string
}

func (e *dockerEngine) withFiles(call *runtime.Call, a withFilesArgs) (made *Image, err error) {
	if len(a.Files) == 0 {
		return nil, runtime.Errorf("invalid", "files is empty")
	}
	archive, err := a.Files.archive(call)
	if err != nil {
		return nil, err
	}
	if err := call.Count(); err != nil {
		return nil, err
	}
	on := a.Image.on(e)
	err = on.with(call, func(ctx context.Context, client *engine.Client) error {
		img, err := client.InspectImage(ctx, a.Image.ref)
		if err != nil {
			return err
		}
		c, err := on.holder(ctx, call, client, img)
		if err != nil {
			return err
		}
		id, err := commitWith(ctx, client, c, archive, a.Ref, !hasCommand(img))
		if err == nil {
			made = on.made(call, client, id, a.Ref)
		}
		return on.abandon(client, c, c.named(err))
	})
	return made, did(call, err)
}

// hasCommand reports whether the image says what its containers run.
func hasCommand(img engine.Image) bool {
	return img.Config != nil && len(img.Config.Cmd)+len(img.Config.Entrypoint) > 0
}

// holder makes a container of an image that is never started.
func (e *dockerEngine) holder(ctx context.Context, call *runtime.Call, client *engine.Client, img engine.Image) (*Container, error) {
	owner := e.owner(call, false)
	spec := engine.ContainerSpec{Owner: owner, Config: container.Config{Image: img.ID}, Host: container.HostConfig{NetworkMode: "none"}}
	if !hasCommand(img) {
		spec.Config.Entrypoint = []string{"none"} // engines refuse a container without
	}
	created, err := client.CreateContainer(ctx, spec)
	if err != nil {
		return nil, err
	}
	c := &Container{engine: e, session: call.Session(), id: created.ID, name: shortID(created.ID)}
	e.own(call, owner, c.id, "container "+c.name, func(ctx context.Context) error {
		return gone(client.RemoveContainer(ctx, c.id, engine.RemoveContainerOptions{Force: true, Volumes: true}))
	})
	return c, nil
}

func commitWith(ctx context.Context, client *engine.Client, c *Container, archive []byte, ref string, bare bool) (id string, err error) {
	if err := client.CopyTo(ctx, c.id, "/", bytes.NewReader(archive)); err != nil {
		return "", err
	}
	if bare {
		return client.CommitBare(ctx, c.id, ref)
	}
	return client.Commit(ctx, c.id, engine.CommitOptions{Ref: ref, NoPause: true})
}
