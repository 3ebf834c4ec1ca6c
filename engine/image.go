// Images: the types.

package engine

import (
	"encoding/json"

	"github.com/moby/moby/api/types/image"
)

// An Image is what the engine says of one, typed and as it came.
type Image struct {
	image.InspectResponse
	Raw json.RawMessage
}

// ListImagesOptions narrow a list.
type ListImagesOptions struct {
	All     bool
	Filters map[string][]string
}

// PullOptions say how an image is pulled.
type PullOptions struct {
	Platform string         // "linux/arm64"; "": the engine's own
	Auth     string         // the X-Registry-Auth header's value; "": none
	Progress func(Progress) // called for each line, on the caller's goroutine; nil: no
}

// A Progress is one decoded line of a pull, push, load or import.
type Progress struct {
	ID, Status, Text string
	Current, Total   int64
}

// A PullPolicy says when an image is pulled.
type PullPolicy string

// The pull policies. The zero value is PullMissing.
const (
	PullMissing PullPolicy = "missing"
	PullAlways  PullPolicy = "always"
	PullNever   PullPolicy = "never"
)

// EnsureOptions say when and how an image is pulled.
type EnsureOptions struct {
	Policy PullPolicy
	PullOptions
}

// RemoveImageOptions say how an image is removed.
type RemoveImageOptions struct {
	Force   bool
	NoPrune bool // keep untagged parents
}

// ImportOptions say what an imported file system becomes.
type ImportOptions struct {
	Ref, Message string
	Changes      []string // "CMD [\"/bin/sh\"]"
	Platform     string
}
