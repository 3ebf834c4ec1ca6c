package builtins

// This file fills volumes from this machine and empties them onto it. Engines copy
// files of containers only, so a container that mounts the volume is made, never
// started, and removed again; any image that the engine has will do.

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/archive"
	"github.com/dscript/dscript/runtime"
)

const seedVolumeDoc = `
seed(volume, src) -> Volume

Put files into a volume, beside what it holds and over what has the same names.
Modes, times and links are kept; all belongs to root. The engine must have an image,
any. Gives the volume.

src  a directory of this machine, of which the content is put in; or {path: str, bytes
     or host file}, where (data, 0o755) gives a mode

>>> data = volume().seed({"etc/app.conf": "a=1\n"})
>>> run("busybox", ["cat", "/data/etc/app.conf"], mounts = [(data, "/data")]).stdout
"a=1\n"
`

const dumpVolumeDoc = `
dump(volume, dst, *, links="refuse", limit="8g")

Copy all that is in a volume into a directory of this machine, made when it is
missing, beside what it holds and over what has the same names. The engine must have
an image, any.
` + copyOutTexts

// A seedSource is what a volume is filled from.
type seedSource struct {
	dir   string // of this machine; "": files
	files files
}

func (s *seedSource) Unpack(v starlark.Value) error {
	if dir, ok := starlark.AsString(v); ok {
		if dir == "" {
			return fmt.Errorf("the path is empty")
		}
		s.dir = dir
		return nil
	}
	dict, ok := v.(*starlark.Dict)
	if !ok {
		return fmt.Errorf("got %s, want a directory of this machine, or a dict of path to str, bytes or host file", v.Type())
	}
	rooted := starlark.NewDict(dict.Len())
	for _, item := range dict.Items() {
		if name, ok := starlark.AsString(item[0]); ok {
			item[0] = starlark.String("/" + strings.TrimPrefix(name, "/"))
		}
		if err := rooted.SetKey(item[0], item[1]); err != nil {
			return err
		}
	}
	return s.files.Unpack(rooted)
}

type seedVolumeArgs struct {
	Volume volumeRef
	Src    seedSource
}

func (e *dockerEngine) seedVolume(call *runtime.Call, a seedVolumeArgs) (starlark.Value, error) {
	on := a.Volume.on(e)
	write := a.Src.files.pack
	if a.Src.dir != "" {
		root, err := call.ReadRoot(a.Src.dir)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		write = func(ctx context.Context, w io.Writer) error {
			return packRoot(ctx, w, root, ".", archive.PackOptions{})
		}
	}
	err := on.inVolume(call, a.Volume.name, func(ctx context.Context, client *engine.Client, id, dir string) error {
		return send(ctx, client, id, dir, write)
	})
	if err != nil {
		return nil, err
	}
	return on.getVolume(call, getVolumeArgs{Name: a.Volume})
}

type dumpVolumeArgs struct {
	Volume volumeRef
	Dst    string
	copyOutOptions
}

func (e *dockerEngine) dumpVolume(call *runtime.Call, a dumpVolumeArgs) error {
	_, err := call.Stat(a.Dst)
	if runtime.KindOf(err) == "not_found" {
		err = call.MkdirAll(a.Dst, 0o755)
	}
	if err != nil {
		return err
	}
	to, err := call.WriteRoot(a.Dst)
	if err != nil {
		return err
	}
	defer to.Close()
	return a.Volume.on(e).inVolume(call, a.Volume.name, func(ctx context.Context, client *engine.Client, id, dir string) error {
		return receive(ctx, call, client, id, dir, landing{root: to, name: "."}, a.copyOutOptions)
	})
}

// inVolume runs fn with a container that mounts the volume at dir.
func (e *dockerEngine) inVolume(call *runtime.Call, name string, fn func(ctx context.Context, client *engine.Client, id, dir string) error) error {
	const dir = "/.dscript-volume" // where no image has anything
	return e.with(call, func(ctx context.Context, client *engine.Client) error {
		if _, err := client.InspectVolume(ctx, name); err != nil {
			return err // the create below would make it
		}
		images, err := client.ListImages(ctx, engine.ListImagesOptions{})
		if err != nil {
			return err
		}
		if len(images) == 0 {
			return &runtime.Error{Kind: "not_found",
				Message: "the files of a volume are reached through a container that is never started, and the engine has no image to make one of",
				Hint:    `any image will do: pull a small one, image("busybox")`}
		}
		owner := e.owner(call, false)
		owner.Kind = engine.OwnerSession
		made, err := client.CreateContainer(ctx, engine.ContainerSpec{
			Config: container.Config{Image: images[0].ID, Entrypoint: []string{"/never-started"}},
			Host: container.HostConfig{NetworkMode: "none", Mounts: []mount.Mount{
				{Type: mount.TypeVolume, Source: name, Target: dir, VolumeOptions: &mount.VolumeOptions{NoCopy: true}}}},
			Owner: owner,
		})
		if err != nil {
			return err
		}
		c := &Container{engine: e, id: made.ID, name: shortID(made.ID)}
		e.own(call, owner, c.id, "the container that copies volume "+name, func(ctx context.Context) error {
			return gone(client.RemoveContainer(ctx, c.id, engine.RemoveContainerOptions{Force: true, Volumes: true}))
		})
		return e.abandon(client, c, fn(ctx, client, c.id, dir))
	})
}

// pack writes the tar of the files, in order of their paths. Host files are streamed.
func (f files) pack(ctx context.Context, w io.Writer) error {
	t := tar.NewWriter(w)
	for _, name := range sortedKeys(f) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		content, size, err := f[name].open()
		if err != nil {
			return err
		}
		header := &tar.Header{Name: strings.TrimPrefix(name, "/"), Mode: f[name].mode, Size: size}
		if err := t.WriteHeader(header); err != nil {
			return err
		}
		n, err := io.Copy(t, io.LimitReader(content, size))
		if err == nil && n < size {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path.Base(name), err)
		}
	}
	return t.Close()
}

// open gives the content and its size. What is no regular file has none, and is
// read first.
func (f fileForm) open() (io.Reader, int64, error) {
	if f.host == nil {
		return bytes.NewReader(f.data), int64(len(f.data)), nil
	}
	file, err := f.host.opened(false)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	if at, err := file.Seek(0, io.SeekCurrent); err == nil && info.Mode().IsRegular() {
		return file, max(info.Size()-at, 0), nil
	}
	data, err := io.ReadAll(file)
	return bytes.NewReader(data), int64(len(data)), err
}

// send puts the archive that write makes into the directory dir of a container, as
// it is made.
func send(ctx context.Context, client *engine.Client, id, dir string, write func(context.Context, io.Writer) error) error {
	r, w := io.Pipe()
	var failed error
	written := make(chan struct{})
	go func() {
		defer close(written)
		b := newBuffered(w)
		failed = write(ctx, b)
		if failed == nil {
			failed = b.Flush()
		}
		w.CloseWithError(failed)
	}()
	err := client.CopyTo(ctx, id, dir, r)
	_ = r.CloseWithError(errStopped)
	<-written
	if failed != nil && !errors.Is(failed, errStopped) && ctx.Err() == nil {
		return failed // the engine's words are only that the archive is cut
	}
	return err
}

// errStopped is what an archive's writer sees when the engine reads no more of it.
var errStopped = errors.New("the engine reads no more")

// packRoot packs what lies at name below root.
func packRoot(ctx context.Context, w io.Writer, root *os.Root, name string, o archive.PackOptions) error {
	return hostError(archive.Pack(ctx, w, root.FS().(archive.Source), name, o))
}
