// Hash: tells whether a container would be made the same again.

package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"strings"
)

// Hash is the same for two specs exactly when they make the same container of
// the same image: it is taken over the body that is sent, in canonical form,
// without dscript's own labels, and over the name, the platform and the image's id.
func (s ContainerSpec) Hash(imageID string) (string, error) {
	body, err := json.Marshal(s.request())
	if err != nil {
		return "", err
	}
	var hash string
	_, err = finalBody(body, bodyType("/containers/create"), s.Raw, func(body map[string]any) {
		hash, err = s.hash(body, imageID)
	})
	return hash, err
}

// hash is Hash over a decoded body.
func (s ContainerSpec) hash(body map[string]any, imageID string) (string, error) {
	body = maps.Clone(body)
	if labels, ok := body["Labels"].(map[string]any); ok {
		labels = maps.Clone(labels)
		maps.DeleteFunc(labels, func(name string, _ any) bool { return strings.HasPrefix(name, LabelPrefix) })
		body["Labels"] = labels
	}
	canonical, err := json.Marshal([]any{body, s.Name, s.Platform, imageID})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:]), nil
}
