package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/dscript/dscript/builtins"
	"github.com/dscript/dscript/runtime"
	"github.com/dscript/dscript/runtime/docs"
	"github.com/dscript/dscript/runtime/lang"
)

func newDoc(o *options) *cobra.Command {
	var markdown, asJSON, stubs bool
	cmd := &cobra.Command{
		Use:   "doc [NAME]",
		Short: "What scripts can say: all of it, or one NAME (container, container.get, exec)",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("doc takes one NAME, and got %q", args)
			}
			if markdown && asJSON || asJSON && stubs || stubs && markdown {
				return usagef("doc takes one of --markdown, --json and --stubs")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			libs := []*runtime.Library{lang.Library(), builtins.Library(builtins.Options{})}
			switch {
			case markdown:
				return write(o.out, docs.Markdown(libs))
			case asJSON:
				text, err := docs.JSON(libs)
				if err != nil {
					return err
				}
				return write(o.out, string(text)+"\n")
			case stubs:
				return write(o.out, docs.Stubs(libs))
			}
			rt, err := runtime.New(runtime.Config{Libraries: libs})
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return docOf(o, rt, args[0])
			}
			return docList(o, rt)
		},
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return docNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	f := cmd.Flags()
	f.BoolVar(&markdown, "markdown", false, "the whole reference as Markdown")
	f.BoolVar(&asJSON, "json", false, "the whole reference as JSON")
	f.BoolVar(&stubs, "stubs", false, "stubs for editors (.pyi)")
	return cmd
}

func docOf(o *options, rt *runtime.Runtime, name string) error {
	m, err := docs.Lookup(rt, name)
	if err != nil {
		return usageError{err}
	}
	return write(o.out, docs.Text(m, o.columns()))
}

// docList is one line for each name that is predeclared.
func docList(o *options, rt *runtime.Runtime) error {
	var b strings.Builder
	b.WriteString("dscript doc NAME says more of each.\n")
	for _, lib := range rt.Libraries() {
		fmt.Fprintf(&b, "\n%s\n", o.paint(o.out, bold, lib.Name))
		for _, m := range lib.Members {
			fmt.Fprintf(&b, "  %-11s %s\n", m.MemberName(), firstSentence(m.Doc().Summary))
		}
	}
	return write(o.out, b.String())
}

func firstSentence(s string) string {
	if i := strings.Index(s, ". "); i > 0 {
		return s[:i+1]
	}
	return s
}

func docNames() []string {
	var names []string
	for _, lib := range []*runtime.Library{lang.Library(), builtins.Library(builtins.Options{})} {
		for _, m := range lib.Members {
			names = append(names, m.MemberName())
			for _, sub := range m.Members() {
				names = append(names, m.MemberName()+"."+sub.MemberName())
			}
		}
	}
	return names
}

// columns is how wide text on stdout may be.
func (o *options) columns() int {
	if w, _, err := term.GetSize(int(o.out.Fd())); err == nil && w > 0 {
		return min(w, 100)
	}
	return 80
}

func write(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}
