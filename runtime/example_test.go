package runtime_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/dscript/dscript/runtime"
)

// A Runtime without a library runs Starlark and can reach nothing.
func Example() {
	rt, err := runtime.New(runtime.Config{Stdout: os.Stdout})
	if err != nil {
		panic(err)
	}
	session, err := rt.Run(context.Background(), "hello.star", `
squares = [x * x for x in range(5)]
print("squares:", squares)
`)
	if err != nil {
		fmt.Println(rt.FormatError(err))
		return
	}
	defer session.Close()

	_, err = rt.Run(context.Background(), "wild.star", `read("/etc/passwd")`)
	fmt.Println(rt.FormatError(err))
	// Output:
	// squares: [0, 1, 4, 9, 16]
	// wild.star:1:1: error: undefined: read
	//   1 | read("/etc/passwd")
	//     | ^
}

const greetDoc = `
greet(name, *, times=1) -> string

Return a greeting.

name   who is greeted
times  how often

>>> greet("you")
"hello, you"
`

type greetArgs struct {
	Name  string
	Times int
}

func greet(_ *runtime.Call, a greetArgs) (string, error) {
	if a.Times < 1 {
		return "", runtime.Errorf(runtime.KindInvalid, "greet: times must be 1 or more, not %d", a.Times)
	}
	return strings.Repeat("hello, ", a.Times) + a.Name, nil
}

// One declaration gives a host's function its arguments, its errors and its
// documentation.
func ExampleFunc() {
	library := &runtime.Library{Name: "host", Members: []runtime.Member{runtime.Func(greetDoc, greet)}}
	rt, err := runtime.New(runtime.Config{Libraries: []*runtime.Library{library}, Stdout: os.Stdout})
	if err != nil {
		panic(err)
	}
	for _, script := range []string{`print(greet("you", times=2))`, `greet("you", tmies=2)`} {
		session, err := rt.Run(context.Background(), "greet.star", script)
		if err != nil {
			fmt.Println(err)
			continue
		}
		session.Close()
	}
	// Output:
	// hello, hello, you
	// greet: no parameter tmies (did you mean times?); usage: greet(name, *, times=1)
}

// A program calls a script's function and reads a typed value back.
func ExampleSession_Call() {
	rt, err := runtime.New(runtime.Config{})
	if err != nil {
		panic(err)
	}
	session, err := rt.Run(context.Background(), "config.star", `
config = {"name": "shop", "ports": [80, 443]}

def url(host, port):
    return "http://%s:%d/" % (host, port)
`)
	if err != nil {
		fmt.Println(rt.FormatError(err))
		return
	}
	defer session.Close()

	config, err := runtime.Get[struct {
		Name  string
		Ports []int
	}](session, "config")
	if err != nil {
		fmt.Println(err)
		return
	}
	value, err := session.Call(context.Background(), "url", "localhost", config.Ports[0])
	if err != nil {
		fmt.Println(rt.FormatError(err))
		return
	}
	var url string
	if err := runtime.Decode(value, &url); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(config.Name, url)
	_, err = runtime.Get[struct{ Name, Ports string }](session, "config")
	fmt.Println(err)
	// Output:
	// shop http://localhost:80/
	// config.ports: want string, got list
}
