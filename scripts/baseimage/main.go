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

	"github.com/moby/moby/client"
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
	c, err := client.New(client.FromEnv)
	if err != nil {
		return err
	}
	defer c.Close()
	switch {
	case *ping:
		return pingEngine(ctx, c)
	case *have:
		_, err := c.ImageInspect(ctx, image)
		return err
	case *pull:
		return pullImage(ctx, c)
	case *from != "":
		return importImage(ctx, c, *from)
	}
	return errors.New("nothing to do: see -help")
}

func pingEngine(ctx context.Context, c *client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	v, err := c.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return err
	}
	fmt.Printf("%s at %s\n", v.Version, c.DaemonHost())
	return nil
}

// pullImage gives a registry 10 seconds for its first words, and the pull five minutes.
func pullImage(ctx context.Context, c *client.Client) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	silent := time.AfterFunc(10*time.Second, cancel)
	defer silent.Stop()
	r, err := c.ImagePull(ctx, image, client.ImagePullOptions{})
	if err != nil {
		return fmt.Errorf("no registry gives %s: %w", image, err)
	}
	defer r.Close()
	for _, err := range r.JSONMessages(ctx) {
		if err != nil {
			return fmt.Errorf("no registry gives %s: %w", image, err)
		}
		silent.Stop()
	}
	return nil
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
