package runtime

// This file defines what a host passes in: Config and Library.

import (
	"context"
	"io"
	"io/fs"
	"time"

	"go.starlark.net/syntax"
)

// A Config says what scripts can call and reach. The zero value works: it
// gives Starlark's own universe and can reach nothing.
// New copies it; later changes have no effect.
type Config struct {
	Libraries []*Library // what scripts can call besides Starlark's own universe
	Host      Host       // what lies outside the engine; a nil part is denied

	Files fs.FS  // what load("./x.star") and load("//x.star") read, rooted at the project root; nil: no modules
	Std   fs.FS  // what load("@std//x.star") reads; nil: none
	Root  string // where Files lies on this machine: file names in errors and here() begin with it
	Dir   string // relative paths given to builtins are relative to it; "": the process's working directory

	Stdin          io.Reader // nil: empty
	Stdout, Stderr io.Writer // nil: discarded. Writes to each are serialised
	Args           []string  // the script's args

	MaxSteps   uint64 // Starlark steps of a session, over all its threads; 0: no limit
	MaxOutput  int64  // bytes that a session may write to Stdout and Stderr; 0: no limit
	MaxObjects int    // objects that a session may make, see Call.Count; 0: no limit

	CleanupTimeout time.Duration // for each cleanup step; 0: 30 s
	Warn           func(Warning) // called with each warning, from any goroutine; nil: a line on Stderr
	Live           bool          // output that is captured is also shown as it comes, see Call.Live
	Rand           io.Reader     // where session IDs come from; nil: crypto/rand
}

// A Warning is something a script should know that is not an error.
type Warning struct {
	Pos     syntax.Position // the script line that it is about; may be invalid
	Message string
}

// String returns the warning as a line that begins with its position.
func (w Warning) String() string {
	if !w.Pos.IsValid() {
		return "warning: " + w.Message
	}
	return w.Pos.String() + ": warning: " + w.Message
}

// A Library is a set of names that scripts can use.
// It may be shared by any number of Runtimes and must not change once it is.
type Library struct {
	Name    string      // a word, for docs
	Doc     string      // a paragraph, for docs
	Members []Member    // what is predeclared
	Types   []*TypeDecl // the types of its values, for docs and completion

	// Names lists live names by the name of their type ("Container"), for
	// completion. A function gets a context of at most 150 ms and no lock:
	// it must not touch Starlark values.
	Names map[string]func(ctx context.Context, s *Session) []string
}

const defaultCleanupTimeout = 30 * time.Second

// withDefaults returns the config with every zero that has a meaning replaced by it.
func (c Config) withDefaults() Config {
	if c.Stdin == nil {
		c.Stdin = eofReader{}
	}
	if c.Stdout == nil {
		c.Stdout = io.Discard
	}
	if c.Stderr == nil {
		c.Stderr = io.Discard
	}
	if c.CleanupTimeout <= 0 {
		c.CleanupTimeout = defaultCleanupTimeout
	}
	return c
}

// An eofReader is empty.
type eofReader struct{}

func (eofReader) Read([]byte) (int, error) { return 0, io.EOF }
