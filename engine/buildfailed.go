// Builds that fail: what is said of them, and what helps.

package engine

import (
	"net/http"
	"regexp"
)

// buildHints are what helps, by the engine's words. The first that matches counts.
var buildHints = []struct {
	words *regexp.Regexp
	hint  string
}{
	{regexp.MustCompile(`secret \S+( not found|: not found)`), "secrets={id: value} gives it to the build"},
	{regexp.MustCompile(`^"/\S*" not found|failed to compute cache key: .*not found|^COPY failed|copier: stat: `),
		"is it in the context, and not left out by its .dockerignore?"},
	{regexp.MustCompile(`unknown instruction|[Uu]nknown flag`),
		`this engine's own syntax of Dockerfiles may be older: a first line "# syntax=docker/dockerfile:1" loads the newest from the registry`},
	{regexp.MustCompile(`pull access denied|unauthorized|authentication required`), "does the image exist, and do the credentials allow it?"},
	{regexp.MustCompile(`^exit code 127$`), "the command, or one in it, is not in the image"},
	{regexp.MustCompile(`^exit code 137$`), "it was killed: often by a limit of memory"},
}

// solving is what BuildKit puts before its words.
var solving = regexp.MustCompile(`^failed to solve( with frontend \S+)?: (failed to create LLB definition: )?`)

// buildFailed is the failure of a build: at which step, how, and the end of its output.
func (c *Client) buildFailed(k *call, step, message, tail string) *Error {
	message = clean(solving.ReplaceAllString(message, ""))
	e := &Error{Op: k.verb(), Object: k.object, Kind: KindBuildFailed, Status: http.StatusOK}
	for _, h := range buildHints {
		if h.words.MatchString(message) {
			e.Hint = h.hint
			break
		}
	}
	if step != "" {
		message = clean(step) + ": " + message
	}
	if tail != "" {
		message += ":\n" + tail
	}
	e.Message = c.redact(message)
	return e
}

// buildError makes one kind of what engines answer in many: what Docker refuses with
// a status before the first step, Podman reports within the stream.
func buildError(e *Error) error {
	if e.Status != 0 && (e.Kind == KindInvalid || e.Kind == KindNotFound || e.Kind == KindInternal) {
		failed := *e
		failed.Kind = KindBuildFailed
		return &failed
	}
	return e
}
