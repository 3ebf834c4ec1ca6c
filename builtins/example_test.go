package builtins_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/moby/moby/client"

	"github.com/dscript/dscript/builtins"
	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/host"
	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/lang"
)

// connect finds the engine as docker does.
func connect(ctx context.Context) (*engine.Client, error) {
	found, err := host.Find(ctx, host.FindOptions{Getenv: os.Getenv})
	if err != nil {
		return nil, err
	}
	return engine.New(found.Options)
}

// A program runs a script that uses containers, calls a function of it and reads
// a typed value back.
func Example() {
	greeting, err := greet(context.Background(), `
c = container("busybox", ["sleep", "60"])
def greet(name):
    return c.exec(["echo", "hello", name]).check().lines()
`)
	fmt.Println(greeting, err)
	// Output: [hello world] <nil>
}

func greet(ctx context.Context, script string) (greeting []string, err error) {
	rt, err := runtime.New(runtime.Config{
		Libraries: []*runtime.Library{
			lang.Library(),
			builtins.Library(builtins.Options{Connect: connect}),
		},
	})
	if err != nil {
		return nil, err
	}
	session, err := rt.Run(ctx, "fixture.star", script)
	if err != nil {
		return nil, err
	}
	defer session.Close()

	value, err := session.Call(ctx, "greet", "world")
	if err != nil {
		return nil, err
	}
	err = runtime.Decode(value, &greeting)
	return greeting, err
}

// A runtime without a library has the language and nothing else.
func Example_nothing() {
	rt, err := runtime.New(runtime.Config{Stdout: os.Stdout})
	if err != nil {
		log.Fatal(err)
	}
	_, err = rt.Run(context.Background(), "x.star", `container("busybox")`)
	fmt.Println(err)

	session, err := rt.Run(context.Background(), "y.star", `answer = 6 * 7`)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	answer, err := runtime.Get[int](session, "answer")
	fmt.Println(answer, err)
	// Output:
	// x.star:1:1: undefined: container
	// 42 <nil>
}

// A host function is a text and a Go function; the struct's fields are its parameters.
func Example_hostFunction() {
	shout := runtime.Func(`
shout(words, *, times=1) -> string

Say it louder.

words  what to say
times  how often
`, func(_ *runtime.Call, a struct {
		Words string
		Times int
	}) (string, error) {
		s := ""
		for range a.Times {
			s += a.Words + "!"
		}
		return s, nil
	})
	rt, err := runtime.New(runtime.Config{
		Libraries: []*runtime.Library{{Name: "mine", Members: []runtime.Member{shout}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	session, err := rt.Run(context.Background(), "x.star", `loud = shout("hey", times = 2)`)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	loud, _ := runtime.Get[string](session, "loud")
	fmt.Println(loud)

	_, err = rt.Run(context.Background(), "x.star", `shout("hey", tims = 2)`)
	fmt.Println(err)
	// Output:
	// hey!hey!
	// shout: no parameter tims (did you mean times?); usage: shout(words, *, times=1)
}

// A program that has the official client already lends it; it stays the program's
// to close.
func Example_officialClient() {
	ctx := context.Background()
	found, err := host.Find(ctx, host.FindOptions{Getenv: os.Getenv})
	if err != nil {
		log.Fatal(err)
	}
	api, err := client.New(client.WithHost(found.Options.Host))
	if err != nil {
		log.Fatal(err)
	}
	defer api.Close()

	lent, err := engine.Over(api, engine.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer lent.Close()
	rt, err := runtime.New(runtime.Config{
		Libraries: []*runtime.Library{builtins.Library(builtins.Options{
			Connect: func(context.Context) (*engine.Client, error) { return lent, nil },
		})},
	})
	if err != nil {
		log.Fatal(err)
	}
	session, err := rt.Run(ctx, "x.star", `out = run("busybox", ["echo", "lent"]).stdout`)
	if err != nil {
		log.Fatal(err)
	}
	defer session.Close()
	out, _ := runtime.Get[string](session, "out")
	fmt.Print(out)
	// Output: lent
}
