package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/lang"
	"github.com/dscript/dscript/runtime/repl"
)

func newRepl(o *options) *cobra.Command {
	var history string
	var prompts bool
	cmd := &cobra.Command{
		Use:   "repl",
		Short: "The prompt",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runPrompt(cmd.Context(), o, promptOptions{history, prompts})
		},
	}
	cmd.Flags().StringVar(&history, "history", historyFile(), "the history's `file`; empty for none")
	cmd.Flags().BoolVar(&prompts, "prompt", false, "show prompts also where stdin is not a terminal")
	return cmd
}

type promptOptions struct {
	history string
	prompts bool
}

// runPrompt is the prompt over the user's terminal, or over what is piped in.
func runPrompt(parent context.Context, o *options, p promptOptions) (err error) {
	e, err := newEngines(o)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := e.close(); err == nil {
			err = cerr
		}
	}()
	here, err := projectHere()
	if err != nil {
		return err
	}
	ctx, stop := watchTermination(parent)
	defer stop()
	ctx, out, stopOutput := watchOutput(ctx, o.out)
	defer stopOutput()
	terminal := o.interactive()
	config := configFor(o, here, nil)
	config.Stdout, config.Live = out, terminal
	if terminal {
		out = o.out // the line editor wants the file
		config.Stdout, config.Stderr = repl.Sanitize(o.out), repl.Sanitize(o.err)
	}
	config.Libraries = []*runtime.Library{lang.Library(), library(o, e)}
	rt, err := runtime.New(config)
	if err != nil {
		return err
	}
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	opts := repl.Options{
		Runtime: rt, In: o.in, Out: out, Err: o.err,
		Terminal: terminal, Prompt: p.prompts, HistoryFile: p.history, Color: o.colored(o.out),
		Interrupts: interrupts,
		Closing:    func(s *runtime.Session) { e.sayEnded(s.ID()) },
	}
	if terminal && !o.quiet {
		opts.Banner = "dscript " + programVersion() + "; :help tells what there is, Ctrl-D leaves"
	}
	return endedBy(ctx, repl.Run(ctx, opts))
}

// historyFile is in the user's state directory, as XDG has it; "" where there is none.
func historyFile() string {
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "dscript", "history")
	}
	home, err := os.UserHomeDir()
	if err != nil || home == "" {
		return ""
	}
	return filepath.Join(home, ".local", "state", "dscript", "history")
}
