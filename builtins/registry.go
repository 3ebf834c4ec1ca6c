package builtins

// This file is registries: who the engine's client is to them, and images that go there.

import (
	"context"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
)

const loginDoc = `
login(registry, username, password) -> string

Prove to a registry who you are, through the engine. Later pulls and pushes of this
program tell it to that registry alone; nothing is written to a file. A wrong password
is an error of kind unauthorized. Gives the engine's word for success.

registry  like "registry.example:5000"; "docker.io" is Docker Hub

>>> attempt(engine.login, "localhost:1", "me", "a password").error.kind
"unavailable"
`

type loginArgs struct {
	Registry string
	Username string
	Password string
}

func (e *dockerEngine) login(call *runtime.Call, a loginArgs) (status string, err error) {
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		status, err = client.Login(ctx, engine.Auth{ServerAddress: a.Registry, Username: a.Username, Password: a.Password})
		return err
	})
	return status, did(call, err)
}

const loginsDoc = `
logins() -> dict

Who is logged in where, by engine.login and by what the host program knows: the names
of users by registry. Never a password.

>>> engine.logins()
{}
`

func (e *dockerEngine) logins(call *runtime.Call, _ noArgs) (users map[string]string, err error) {
	err = e.with(call, func(ctx context.Context, client *engine.Client) error {
		users, err = client.Logins(ctx)
		return err
	})
	return users, did(call, err)
}

const pushDoc = `
push(image, ref="") -> string

Send the image to the registry in its name. Gives the digest that it has there.

ref  the name to push it under, like "registry.example:5000/app:1", which it gets if
     it has not got it; "": the name that it was asked for by
`

type pushArgs struct {
	Image imageRef
	Ref   string
}

func (e *dockerEngine) push(call *runtime.Call, a pushArgs) (digest string, err error) {
	err = a.Image.on(e).with(call, func(ctx context.Context, client *engine.Client) error {
		name := a.Image.ref
		if a.Image.value != nil {
			name = a.Image.value.name
		}
		if a.Ref != "" {
			if err := client.TagImage(ctx, a.Image.ref, a.Ref); err != nil {
				return err
			}
			name = a.Ref
		}
		digest, err = client.PushImage(ctx, name, engine.PushOptions{})
		return err
	})
	return digest, did(call, err)
}
