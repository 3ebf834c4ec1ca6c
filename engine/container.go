// Containers: the types.

package engine

import (
	"encoding/json"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
)

// A ContainerSpec is what a container is created from.
type ContainerSpec struct {
	Name     string
	Config   container.Config
	Host     container.HostConfig
	Networks map[string]*network.EndpointSettings
	Platform string         // "linux/arm64"; "": the engine's own
	Raw      map[string]any // merged last into the body that is sent
	Owner    Owner
	ImageID  string // for the hash; "": the container gets no label with its hash
}

// A CreateContainerResult is a created container.
type CreateContainerResult struct {
	ID       string
	Warnings []string
}

// A Container is what the engine says of one, typed and as it came.
type Container struct {
	container.InspectResponse
	Raw json.RawMessage
}

// ListContainersOptions narrow a list. The zero value lists what runs.
type ListContainersOptions struct {
	All     bool
	Limit   int // 0: all
	Filters map[string][]string
}

// StopOptions say how a container is stopped.
type StopOptions struct {
	Timeout *time.Duration // nil: the container's own, else 10 s; negative is refused
	Signal  string         // "": the container's own
}

// RemoveContainerOptions say how a container is removed.
type RemoveContainerOptions struct {
	Force   bool // also when it runs
	Volumes bool // with its anonymous volumes
}

// LogsOptions say what of a container's log is read.
type LogsOptions struct {
	Stdout, Stderr     bool // neither: both
	Follow, Timestamps bool
	Tail               string // number of lines; "": all
	Since, Until       string
}
