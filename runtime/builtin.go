package runtime

// This file defines functions: a text that declares one, and the Go function
// that it is.

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// builtinFile is the file name of Starlark's frames of builtins.
const builtinFile = "<builtin>"

// A Builtin is a declared function, and the value by which scripts use it.
type Builtin struct {
	text string
	fn   reflect.Value
	once sync.Once
	decl *declared
	err  error
}

var _ starlark.Callable = (*Builtin)(nil)

// declared is a Builtin whose text has been parsed and matched with its Go
// function.
type declared struct {
	doc      *Doc
	args     reflect.Type // a struct
	template reflect.Value
	params   []param
	names    map[string]int // a parameter's place by its name
	star     []int          // the field of *args, or nil
	kwargs   []int          // the field of **kwargs, or nil
	posMax   int            // how many can be given by position
	value    bool           // fn returns a value besides its error
}

var (
	callType     = reflect.TypeFor[*Call]()
	errorType    = reflect.TypeFor[error]()
	tupleType    = reflect.TypeFor[starlark.Tuple]()
	tuplesType   = reflect.TypeFor[[]starlark.Tuple]()
	valueType    = reflect.TypeFor[starlark.Value]()
	callableType = reflect.TypeFor[starlark.Callable]()
)

// Func declares a function. The text begins with its signature in Starlark's
// syntax, "exec(container, cmd, *, user=\"\") -> Result"; fn is a
//
//	func(*Call, Args) (R, error)   R: a starlark.Value or what ToValue takes
//	func(*Call, Args) error
//
// where Args is a struct whose exported fields are the parameters, by
// snake_case name and in order. Func panics when fn is not such a function;
// a text that does not fit Args is found by Runtime.Check, or by the first
// call.
func Func(doc string, fn any) *Builtin {
	v := reflect.ValueOf(fn)
	t := v.Type()
	ok := t.Kind() == reflect.Func && t.NumIn() == 2 && !t.IsVariadic() && t.In(0) == callType &&
		t.In(1).Kind() == reflect.Struct && (t.NumOut() == 1 || t.NumOut() == 2) && t.Out(t.NumOut()-1) == errorType
	if !ok {
		panic(fmt.Sprintf("runtime: %s is declared with a %s, not a func(*Call, Args) (R, error)", declaredFullName(doc), t))
	}
	return &Builtin{text: doc, fn: v}
}

// MemberName returns the function's name, without its noun's.
func (b *Builtin) MemberName() string { return declaredName(b.text) }

// Doc returns the parsed declaration.
func (b *Builtin) Doc() *Doc { return must(b.parse()) }

// Members returns nil.
func (b *Builtin) Members() []Member { return nil }

func (b *Builtin) parse() (*Doc, error) {
	d, err := b.declared()
	if err != nil {
		return nil, err
	}
	return d.doc, nil
}

func (b *Builtin) check() error { _, err := b.parse(); return err }

func (b *Builtin) declared() (*declared, error) {
	b.once.Do(func() { b.decl, b.err = declare(b.text, b.fn.Type()) })
	return b.decl, b.err
}

// firstParam returns the first parameter's name without parsing.
func (b *Builtin) firstParam() string {
	_, rest, _ := strings.Cut(firstLine(strings.TrimSpace(b.text)), "(")
	return declaredFullName(rest)
}

// declare matches a text with the struct of its parameters.
func declare(text string, fn reflect.Type) (*declared, error) {
	doc, err := parseDoc("function", text)
	if err != nil {
		return nil, err
	}
	if !doc.Callable {
		return nil, fmt.Errorf("%s: the signature has no parentheses", doc.FullName)
	}
	d := &declared{doc: doc, args: fn.In(1), names: make(map[string]int), value: fn.NumOut() == 2}
	d.template = reflect.New(d.args).Elem()
	fields := fieldsOf(d.args)
	for i := range doc.Params {
		if err := d.match(&doc.Params[i], fields); err != nil {
			return nil, fmt.Errorf("%s: %w", doc.FullName, err)
		}
	}
	for _, f := range fields {
		if !f.used {
			return nil, fmt.Errorf("%s: %s.%s is not a parameter", doc.FullName, d.args, f.name)
		}
	}
	return d, nil
}

// match binds one parameter to its field and sets its default.
func (d *declared) match(p *Param, fields map[string]*argField) error {
	f, ok := fields[foldName(p.Name)]
	if !ok {
		return fmt.Errorf("%s has no field for parameter %s", d.args, p.Name)
	}
	f.used = true
	switch p.Variadic {
	case "*":
		d.star = f.index
		if f.typ != tupleType {
			return fmt.Errorf("the field of *%s must be a starlark.Tuple, not %s", p.Name, f.typ)
		}
		return nil
	case "**":
		d.kwargs = f.index
		if f.typ != tuplesType {
			return fmt.Errorf("the field of **%s must be a []starlark.Tuple, not %s", p.Name, f.typ)
		}
		return nil
	}
	set, wants, err := setterFor(f.typ)
	if err != nil {
		return fmt.Errorf("parameter %s: %w", p.Name, err)
	}
	p.Type, p.NamesOf = wants, namesOf(f.typ)
	bound := param{name: p.Name, index: f.index, set: set, wants: wants, required: p.Required, noneIsZero: p.Default == "None" && !takesNone(f.typ)}
	if err := d.setDefault(p, &bound, f); err != nil {
		return fmt.Errorf("default of %s: %w", p.Name, err)
	}
	d.names[p.Name] = len(d.params)
	if !p.KeywordOnly {
		d.posMax++
	}
	d.params = append(d.params, bound)
	return nil
}

// setDefault reads the default from the syntax tree into the template, or
// remembers it when each call needs a value of its own.
func (d *declared) setDefault(p *Param, bound *param, f *argField) error {
	if p.Required || p.Default == "None" {
		return nil
	}
	expr, err := Dialect().ParseExpr("", p.Default, 0)
	if err != nil {
		return err
	}
	if mutableValue(f.typ) && isComposite(expr) {
		bound.fresh = expr
		return nil
	}
	v, err := literalValue(expr)
	if err != nil {
		return err
	}
	return bound.set(d.template.FieldByIndex(f.index), v)
}

func isComposite(e syntax.Expr) bool {
	switch e.(type) {
	case *syntax.ListExpr, *syntax.DictExpr:
		return true
	}
	return false
}

// CallInternal calls the function: it is what starlark.Call uses.
func (b *Builtin) CallInternal(thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	return b.invoke(thread, nil, nil, args, kwargs)
}

// invoke unpacks the arguments and calls the Go function; recv is the
// receiver of a method, else nil.
func (b *Builtin) invoke(thread *starlark.Thread, recv starlark.Value, m *MethodDecl, args starlark.Tuple, kwargs []starlark.Tuple) (v starlark.Value, err error) {
	d, err := b.declared()
	if err != nil {
		return nil, &Error{Kind: KindInternal, Message: "wrong declaration: " + err.Error(), Err: err}
	}
	st := strandOf(thread)
	if st == nil {
		return nil, &Error{Kind: KindInternal, Op: d.doc.FullName, Message: "called on a thread that is not a session's"}
	}
	defer recoverInto(&err, d.doc.FullName)
	in := reflect.New(d.args).Elem()
	in.Set(d.template)
	if wrong := d.unpack(in, recv, args, kwargs); wrong != nil {
		return nil, d.usageError(wrong, m)
	}
	out := b.fn.Call([]reflect.Value{reflect.ValueOf(newCall(st, d.doc.FullName)), in})
	if err, _ := out[len(out)-1].Interface().(error); err != nil {
		return nil, err
	}
	if !d.value {
		return starlark.None, nil
	}
	result := out[0].Interface()
	if v, ok := result.(starlark.Value); ok && !isNilPointer(out[0]) {
		return v, nil
	}
	return ToValue(result)
}

func isNilPointer(v reflect.Value) bool {
	if v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v.Kind() == reflect.Pointer && v.IsNil()
}

// Name returns the function's name as declared.
func (b *Builtin) Name() string { return declaredFullName(b.text) }

// String returns "<function name>".
func (b *Builtin) String() string { return "<function " + b.Name() + ">" }

// Type returns "builtin_function_or_method", as Starlark's own do.
func (b *Builtin) Type() string { return "builtin_function_or_method" }

// Freeze does nothing: functions are immutable.
func (b *Builtin) Freeze() {}

// Truth returns True.
func (b *Builtin) Truth() starlark.Bool { return true }

// Hash hashes the name.
func (b *Builtin) Hash() (uint32, error) { return starlark.String(b.Name()).Hash() }
