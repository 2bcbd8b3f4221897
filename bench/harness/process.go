package harness

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// process is a child that takes commands on its standard input.
type process struct {
	name    string
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

// start runs a program, on one processor only unless cpu is negative.
func start(name string, cpu int, program string, args ...string) (*process, error) {
	if cpu >= 0 {
		// Before the program starts, so that Go's runtime sees one processor.
		args = append([]string{"-c", strconv.Itoa(cpu), program}, args...)
		program = "taskset"
	}
	p := &process{name: name, command: exec.Command(program, args...)}
	p.command.Stderr = os.Stderr
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

// stop ends the child, which does so when its commands end.
func (p *process) stop() {
	p.in.Close()
	timer := time.AfterFunc(10*time.Second, func() { p.command.Process.Kill() })
	defer timer.Stop()
	p.command.Wait()
}

func (p *process) send(format string, args ...any) error {
	_, err := fmt.Fprintf(p.in, format+"\n", args...)
	return err
}

// answer returns the next line of the child.
func (p *process) answer() (string, error) {
	if !p.out.Scan() {
		return "", fmt.Errorf("%s ended early", p.name)
	}
	return p.out.Text(), nil
}

// ask sends a command and returns the words of the answer.
func (p *process) ask(format string, args ...any) ([]string, error) {
	if err := p.send(format, args...); err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
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
		return 0, fmt.Errorf("clock of %s: %w", p.name, err)
	}
	return time.Duration(t.Nano()), nil
}

// resident returns the bytes of the child that are in memory.
func (p *process) resident() (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no VmRSS", p.name)
}
