// The builders that take an archive: Docker's classic one, and Podman's buildah.

package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// beyondClassic is what only BuildKit reads: newest engines take a heredoc for an empty step.
var beyondClassic = []struct {
	what string
	line *regexp.Regexp
}{
	{"RUN --mount", regexp.MustCompile(`(?im)^\s*RUN\s+(--\S+\s+)*--mount`)},
	{"a heredoc", regexp.MustCompile(`(?im)^\s*(RUN|COPY|ADD)\s(.*\s)?\d*<<-?['"]?\w+['"]?(\s|$)`)},
}

// buildClassic builds by the classic builder.
func (c *Client) buildClassic(ctx context.Context, k *call, b BuildContext, o BuildOptions, query url.Values) (string, error) {
	text, err := b.Dockerfile.read()
	if err != nil {
		return "", err
	}
	for _, beyond := range beyondClassic {
		if beyond.line.Match(text) {
			return "", &Error{Op: k.verb(), Object: k.object, Kind: KindUnsupported,
				Message: "the Dockerfile has " + beyond.what + ", which the classic builder does not know", Hint: "engines with BuildKit do (Docker 18.09 and later)"}
		}
	}
	if len(o.Secrets) > 0 {
		return "", &Error{Op: k.verb(), Object: k.object, Kind: KindUnsupported,
			Message: "the classic builder knows no secrets", Hint: "engines with BuildKit do (Docker 18.09 and later)"}
	}
	return c.buildSteps(ctx, k, b, o, query)
}

// buildah builds by Podman. Its secrets are files of the archive, which it takes out of
// the context before the first step.
func (c *Client) buildah(ctx context.Context, k *call, b BuildContext, o BuildOptions, query url.Values) (string, error) {
	var files []BuildFile
	var secrets []string
	ids := make([]string, 0, len(o.Secrets))
	for id := range o.Secrets {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for i, id := range ids {
		if strings.ContainsAny(id, ",=") {
			return "", &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: fmt.Sprintf("secret id %q: Podman takes none with a comma or =", id)}
		}
		f := TextFile(".dscript-secret-"+strconv.Itoa(i), o.Secrets[id])
		f.Mode = 0o600
		files = append(files, f)
		secrets = append(secrets, "id="+id+",src="+f.Path)
	}
	if len(secrets) > 0 {
		text, err := json.Marshal(secrets)
		if err != nil {
			return "", &Error{Op: k.verb(), Object: k.object, Kind: KindInvalid, Message: clean(err.Error()), Err: err}
		}
		query.Set("secrets", string(text))
	}
	switch mode := query.Get("networkmode"); {
	case query.Has("nsoptions") || mode == "" || mode == "host": // Podman's own choice is the host's
	case mode == "none":
		query.Set("networkmode", "NetworkDisabled")
		query.Set("nsoptions", `[{"Name":"network"}]`)
	default: // it would take the host's without a word
		return "", &Error{Op: k.verb(), Object: k.object, Kind: KindUnsupported, Message: fmt.Sprintf("Podman builds in the host's network or in none, not in %q", mode)}
	}
	return c.buildSteps(ctx, k, b, o, query, files...)
}

// buildSteps builds of an archive and reads what is said of the steps.
func (c *Client) buildSteps(ctx context.Context, k *call, b BuildContext, o BuildOptions, query url.Values, more ...BuildFile) (string, error) {
	log := buildLog{each: o.Progress}
	id, err := c.sendArchive(ctx, k, b, query, func(m buildMessage) error { return c.step(k, &log, m) }, more...)
	if err == nil {
		log.end(BuildDone, "")
	}
	return id, err
}
