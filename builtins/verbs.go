package builtins

// This file is the verbs that look into a container, hold it or change it: pause,
// rename, update, top, stats, diff, export, commit.

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// declareVerbs are methods of a Container.
func (e *dockerEngine) declareVerbs() []runtime.Member {
	return []runtime.Member{
		runtime.Func(pauseDoc, e.pause).As("container"),
		runtime.Func(unpauseDoc, e.unpause).As("container"),
		runtime.Func(renameDoc, e.rename).As("container"),
		runtime.Func(updateDoc, e.update).As("container"),
		runtime.Func(topDoc, e.top).As("container"),
		runtime.Func(statsDoc, e.stats).As("container"),
		runtime.Func(diffDoc, e.diff).As("container"),
		runtime.Func(exportDoc, e.export).As("container"),
		runtime.Func(commitDoc, e.commit).As("container"),
	}
}

const pauseDoc = `
pause(container)

Stop the processes of a container where they are, until unpause.
`

func (e *dockerEngine) pause(call *runtime.Call, a containerArgs) error {
	return e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		return client.PauseContainer(ctx, c.id)
	})
}

const unpauseDoc = `
unpause(container)

Let the processes of a paused container go on.
`

func (e *dockerEngine) unpause(call *runtime.Call, a containerArgs) error {
	return e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		return client.UnpauseContainer(ctx, c.id)
	})
}

const renameDoc = `
rename(container, name) -> Container

Give a container another name. Gives the container under that name.
`

type renameArgs struct {
	Container containerRef
	Name      string
}

func (e *dockerEngine) rename(call *runtime.Call, a renameArgs) (renamed *Container, err error) {
	err = e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		if err := client.RenameContainer(ctx, c.id, a.Name); err != nil {
			return err
		}
		copied := *c
		copied.name = strings.TrimPrefix(a.Name, "/")
		renamed = &copied
		return nil
	})
	return renamed, err
}

const updateDoc = `
update(container, *, memory=None, cpus=None, restart=None, raw={})

Change the limits or the restart policy of a container. What is not given stays.

memory   "512m" or bytes
cpus     0.5 is half a processor
restart  "no", "always", "unless-stopped", "on-failure" or "on-failure:3"
raw      further fields of the API's update request: {"PidsLimit": 100}
`

type updateArgs struct {
	Container containerRef
	Memory    runtime.Opt[runtime.Size]
	Cpus      runtime.Opt[float64]
	Restart   runtime.Opt[restart]
	Raw       *starlark.Dict
}

func (a updateArgs) body() (map[string]any, error) {
	body, err := rawBody(a.Raw)
	if body == nil {
		body = map[string]any{}
	}
	if a.Memory.Set {
		body["Memory"], body["MemorySwap"] = int64(a.Memory.Value), 2*int64(a.Memory.Value) // as at create, where swap is as much again
	}
	if a.Cpus.Set {
		body["NanoCpus"] = int64(a.Cpus.Value * 1e9)
	}
	if a.Restart.Set {
		body["RestartPolicy"] = container.RestartPolicy(a.Restart.Value)
	}
	return body, err
}

func (e *dockerEngine) update(call *runtime.Call, a updateArgs) error {
	body, err := a.body()
	if err != nil {
		return err
	}
	return e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		warnings, err := client.UpdateContainer(ctx, c.id, body)
		for _, warning := range warnings {
			call.Warn("%s", warning)
		}
		return err
	})
}

const topDoc = `
top(container, args="") -> list

The processes of a container, a dict each, by the titles that ps gives: {"PID": "1",
"CMD": "sleep 60"}. The titles differ between engines.

args  for ps: "-o pid,args"; "": the engine's own
`

type topArgs struct {
	Container containerRef
	Args      string
}

func (e *dockerEngine) top(call *runtime.Call, a topArgs) (list []map[string]string, err error) {
	err = e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		titles, processes, err := client.Top(ctx, c.id, strings.Fields(a.Args)...)
		for _, process := range processes {
			row := map[string]string{}
			for i, title := range titles[:min(len(titles), len(process))] {
				row[title] = process[i]
			}
			list = append(list, row)
		}
		return err
	})
	return list, err
}

const statsDoc = `
stats(container, *, each=None, timeout=None) -> dict

What a container uses: {"cpu": 12.5, "memory": 1048576, "memory_limit": …, "pids": 2,
"received": …, "sent": …, "read": …, "written": …}; bytes, and percent of one processor.
A sample takes the engine one to two seconds.

each     each(sample) is called about once a second until it returns False, the container ends or
         timeout passes; the last sample is given
timeout  stop after it; with each it is not an error
`

type statsArgs struct {
	Container containerRef
	Each      starlark.Callable
	Timeout   time.Duration
}

var errSampledLongEnough = errors.New("sampled for the time given")

func (e *dockerEngine) stats(call *runtime.Call, a statsArgs) (last map[string]any, err error) {
	err = e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		if a.Timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, a.Timeout, errSampledLongEnough)
			defer cancel()
		}
		count := 0
		err := client.Stats(ctx, c.id, func(u engine.Usage) error {
			if count++; count == 1 { // there is no processor time without the sample before
				return nil
			}
			last = sample(u)
			return a.sampled(call, last)
		})
		switch {
		case context.Cause(ctx) == errSampledLongEnough && a.Each != nil:
			return nil
		case err == nil && last == nil:
			return &runtime.Error{Kind: "conflict", Message: c.label() + " does not run"}
		}
		return err
	})
	return last, err
}

// sampled tells the callback of a sample; one sample is enough where there is none.
func (a statsArgs) sampled(call *runtime.Call, s map[string]any) error {
	if a.Each == nil {
		return engine.ErrStop
	}
	value, err := runtime.ToValue(s)
	if err != nil {
		return err
	}
	if got, err := call.Callback(a.Each, value); err != nil {
		return err
	} else if got == starlark.False {
		return engine.ErrStop
	}
	return nil
}

func sample(u engine.Usage) map[string]any {
	s := map[string]any{
		"cpu": u.CPU, "memory": u.Memory, "memory_limit": u.MemoryStats.Limit, "pids": u.PidsStats.Current,
	}
	var received, sent, read, written uint64
	for _, n := range u.Networks {
		received, sent = received+n.RxBytes, sent+n.TxBytes
	}
	for _, io := range u.BlkioStats.IoServiceBytesRecursive {
		switch strings.ToLower(io.Op) {
		case "read":
			read += io.Value
		case "write":
			written += io.Value
		}
	}
	s["received"], s["sent"], s["read"], s["written"] = received, sent, read, written
	return s
}

const diffDoc = `
diff(container) -> list

What a container has changed in its files: [{"path": "/tmp/x", "kind": "added"}], kind
added, modified or deleted. A directory is modified by what changes in it.
`

func (e *dockerEngine) diff(call *runtime.Call, a containerArgs) (list []map[string]string, err error) {
	err = e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		changes, err := client.Changes(ctx, c.id)
		kinds := map[container.ChangeType]string{container.ChangeModify: "modified", container.ChangeAdd: "added", container.ChangeDelete: "deleted"}
		for _, change := range changes {
			list = append(list, map[string]string{"path": change.Path, "kind": kinds[change.Kind]})
		}
		return err
	})
	return list, err
}

const exportDoc = `
export(container, file)

Write all files of a container into a tar archive, without volumes.

file  a path of this machine, or host.open(path, "w")
`

type exportArgs struct {
	Container containerRef
	File      outputFile
}

// An outputFile is a path of this machine, or an open file.
type outputFile struct {
	path string
	file *HostFile
}

func (f *outputFile) Unpack(v starlark.Value) error {
	if file, ok := v.(*HostFile); ok {
		f.file = file
		return nil
	}
	return unpackName(&f.path, v)
}

// open gives the writer, and what closes it when it was opened here.
func (f outputFile) open(call *runtime.Call) (w io.Writer, done func() error, err error) {
	if f.file != nil {
		w, err = f.file.writer()
		return w, func() error { return nil }, err
	}
	file, err := call.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, nil, err
	}
	return file, file.Close, nil
}

func (e *dockerEngine) export(call *runtime.Call, a exportArgs) error {
	c, err := e.resolve(call, a.Container)
	if err != nil {
		return err
	}
	w, done, err := a.File.open(call)
	if err != nil {
		return err
	}
	err = c.with(call, func(ctx context.Context, client *engine.Client) error {
		archive, err := client.Export(ctx, c.id)
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

const commitDoc = `
commit(container, ref="", *, comment="", author="", changes=[], pause=True) -> Image

Make an image of a container's files, without volumes.

ref      its name; "": it has none, and is removed with the scope
changes  lines of a Dockerfile: 'CMD ["serve"]'
pause    hold the container meanwhile
`

type commitArgs struct {
	Container containerRef
	Ref       string
	Comment   string
	Author    string
	Changes   []string
	Pause     bool
}

func (e *dockerEngine) commit(call *runtime.Call, a commitArgs) (img *Image, err error) {
	err = e.on(call, a.Container, func(ctx context.Context, client *engine.Client, c *Container) error {
		id, err := client.Commit(ctx, c.id, engine.CommitOptions{Ref: a.Ref, Comment: a.Comment, Author: a.Author, Changes: a.Changes, NoPause: !a.Pause})
		if err != nil {
			return err
		}
		img = c.engine.made(call, client, id, a.Ref)
		return nil
	})
	return img, err
}
