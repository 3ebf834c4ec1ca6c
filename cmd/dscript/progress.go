package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dscript/dscript/engine"
)

// progress shows pulls on stderr: a line that changes on a terminal, elsewhere a
// line when a pull begins and one when it has ended.
type progress struct {
	o *options

	mu    sync.Mutex
	pulls map[string]*pull
	shown time.Time
}

type pull struct {
	layers map[string]engine.Progress
}

func newProgress(o *options) *progress { return &progress{o: o, pulls: map[string]*pull{}} }

// step is told of each step of the pull of ref; it may be called by several pulls at once.
func (p *progress) step(ref string, s engine.Progress) {
	if p.o.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	live := isTerminal(p.o.err)
	current := p.pulls[ref]
	if current == nil {
		current = &pull{layers: map[string]engine.Progress{}}
		p.pulls[ref] = current
		if !live {
			fmt.Fprintf(p.o.err, "pulling %s\n", ref)
		}
	}
	if strings.HasPrefix(s.Status, "Status: ") {
		delete(p.pulls, ref)
		if live {
			fmt.Fprint(p.o.err, "\r\x1b[K")
		}
		fmt.Fprintf(p.o.err, "pulled %s\n", ref)
		return
	}
	if s.ID != "" {
		current.layers[s.ID] = s
	}
	if live && time.Since(p.shown) > 100*time.Millisecond {
		p.shown = time.Now()
		fmt.Fprintf(p.o.err, "\r\x1b[Kpulling %s%s", ref, current)
	}
}

// String is how far the pull is: ": 2 of 5 layers, 12.3 of 40.1 MB".
func (p *pull) String() string {
	var done, layers int
	var current, total int64
	for _, l := range p.layers {
		if l.Status == "Pull complete" || l.Status == "Already exists" {
			done++
		}
		layers++
		current += l.Current
		total += l.Total
	}
	if layers == 0 {
		return ""
	}
	text := fmt.Sprintf(": %d of %d layers", done, layers)
	if total > 0 {
		text += fmt.Sprintf(", %.1f of %.1f MB", float64(current)/1e6, float64(total)/1e6)
	}
	return text
}
