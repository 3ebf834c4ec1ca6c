// What the classic builder and Podman say of their steps: lines of text.

package engine

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// podmanStatus is how Podman tells the exit code of a command.
var podmanStatus = regexp.MustCompile(`exit status (\d+)\s*$`)

// step reads one line; the error is that of the build.
func (c *Client) step(k *call, log *buildLog, m buildMessage) error {
	message, failed := m.failure()
	if !failed {
		log.add(m.Stream)
		return nil
	}
	code := ""
	if m.ErrorDetail.Code > 0 {
		code = fmt.Sprint(m.ErrorDetail.Code)
	} else if found := podmanStatus.FindStringSubmatch(message); found != nil {
		code = found[1]
	}
	step := ""
	if log.step.Number > 0 {
		step = fmt.Sprintf("step %d (%s)", log.step.Number, log.instruction)
		if code != "" {
			message = "exit code " + code
		}
	}
	log.end(BuildError, message)
	return c.buildFailed(k, step, message, log.text.tail())
}

// A buildLog is the step that a build is at, and the end of what it has put out.
type buildLog struct {
	step        BuildStep
	instruction string // "RUN make"
	cached      bool
	text        tailText
	each        func(BuildStep)
}

var (
	stepLine   = regexp.MustCompile(`^(?:\[[^\]]*\] )?(?i:step) (\d+)/(\d+) ?: (.*)`)           // Docker: "Step 1/2 : FROM x"; Podman: "[1/2] STEP 1/2: FROM x"
	ownLine    = regexp.MustCompile(`^( ---> |Removing intermediate container |--> [0-9a-f]+)`) // not of the command
	cachedLine = regexp.MustCompile(`^ ?-?--> Using cache`)
)

func (l *buildLog) add(text string) {
	if found := stepLine.FindStringSubmatch(strings.TrimSuffix(text, "\n")); found != nil {
		l.end(BuildDone, "")
		n, _ := strconv.Atoi(found[1])
		*l = buildLog{step: BuildStep{Number: n, Name: fmt.Sprintf("[%s/%s] %s", found[1], found[2], found[3])}, instruction: found[3], each: l.each}
		l.tell(BuildStarted, "")
		return
	}
	if cachedLine.MatchString(text) {
		l.cached = true
		return
	}
	if ownLine.MatchString(text) || text == "" {
		return
	}
	l.text.add([]byte(text))
	l.tell(BuildOutput, text)
}

// end tells of the end of the step that the build is at.
func (l *buildLog) end(state BuildState, text string) {
	if l.cached && state == BuildDone {
		state = BuildCached
	}
	l.tell(state, text)
}

func (l *buildLog) tell(state BuildState, text string) {
	if l.each == nil || l.step.Number == 0 {
		return
	}
	s := l.step
	s.State, s.Text = state, text
	l.each(s)
}

// A tailText is the end of what was put out.
type tailText struct{ text []byte }

func (t *tailText) add(p []byte) {
	t.text = append(t.text, p...)
	if over := len(t.text) - errorMessageLimit/2; over > errorMessageLimit/2 {
		t.text = append([]byte(nil), t.text[over:]...)
	}
}

var colorCode = regexp.MustCompile("\x1b\\[[0-9;]*m") // Docker's classic builder paints stderr

// tail is the last lines, safe to print.
func (t *tailText) tail() string {
	const most = 20
	text := colorCode.ReplaceAllString(strings.ToValidUTF8(string(t.text), ""), "")
	lines := strings.Split(strings.TrimSpace(text[max(0, len(text)-errorMessageLimit/2):]), "\n")
	lines = lines[max(0, len(lines)-most):]
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Join(lines, "\n")
}
