package harness

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Floor is the contender that does no WebSocket work: an epoll loop in C.
const Floor = "floor"

// Programs are the binaries that are measured and that measure.
type Programs struct{ floor, load, engine string }

// Build compiles them into a directory. root is that of this module.
func Build(root, dir string) (*Programs, error) {
	p := &Programs{floor: filepath.Join(dir, "floor"), load: filepath.Join(dir, "load"), engine: filepath.Join(dir, "engine")}
	for _, command := range []*exec.Cmd{
		exec.Command("gcc", "-O3", "-Wall", "-o", p.floor, filepath.Join(root, "native/floor.c")),
		exec.Command("gcc", "-O3", "-Wall", "-o", p.load, filepath.Join(root, "native/load.c")),
		exec.Command("go", "build", "-o", p.engine, "./cmd/engine"),
	} {
		command.Dir = root
		if output, err := command.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%v: %w\n%s", command.Args, err, output)
		}
	}
	return p, nil
}

// pair is a server and the load on it.
type pair struct {
	name   string
	server *process
	load   *process
	conns  int
}

// Setting says where server and load run.
type Setting struct {
	Name   string
	Pinned bool // server on the first processor, load on the second
}

func (s Setting) cpus() (server, load int) {
	if s.Pinned {
		return 0, 1
	}
	return -1, -1
}

func (p *Programs) pair(name string, setting Setting) (*pair, error) {
	serverCPU, loadCPU := setting.cpus()
	// NAME@PROGRAM is NAME as an engine that was built earlier, for comparing before and after.
	library, program, built := strings.Cut(name, "@")
	if !built {
		program = p.engine
	}
	args := []string{library}
	if name == Floor {
		program, args = p.floor, nil
	}
	server, err := start(name, serverCPU, program, args...)
	if err != nil {
		return nil, err
	}
	line, err := server.answer()
	if err != nil {
		return nil, err
	}
	var port int
	if _, err := fmt.Sscanf(line, "listening %d", &port); err != nil {
		return nil, fmt.Errorf("%s said %q", name, line)
	}
	load, err := start("load on "+name, loadCPU, p.load, strconv.Itoa(port))
	if err != nil {
		return nil, err
	}
	return &pair{name: name, server: server, load: load}, nil
}

func (p *pair) stop() {
	p.load.stop()
	p.server.stop()
}

// connect opens connections until there are n.
func (p *pair) connect(n int) error {
	if n <= p.conns {
		return nil
	}
	_, err := p.load.ask("connect %d", n-p.conns)
	p.conns = n
	return err
}

// EchoResult is one run.
type EchoResult struct {
	CPUPerMessage float64 // ns
	PerSecond     float64
	P50, P99      int // µs for a burst
}

func (p *pair) echo(size, flight, conns int, duration time.Duration) (result EchoResult, _ error) {
	if _, err := p.server.ask("payload %d", size); err != nil {
		return result, err
	}
	before, err := p.server.cpu()
	if err != nil {
		return result, err
	}
	check := 1
	if p.name == Floor {
		check = 0
	}
	words, err := p.load.ask("echo %d %d %d %d %d", size, flight, conns, duration.Milliseconds(), check)
	if err != nil {
		return result, err
	}
	after, err := p.server.cpu()
	if err != nil {
		return result, err
	}
	if len(words) != 4 {
		return result, fmt.Errorf("%s answered %q", p.load.name, words)
	}
	messages, _ := strconv.ParseFloat(words[0], 64)
	nanoseconds, _ := strconv.ParseFloat(words[1], 64)
	result.CPUPerMessage = float64(after-before) / messages
	result.PerSecond = messages / nanoseconds * 1e9
	result.P50, _ = strconv.Atoi(words[2])
	result.P99, _ = strconv.Atoi(words[3])
	return result, nil
}

// fan returns the CPU nanoseconds of the server for each message delivered.
func (p *pair) fan(size, k, count int, every time.Duration) (float64, error) {
	header := 2
	if size >= 126 {
		header = 4
	}
	if words, err := p.load.ask("sink %d", (header+size)*k*count); err != nil || words[0] != "ready" {
		return 0, fmt.Errorf("%s answered %q: %w", p.load.name, words, err)
	}
	before, err := p.server.cpu()
	if err != nil {
		return 0, err
	}
	if _, err := p.server.ask("fan %d %d %d %d", size, k, count, every.Microseconds()); err != nil {
		return 0, err
	}
	if _, err := p.load.answer(); err != nil {
		return 0, err
	}
	after, err := p.server.cpu()
	return float64(after-before) / float64(p.conns*k*count), err
}
