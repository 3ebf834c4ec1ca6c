// Bodies: JSON read as engines read it, merged, and written in one canonical form.

package engine

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/api/types/volume"
)

// bodyType is the type that an engine decodes the body of a request into; nil:
// not known here.
func bodyType(path string) reflect.Type {
	switch {
	case path == "/containers/create":
		return reflect.TypeFor[container.CreateRequest]()
	case path == "/networks/create":
		return reflect.TypeFor[network.CreateRequest]()
	case path == "/volumes/create":
		return reflect.TypeFor[volume.CreateRequest]()
	case strings.HasPrefix(path, "/containers/") && strings.HasSuffix(path, "/exec"):
		return reflect.TypeFor[container.ExecCreateRequest]()
	case strings.HasPrefix(path, "/containers/") && strings.HasSuffix(path, "/update"):
		return reflect.TypeFor[container.HostConfig]()
	case strings.HasPrefix(path, "/exec/") && strings.HasSuffix(path, "/start"):
		return reflect.TypeFor[container.ExecStartRequest]()
	}
	return nil
}

// finalBody is body with raw merged into it and finish applied, in canonical form.
func finalBody(body []byte, t reflect.Type, raw map[string]any, finish func(map[string]any)) ([]byte, error) {
	decoded, err := decodeBody(body, t)
	if err != nil {
		return nil, err
	}
	object, ok := decoded.(map[string]any)
	if !ok {
		return nil, errors.New("not an object")
	}
	if len(raw) > 0 {
		extra, err := json.Marshal(raw)
		if err != nil {
			return nil, fmt.Errorf("raw: %w", err)
		}
		more, err := decodeBody(extra, t)
		if err != nil {
			return nil, fmt.Errorf("raw: %w", err)
		}
		merge(object, more.(map[string]any))
	}
	if finish != nil {
		finish(object)
	}
	return json.Marshal(object)
}

// merge lays over onto base: objects are merged, everything else is replaced.
func merge(base, over map[string]any) {
	for key, value := range over {
		inner, ok := value.(map[string]any)
		below, has := base[key].(map[string]any)
		if ok && has {
			merge(below, inner)
			continue
		}
		base[key] = value
	}
}

// decodeBody reads JSON as an engine, written in Go, reads it into a t: the name
// of a field may be in any letter case, of several equal ones the last wins, and
// objects given twice are merged. Names come out as t spells them; unknown ones
// stay as they are. Anything after the value is refused.
func decodeBody(body []byte, t reflect.Type) (any, error) {
	d := bodyDecoder{json.NewDecoder(bytes.NewReader(body)), map[reflect.Type][]bodyField{}}
	d.UseNumber()
	v, err := d.value(t, nil)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more after the value")
	}
	return v, nil
}

// A bodyDecoder reads one body.
type bodyDecoder struct {
	*json.Decoder
	fields map[reflect.Type][]bodyField // of the types that were met
}

// A bodyField is a field of a struct, as JSON has it.
type bodyField struct {
	name string
	t    reflect.Type
}

// value reads one value of type t; before is what an earlier duplicate gave.
func (d bodyDecoder) value(t reflect.Type, before any) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	t, pointer := resolve(t)
	switch token {
	case json.Delim('{'):
		return d.object(t, before)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := d.value(elem(t), nil)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	case nil:
		if before != nil && !pointer && t != nil && t.Kind() == reflect.Struct {
			return before, nil // null leaves a Go struct as it is
		}
	}
	return token, nil
}

func (d bodyDecoder) object(t reflect.Type, before any) (any, error) {
	object, ok := before.(map[string]any)
	if !ok || t == nil {
		object = map[string]any{}
	}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, inner := d.member(t, token.(string))
		earlier := object[name]
		if t != nil && t.Kind() == reflect.Map {
			earlier = nil // a map's element is decoded afresh
		}
		v, err := d.value(inner, earlier)
		if err != nil {
			return nil, err
		}
		object[name] = v
	}
	_, err := d.Token()
	return object, err
}

// member is the name that t gives to a member of an object, and its type.
func (d bodyDecoder) member(t reflect.Type, key string) (string, reflect.Type) {
	switch {
	case t == nil:
		return key, nil
	case t.Kind() == reflect.Map:
		return key, t.Elem()
	case t.Kind() != reflect.Struct:
		return key, nil
	}
	fields, ok := d.fields[t]
	if !ok {
		fields = bodyFields(t)
		d.fields[t] = fields
	}
	for _, f := range fields {
		if strings.EqualFold(f.name, key) {
			return f.name, f.t
		}
	}
	return key, nil
}

func bodyFields(t reflect.Type) []bodyField {
	var fields []bodyField
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" || f.Anonymous && name == "" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		fields = append(fields, bodyField{name, f.Type})
	}
	return fields
}

// resolve is the type behind pointers; one that decodes itself is not looked into.
func resolve(t reflect.Type) (_ reflect.Type, pointer bool) {
	for t != nil && t.Kind() == reflect.Pointer {
		t, pointer = t.Elem(), true
	}
	if t == nil {
		return nil, pointer
	}
	p := reflect.PointerTo(t)
	if p.Implements(reflect.TypeFor[json.Unmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return nil, pointer
	}
	return t, pointer
}

func elem(t reflect.Type) reflect.Type {
	if t == nil || t.Kind() != reflect.Slice && t.Kind() != reflect.Array {
		return nil
	}
	return t.Elem()
}
