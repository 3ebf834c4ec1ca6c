// Package builtins is dscript's Docker library for scripts: containers, images,
// exec and run, the engine itself, and what a script may touch of the machine that
// it runs on.
//
// It is where package engine and package runtime meet; neither knows the other.
// A host passes Library to a runtime.Config.
package builtins

import (
	"context"
	"slices"
	"sync"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

// Options says which engine scripts get and what belongs to their containers.
// The zero value has no engine: every call that needs one fails with kind unavailable.
type Options struct {
	// Connect gives the default engine. It is called at the first call that needs
	// an engine, and again when it failed. The library does not close the client.
	Connect func(context.Context) (*engine.Client, error)

	// Owner is the owner of what scripts make. An empty Kind is a session's own:
	// removed when its scope ends. An empty Session is the runtime session's id.
	Owner engine.Owner

	// Progress is told of each step of a pull; nil: nobody is. It is called from
	// the goroutine of the call that pulls, and may be called by several at once.
	Progress func(ref string, p engine.Progress)

	// Build is told of each build that begins, by its first tag or "", and gives what
	// is told of its steps, as Progress is; nil: nobody is.
	Build func(tag string) func(engine.BuildStep)
}

// Library is what scripts can say of Docker. It may serve any number of runtimes
// at once.
func Library(o Options) *runtime.Library {
	d := &library{options: o}
	d.resultType = d.declareResult()
	d.hostFileType = d.declareHostFile()
	d.processType = d.declareProcess()
	d.engine = newEngine(d)
	members := append(slices.Clone(d.engine.nouns), d.engine.declareEngine(), d.declareHost())
	return &runtime.Library{
		Name:    "docker",
		Doc:     "Containers, images and commands in them; the engine; the machine that the script runs on.",
		Members: members,
		Types:   []*runtime.TypeDecl{d.engine.containerType, d.engine.imageType, d.engine.networkType, d.engine.volumeType, d.resultType, d.processType, d.hostFileType},
		Names:   d.engine.names(),
	}
}

// library is what all builtins of one Library share.
type library struct {
	options      Options
	engine       *dockerEngine // the default one
	resultType   *runtime.TypeDecl
	hostFileType *runtime.TypeDecl
	processType  *runtime.TypeDecl
}

// A dockerEngine is one engine as scripts see it: its client, once connected, and
// the nouns and types whose values belong to it.
type dockerEngine struct {
	d             *library
	execDecl      *runtime.Builtin
	nouns         []runtime.Member // nouns and functions; those of the default engine are predeclared
	containerType *runtime.TypeDecl
	imageType     *runtime.TypeDecl
	networkType   *runtime.TypeDecl
	volumeType    *runtime.TypeDecl

	mu     sync.Mutex
	client *engine.Client

	owned  sync.Map // what scopes will remove, for keep and remove: id → *runtime.Cleanup
	images sync.Map // what sessions have made, for image.prune: id → the session's id
}

func newEngine(d *library) *dockerEngine {
	e := &dockerEngine{d: d}
	e.execDecl = runtime.Func(execDoc, e.exec)
	e.containerType = e.declareContainerType()
	e.imageType = e.declareImageType()
	e.networkType = e.declareNetworkType()
	e.volumeType = e.declareVolumeType()
	e.nouns = []runtime.Member{
		e.declareContainer(),
		e.declareImage(),
		e.declareNetwork(),
		e.declareVolume(),
		e.execDecl,
		e.declareRun(),
	}
	return e
}

// connect gives the engine's client, finding the engine at the first call.
func (e *dockerEngine) connect(ctx context.Context) (*engine.Client, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.client != nil {
		return e.client, nil
	}
	if e.d.options.Connect == nil {
		return nil, &runtime.Error{Kind: "unavailable", Message: "this program gave its scripts no engine"}
	}
	c, err := e.d.options.Connect(ctx)
	if err != nil {
		return nil, err
	}
	e.client = c
	return c, nil
}

// with runs fn on the engine's client while other branches of the session go on.
func (e *dockerEngine) with(call *runtime.Call, fn func(context.Context, *engine.Client) error) error {
	return call.Block(func(ctx context.Context) error {
		c, err := e.connect(ctx)
		if err != nil {
			return err
		}
		return fn(ctx, c)
	})
}

// owner is who owns what call makes.
func (e *dockerEngine) owner(call *runtime.Call, keep bool) engine.Owner {
	o := e.d.options.Owner
	if o.Session == "" {
		o.Session = call.Session().ID()
	}
	if o.Process == "" {
		o.Process = engine.ProcessID()
	}
	if o.Kind == "" {
		o.Kind = engine.OwnerSession
	}
	if keep {
		o.Kind = engine.OwnerKept
	}
	return o
}

// own has the innermost scope remove the object id by remove, unless its owner
// outlives the session.
func (e *dockerEngine) own(call *runtime.Call, o engine.Owner, id, what string, remove func(context.Context) error) {
	if o.Kind != engine.OwnerSession {
		return
	}
	cleanup := call.Scope().Defer("remove "+what, call.Pos(), func(ctx context.Context) error {
		e.owned.Delete(id)
		return remove(ctx)
	})
	e.owned.Store(id, cleanup)
}

// disown takes the object id off its scope: it is gone, or is to be kept.
func (e *dockerEngine) disown(id string) {
	if cleanup, ok := e.owned.LoadAndDelete(id); ok {
		cleanup.(*runtime.Cleanup).Cancel()
	}
}
