// Command baseimage helps the set-up scripts: it finds the engine by the rules
// that dscript follows and sees to the base image of demo and tests.
//
//	baseimage -ping           print which engine answers; exit 1 and say why when none does
//	baseimage -have           exit 0 when the engine has busybox:latest
//	baseimage -pull           pull busybox:latest; exit 1 when no registry answers within a few seconds
//	baseimage -static FILE    exit 0 when FILE is a statically linked program
//	baseimage -import FILE    make busybox:latest from FILE, a static busybox
package main

import (
	"context"
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/engine/host"
)

const image = "busybox:latest"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "set-up:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	ping := flag.Bool("ping", false, "print which engine answers")
	have := flag.Bool("have", false, "exit 0 when the engine has "+image)
	pull := flag.Bool("pull", false, "pull "+image)
	static := flag.String("static", "", "exit 0 when `file` is a statically linked program")
	from := flag.String("import", "", "make "+image+" from `file`, a static busybox")
	flag.Parse()
	if *static != "" {
		return isStatic(*static)
	}
	home, _ := os.UserHomeDir()
	found, err := host.Find(ctx, host.FindOptions{Getenv: os.Getenv, Home: home})
	if err != nil {
		return err
	}
	c, err := engine.New(found.Options)
	if err != nil {
		return err
	}
	defer c.Close()
	switch {
	case *ping:
		return pingEngine(ctx, c)
	case *have:
		_, err := c.InspectImage(ctx, image)
		return err
	case *pull:
		return pullImage(ctx, c)
	case *from != "":
		return importImage(ctx, c, *from)
	}
	return errors.New("nothing to do: see -help")
}

func pingEngine(ctx context.Context, c *engine.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	v, err := c.Version(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%s %s at %s\n", v.Engine, v.Version, c.Host())
	return nil
}

// pullImage gives a registry 10 seconds for its first words, and the pull five minutes.
func pullImage(ctx context.Context, c *engine.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	silent := time.AfterFunc(10*time.Second, cancel)
	defer silent.Stop()
	_, err := c.PullImage(ctx, image, engine.PullOptions{Progress: func(engine.Progress) { silent.Stop() }})
	return err
}

func isStatic(name string) error {
	f, err := elf.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("%s is dynamically linked", name)
		}
	}
	return nil
}
