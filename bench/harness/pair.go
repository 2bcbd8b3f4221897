package harness

import (
	"fmt"
	"strconv"
	"time"
)

// Setting says where server and load run.
type Setting struct {
	Name   string
	Pinned bool // server on the first processor, load on the second, which never sleeps
}

// The two settings. Pinned gives the steadiest figures, free is what a user has.
var (
	Pinned = Setting{Name: "pinned", Pinned: true}
	Free   = Setting{Name: "free"}
)

// pair is a server and the load on it.
type pair struct {
	contender Contender
	server    *server
	load      *process

	// Lines that are open.
	subscribers, publishers, plain int
	channels                       int // over which the subscribers are spread
}

func newPair(programs *Programs, contender Contender, setting Setting) (*pair, error) {
	serverCPU, loadCPU := -1, -1
	if setting.Pinned {
		serverCPU, loadCPU = 0, 1
	}
	server, err := contender.launch(programs, serverCPU)
	if err != nil {
		return nil, err
	}
	p := &pair{contender: contender, server: server}
	if p.load, err = start("load", loadCPU, programs.path("load"), strconv.Itoa(server.port)); err != nil {
		server.stop()
		return nil, err
	}
	script := contender.script
	if script == nil {
		script = &echoScript
	}
	if err = script.teach(p.load); err == nil && setting.Pinned {
		_, err = p.load.ask("spin 1")
	}
	if err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// echoScript is the script of an engine: its lines are ready when they are upgraded.
var echoScript = script{}

func (p *pair) stop() {
	p.load.stop()
	p.server.stop()
}

// lines is what must be open for a measurement.
type lines struct {
	subscribers, channels int // channels 0: one
	publishers, plain     int
}

// fits reports whether lines can be reached by opening more.
func (p *pair) fits(l lines) bool {
	sameChannels := p.subscribers == 0 || p.channels == max(l.channels, 1)
	return sameChannels && p.subscribers <= l.subscribers && p.publishers <= l.publishers && p.plain <= l.plain
}

// open opens what is missing.
func (p *pair) open(l lines) error {
	p.channels = max(l.channels, 1)
	if n := l.subscribers - p.subscribers; n > 0 {
		if _, err := p.load.ask("connect %d %d", n, p.channels); err != nil {
			return err
		}
		p.subscribers += n
	}
	if n := l.publishers - p.publishers; n > 0 {
		if _, err := p.load.ask("publishers %d %d", n, p.channels); err != nil {
			return err
		}
		p.publishers += n
	}
	if n := l.plain - p.plain; n > 0 {
		if _, err := p.load.ask("plain %d %d", p.server.httpPort, n); err != nil {
			return err
		}
		p.plain += n
	}
	return nil
}

// measured asks the load for something and returns what it says, with the CPU time of the server for each message.
func (p *pair) measured(format string, args ...any) (Values, error) {
	before, err := p.server.cpu()
	if err != nil {
		return nil, err
	}
	words, err := p.load.ask(format, args...)
	if err != nil {
		return nil, err
	}
	after, err := p.server.cpu()
	if err != nil {
		return nil, err
	}
	if len(words) != 4 {
		return nil, fmt.Errorf("the load answered %q", words)
	}
	var numbers [4]float64
	for i, word := range words {
		if numbers[i], err = strconv.ParseFloat(word, 64); err != nil {
			return nil, err
		}
	}
	values := Values{"cpu_ns": float64(after-before) / numbers[0], "rate": numbers[0] / numbers[1] * 1e9}
	if numbers[3] > 0 {
		values["p50_us"], values["p99_us"] = numbers[2], numbers[3]
	}
	return values, nil
}

// echo sends messages and waits for their echoes. duration 0: once on each connection.
func (p *pair) echo(size, flight, conns int, duration time.Duration) (Values, error) {
	if _, err := p.server.ask("payload %d", size); err != nil {
		return nil, err
	}
	check := 1
	if p.contender.Name == Floor || p.contender.Name == control {
		check = 0
	}
	return p.measured("echo %d %d %d %d %d", size, flight, conns, duration.Milliseconds(), check)
}

// broadcast lets an engine send count times k messages at once to each connection. An echo on each shows first that the
// engine's program has it on its list, which may be a little later than the answer to its handshake.
func (p *pair) broadcast(size, k, count int, every time.Duration) (Values, error) {
	if _, err := p.echo(size, 1, p.subscribers, 0); err != nil {
		return nil, err
	}
	if _, err := p.fan(size, k, broadcastsBefore, every); err != nil {
		return nil, err
	}
	used, err := p.fan(size, k, count, every)
	return Values{"cpu_ns": float64(used) / float64(p.subscribers*k*count)}, err
}

// broadcastsBefore are made before those that count: the first ones of a process grow what it keeps.
const broadcastsBefore = 4

// fan has the server broadcast and the load read it all, and returns the nanoseconds that the server took.
func (p *pair) fan(size, k, count int, every time.Duration) (used int64, err error) {
	header := 2
	if size >= 126 {
		header = 4
	}
	if _, err := p.load.ask("sink %d", (header+size)*k*count); err != nil {
		return 0, err
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
	return int64(after - before), err
}
