// Who an object on an engine belongs to.

package engine

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// OwnerKind says how long an object lives.
type OwnerKind string

// The kinds of owner.
const (
	OwnerSession OwnerKind = "session" // until its session ends
	OwnerKept    OwnerKind = "kept"    // until someone removes it
	OwnerReuse   OwnerKind = "reuse"   // between runs, as long as its hash is the same
	OwnerEnv     OwnerKind = "env"     // a part of an environment, until that goes down
)

// An Owner is given with each create; its labels are in the create request, so
// that nothing of ours ever exists without them. The zero Owner writes no labels
// but the nonce.
type Owner struct {
	Kind    OwnerKind
	Name    string // of the environment or of the reused object
	Session string
	Process string // see ProcessID
}

// ProcessID is the identity of this process: machine id, boot, pid namespace, pid
// and start time, with slashes between. No other process ever has the same.
// Parts that the platform does not tell are empty.
func ProcessID() string { return processID() }

var processID = sync.OnceValue(func() string {
	machine := firstLine("/etc/machine-id")
	if machine == "" {
		machine, _ = os.Hostname()
	}
	boot := firstLine("/proc/sys/kernel/random/boot_id")
	namespace, _ := os.Readlink("/proc/self/ns/pid")
	return strings.Join([]string{machine, boot, strings.Trim(namespace, "pid:[]"), strconv.Itoa(os.Getpid()), startTime()}, "/")
})

// startTime is when this process started, in ticks since the boot (proc(5), field
// 22 of stat); elsewhere, the time of the first question.
func startTime() string {
	stat := firstLine("/proc/self/stat")
	if i := strings.LastIndex(stat, ") "); i >= 0 {
		if fields := strings.Fields(stat[i+2:]); len(fields) > 19 {
			return fields[19]
		}
	}
	return strconv.FormatInt(time.Now().UnixNano(), 10)
}

func firstLine(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.ReplaceAll(line, "/", "_")
}
