package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// streams are the program's own.
type streams struct {
	in       *os.File
	out, err *os.File
}

func standard() streams { return streams{os.Stdin, os.Stdout, os.Stderr} }

func (s streams) interactive() bool { return isTerminal(s.in) && isTerminal(s.out) }

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// options are what all commands share.
type options struct {
	streams
	host    string
	context string
	keep    bool
	timeout time.Duration
	quiet   bool
	verbose bool
	trace   string
	color   string
}

// run is the program: it returns the exit code.
func run(args []string, std streams) int {
	o := &options{streams: std}
	root := newRoot(o)
	root.SetArgs(endAfterCode(root, args))
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	return report(o, root.Execute())
}

const rootHelp = `dscript runs Starlark scripts that drive containers.

  dscript FILE [args...]     run a script; everything after FILE belongs to it
  dscript -c CODE [args...]  run CODE
  dscript - [args...]        run what comes on stdin
  dscript                    the prompt, on a terminal

What a script starts is removed when it ends, however it ends.`

func newRoot(o *options) *cobra.Command {
	var s scriptCommand
	root := &cobra.Command{
		Use:           "dscript [flags] [FILE [args...]]",
		Short:         "Scripts that drive containers",
		Long:          rootHelp,
		Version:       versionText(),
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return o.check()
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && s.code == nil {
				if o.interactive() {
					return runPrompt(cmd.Context(), o, promptOptions{history: historyFile()})
				}
				if isTerminal(o.in) {
					return usagef("nothing to run: name a FILE, or - for stdin")
				}
				args = []string{"-"}
			}
			return s.run(cmd, o, args)
		},
		ValidArgsFunction: completeScripts,
	}
	// Everything after FILE belongs to the script.
	root.Flags().SetInterspersed(false)
	s.flags(root.Flags())
	o.flags(root.PersistentFlags())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newRun(o), newRepl(o), newDoc(o), newDoctor(o), newVersion(o))
	root.SetVersionTemplate("{{.Version}}\n")
	root.SuggestionsMinimumDistance = 2
	return root
}

func (o *options) flags(f *pflag.FlagSet) {
	f.StringVarP(&o.host, "host", "H", "", "the engine's `address`: unix:///path, tcp://host:port, ssh://user@host")
	f.StringVar(&o.context, "context", "", "the Docker context whose engine is used")
	f.BoolVar(&o.keep, "keep", false, "leave what the script starts, and say what that is")
	f.DurationVar(&o.timeout, "timeout", 0, "end the script after this `time` (90s, 5m), with exit code 124")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress on stderr")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "say which engine is used, and each request to it, on stderr")
	f.StringVar(&o.trace, "trace", "", "write each request to the engine into `file`, as JSON lines")
	f.StringVar(&o.color, "color", "auto", "colours on stderr: auto, always, never (NO_COLOR is honoured)")
}

func (o *options) check() error {
	if !slices.Contains([]string{"auto", "always", "never"}, o.color) {
		return usagef("--color is auto, always or never, not %q", o.color)
	}
	if o.timeout < 0 {
		return usagef("--timeout cannot be negative")
	}
	return nil
}

// endAfterCode writes "--" behind the value of -c: all that follows belongs to the
// script, also what looks like a flag.
func endAfterCode(root *cobra.Command, args []string) []string {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "run" {
			continue
		}
		if len(arg) < 2 || arg[0] != '-' || arg == "--" {
			break
		}
		flag, valueFollows := lookupFlag(root, arg)
		if flag == nil {
			break
		}
		if valueFollows {
			i++
		}
		if flag.Name == "code" && i < len(args) {
			return slices.Concat(args[:i+1], []string{"--"}, args[i+1:])
		}
	}
	return args
}

// lookupFlag gives the flag of an argument, the last one of -qvc, and whether its
// value is the next argument.
func lookupFlag(root *cobra.Command, arg string) (flag *pflag.Flag, valueFollows bool) {
	lookup := func(find func(*pflag.FlagSet) *pflag.Flag) *pflag.Flag {
		if f := find(root.Flags()); f != nil {
			return f
		}
		return find(root.PersistentFlags())
	}
	if name, long := strings.CutPrefix(arg, "--"); long {
		name, _, inline := strings.Cut(name, "=")
		f := lookup(func(s *pflag.FlagSet) *pflag.Flag { return s.Lookup(name) })
		return f, f != nil && !inline && f.NoOptDefVal == ""
	}
	for i := 1; i < len(arg); i++ {
		f := lookup(func(s *pflag.FlagSet) *pflag.Flag { return s.ShorthandLookup(arg[i : i+1]) })
		if f == nil || f.NoOptDefVal == "" {
			return f, i == len(arg)-1
		}
		flag = f
	}
	return flag, false
}

// colored reports whether f gets colours. An environment that says NO_COLOR has
// the word, unless the flag speaks against it.
func (o *options) colored(f *os.File) bool {
	switch o.color {
	case "always":
		return true
	case "never":
		return false
	}
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	return isTerminal(f) || os.Getenv("CLICOLOR_FORCE") != "" && os.Getenv("CLICOLOR_FORCE") != "0"
}

// paint gives text a colour on f, where f gets colours.
func (o *options) paint(f *os.File, color, text string) string {
	if !o.colored(f) {
		return text
	}
	return color + text + plain
}

const (
	red   = "\x1b[1;31m"
	cyan  = "\x1b[36m"
	bold  = "\x1b[1m"
	plain = "\x1b[0m"
)

// note writes a line of the program's own to stderr.
func (o *options) note(format string, args ...any) {
	fmt.Fprintf(o.err, "dscript: "+format+"\n", args...)
}

func completeScripts(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveDefault
	}
	return []string{"star"}, cobra.ShellCompDirectiveFilterFileExt
}

// didYouMean gives the command that a file that does not exist was meant to be.
func didYouMean(root *cobra.Command, name string) string {
	if strings.ContainsAny(name, "./\\") {
		return ""
	}
	if s := root.SuggestionsFor(name); len(s) > 0 {
		return s[0]
	}
	return ""
}
