// The store of images: their history, archives of them, what a registry has of them.

package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/image"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"
)

// ImageHistory lists the steps that an image was made by, the last one first (GET
// /images/{name}/history). A step that the engine has only the files of has no id.
func (c *Client) ImageHistory(ctx context.Context, ref string) ([]image.HistoryResponseItem, error) {
	k := &call{op: "image.history", object: ref}
	if _, err := reference.ParseAnyReference(ref); err != nil {
		return nil, &Error{Op: k.verb(), Object: ref, Kind: KindInvalid, Message: clean(err.Error()), Err: err}
	}
	var steps []image.HistoryResponseItem
	_, err := c.get(ctx, k, "/images/"+ref+"/history", &steps)
	for i, step := range steps {
		if step.ID == "<missing>" {
			step.ID = ""
		}
		steps[i].ID = imageID(step.ID)
	}
	return steps, err
}

// SaveImages gives one tar archive of images (GET /images/get), with the names that
// they were asked for by. It must be closed. Reading it fails when it ends before an
// archive does, or in an error of the engine.
func (c *Client) SaveImages(ctx context.Context, refs ...string) (io.ReadCloser, error) {
	k := &call{op: "image.save", object: strings.Join(refs, " ")}
	if len(refs) == 0 {
		return nil, &Error{Op: k.verb(), Kind: KindInvalid, Message: "no images are named"}
	}
	at, err := c.versioned(ctx, "images", "get")
	if err != nil {
		return nil, err
	}
	resp, err := c.request(ctx, k, http.MethodGet, at+"?"+url.Values{"names": refs}.Encode(), nil)
	if err != nil {
		return nil, err
	}
	return &savedImages{c: c, ctx: ctx, k: k, body: resp.Body}, nil
}

// tarEnd is how many zero bytes end every tar archive.
const tarEnd = 1024

// savedImages sees that an archive has its end: Docker writes an error that comes
// late behind what it has sent, with status 200.
type savedImages struct {
	c    *Client
	ctx  context.Context
	k    *call
	body io.ReadCloser
	last []byte // at most tarEnd bytes
}

func (s *savedImages) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	s.last = append(s.last, p[max(0, n-tarEnd):n]...)
	s.last = s.last[max(0, len(s.last)-tarEnd):]
	switch {
	case err == nil:
		return n, nil
	case !errors.Is(err, io.EOF):
		return n, s.c.answerError(s.ctx, s.k.verb(), s.k.object, err)
	case bytes.Equal(s.last, make([]byte, tarEnd)):
		return n, io.EOF
	}
	return n, s.cut()
}

func (s *savedImages) Close() error { return s.body.Close() }

// cut is the error of an archive without an end, in the engine's words where it
// has written some.
func (s *savedImages) cut() error {
	var m progressMessage
	if at := bytes.LastIndex(s.last, []byte(`{"errorDetail"`)); at >= 0 && json.Unmarshal(s.last[at:], &m) == nil && m.failure() != "" {
		return &Error{Op: s.k.verb(), Object: s.k.object, Kind: KindInternal, Status: http.StatusOK, Message: s.c.redact(clean(m.failure()))}
	}
	return s.c.answerError(s.ctx, s.k.verb(), s.k.object, io.ErrUnexpectedEOF)
}

// CommitBare makes an image of a container's files as Commit does, without its
// entrypoint (POST /commit). For Docker that is in the body: it takes a change to
// "ENTRYPOINT []" for none. Podman reads changes alone.
func (c *Client) CommitBare(ctx context.Context, id, ref string) (made string, err error) {
	podman, err := c.IsPodman(ctx)
	if err != nil {
		return "", err
	}
	if podman {
		return c.Commit(ctx, id, CommitOptions{Ref: ref, Changes: []string{"ENTRYPOINT []"}, NoPause: true})
	}
	err = c.on(ctx, "container.commit", id, func(ctx context.Context, api *client.Client) error {
		r, err := api.ContainerCommit(ctx, id, client.ContainerCommitOptions{
			Reference: ref, NoPause: true, Config: &container.Config{Entrypoint: []string{}}})
		made = imageID(r.ID)
		return err
	})
	if err == nil && made == "" {
		err = c.answerError(ctx, "commit", id, errors.New("it has no id"))
	}
	return made, err
}

// LoadImages reads an archive of images as SaveImages gives it (POST /images/load),
// and gives the names of the loaded images, and the ids of those without a name. An
// archive that holds none is invalid.
func (c *Client) LoadImages(ctx context.Context, tar io.Reader, each func(Progress)) (refs []string, err error) {
	api, err := c.ready(ctx)
	if err != nil {
		return nil, err
	}
	k := &call{op: "image.load"}
	body, err := api.ImageLoad(k.with(ctx), tar, client.ImageLoadWithQuiet(each == nil))
	if err != nil {
		return nil, loadError(c.failed(ctx, k, err))
	}
	var said strings.Builder
	_, err = c.progress(ctx, k, body, KindInvalid, func(p Progress) {
		said.WriteString(p.Text)
		if each != nil {
			each(p)
		}
	})
	if err != nil {
		return nil, err
	}
	if refs = loaded(said.String()); len(refs) == 0 {
		return nil, &Error{Op: k.verb(), Kind: KindInvalid, Status: http.StatusOK, Message: "the archive holds no images"}
	}
	return refs, nil
}

// loadError makes one kind of what engines answer to an archive that is none: Docker
// says it inside its answer, Podman with status 500.
func loadError(err error) error {
	var own *Error
	if errors.As(err, &own) && own.Status == http.StatusInternalServerError {
		e := *own
		e.Kind = KindInvalid
		return &e
	}
	return err
}

// loaded reads "Loaded image: name" and "Loaded image ID: sha256:…", a line each, and
// Podman's "Loaded image: name,name".
func loaded(text string) (refs []string) {
	for line := range strings.Lines(text) {
		head, names, found := strings.Cut(strings.TrimSpace(line), ": ")
		if !found || !strings.HasPrefix(head, "Loaded image") {
			continue
		}
		for name := range strings.SplitSeq(names, ",") {
			if name = strings.TrimSpace(name); name != "" {
				refs = append(refs, name)
			}
		}
	}
	return refs
}

// SearchImages asks the engine's registry for images (GET /images/search). A registry
// that does not answer is unavailable. limit 0 is the engine's own.
func (c *Client) SearchImages(ctx context.Context, term string, limit int) ([]registry.SearchResult, error) {
	k := &call{op: "image.search", object: term}
	query := url.Values{"term": {term}}
	if limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	var found []registry.SearchResult
	_, err := c.get(ctx, k, "/images/search?"+query.Encode(), &found)
	return found, searchError(err)
}

// searchError is about a registry that cannot be asked: Docker answers with status
// 500 then, Podman 4.3 with 404 "image not known".
func searchError(err error) error {
	var own *Error
	if !errors.As(err, &own) || own.Status < 500 && own.Kind != KindNotFound {
		return err
	}
	e := *own
	e.Kind, e.Hint = KindUnavailable, hintRegistry
	return &e
}

// PruneImages removes images without a name that no container uses (POST
// /images/prune), narrowed by filters, and gives the ids of what was deleted.
func (c *Client) PruneImages(ctx context.Context, by map[string][]string) (ids []string, err error) {
	api, err := c.ready(ctx)
	if err != nil {
		return nil, err
	}
	k := &call{op: "image.prune"}
	r, err := api.ImagePrune(k.with(ctx), client.ImagePruneOptions{Filters: filters(by).Add("dangling", "true")})
	for _, deleted := range r.Report.ImagesDeleted {
		if deleted.Deleted != "" {
			ids = append(ids, imageID(deleted.Deleted))
		}
	}
	return ids, c.failed(ctx, k, err)
}

// PruneContainers removes all containers that do not run (POST /containers/prune),
// narrowed by filters, and gives their ids.
func (c *Client) PruneContainers(ctx context.Context, by map[string][]string) ([]string, error) {
	api, err := c.ready(ctx)
	if err != nil {
		return nil, err
	}
	k := &call{op: "container.prune"}
	r, err := api.ContainerPrune(k.with(ctx), client.ContainerPruneOptions{Filters: filters(by)})
	return r.Report.ContainersDeleted, c.failed(ctx, k, err)
}
