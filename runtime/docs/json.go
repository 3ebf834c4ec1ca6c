package docs

// This file renders declarations as JSON, for tools.

import (
	"encoding/json"

	"github.com/dscript/dscript/runtime"
)

type jsonLibrary struct {
	Name    string       `json:"name"`
	Doc     string       `json:"doc"`
	Members []jsonMember `json:"members"`
	Types   []jsonMember `json:"types,omitempty"`
}

type jsonMember struct {
	Kind      string        `json:"kind"`
	Name      string        `json:"name"`
	Signature string        `json:"signature"`
	Returns   string        `json:"returns,omitempty"`
	Summary   string        `json:"summary"`
	Text      string        `json:"text"`
	Params    []jsonParam   `json:"params,omitempty"`
	Examples  []jsonExample `json:"examples,omitempty"`
	Members   []jsonMember  `json:"members,omitempty"`
}

type jsonParam struct {
	Name        string `json:"name"`
	Default     string `json:"default,omitempty"`
	Required    bool   `json:"required,omitempty"`
	KeywordOnly bool   `json:"keyword_only,omitempty"`
	Variadic    string `json:"variadic,omitempty"`
	Type        string `json:"type,omitempty"`
	Doc         string `json:"doc,omitempty"`
}

type jsonExample struct {
	Source string `json:"source"`
	Want   string `json:"want,omitempty"`
}

// JSON returns the declarations of libraries as an indented JSON array, in
// the order of declaration.
func JSON(libs []*runtime.Library) ([]byte, error) {
	all := make([]jsonLibrary, len(libs))
	for i, lib := range libs {
		all[i] = jsonLibrary{Name: lib.Name, Doc: lib.Doc, Members: jsonMembers(lib.Members)}
		for _, t := range lib.Types {
			all[i].Types = append(all[i].Types, jsonOf(t))
		}
	}
	return json.MarshalIndent(all, "", "  ")
}

func jsonMembers(members []runtime.Member) []jsonMember {
	all := make([]jsonMember, len(members))
	for i, m := range members {
		all[i] = jsonOf(m)
	}
	return all
}

func jsonOf(m runtime.Member) jsonMember {
	d := m.Doc()
	j := jsonMember{
		Kind: d.Kind, Name: d.Name, Signature: d.Signature, Returns: d.Returns,
		Summary: d.Summary, Text: d.Text, Members: jsonMembers(m.Members()),
	}
	for _, p := range d.Params {
		j.Params = append(j.Params, jsonParam{
			Name: p.Name, Default: p.Default, Required: p.Required, KeywordOnly: p.KeywordOnly,
			Variadic: p.Variadic, Type: p.Type, Doc: p.Doc,
		})
	}
	for _, e := range d.Examples {
		j.Examples = append(j.Examples, jsonExample(e))
	}
	return j
}
