package runtime

// This file makes Go values of Starlark values, and says where they do not fit.

import (
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// Decode sets what into points to from a Starlark value. A struct is set from
// a dict or struct by snake_case names: a name it does not have is an error,
// a field that is not there stays as it is. None sets a pointer, slice, map
// or interface to nil. An interface gets nil, bool, int64 or *big.Int,
// float64, string, []byte, time.Time, time.Duration, []any, map[string]any or
// map[any]any. The error says where: "ports[2]: want int, got string".
func Decode(v starlark.Value, into any) error { return decodeAt("", v, into) }

func decodeAt(root string, v starlark.Value, into any) error {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fmt.Errorf("decode: want a pointer to a variable, got %T", into)
	}
	fresh := reflect.New(target.Type().Elem()).Elem()
	fresh.Set(target.Elem())
	if err := decodeInto(place{name: root}, v, fresh, 0); err != nil {
		return &Error{Kind: KindInvalid, Err: err}
	}
	target.Elem().Set(fresh)
	return nil
}

// place is where in a value something is; its text is made only for an error.
type place struct {
	up   *place
	name string // "config", ".ports", "[2]"
}

func (p place) String() string {
	text := p.name
	for up := p.up; up != nil; up = up.up {
		text = up.name + text
	}
	return strings.TrimPrefix(text, ".")
}

func (p place) errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if where := p.String(); where != "" {
		return fmt.Errorf("%s: %w", where, err)
	}
	return err
}

func decodeInto(at place, v starlark.Value, into reflect.Value, depth int) error {
	t := into.Type()
	if depth > maxDepth {
		return at.errorf("nested more than %d deep", maxDepth)
	}
	if u, ok := into.Addr().Interface().(starlark.Unpacker); ok {
		if err := u.Unpack(v); err != nil {
			return at.errorf("%w", err)
		}
		return nil
	}
	if t.Implements(valueType) || t == valueType {
		if reflect.TypeOf(v).AssignableTo(t) {
			into.Set(reflect.ValueOf(v))
			return nil
		}
		return at.errorf("%w", wantError(valueTypeName(t), v))
	}
	if v == starlark.None {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
			into.SetZero()
			return nil
		}
	}
	switch t {
	case durationType:
		d, err := AsDuration(v)
		if err != nil {
			return at.errorf("%w", err)
		}
		into.SetInt(int64(d))
		return nil
	case reflect.TypeFor[time.Time]():
		when, ok := v.(startime.Time)
		if !ok {
			return at.errorf("%w", wantError("time.time", v))
		}
		into.Set(reflect.ValueOf(time.Time(when)))
		return nil
	}
	return decodeKind(at, v, into, depth)
}

func decodeKind(at place, v starlark.Value, into reflect.Value, depth int) error {
	switch t := into.Type(); t.Kind() {
	case reflect.Pointer:
		fresh := reflect.New(t.Elem())
		if err := decodeInto(at, v, fresh.Elem(), depth+1); err != nil {
			return err
		}
		into.Set(fresh)
		return nil
	case reflect.Interface:
		return decodeAny(at, v, into, depth)
	case reflect.Slice:
		if t.Elem().Kind() != reflect.Uint8 {
			return decodeSlice(at, v, into, depth)
		}
	case reflect.Array:
		return decodeArray(at, v, into, depth)
	case reflect.Map:
		return decodeMap(at, v, into, depth)
	case reflect.Struct:
		return decodeStruct(at, v, into, depth)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return decodeUint(at, v, into)
	case reflect.Chan, reflect.Func, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return at.errorf("a %s cannot be set from Starlark", t)
	}
	set, _, err := setterFor(into.Type())
	if err == nil {
		err = set(into, v)
	}
	if err != nil {
		return at.errorf("%w", err)
	}
	return nil
}

func decodeUint(at place, v starlark.Value, into reflect.Value) error {
	i, ok := v.(starlark.Int)
	if !ok {
		return at.errorf("%w", wantError("int", v))
	}
	n, ok := i.Uint64()
	if !ok || into.OverflowUint(n) {
		return at.errorf("%s is out of range", i)
	}
	into.SetUint(n)
	return nil
}

func decodeSlice(at place, v starlark.Value, into reflect.Value, depth int) error {
	items, err := itemsOf(at, v)
	if err != nil {
		return err
	}
	slice := reflect.MakeSlice(into.Type(), len(items), len(items))
	for i, item := range items {
		here := place{&at, "[" + strconv.Itoa(i) + "]"}
		if err := decodeInto(here, item, slice.Index(i), depth+1); err != nil {
			return err
		}
	}
	into.Set(slice)
	return nil
}

func decodeArray(at place, v starlark.Value, into reflect.Value, depth int) error {
	items, err := itemsOf(at, v)
	if err != nil {
		return err
	}
	if len(items) != into.Len() {
		return at.errorf("want %d items, got %d", into.Len(), len(items))
	}
	for i, item := range items {
		here := place{&at, "[" + strconv.Itoa(i) + "]"}
		if err := decodeInto(here, item, into.Index(i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// itemsOf returns the items of a list, tuple, set or other sequence.
func itemsOf(at place, v starlark.Value) ([]starlark.Value, error) {
	seq, ok := v.(starlark.Sequence)
	if _, isDict := v.(starlark.Mapping); !ok || isDict {
		return nil, at.errorf("%w", wantError("list", v))
	}
	items := make([]starlark.Value, 0, seq.Len())
	for item := range starlark.Elements(seq) {
		items = append(items, item)
	}
	return items, nil
}

func decodeMap(at place, v starlark.Value, into reflect.Value, depth int) error {
	dict, ok := v.(starlark.IterableMapping)
	if !ok {
		return at.errorf("%w", wantError("dict", v))
	}
	t := into.Type()
	m := reflect.MakeMap(t)
	for _, item := range dict.Items() {
		here := place{&at, "[" + item[0].String() + "]"}
		key, value := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		if err := decodeInto(here, item[0], key, depth+1); err != nil {
			return err
		}
		if !key.Comparable() {
			return here.errorf("a %s cannot be a key", item[0].Type())
		}
		if err := decodeInto(here, item[1], value, depth+1); err != nil {
			return err
		}
		m.SetMapIndex(key, value)
	}
	into.Set(m)
	return nil
}

func decodeStruct(at place, v starlark.Value, into reflect.Value, depth int) error {
	fields := structFields(into.Type())
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.name
	}
	get, given, err := attrsOf(at, v)
	if err != nil {
		return err
	}
	for _, name := range given {
		if !contains(names, name) {
			return place{&at, "." + name}.errorf("no such field%s", didYouMean(name, names, ""))
		}
	}
	for _, f := range fields {
		item, err := get(f.name)
		if err != nil {
			return place{&at, "." + f.name}.errorf("%w", err)
		}
		if item == nil {
			continue
		}
		field, err := fieldByIndex(into, f.index)
		if err != nil {
			return err
		}
		if err := decodeInto(place{&at, "." + f.name}, item, field, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// fieldByIndex is FieldByIndex that makes embedded pointers.
func fieldByIndex(v reflect.Value, index []int) (reflect.Value, error) {
	for _, i := range index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, nil
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// attrsOf returns how to read the fields of a dict or a value with
// attributes, nil for one that is absent, and the names that must be known:
// those of a dict or struct.
func attrsOf(at place, v starlark.Value) (get func(string) (starlark.Value, error), given []string, err error) {
	switch v := v.(type) {
	case starlark.IterableMapping:
		for _, item := range v.Items() {
			name, ok := starlark.AsString(item[0])
			if !ok {
				return nil, nil, place{&at, "[" + item[0].String() + "]"}.errorf("%w", wantError("string key", item[0]))
			}
			given = append(given, name)
		}
		return func(name string) (starlark.Value, error) {
			item, found, err := v.Get(starlark.String(name))
			if !found {
				return nil, err
			}
			return item, err
		}, given, nil
	case starlark.HasAttrs:
		names := v.AttrNames()
		if _, ok := v.(*starlarkstruct.Struct); ok {
			given = names
		}
		return func(name string) (starlark.Value, error) {
			if !contains(names, name) {
				return nil, nil
			}
			return v.Attr(name)
		}, given, nil
	}
	return nil, nil, at.errorf("%w", wantError("dict or struct", v))
}

// decodeAny gives an interface the Go value that is natural for v.
func decodeAny(at place, v starlark.Value, into reflect.Value, depth int) error {
	natural, err := naturalValue(at, v, depth)
	if err != nil {
		return err
	}
	rv := reflect.ValueOf(natural)
	if !rv.Type().AssignableTo(into.Type()) {
		return at.errorf("%w", wantError(into.Type().String(), v))
	}
	into.Set(rv)
	return nil
}

func naturalValue(at place, v starlark.Value, depth int) (any, error) {
	switch v := v.(type) {
	case starlark.Bool:
		return bool(v), nil
	case starlark.Int:
		if n, ok := v.Int64(); ok {
			return n, nil
		}
		return new(big.Int).Set(v.BigInt()), nil
	case starlark.Float:
		return float64(v), nil
	case starlark.String:
		return string(v), nil
	case starlark.Bytes:
		return []byte(v), nil
	case startime.Time:
		return time.Time(v), nil
	case startime.Duration:
		return time.Duration(v), nil
	case *ErrorValue:
		return v.err, nil
	case *starlark.List, starlark.Tuple, *starlark.Set:
		var list []any
		err := decodeInto(at, v, reflect.ValueOf(&list).Elem(), depth+1)
		return list, err
	case starlark.IterableMapping:
		return naturalMap(at, v, depth)
	case *starlarkstruct.Struct:
		fields := make(map[string]any)
		for _, name := range v.AttrNames() {
			item, err := v.Attr(name)
			if err != nil {
				return nil, err
			}
			err = decodeField(fields, name, place{&at, "." + name}, item, depth)
			if err != nil {
				return nil, err
			}
		}
		return fields, nil
	}
	return v, nil
}

func naturalMap(at place, v starlark.IterableMapping, depth int) (any, error) {
	texts := make(map[string]any)
	for _, item := range v.Items() {
		name, ok := starlark.AsString(item[0])
		if !ok {
			all := make(map[any]any)
			err := decodeInto(at, v, reflect.ValueOf(&all).Elem(), depth+1)
			return all, err
		}
		err := decodeField(texts, name, place{&at, "[" + item[0].String() + "]"}, item[1], depth)
		if err != nil {
			return nil, err
		}
	}
	return texts, nil
}

func decodeField(into map[string]any, name string, at place, v starlark.Value, depth int) error {
	var item any
	if err := decodeInto(at, v, reflect.ValueOf(&item).Elem(), depth+1); err != nil {
		return err
	}
	into[name] = item
	return nil
}

// goWants names what a Go type can be set from, for usage and stubs.
func goWants(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return goWants(t.Elem())
	case reflect.Slice, reflect.Array:
		return "list"
	case reflect.Map:
		return "dict"
	case reflect.Struct:
		return "dict or struct"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return "int"
	}
	return "value"
}
