// Labels: what dscript writes on the objects that it makes.

package engine

import (
	"maps"
	"strings"
	"time"
)

// The labels that a create writes. All begin with LabelPrefix.
const (
	LabelPrefix  = "dscript."
	LabelOwner   = "dscript.owner" // an OwnerKind
	LabelName    = "dscript.name"
	LabelSession = "dscript.session"
	LabelProcess = "dscript.process"
	LabelNonce   = "dscript.nonce" // random, of this one create
	LabelHash    = "dscript.hash"  // of the body and the image, see ContainerSpec.Hash
	LabelCreated = "dscript.created"
)

// Labels are o as labels, without the nonce. Empty fields have none.
func (o Owner) Labels() map[string]string {
	labels := map[string]string{}
	for name, value := range map[string]string{
		LabelOwner: string(o.Kind), LabelName: o.Name, LabelSession: o.Session, LabelProcess: o.Process,
	} {
		if value != "" {
			labels[name] = value
		}
	}
	return labels
}

// OwnerOf reads an owner back from labels; the zero Owner is nobody's.
func OwnerOf(labels map[string]string) Owner {
	return Owner{
		Kind:    OwnerKind(labels[LabelOwner]),
		Name:    labels[LabelName],
		Session: labels[LabelSession],
		Process: labels[LabelProcess],
	}
}

// birth is a set of labels for one create, with a fresh nonce.
func (c *Client) birth(o Owner) (labels map[string]string, nonce string, err error) {
	if nonce, err = c.nonce(); err != nil {
		return nil, "", err
	}
	labels = maps.Clone(o.Labels())
	labels[LabelNonce] = nonce
	labels[LabelCreated] = c.now().UTC().Format(time.RFC3339)
	return labels, nonce, nil
}

// addLabels writes labels into a decoded body, over what raw parameters said.
func addLabels(body map[string]any, labels map[string]string) {
	has, ok := body["Labels"].(map[string]any)
	if !ok {
		has = map[string]any{}
		body["Labels"] = has
	}
	for name := range has {
		if strings.HasPrefix(name, LabelPrefix) {
			delete(has, name)
		}
	}
	for name, value := range labels {
		has[name] = value
	}
}
