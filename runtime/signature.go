package runtime

// This file parses a declaration's text: the signature in Starlark's own
// syntax, then prose, lines about parameters, and `>>>` examples.

import (
	"fmt"
	"strings"
	"unicode"

	"go.starlark.net/syntax"
)

// usageWidth is how long a usage line in an error may be.
const usageWidth = 80

// declaredName returns the name that a text begins with, without what stands
// before its last dot. It does not parse.
func declaredName(text string) string {
	full := declaredFullName(text)
	return full[strings.LastIndexByte(full, '.')+1:]
}

func declaredFullName(text string) string {
	text = strings.TrimSpace(text)
	end := strings.IndexFunc(text, func(r rune) bool {
		return r != '_' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if end < 0 {
		return text
	}
	return text[:end]
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func isIdentifier(name string) bool {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return name != ""
}

// parseDoc parses a text. Defaults are read from the syntax tree, never evaluated.
func parseDoc(kind, text string) (*Doc, error) {
	signature, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	d := &Doc{Kind: kind, FullName: declaredFullName(signature)}
	d.Name = d.FullName[strings.LastIndexByte(d.FullName, '.')+1:]
	if !isIdentifier(d.Name) {
		return nil, fmt.Errorf("a declaration must begin with its name, not with %q", signature)
	}
	call := strings.TrimSpace(strings.TrimPrefix(signature, d.FullName))
	if i := strings.LastIndex(call, "->"); i >= 0 {
		call, d.Returns = strings.TrimSpace(call[:i]), strings.TrimSpace(call[i+len("->"):])
	}
	switch {
	case call == "":
	case !strings.HasPrefix(call, "(") || !strings.HasSuffix(call, ")"):
		return nil, fmt.Errorf("%s: %q is not a signature", d.FullName, signature)
	default:
		if err := d.parseParams(call); err != nil {
			return nil, err
		}
	}
	d.sign()
	d.parseText(rest)
	return d, nil
}

// parseParams parses "(a, b=1, *, c)".
func (d *Doc) parseParams(call string) error {
	file, err := Dialect().Parse(d.FullName, "def f"+call+": pass\n", 0)
	if err != nil {
		return fmt.Errorf("%s: signature: %w", d.FullName, err)
	}
	d.Callable = true
	keywordOnly := false
	for _, e := range file.Stmts[0].(*syntax.DefStmt).Params {
		p := Param{KeywordOnly: keywordOnly}
		switch e := e.(type) {
		case *syntax.Ident:
			p.Name, p.Required = e.Name, true
		case *syntax.BinaryExpr:
			p.Name = e.X.(*syntax.Ident).Name
			if p.Default, err = literalText(e.Y); err != nil {
				return fmt.Errorf("%s: parameter %s: %w", d.FullName, p.Name, err)
			}
		case *syntax.UnaryExpr:
			keywordOnly = true
			if e.X == nil {
				continue
			}
			p.Name, p.Variadic, p.KeywordOnly = e.X.(*syntax.Ident).Name, e.Op.String(), false
		}
		d.Params = append(d.Params, p)
	}
	return d.checkNames()
}

// checkNames refuses two parameters that differ only by an underscore.
func (d *Doc) checkNames() error {
	seen := make(map[string]string)
	for _, p := range d.Params {
		folded := foldName(p.Name)
		if other, ok := seen[folded]; ok {
			return fmt.Errorf("%s: parameters %s and %s are too alike", d.FullName, other, p.Name)
		}
		seen[folded] = p.Name
	}
	return nil
}

// literalText writes a default as Starlark does. A default is a literal: a
// number, string, True, False, None, or a list, tuple or dict of those.
func literalText(e syntax.Expr) (string, error) {
	switch e := e.(type) {
	case *syntax.Literal:
		return e.Raw, nil
	case *syntax.Ident:
		if e.Name == "None" || e.Name == "True" || e.Name == "False" {
			return e.Name, nil
		}
	case *syntax.UnaryExpr:
		text, err := literalText(e.X)
		return e.Op.String() + text, err
	case *syntax.ListExpr:
		text, err := literalTexts(e.List)
		return "[" + text + "]", err
	case *syntax.ParenExpr:
		return literalText(e.X)
	case *syntax.TupleExpr:
		text, err := literalTexts(e.List)
		return "(" + text + ")", err
	case *syntax.DictExpr:
		text, err := literalTexts(e.List)
		return "{" + text + "}", err
	case *syntax.DictEntry:
		key, err := literalText(e.Key)
		if err != nil {
			return "", err
		}
		value, err := literalText(e.Value)
		return key + ": " + value, err
	}
	return "", fmt.Errorf("a default must be a literal")
}

func literalTexts(list []syntax.Expr) (string, error) {
	texts := make([]string, len(list))
	for i, e := range list {
		text, err := literalText(e)
		if err != nil {
			return "", err
		}
		texts[i] = text
	}
	return strings.Join(texts, ", "), nil
}

// sign writes Signature and Usage.
func (d *Doc) sign() {
	d.Signature, d.Usage = d.FullName, d.FullName
	if d.Callable {
		full := d.FullName + "(" + strings.Join(paramTexts(d.Params), ", ") + ")"
		d.Signature, d.Usage = full, full
		if len(full) > usageWidth {
			d.Usage = d.FullName + "(" + shortParams(d.Params) + ")"
		}
	}
	if d.Returns != "" {
		d.Signature += " -> " + d.Returns
	}
}

func paramTexts(params []Param) []string {
	var texts []string
	star := false
	for _, p := range params {
		if p.KeywordOnly && !star {
			texts = append(texts, "*")
		}
		star = star || p.KeywordOnly || p.Variadic == "*"
		texts = append(texts, p.text())
	}
	return texts
}

// shortParams writes what must be known to call the function at all.
func shortParams(params []Param) string {
	var texts []string
	star := false
	for _, p := range params {
		switch {
		case p.Variadic == "*":
			texts, star = append(texts, p.text()), true
		case p.KeywordOnly && p.Required:
			if !star {
				texts, star = append(texts, "*"), true
			}
			texts = append(texts, p.Name)
		case p.KeywordOnly || p.Variadic != "":
			if !star {
				texts, star = append(texts, "*"), true
			}
		default:
			texts = append(texts, p.text())
		}
	}
	return strings.Join(append(texts, "…"), ", ")
}

func (p Param) text() string {
	if p.Default != "" {
		return p.Name + "=" + p.Default
	}
	return p.Variadic + p.Name
}

// parseText sorts what follows the signature.
func (d *Doc) parseText(text string) {
	var prose []string
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if strings.HasPrefix(line, ">>> ") {
			i = d.parseExample(lines, i)
			continue
		}
		if p, doc := d.paramLine(line); p != nil {
			p.Doc = doc
			for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "  ") {
				i++
				p.Doc += " " + strings.TrimSpace(lines[i])
			}
			continue
		}
		prose = append(prose, strings.TrimRight(line, " \t"))
	}
	d.Text = tidy(strings.Join(prose, "\n"))
	summary, _, _ := strings.Cut(d.Text, "\n\n")
	d.Summary = strings.Join(strings.Fields(summary), " ")
}

// tidy trims a text and leaves no two empty lines in a row.
func tidy(text string) string {
	for strings.Contains(text, "\n\n\n") {
		text = strings.ReplaceAll(text, "\n\n\n", "\n\n")
	}
	return strings.Trim(text, "\n")
}

// paramLine recognises "name  what it is": a parameter's name, two spaces or more.
func (d *Doc) paramLine(line string) (*Param, string) {
	name, doc, ok := strings.Cut(line, "  ")
	if !ok {
		return nil, ""
	}
	name = strings.TrimLeft(name, "*")
	for i := range d.Params {
		if d.Params[i].Name == name {
			return &d.Params[i], strings.TrimSpace(doc)
		}
	}
	return nil, ""
}

// parseExample reads an example that begins at line i and returns its last line.
func (d *Doc) parseExample(lines []string, i int) int {
	source := []string{strings.TrimPrefix(lines[i], ">>> ")}
	for i+1 < len(lines) && (strings.HasPrefix(lines[i+1], "... ") || lines[i+1] == "...") {
		i++
		source = append(source, strings.TrimPrefix(strings.TrimPrefix(lines[i], "..."), " "))
	}
	var want []string
	for i+1 < len(lines) && lines[i+1] != "" && !strings.HasPrefix(lines[i+1], ">>> ") {
		i++
		want = append(want, lines[i])
	}
	d.Examples = append(d.Examples, Example{
		Source: strings.Join(source, "\n"),
		Want:   strings.Join(want, "\n"),
	})
	return i
}

// asMethod returns the doc of the method whose receiver is the first parameter.
func (d *Doc) asMethod(name string) (*Doc, error) {
	if len(d.Params) == 0 || d.Params[0].KeywordOnly || d.Params[0].Variadic != "" {
		return nil, fmt.Errorf("%s: a method needs a first parameter for its receiver", d.FullName)
	}
	m := *d
	m.Kind, m.Name, m.FullName = "method", name, name
	m.Params = d.Params[1:]
	m.sign()
	return &m, nil
}
