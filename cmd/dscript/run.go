package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dscript/dscript/builtins"
	"github.com/dscript/dscript/engine"
	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/lang"
	"github.com/dscript/dscript/stdlib"
)

// scriptCommand is what `dscript FILE` and `dscript run FILE` share.
type scriptCommand struct {
	code *string // of -c
}

func (s *scriptCommand) flags(f *pflag.FlagSet) {
	f.VarP(codeFlag{s}, "code", "c", "run `CODE`; all arguments belong to it")
}

// codeFlag tells an empty -c from none.
type codeFlag struct{ s *scriptCommand }

func (c codeFlag) Set(v string) error { c.s.code = &v; return nil }
func (c codeFlag) Type() string       { return "string" }
func (c codeFlag) String() string     { return "" }

func newRun(o *options) *cobra.Command {
	var s scriptCommand
	cmd := &cobra.Command{
		Use:               "run [flags] FILE [args...]",
		Short:             "Run a script; everything after FILE belongs to it",
		ValidArgsFunction: completeScripts,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && s.code == nil {
				return usagef("run needs a FILE, - for stdin, or -c CODE")
			}
			return s.run(cmd, o, args)
		},
	}
	cmd.Flags().SetInterspersed(false)
	s.flags(cmd.Flags())
	return cmd
}

// A script is what is to be run.
type script struct {
	name   string // as in error texts, below config.Root for a file
	src    any    // nil: the file name is in config.Files
	config runtime.Config
}

func (s *scriptCommand) run(cmd *cobra.Command, o *options, args []string) error {
	sc, err := s.script(cmd, o, args)
	if err != nil {
		return err
	}
	return runScript(cmd.Context(), o, sc)
}

func (s *scriptCommand) script(cmd *cobra.Command, o *options, args []string) (script, error) {
	if s.code != nil {
		return hereScript(o, "-c", *s.code, args)
	}
	name := args[0]
	if name == "-" {
		src, err := io.ReadAll(o.in)
		if err != nil {
			return script{}, fmt.Errorf("stdin: %w", err)
		}
		return hereScript(o, "<stdin>", src, args[1:])
	}
	info, err := os.Stat(name)
	if err != nil {
		return script{}, noSuchFile(cmd, name, err)
	}
	if info.IsDir() {
		return script{}, usagef("%s is a directory", name)
	}
	p, err := projectOf(name)
	if err != nil {
		return script{}, err
	}
	return script{name: filepath.Join(p.root, filepath.FromSlash(p.main)), config: configFor(o, p, args[1:])}, nil
}

func noSuchFile(cmd *cobra.Command, name string, err error) error {
	var pathErr *os.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	if meant := didYouMean(cmd.Root(), name); meant != "" {
		return usagef("%s: %w (did you mean the command %s?)", name, err, meant)
	}
	return usagef("%s: %w", name, err)
}

// hereScript is one without a file: it loads and reads relative to the working directory.
func hereScript(o *options, name string, src any, args []string) (script, error) {
	p, err := projectHere()
	if err != nil {
		return script{}, err
	}
	return script{name: name, src: src, config: configFor(o, p, args)}, nil
}

func projectHere() (project, error) {
	wd, err := os.Getwd()
	if err != nil {
		return project{}, err
	}
	return project{root: projectRoot(wd), dir: wd}, nil
}

// configFor gives scripts all that the program's user may do.
func configFor(o *options, p project, args []string) runtime.Config {
	return runtime.Config{
		Host:   runtime.Host{Read: runtime.Everything(), Write: runtime.Everything(), Env: os.LookupEnv, Run: runtime.LocalRun},
		Files:  os.DirFS(p.root),
		Std:    stdlib.FS,
		Root:   p.root,
		Dir:    p.dir,
		Stdin:  o.in,
		Stdout: o.out,
		Stderr: o.err,
		Args:   args,
		Warn:   func(w runtime.Warning) { fmt.Fprintln(o.err, relative(p.root)(w.String())) },
	}
}

// library is the Docker library over the program's engine.
func library(o *options, e *engines) *runtime.Library {
	opts := builtins.Options{Connect: e.Connect, Progress: newProgress(o).step, Build: (&buildProgress{o: o}).begin}
	if o.keep {
		opts.Owner.Kind = engine.OwnerKept
	}
	return builtins.Library(opts)
}

func runScript(parent context.Context, o *options, sc script) (err error) {
	e, err := newEngines(o)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := e.close(); err == nil {
			err = cerr
		}
	}()
	ctx, stop := watchSignals(parent, func(s os.Signal) {
		o.note("%s: cleaning up; once more ends at once", signalName(s))
	})
	defer stop()
	ctx, out, stopOutput := watchOutput(ctx, o.out)
	defer stopOutput()
	sc.config.Stdout = out
	sc.config.Libraries = []*runtime.Library{lang.Library(), library(o, e)}
	rt, err := runtime.New(sc.config)
	if err != nil {
		return err
	}
	if o.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.timeout, timeoutError{o.timeout})
		defer cancel()
	}
	return endedBy(ctx, runIn(ctx, o, e, rt, sc))
}

// runIn runs the script in a session and cleans up after it.
func runIn(ctx context.Context, o *options, e *engines, rt *runtime.Runtime, sc script) error {
	program, err := rt.Compile(sc.name, sc.src)
	if err != nil {
		return scriptFailed(rt, err)
	}
	session := rt.NewSession(ctx)
	err = session.RunProgram(ctx, program)
	switch {
	case o.keep:
		e.sayKept(session.ID())
	case ctx.Err() != nil || o.verbose:
		e.sayEnded(session.ID())
	}
	return scriptFailed(rt, err, session.Close())
}

// scriptFailed gives the errors of a script and its cleanup as one that says how
// they are shown; nil when there are none.
func scriptFailed(rt *runtime.Runtime, errs ...error) error {
	err := errors.Join(errs...)
	if err == nil {
		return nil
	}
	var texts []string
	for _, err := range errs {
		var exit *runtime.ExitError
		if err != nil && !errors.As(err, &exit) {
			texts = append(texts, relative(rt.Config().Root)(rt.FormatError(err)))
		}
	}
	return scriptError{err, strings.Join(texts, "\n")}
}
