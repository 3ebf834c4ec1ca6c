package engine

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/client"
)

var errStub = errors.New("not there yet")

// Client talks to one engine.
type Client struct{}

// Stream carries output.
type Stream struct{}

// Exec is a started exec.
type Exec struct {
	ID     string
	Stream *Stream
}

func New(Options) (*Client, error)                                   { return &Client{}, nil }
func Over(api *client.Client, o Options) (*Client, error)            { return &Client{}, nil }
func ProcessID() string                                              { return "" }
func (o Owner) Labels() map[string]string                            { return nil }
func (c *Client) Close() error                                       { return nil }
func (c *Client) Host() string                                       { return "" }
func (c *Client) Ping(ctx context.Context) (PingResult, error)       { return PingResult{}, errStub }
func (c *Client) Version(ctx context.Context) (VersionResult, error) { return VersionResult{}, errStub }
func (c *Client) Info(ctx context.Context) (json.RawMessage, error)  { return nil, errStub }
func (c *Client) IsPodman(ctx context.Context) (bool, error)         { return false, errStub }
func (c *Client) CreateContainer(ctx context.Context, spec ContainerSpec) (CreateContainerResult, error) {
	return CreateContainerResult{}, errStub
}
func (c *Client) StartContainer(ctx context.Context, id string) error { return errStub }
func (c *Client) InspectContainer(ctx context.Context, id string) (Container, error) {
	return Container{}, errStub
}
func (c *Client) ListContainers(ctx context.Context, o ListContainersOptions) ([]container.Summary, error) {
	return nil, errStub
}
func (c *Client) StopContainer(ctx context.Context, id string, o StopOptions) error { return errStub }
func (c *Client) RestartContainer(ctx context.Context, id string, o StopOptions) error {
	return errStub
}
func (c *Client) KillContainer(ctx context.Context, id, signal string) error { return errStub }
func (c *Client) RemoveContainer(ctx context.Context, id string, o RemoveContainerOptions) error {
	return errStub
}
func (c *Client) WaitContainer(ctx context.Context, id string, cond container.WaitCondition) (int, error) {
	return 0, errStub
}
func (c *Client) Logs(ctx context.Context, id string, o LogsOptions) (*Stream, error) {
	return nil, errStub
}
func (c *Client) CopyTo(ctx context.Context, id, dir string, tar io.Reader) error { return errStub }
func (c *Client) CopyFrom(ctx context.Context, id, path string) (io.ReadCloser, container.PathStat, error) {
	return nil, container.PathStat{}, errStub
}
func (c *Client) RunContainer(ctx context.Context, id string, s IO) (ExecResult, error) {
	return ExecResult{}, errStub
}
func (c *Client) Exec(ctx context.Context, containerID string, o ExecOptions) (ExecResult, error) {
	return ExecResult{}, errStub
}
func (c *Client) StartExec(ctx context.Context, containerID string, o ExecOptions) (*Exec, error) {
	return nil, errStub
}
func (e *Exec) Wait(ctx context.Context) (int, error)       { return 0, errStub }
func (e *Exec) Kill(ctx context.Context) error              { return errStub }
func (e *Exec) Resize(ctx context.Context, w, h uint) error { return errStub }
func (s *Stream) Next() (Frame, error)                      { return Frame{}, errStub }
func (s *Stream) Write(p []byte) (int, error)               { return 0, errStub }
func (s *Stream) CloseWrite() error                         { return errStub }
func (s *Stream) Close() error                              { return errStub }
func (c *Client) InspectImage(ctx context.Context, ref string) (Image, error) {
	return Image{}, errStub
}
func (c *Client) ListImages(ctx context.Context, o ListImagesOptions) ([]image.Summary, error) {
	return nil, errStub
}
func (c *Client) PullImage(ctx context.Context, ref string, o PullOptions) (Image, error) {
	return Image{}, errStub
}
func (c *Client) EnsureImage(ctx context.Context, ref string, o EnsureOptions) (Image, error) {
	return Image{}, errStub
}
func (c *Client) TagImage(ctx context.Context, source, ref string) error { return errStub }
func (c *Client) RemoveImage(ctx context.Context, ref string, o RemoveImageOptions) ([]image.DeleteResponse, error) {
	return nil, errStub
}
func (c *Client) ImportImage(ctx context.Context, tar io.Reader, o ImportOptions) (string, error) {
	return "", errStub
}
