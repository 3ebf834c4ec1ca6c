package runtime

// This file makes Starlark values of Go values.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// maxDepth is how deeply values may be nested in a conversion.
const maxDepth = 1000

// ToValue makes a Starlark value of a Go value: nil is None, a struct is a
// struct with snake_case fields, a map a dict in the order of its keys, a
// slice or array a list, []byte bytes, time.Time and time.Duration those of
// the time module, an error an error value, json.RawMessage what it holds.
// A pointer is what it points to. Starlark values stay as they are.
func ToValue(v any) (starlark.Value, error) { return toValue(v, 0) }

func toValue(v any, depth int) (starlark.Value, error) {
	switch v := v.(type) {
	case nil:
		return starlark.None, nil
	case starlark.Value:
		if isNilPointer(reflect.ValueOf(v)) {
			return starlark.None, nil
		}
		return v, nil
	case string:
		return starlark.String(v), nil
	case bool:
		return starlark.Bool(v), nil
	case int:
		return starlark.MakeInt(v), nil
	case int64:
		return starlark.MakeInt64(v), nil
	case float64:
		return starlark.Float(v), nil
	case []byte:
		return starlark.Bytes(v), nil
	case time.Time:
		return startime.Time(v), nil
	case time.Duration:
		return startime.Duration(v), nil
	case *big.Int:
		if v == nil {
			return starlark.None, nil
		}
		return starlark.MakeBigInt(v), nil
	case json.RawMessage:
		return fromJSON(v, depth)
	case json.Number:
		return numberValue(v)
	case error:
		return NewErrorValue(v), nil
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("a %T is nested more than %d deep", v, maxDepth)
	}
	return reflectValue(reflect.ValueOf(v), depth+1)
}

func reflectValue(v reflect.Value, depth int) (starlark.Value, error) {
	switch v.Kind() {
	case reflect.Bool:
		return starlark.Bool(v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return starlark.MakeInt64(v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return starlark.MakeUint64(v.Uint()), nil
	case reflect.Float32, reflect.Float64:
		return starlark.Float(v.Float()), nil
	case reflect.String:
		return starlark.String(v.String()), nil
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return starlark.None, nil
		}
		return toValue(v.Elem().Interface(), depth)
	case reflect.Slice, reflect.Array:
		return listValue(v, depth)
	case reflect.Map:
		return dictValue(v, depth)
	case reflect.Struct:
		return structValue(v, depth)
	}
	return nil, fmt.Errorf("a %s has no value in Starlark", v.Type())
}

func listValue(v reflect.Value, depth int) (starlark.Value, error) {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		return starlark.Bytes(v.Bytes()), nil
	}
	list := make([]starlark.Value, v.Len())
	for i := range list {
		item, err := toValue(v.Index(i).Interface(), depth)
		if err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
		list[i] = item
	}
	return starlark.NewList(list), nil
}

func dictValue(v reflect.Value, depth int) (starlark.Value, error) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		if a.CanInt() && b.CanInt() {
			return int(max(-1, min(1, a.Int()-b.Int())))
		}
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	dict := starlark.NewDict(len(keys))
	for _, key := range keys {
		k, err := toValue(key.Interface(), depth)
		if err != nil {
			return nil, err
		}
		item, err := toValue(v.MapIndex(key).Interface(), depth)
		if err != nil {
			return nil, fmt.Errorf("[%s]: %w", k, err)
		}
		if err := dict.SetKey(k, item); err != nil {
			return nil, err
		}
	}
	return dict, nil
}

func structValue(v reflect.Value, depth int) (starlark.Value, error) {
	fields := make(starlark.StringDict)
	for _, f := range structFields(v.Type()) {
		field, err := v.FieldByIndexErr(f.index)
		if err != nil { // of a nil embedded pointer
			continue
		}
		item, err := toValue(field.Interface(), depth)
		if err != nil {
			return nil, fmt.Errorf(".%s: %w", f.name, err)
		}
		fields[f.name] = item
	}
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields), nil
}

// structField is a field as scripts know it.
type structField struct {
	name  string
	index []int
}

// structCache holds the fields of struct types: they never change.
var structCache sync.Map // reflect.Type → []structField

// structFields returns the exported fields of a struct, those of embedded
// structs among them. A tag starlark:"name" names a field, "-" hides it.
func structFields(t reflect.Type) []structField {
	if cached, ok := structCache.Load(t); ok {
		return cached.([]structField)
	}
	var fields []structField
	for _, f := range reflect.VisibleFields(t) {
		name := f.Tag.Get("starlark")
		if !f.IsExported() || name == "-" || f.Anonymous && name == "" {
			continue
		}
		if name == "" {
			name = snakeCase(f.Name)
		}
		fields = append(fields, structField{name, f.Index})
	}
	structCache.Store(t, fields)
	return fields
}

// snakeCase makes "exit_code" of ExitCode, "id" of ID and "ip_address" of IPAddress.
func snakeCase(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if unicode.IsUpper(r) && i > 0 {
			afterLower := !unicode.IsUpper(runes[i-1]) && runes[i-1] != '_'
			beforeLower := i+1 < len(runes) && unicode.IsLower(runes[i+1]) && runes[i-1] != '_'
			if afterLower || beforeLower && !(i+2 == len(runes) && runes[i+1] == 's') {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// fromJSON makes values of a JSON text.
func fromJSON(text json.RawMessage, depth int) (starlark.Value, error) {
	if len(text) == 0 {
		return starlark.None, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, err
	}
	return toValue(v, depth)
}

func numberValue(n json.Number) (starlark.Value, error) {
	if i, ok := new(big.Int).SetString(n.String(), 10); ok {
		return starlark.MakeBigInt(i), nil
	}
	f, err := n.Float64()
	return starlark.Float(f), err
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
