package builtins_test

// testdata/endpoints.md says which script asks for which endpoint; TestScripts sees
// that it does.

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine"
)

// A row of the table.
type row struct{ endpoint, says, test string }

func endpoints(t *testing.T) (rows []row) {
	text, err := os.ReadFile("../testdata/endpoints.md")
	require.NoError(t, err)
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) == 3 && strings.HasSuffix(cells[2], ".star |") {
			rows = append(rows, row{strings.TrimPrefix(cells[0], "| "), cells[1], strings.TrimSuffix(cells[2], " |")})
		}
	}
	return rows
}

func TestEndpointsHaveTests(t *testing.T) {
	rows := endpoints(t)
	require.Greater(t, len(rows), 40)
	for _, row := range rows {
		_, err := os.Stat(filepath.Join("testdata", row.test))
		assert.NoError(t, err, row.endpoint)
	}
}

// requests are what a client has asked for.
type requests struct {
	mu   sync.Mutex
	made map[string]bool // "GET /containers/json"
}

var version = regexp.MustCompile(`^/v\d[\d.]*/`)

func (r *requests) add(t engine.Trace) {
	path, _, _ := strings.Cut(version.ReplaceAllString(t.Path, "/"), "?")
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.made == nil {
		r.made = map[string]bool{}
	}
	r.made[t.Method+" "+path] = true
}

// has looks for an endpoint like "GET /containers/{id}/json".
func (r *requests) has(endpoint string) bool {
	pattern := regexp.MustCompile("^" + regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(endpoint), "[^ ]+") + "$")
	r.mu.Lock()
	defer r.mu.Unlock()
	for made := range r.made {
		if pattern.MatchString(made) {
			return true
		}
	}
	return false
}
