package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dscript/dscript/engine/enginetest"
)

// A script that says what its program's memory was at most, in KiB. (The kernel's
// figure for a child that has ended includes what its parent used before exec.)
const peak = `
for line in host.read("/proc/self/status").splitlines():
    if line.startswith("VmHWM:"):
        print(line.split()[1])
`

func peakOf(t *testing.T, dscript, text string, args ...string) int {
	out, err := exec.Command(dscript, append([]string{scriptFile(t, text+peak)}, args...)...).CombinedOutput()
	require.NoError(t, err, "%s", out)
	kib, err := strconv.Atoi(strings.TrimSpace(string(out)))
	require.NoError(t, err, "%s", out)
	return kib
}

// 1 GiB of output streamed to a file costs at most 16 MiB more than doing nothing.
func TestMemoryOfStreamedOutput(t *testing.T) {
	c := enginetest.Client(t)
	id := enginetest.Container(t, c)
	dscript := buildProgram(t)
	file := filepath.Join(t.TempDir(), "out")

	idle := peakOf(t, dscript, "c = container.get(args[0])\nexec(c, 'true')\n", id)
	streams := peakOf(t, dscript, `
c = container.get(args[0])
exec(c, "dd if=/dev/zero bs=1M count=1024 2>/dev/null", stdout=host.open(args[1], "w"), check=True)
`, id, file)

	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.EqualValues(t, 1<<30, info.Size())
	t.Logf("idle %d KiB, streaming %d KiB", idle, streams)
	assert.LessOrEqual(t, streams-idle, 16<<10)
}
