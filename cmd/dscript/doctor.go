package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/dscript/dscript/engine"
)

// doctorPatience is how long doctor waits for an engine that is there but slow.
const doctorPatience = 30 * time.Second

func newDoctor(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Which engine is used, why this one, and what is wrong with it",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), doctorPatience)
			defer cancel()
			return doctor(ctx, o)
		},
	}
}

func doctor(ctx context.Context, o *options) error {
	d := &findings{o: o}
	d.line("program", "%s", versionText())
	found, err := o.find(ctx)
	for _, t := range found.Tried {
		d.line("tried", "%s: %s", t.Source, t.Reason())
	}
	if err != nil {
		return err
	}
	d.line("engine", "%s", found.Options.Host)
	d.line("because of", "%s", found.Source)
	for _, w := range found.Warnings {
		d.line("warning", "%s", w)
	}
	c, err := engine.New(found.Options)
	if err != nil {
		return err
	}
	defer c.Close()
	v, err := c.Version(ctx)
	if err != nil {
		return err
	}
	d.version(v)
	if err := d.info(ctx, c); err != nil {
		return err
	}
	return d.leftovers(ctx, c)
}

// findings writes doctor's findings, a line each.
type findings struct{ o *options }

func (d *findings) line(what, format string, args ...any) {
	fmt.Fprintf(d.o.out, "%s  %s\n", d.o.paint(d.o.out, bold, fmt.Sprintf("%-10s", what)), fmt.Sprintf(format, args...))
}

func (d *findings) version(v engine.VersionResult) {
	kind := v.Engine
	if kind == "" {
		kind = "an engine that does not say what it is"
	}
	d.line("version", "%s %s, %s/%s", kind, v.Version, v.OS, v.Arch)
	var raw struct {
		MinAPIVersion string
	}
	_ = json.Unmarshal(v.Raw, &raw)
	if raw.MinAPIVersion == "" {
		raw.MinAPIVersion = "?"
	}
	d.line("API", "%s to %s", raw.MinAPIVersion, v.APIVersion)
}

func (d *findings) info(ctx context.Context, c *engine.Client) error {
	raw, err := c.Info(ctx)
	if err != nil {
		return err
	}
	var info struct {
		Containers, ContainersRunning, Images int
		Driver, CgroupVersion                 string
		SecurityOptions, Warnings             []string
	}
	if err := json.Unmarshal(raw, &info); err != nil {
		return err
	}
	d.line("holds", "%d containers (%d running), %d images; storage %s", info.Containers, info.ContainersRunning, info.Images, info.Driver)
	return nil
}

// leftovers lists what earlier sessions of dscript left: what was kept on
// purpose, and what nobody removed.
func (d *findings) leftovers(ctx context.Context, c *engine.Client) error {
	list, err := madeContainers(ctx, c, "dscript.session")
	if err != nil {
		return err
	}
	if len(list) == 0 {
		d.line("leftovers", "none")
		return nil
	}
	for _, m := range list {
		why := "of a session that runs, or was killed"
		if m.owner != string(engine.OwnerSession) {
			why = m.owner
		}
		d.line("leftover", "container %s (%s, %s): %s", m.name, m.image, m.state, why)
	}
	d.line("", "docker rm -f NAME (or podman rm -f NAME) removes one")
	return nil
}
