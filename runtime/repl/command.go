package repl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dscript/dscript/runtime/docs"
)

// errQuit ends the loop.
var errQuit = errors.New("quit")

// A colonCommand is one of the loop's own, which cannot clash with Starlark.
type colonCommand struct {
	name, arg string
	does      string
	run       func(l *loop, ctx context.Context, arg string) error
}

// colonCommands is a function because :help lists it.
func colonCommands() []colonCommand {
	return []colonCommand{
		{":help", "[NAME]", "what there is, or what NAME is; NAME? does the same", (*loop).help},
		{":quit", "", "leave, and remove what was made here; Ctrl-D does the same", (*loop).quit},
		{":reload", "", "the next load() runs its module again", (*loop).reload},
		{":restore", "NAME", "forget the variable NAME: dscript's own is back", (*loop).restore},
		{":time", "[STATEMENT]", "how long it takes; without one, say so of all that follow, or no longer", (*loop).time},
		{":who", "", "the variables of this session", (*loop).who},
	}
}

func (l *loop) command(ctx context.Context, text string) error {
	if name, ok := strings.CutSuffix(text, "?"); ok {
		return l.help(ctx, strings.TrimSpace(strings.TrimRight(name, "?")))
	}
	name, arg, _ := strings.Cut(text, " ")
	commands := colonCommands()
	var fit []colonCommand
	for _, c := range commands {
		if c.name == name {
			return c.run(l, ctx, strings.TrimSpace(arg))
		}
		if strings.HasPrefix(c.name, name) && name != ":" {
			fit = append(fit, c)
		}
	}
	if len(fit) == 1 {
		return fit[0].run(l, ctx, strings.TrimSpace(arg))
	}
	l.note("no command %s; there are:", name)
	fmt.Fprint(l.Err, commandTable())
	return nil
}

func commandTable() string {
	var rows [][]string
	for _, c := range colonCommands() {
		rows = append(rows, []string{strings.TrimSpace(c.name + " " + c.arg), c.does})
	}
	return table(rows[0], rows[1:], 0)
}

func (l *loop) quit(context.Context, string) error { return errQuit }

func (l *loop) help(_ context.Context, name string) error {
	if name == "" {
		return l.overview()
	}
	text, err := l.helpOf(name)
	if err != nil {
		l.note("%s", err)
		return nil
	}
	if l.Terminal {
		text = sanitizeAll(text)
	}
	fmt.Fprint(l.Out, text)
	return nil
}

// helpOf describes a variable, or what is declared. c.exec, for a variable c that
// is a Container, is Container.exec; it is not read, which could ask an engine.
func (l *loop) helpOf(name string) (string, error) {
	first, rest, dotted := strings.Cut(name, ".")
	v := l.session.Globals()[first]
	if v != nil && !dotted {
		return docs.Value(l.Runtime, v, l.width())
	}
	if v != nil {
		if t := l.Runtime.TypeOf(v); t != nil {
			name = t.MemberName() + "." + rest
		}
	}
	m, err := docs.Lookup(l.Runtime, name)
	if err != nil {
		return "", err
	}
	return docs.Text(m, l.width()), nil
}

// overview lists what is predeclared and the loop's own commands.
func (l *loop) overview() error {
	var rows [][]string
	for _, m := range l.Runtime.Declarations() {
		first, _, _ := strings.Cut(m.Doc().Summary, ". ")
		rows = append(rows, []string{m.MemberName(), strings.TrimSuffix(first, ".")})
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	if len(rows) > 0 {
		fmt.Fprintln(l.Out, "NAME? says more of each; Tab completes; _ is the last value.")
		fmt.Fprintln(l.Out)
		fmt.Fprint(l.Out, table(rows[0], rows[1:], l.width()))
		fmt.Fprintln(l.Out)
	}
	fmt.Fprint(l.Out, commandTable())
	return nil
}

func (l *loop) reload(context.Context, string) error {
	l.session.ForgetModules()
	l.note("the next load() of each module runs it again")
	return nil
}

func (l *loop) restore(_ context.Context, name string) error {
	switch {
	case name == "" || !l.session.Globals().Has(name):
		l.note("no variable %s", name)
	case !l.predeclared[name]:
		l.note("%s is not dscript's: nothing would come back", name)
	default:
		l.session.Forget(name)
		l.note("%s is dscript's again", name)
	}
	return nil
}

func (l *loop) time(ctx context.Context, statement string) error {
	if statement == "" {
		l.timed = !l.timed
		l.note("times are %s", map[bool]string{true: "shown", false: "no longer shown"}[l.timed])
		return nil
	}
	was := l.timed
	l.timed = true
	err := l.handle(ctx, statement+"\n")
	l.timed = was
	return err
}

func (l *loop) who(context.Context, string) error {
	globals := l.session.Globals()
	var rows [][]string
	for _, name := range globals.Keys() {
		if v := globals[name]; name != "_" {
			rows = append(rows, []string{name, v.Type(), cut(oneLine(v.String()), 60)})
		}
	}
	if len(rows) == 0 {
		l.note("no variables yet")
		return nil
	}
	fmt.Fprint(l.Out, table([]string{"NAME", "TYPE", "VALUE"}, rows, l.width()))
	return nil
}
