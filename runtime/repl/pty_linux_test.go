package repl_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/dscript/dscript/runtime/repl"
)

// openTerminal gives a terminal of 80 columns and the end that a user is at.
func openTerminal(t *testing.T) (user, terminal *os.File) {
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { user.Close() })
	fd := int(user.Fd())
	require.NoError(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 25, Col: 80}))
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { terminal.Close() })
	return user, terminal
}

// atTerminal starts a loop on a terminal.
func atTerminal(t *testing.T, history string) *user {
	end, terminal := openTerminal(t)
	u := &user{t: t, out: &buffer{}, in: end, interrupt: make(chan os.Signal, 1), left: make(chan error, 1)}
	o := repl.Options{
		Runtime: newRuntime(t, terminal), In: terminal, Out: terminal, Err: terminal,
		Terminal: true, HistoryFile: history, Interrupts: u.interrupt,
	}
	t.Setenv("TERM", "xterm")
	go func() { u.left <- repl.Run(t.Context(), o) }()
	go readTerminal(end, io.Discard, u.out)
	return u
}

// atPrompt types when the prompt is there: until then the terminal is not the editor's.
func (u *user) atPrompt(text string) {
	u.t.Helper()
	u.sees("dscript> ")
	u.types(text)
}

// readTerminal copies what is put out to raw, and without control sequences to text.
func readTerminal(end io.Reader, raw, text io.Writer) {
	in := bufio.NewReader(io.TeeReader(end, raw))
	for {
		c, err := in.ReadByte()
		if err != nil {
			return
		}
		if c == '\x1b' {
			for c, _ = in.ReadByte(); c == '[' || c == ';' || c == '?' || c >= '0' && c <= '9'; {
				c, _ = in.ReadByte()
			}
			continue
		}
		text.Write([]byte{c})
	}
}

const (
	tab    = "\t"
	up     = "\x1b[A"
	enter  = "\r"
	ctrlC  = "\x03"
	ctrlD  = "\x04"
	paste  = "\x1b[200~"
	pasted = "\x1b[201~"
)

func TestTerminal(t *testing.T) {
	history := filepath.Join(t.TempDir(), "history")
	u := atTerminal(t, history)

	u.atPrompt("20 + 1" + enter)
	u.sees("\n21\r\n")

	// Tab: one name is inserted, several are listed; at the beginning it indents.
	u.atPrompt("resu" + tab)
	u.sees("result")
	u.types(`("completed")` + enter)
	u.sees("\ncompleted\r\n")
	u.atPrompt("thing(na" + tab)
	u.sees("name=")
	u.types(ctrlC)
	u.atPrompt(":re" + tab + tab)
	u.sees(":reload   :restore\r\n")
	u.types(ctrlC)
	u.atPrompt("if True:" + enter)
	u.sees("...      ")
	u.types(tab + "'indented'" + enter + enter)
	u.sees("    'indented'")

	// A paste with tabs and a blank line is one block.
	u.atPrompt(paste + "def f(x):\r\ty = x + 1\r\r\treturn y\r" + pasted)
	u.sees("return y\r\n")
	u.atPrompt("f(41)" + enter)
	u.sees("\n42\r\n")

	// It comes back whole.
	u.atPrompt(up + up + "\x05" + enter) // Ctrl-E: the end of the line
	u.sees("def f(x):⏎␉y = x + 1⏎⏎␉return y\r\n")
	u.atPrompt("f(1)" + enter)
	u.sees("\n2\r\n")

	u.atPrompt(" hidden = 1" + enter)
	u.sees("hidden = 1\r\n")
	u.atPrompt(paste + "    def g():\r        return 5\r" + pasted)
	u.sees("return 5\r\n")
	u.atPrompt("abc" + ctrlC)
	u.sees("^C\r\n")
	u.atPrompt(ctrlC)
	u.sees("Ctrl-D or :quit leaves")

	// What a value says cannot act on the terminal.
	u.atPrompt(`result("\033[2Jx")` + enter)
	u.sees(`\x1b[2Jx`)

	u.atPrompt("wait()" + enter)
	u.sees("waiting\r\n")
	u.interrupt <- os.Interrupt
	u.sees("interrupted\r\n")

	u.atPrompt(ctrlD)
	assert.NoError(t, u.leaves())

	text, err := os.ReadFile(history)
	require.NoError(t, err)
	assert.Equal(t, `20 + 1
result("completed")
if True:\n    'indented'
def f(x):\n	y = x + 1\n\n	return y
f(41)
def f(x):\n	y = x + 1\n\n	return y
f(1)
    def g():\n        return 5
result("\\033[2Jx")
wait()
`, string(text))

	// The next prompt has the history.
	u = atTerminal(t, history)
	u.atPrompt(up)
	u.sees("wait()")
	u.types(ctrlC)
	u.sees("^C\r\n")
	u.atPrompt(ctrlD)
	assert.NoError(t, u.leaves())
}

func TestTerminalIsGivenBack(t *testing.T) {
	end, terminal := openTerminal(t)
	before, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	require.NoError(t, err)
	t.Setenv("TERM", "xterm")
	out := &buffer{}
	u := &user{t: t, out: out, in: end, left: make(chan error, 1)}
	raw := &buffer{}
	go readTerminal(end, raw, out)
	go func() {
		u.left <- repl.Run(t.Context(), repl.Options{Runtime: newRuntime(t, terminal), In: terminal, Out: terminal, Err: terminal, Terminal: true})
	}()
	u.atPrompt("1" + enter)
	u.sees("\n1\r\n")
	u.atPrompt(ctrlD)
	require.NoError(t, u.leaves())
	after, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	assert.Eventually(t, func() bool {
		return strings.LastIndex(raw.String(), "\x1b[?2004l") > strings.LastIndex(raw.String(), "\x1b[?2004h")
	}, 20*time.Second, time.Millisecond, "marks of pastes are asked for no longer")
}
