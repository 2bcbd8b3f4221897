package harness

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long a child may take for one answer. It is more than the load generator's own.
const patience = 90 * time.Second

// process is a child that takes commands on its standard input.
type process struct {
	name    string
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	errors  tail
}

// start runs a program, on one processor only unless cpu is negative.
func start(name string, cpu int, program string, args ...string) (*process, error) {
	if cpu >= 0 {
		// Before the program starts, so that Go's runtime sees one processor.
		args = append([]string{"-c", strconv.Itoa(cpu), program}, args...)
		program = "taskset"
	}
	p := &process{name: name, command: exec.Command(program, args...)}
	p.command.Stderr = &p.errors
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	var err error
	if p.in, err = p.command.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewScanner(out)
	if err := p.command.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return p, nil
}

// stop ends the child and waits for it.
func (p *process) stop() {
	p.in.Close()
	p.command.Process.Signal(unix.SIGTERM)
	timer := time.AfterFunc(5*time.Second, func() { p.command.Process.Kill() })
	defer timer.Stop()
	p.command.Wait()
}

// answer returns the next line of the child.
func (p *process) answer() (string, error) {
	late := time.AfterFunc(patience, func() { p.command.Process.Kill() })
	defer late.Stop()
	if p.out.Scan() {
		return p.out.Text(), nil
	}
	p.command.Wait()
	if said := p.errors.String(); said != "" {
		return "", errors.New(said)
	}
	return "", fmt.Errorf("%s ended early", p.name)
}

// ask sends a command and returns the words of the answer.
func (p *process) ask(format string, args ...any) ([]string, error) {
	// What is not taken is found by the answer that does not come.
	fmt.Fprintf(p.in, format+"\n", args...)
	line, err := p.answer()
	return strings.Fields(line), err
}

// cpu returns how long all threads of the child have run, those that have ended
// included, as the scheduler counts it.
func (p *process) cpu() (time.Duration, error) {
	const schedulerClock = 2
	clock := int32(^p.command.Process.Pid<<3 | schedulerClock)
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0, fmt.Errorf("%s has ended: %s", p.name, p.errors.String())
	}
	return time.Duration(t.Nano()), nil
}

// resident returns the bytes of the child that are in memory.
func (p *process) resident() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(value)[0], 64)
			return kib * 1024, err
		}
	}
	return 0, fmt.Errorf("%s has no VmRSS", p.name)
}

// tailBytesMax bounds what is kept of what a child says on its standard error.
const tailBytesMax = 2 << 10

// tail keeps the last bytes that are written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	t.text = t.text[max(0, len(t.text)-tailBytesMax):]
	return len(b), nil
}

// String returns the last two lines.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	return strings.Join(lines[max(0, len(lines)-2):], "; ")
}
