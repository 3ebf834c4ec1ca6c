package builtins

// This file is the noun engine, and what else belongs to an engine as a whole.

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const engineDoc = `
engine

The default engine. The predeclared nouns are its own: container is engine.container.
`

const versionDoc = `
version() -> dict

Which engine this is: {"engine": "Docker Engine", "version": "28.1.0", "api": "1.49",
"os": "linux", "arch": "amd64"}.

>>> engine.version()["os"]
"linux"
`

const infoDoc = `
info() -> dict

All that the engine says of itself, as its API names it.
`

const pingDoc = `
ping() -> bool

True when the engine answers; an error of kind unavailable when it does not.

>>> engine.ping()
True
`

func (e *dockerEngine) declareEngine() runtime.Member {
	members := append(slices.Clone(e.nouns),
		runtime.Func(versionDoc, e.version),
		runtime.Func(infoDoc, e.info),
		runtime.Func(pingDoc, e.ping),
		runtime.Func(dfDoc, e.df),
		runtime.Func(eventsDoc, e.events),
		runtime.Func(loginDoc, e.login),
		runtime.Func(loginsDoc, e.logins),
	)
	return runtime.Noun(engineDoc, nil, members...)
}

type noArgs struct{}

func (e *dockerEngine) version(call *runtime.Call, _ noArgs) (v any, err error) {
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		got, err := client.Version(ctx)
		v = map[string]string{"engine": got.Engine, "version": got.Version, "api": got.APIVersion, "os": got.OS, "arch": got.Arch}
		return err
	})
	return v, err
}

func (e *dockerEngine) info(call *runtime.Call, _ noArgs) (v any, err error) {
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		got, err := client.Info(ctx)
		v = got
		return err
	})
	return v, err
}

func (e *dockerEngine) ping(call *runtime.Call, _ noArgs) (bool, error) {
	err := e.with(call, func(ctx context.Context, client *engine.Client) error {
		_, err := client.Ping(ctx)
		return err
	})
	return err == nil, err
}

// names are the live names that a prompt completes.
func (e *dockerEngine) names() map[string]func(context.Context, *runtime.Session) []string {
	return map[string]func(context.Context, *runtime.Session) []string{
		"Container": func(ctx context.Context, _ *runtime.Session) (names []string) {
			client, err := e.connect(ctx)
			if err != nil {
				return nil
			}
			list, _ := client.ListContainers(ctx, engine.ListContainersOptions{All: true})
			for _, c := range list {
				names = append(names, firstName(c.Names))
			}
			return names
		},
		"Image": func(ctx context.Context, _ *runtime.Session) (names []string) {
			client, err := e.connect(ctx)
			if err != nil {
				return nil
			}
			list, _ := client.ListImages(ctx, engine.ListImagesOptions{})
			for _, i := range list {
				for _, tag := range i.RepoTags {
					names = append(names, strings.TrimSuffix(strings.TrimPrefix(tag, "localhost/"), ":latest"))
				}
			}
			return names
		},
		"Network": func(ctx context.Context, _ *runtime.Session) (names []string) {
			client, err := e.connect(ctx)
			if err != nil {
				return nil
			}
			list, _ := client.ListNetworks(ctx, nil)
			for _, n := range list {
				names = append(names, n.Name)
			}
			return names
		},
		"Volume": func(ctx context.Context, _ *runtime.Session) (names []string) {
			client, err := e.connect(ctx)
			if err != nil {
				return nil
			}
			list, _ := client.ListVolumes(ctx, nil)
			for _, v := range list {
				names = append(names, v.Name)
			}
			return names
		},
	}
}

// firstName is a container's own name among its names: those of links have a
// second slash.
func firstName(names []string) string {
	for _, name := range names {
		if name = strings.TrimPrefix(name, "/"); !strings.Contains(name, "/") {
			return name
		}
	}
	return ""
}

// filters is what a list is narrowed by: {"label": "x=y", "status": ["exited"]}.
type filters map[string][]string

func (f *filters) Unpack(v starlark.Value) error {
	dict, ok := v.(*starlark.Dict)
	if !ok {
		return fmt.Errorf(`got %s, want a dict like {"label": "x=y", "status": ["exited"]}`, v.Type())
	}
	*f = filters{}
	for _, item := range dict.Items() {
		name, ok := starlark.AsString(item[0])
		if !ok {
			return fmt.Errorf("got %s for the name of a filter, want string", item[0].Type())
		}
		switch value := item[1].(type) {
		case starlark.String:
			(*f)[name] = []string{string(value)}
		case starlark.Bool:
			(*f)[name] = []string{strings.ToLower(value.String())}
		default:
			list, err := stringList(value)
			if err != nil {
				return fmt.Errorf("filter %s: want a string or a list of strings, %w", name, err)
			}
			(*f)[name] = list
		}
	}
	return nil
}
