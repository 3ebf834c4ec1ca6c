// Kill: ends an exec with all that it started. No engine has a call for that
// (moby#35703), so that each exec carries a marker in its environment.

package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

const (
	killPatience = 350 * time.Millisecond // how long a call that has ended waits for its killing
	killLimit    = 15 * time.Second       // how long the killing may take at all
)

// killScript kills every process with the marker $1, again until none is left.
// The shell's substitution drops the NULs of environ. Exit code 3: none was found.
const killScript = `m=` + markerEnv + `=$1 n=0 f=1 k=3
while [ $f = 1 ] && [ $n -lt 20 ]; do
f=0 n=$((n+1))
for p in /proc/[0-9]*; do
case "$(cat $p/environ 2>/dev/null)" in *$m*) kill -9 ${p#/proc/} 2>/dev/null && f=1 k=0;; esac
done
done
exit $k`

// killStarts is how long a process may take to appear whose exec was being started
// when the connection broke.
const killStarts = 3 * time.Second

// Kill ends the command and everything that it started, also what left its
// session. It returns nil when none of it is left.
//
// On this machine, with the rights for it, the processes are found by their
// marker in /proc, which proves that they are the exec's. Else a second exec does
// the same inside the container, as root and then as the command's user; that
// needs a shell there. Processes that changed their environment are not found.
func (e *Exec) Kill(ctx context.Context) error {
	for start := time.Now(); ; {
		err := e.killOnce(ctx)
		if err == nil {
			return nil
		}
		s, inspectErr := e.inspect(ctx)
		if errors.Is(inspectErr, ErrNotFound) || inspectErr == nil && !s.Running && s.ExitCode != nil && !e.lostAtStart(ctx, s) {
			return nil
		}
		// The engine may be about to start it, of which it says nothing yet.
		if errors.Is(err, errNoProcess) && time.Since(start) < killStarts && pause(ctx, execPoll) == nil {
			continue
		}
		if inspectErr == nil && !s.Running {
			return nil // it was never started
		}
		return &Error{Op: "kill", Object: e.container, Kind: KindUnsupported, Message: "the command still runs in the container: " + clean(messageOf(err)),
			Hint: "stop or remove the container", Err: err}
	}
}

// errNoProcess says that there is nothing to kill, or not yet.
var errNoProcess = errors.New("no process with its marker was found")

// killOnce kills what there is now.
func (e *Exec) killOnce(ctx context.Context) error {
	if e.c.local() && killMarked(ctx, []byte(markerEnv+"="+e.nonce)) {
		return nil
	}
	code, err := e.script(ctx, "0", killScript)
	if err == nil && code == 3 && e.user != "" {
		code, err = e.script(ctx, e.user, killScript)
	}
	if err == nil && code != 0 {
		return errNoProcess
	}
	return err
}

// liveScript ends with 0 when the exec with the marker $1 still has its main
// process: one whose parent is outside the container's pid namespace.
const liveScript = `m=` + markerEnv + `=$1
for p in /proc/[0-9]*; do
case "$(cat $p/environ 2>/dev/null)" in *$m*)
while read k v; do [ "$k $v" = "PPid: 0" ] && exit 0; done <$p/status;;
esac
done
exit 3`

// lostAtStart reports whether a command that has ended, as the engine says, runs
// all the same. Docker notes exit code 126 and a pid for an exec whose connection
// broke before its process was up (seen on 20.10.24); a command that ends with
// 126 by itself looks the same but for the process.
func (e *Exec) lostAtStart(ctx context.Context, s execState) bool {
	if *s.ExitCode != 126 || s.Pid == 0 {
		return false
	}
	if e.c.local() && marked(fmt.Sprintf("/proc/%d/environ", s.Pid), []byte(markerEnv+"="+e.nonce)) {
		return true
	}
	code, err := e.script(ctx, "0", liveScript)
	return err == nil && code == 0
}

// local reports whether the engine runs on this machine, and this process may
// see and kill all that it runs.
func (c *Client) local() bool {
	return c.opts.Dial == nil && strings.HasPrefix(c.host, "unix://") && os.Geteuid() == 0
}

// script runs one of the scripts in the container, for e's marker.
func (e *Exec) script(ctx context.Context, user, script string) (int, error) {
	k := &Exec{c: e.c, container: e.container, user: user, nonce: "killer"}
	o := ExecOptions{Cmd: []string{"/bin/sh", "-c", script, "sh", e.nonce}, User: user}
	if err := k.create(ctx, o, false); err != nil {
		return 0, err
	}
	if err := k.start(ctx, o, false); err != nil {
		return 0, err
	}
	defer k.Stream.Close()
	sink := newSink(&IO{Limit: heldLimit}, true)
	for {
		f, err := k.Stream.Next()
		if err != nil {
			break
		}
		_ = sink.frame(f)
	}
	state, err := k.wait(ctx) // and no more: a killer is not killed
	if err != nil {
		return 0, err
	}
	if text, yes := k.neverStarted(ctx, state, sink); yes {
		return 0, &Error{Op: "kill", Object: e.container, Kind: startKind(text), Message: e.c.redact(clean(text))}
	}
	return *state.ExitCode, nil
}

// kill ends the exec because of err, which it returns, with a word about it when
// the command could not be killed. It waits for that a third of a second only.
func (e *Exec) kill(ctx context.Context, err error) error {
	ended, failed := e.c.cleanUp(ctx, killPatience, killLimit, e.Kill)
	var own *Error
	if ended && failed == nil || !errors.As(err, &own) {
		return err
	}
	noted := *own
	if !ended {
		noted.Hint = "the command is still being killed"
		return &noted
	}
	noted.Message += "; " + clean(messageOf(failed))
	noted.Hint = "stop or remove the container"
	return &noted
}
