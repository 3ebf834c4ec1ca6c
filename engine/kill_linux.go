package engine

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// killMarked kills every process of this machine that has the marker in its
// environment, again until none is left, and reports whether there were any and
// none is. The process is held (by a pidfd, where the kernel has them) while its
// environment is read once more, so that a reused pid is never hit.
func killMarked(ctx context.Context, marker []byte) bool {
	for found := false; ctx.Err() == nil; found = true {
		environs, err := filepath.Glob("/proc/[0-9]*/environ")
		if err != nil {
			return false
		}
		left := false
		for _, name := range environs {
			if marked(name, marker) && killPid(name, marker) {
				left = true
			}
		}
		if !left {
			return found
		}
		if pause(ctx, 2*time.Millisecond) != nil {
			return false
		}
	}
	return false
}

// marked reports whether the environment in a file has the marker.
func marked(environ string, marker []byte) bool {
	env, err := os.ReadFile(environ)
	return err == nil && bytes.Contains(env, marker)
}

func killPid(environ string, marker []byte) bool {
	pid, err := strconv.Atoi(filepath.Base(filepath.Dir(environ)))
	if err != nil {
		return false
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer p.Release()
	return marked(environ, marker) && p.Kill() == nil
}
