package runtime

// This file sets a Go field from a Starlark argument, by the field's type.

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
)

// A Size is a number of bytes; scripts write it as a number or as "512m".
type Size int64

// An Opt is an optional argument: it tells None or absent from a zero value. An
// Opt[starlark.Value] tells even None from absent.
type Opt[T any] struct {
	Value T
	Set   bool // false when the argument is absent or None
}

func (o *Opt[T]) opt() (any, *bool) { return &o.Value, &o.Set }

type optional interface{ opt() (value any, set *bool) }

// A setter sets a field, which is addressable, from an argument.
type setter func(field reflect.Value, v starlark.Value) error

// wantError says what is wanted and what was given.
func wantError(want string, v starlark.Value) error {
	return fmt.Errorf("want %s, got %s", want, v.Type())
}

var (
	unpackerType = reflect.TypeFor[starlark.Unpacker]()
	optionalType = reflect.TypeFor[optional]()
	durationType = reflect.TypeFor[time.Duration]()
	sizeType     = reflect.TypeFor[Size]()
)

// setterFor returns the setter for fields of type t, and what it wants in words.
func setterFor(t reflect.Type) (setter, string, error) {
	switch {
	case reflect.PointerTo(t).Implements(optionalType):
		return optSetter(t)
	case reflect.PointerTo(t).Implements(unpackerType):
		return setUnpacker, wantsOf(t), nil
	case t == valueType:
		return setValue, "value", nil
	case t == callableType:
		return setCallable, "function", nil
	case t.Implements(valueType):
		return typedSetter(t), valueTypeName(t), nil
	case t == durationType:
		return setDuration, "duration", nil
	case t == sizeType:
		return setSize, "size", nil
	}
	switch t.Kind() {
	case reflect.String:
		return setString, "string", nil
	case reflect.Bool:
		return setBool, "bool", nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return setInt, "int", nil
	case reflect.Float32, reflect.Float64:
		return setFloat, "float", nil
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return setBytes, "bytes", nil
		}
		if t == reflect.TypeFor[[]string]() {
			return setStrings, "list of strings", nil
		}
	case reflect.Map:
		if t == reflect.TypeFor[map[string]string]() {
			return setEnv, "dict of strings", nil
		}
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return nil, "", fmt.Errorf("a parameter cannot be a %s", t)
	}
	return setDecoded, goWants(t), nil
}

// wantsOf names what an Unpacker takes: its Wants method says so, else the
// type whose names it takes, else it is any value.
func wantsOf(t reflect.Type) string {
	if w, ok := reflect.New(t).Interface().(interface{ Wants() string }); ok {
		return w.Wants()
	}
	if of := namesOf(t); of != "" {
		return of + " or its name"
	}
	return "value"
}

// namesOf asks a field's type which live names fit: NamesOf() string.
func namesOf(t reflect.Type) string {
	if n, ok := reflect.New(t).Interface().(interface{ NamesOf() string }); ok {
		return n.NamesOf()
	}
	if t.Kind() == reflect.Struct && reflect.PointerTo(t).Implements(optionalType) {
		return namesOf(t.Field(0).Type)
	}
	return ""
}

// takesNone reports whether a field can tell None from a zero value.
func takesNone(t reflect.Type) bool {
	return t == valueType || reflect.PointerTo(t).Implements(optionalType)
}

// mutableValue reports whether a default of the type must be made anew.
func mutableValue(t reflect.Type) bool { return t == valueType || t.Implements(valueType) }

func optSetter(t reflect.Type) (setter, string, error) {
	inner, wants, err := setterFor(t.Field(0).Type)
	if err != nil {
		return nil, "", err
	}
	takesNone := t.Field(0).Type == valueType
	return func(field reflect.Value, v starlark.Value) error {
		if v == starlark.None && !takesNone {
			field.SetZero()
			return nil
		}
		if err := inner(field.Field(0), v); err != nil {
			return err
		}
		field.Field(1).SetBool(true)
		return nil
	}, wants, nil
}

func setUnpacker(field reflect.Value, v starlark.Value) error {
	return field.Addr().Interface().(starlark.Unpacker).Unpack(v)
}

func setValue(field reflect.Value, v starlark.Value) error {
	*field.Addr().Interface().(*starlark.Value) = v
	return nil
}

func setCallable(field reflect.Value, v starlark.Value) error {
	fn, ok := v.(starlark.Callable)
	if !ok {
		return wantError("function", v)
	}
	*field.Addr().Interface().(*starlark.Callable) = fn
	return nil
}

// typedSetter takes values of exactly one Go type, or that implement it.
func typedSetter(t reflect.Type) setter {
	want := valueTypeName(t)
	return func(field reflect.Value, v starlark.Value) error {
		rv := reflect.ValueOf(v)
		if !rv.Type().AssignableTo(t) {
			return wantError(want, v)
		}
		field.Set(rv)
		return nil
	}
}

// valueTypeName returns the script's name of a Go type of values.
func valueTypeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[*starlark.List](), reflect.TypeFor[*starlark.Dict](), reflect.TypeFor[*starlark.Set](), tupleType:
		return lowerFirst(t.String()[strings.LastIndexByte(t.String(), '.')+1:])
	}
	switch t.Kind() {
	case reflect.Pointer:
		return t.Elem().Name()
	case reflect.Interface:
		return lowerFirst(t.Name())
	}
	return t.Name()
}

func lowerFirst(name string) string {
	if name == "" {
		return "value"
	}
	return strings.ToLower(name[:1]) + name[1:]
}

func setString(field reflect.Value, v starlark.Value) error {
	s, ok := starlark.AsString(v)
	if !ok {
		return wantError("string", v)
	}
	field.SetString(s)
	return nil
}

func setBool(field reflect.Value, v starlark.Value) error {
	b, ok := v.(starlark.Bool)
	if !ok {
		return wantError("bool", v)
	}
	field.SetBool(bool(b))
	return nil
}

func setInt(field reflect.Value, v starlark.Value) error {
	i, ok := v.(starlark.Int)
	if !ok {
		return wantError("int", v)
	}
	n, ok := i.Int64()
	if !ok || field.OverflowInt(n) {
		return fmt.Errorf("%s is out of range", i)
	}
	field.SetInt(n)
	return nil
}

func setFloat(field reflect.Value, v starlark.Value) error {
	f, ok := starlark.AsFloat(v)
	if !ok {
		return wantError("float", v)
	}
	field.SetFloat(f)
	return nil
}

func setBytes(field reflect.Value, v starlark.Value) error {
	switch v := v.(type) {
	case starlark.Bytes:
		field.SetBytes([]byte(v))
	case starlark.String:
		field.SetBytes([]byte(v))
	default:
		return wantError("string or bytes", v)
	}
	return nil
}

func setStrings(field reflect.Value, v starlark.Value) error {
	list, ok := v.(starlark.Indexable)
	if _, isString := v.(starlark.String); !ok || isString {
		return wantError("list of strings", v)
	}
	strs := make([]string, list.Len())
	for i := range strs {
		s, ok := starlark.AsString(list.Index(i))
		if !ok {
			return fmt.Errorf("item %d: %w", i, wantError("string", list.Index(i)))
		}
		strs[i] = s
	}
	field.Set(reflect.ValueOf(strs))
	return nil
}

// setEnv takes a dict of strings and numbers, or a list of "k=v".
func setEnv(field reflect.Value, v starlark.Value) error {
	env := make(map[string]string)
	switch v := v.(type) {
	case starlark.IterableMapping:
		for _, item := range v.Items() {
			key, ok := starlark.AsString(item[0])
			if !ok {
				return fmt.Errorf("key %s: %w", item[0], wantError("string", item[0]))
			}
			switch value := item[1].(type) {
			case starlark.String:
				env[key] = string(value)
			case starlark.Int, starlark.Float:
				env[key] = value.String()
			default:
				return fmt.Errorf("[%q]: %w", key, wantError("string or number", value))
			}
		}
	case *starlark.List, starlark.Tuple:
		list := v.(starlark.Indexable)
		for i := range list.Len() {
			s, ok := starlark.AsString(list.Index(i))
			key, value, cut := strings.Cut(s, "=")
			if !ok || !cut || key == "" {
				return fmt.Errorf(`item %d: want "name=value", got %s`, i, list.Index(i))
			}
			env[key] = value
		}
	default:
		return wantError(`dict, or list of "name=value"`, v)
	}
	field.Set(reflect.ValueOf(env))
	return nil
}

func setDuration(field reflect.Value, v starlark.Value) error {
	d, err := AsDuration(v)
	if err != nil {
		return err
	}
	field.SetInt(int64(d))
	return nil
}

// AsDuration returns the duration that a script means: "5s", a number of
// seconds, or a duration of the time module.
func AsDuration(v starlark.Value) (time.Duration, error) {
	const want = `duration ("5s", a number of seconds, or a time.duration)`
	switch v := v.(type) {
	case startime.Duration:
		return time.Duration(v), nil
	case starlark.String:
		d, err := time.ParseDuration(string(v))
		if err != nil {
			return 0, fmt.Errorf("want %s, got %s", want, v)
		}
		return d, nil
	case starlark.Int, starlark.Float:
		seconds, _ := starlark.AsFloat(v)
		if ns := seconds * float64(time.Second); math.Abs(ns) < math.MaxInt64 {
			return time.Duration(ns), nil
		}
		return 0, fmt.Errorf("%s seconds is out of range", v)
	}
	return 0, wantError(want, v)
}

func setSize(field reflect.Value, v starlark.Value) error {
	n, err := AsSize(v)
	if err != nil {
		return err
	}
	field.SetInt(int64(n))
	return nil
}

// AsSize returns the number of bytes that a script means: a number, or a
// string with one of the units b, k, m, g, t (1024 each).
func AsSize(v starlark.Value) (Size, error) {
	switch v := v.(type) {
	case starlark.Int:
		if n, ok := v.Int64(); ok && n >= 0 {
			return Size(n), nil
		}
		return 0, fmt.Errorf("%s bytes is out of range", v)
	case starlark.String:
		return parseSize(string(v))
	}
	return 0, wantError(`size ("512m", or a number of bytes)`, v)
}

func parseSize(text string) (Size, error) {
	number := strings.TrimRight(strings.ToLower(strings.TrimSpace(text)), "ib")
	unit := 1.0
	if n := len(number); n > 0 {
		if i := strings.IndexByte("kmgt", number[n-1]); i >= 0 {
			unit, number = math.Pow(1024, float64(i+1)), strings.TrimSpace(number[:n-1])
		}
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f < 0 || f*unit >= math.MaxInt64 {
		return 0, fmt.Errorf(`want size ("512m", or a number of bytes), got %q`, text)
	}
	return Size(f * unit), nil
}

func setDecoded(field reflect.Value, v starlark.Value) error {
	fresh := reflect.New(field.Type())
	if err := decodeInto(place{}, v, fresh.Elem(), 0); err != nil {
		return err
	}
	field.Set(fresh.Elem())
	return nil
}
