package harness

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// Floor is the contender without any protocol: an epoll loop in C that moves as many bytes.
const Floor = "floor"

// control is the floor once more, as if it were a contender: how far it is from 1.00 is the noise of the run.
const control = "control"

// Contender is a server that is measured.
type Contender struct {
	Name  string
	About string // for the report

	script   *script // how a server is spoken to; nil: it echoes
	channels bool    // it has channels
	launch   launcher
	earlier  func(program string) launcher // of an earlier build of our own; nil: there is none
}

// streams reports whether its subscribers are streams. It publishes as the contender of the same server does that has none.
func (c Contender) streams() bool { return c.script != nil && c.script.stream != "" }

// launcher starts a contender, on one processor only unless cpu is negative.
type launcher func(programs *Programs, cpu int) (*server, error)

// server is a contender that runs.
type server struct {
	*process
	port, httpPort int
	free           func() error // collects garbage and gives memory back to the system
}

// Engines are WebSocket libraries, behind the same handler that echoes.
func Engines() []Contender {
	engines := []Contender{{Name: Floor, About: "epoll loop in C, no WebSocket work", launch: child("floor")}}
	for _, e := range [][2]string{
		{"bellwire-reactor", "Bellwire's engine, epoll driver and its own door"}, {"bellwire", "Bellwire's engine, goroutine driver"},
		{"gws", "lxzan/gws"}, {"gorilla", "gorilla/websocket"}, {"fasthttp", "fasthttp/websocket"}, {"nbio", "lesismal/nbio, non-blocking"},
		{"coder", "coder/websocket"}, {"gobwas", "gobwas/ws with wsutil"},
	} {
		engines = append(engines, Contender{Name: e[0], About: e[1], launch: child("engine", e[0]), earlier: func(program string) launcher {
			return func(_ *Programs, cpu int) (*server, error) { return listening(start(e[0], cpu, program, e[0])) }
		}})
	}
	return append(engines, Contender{Name: control, About: "the floor once more", launch: child("floor")})
}

// Servers are whole real-time servers.
func Servers() []Contender {
	return []Contender{
		{Name: Floor, About: "epoll loop in C: one write for each delivery", script: &broadcastScript, launch: serverFloor},
		{Name: "bellwire", About: "bellwire serve, native protocol in JSON", script: &bellwireScript, channels: true, launch: bellwire, earlier: earlierBellwire},
		{Name: "bellwire-sse", About: "bellwire serve, subscribers by Server-Sent Events", script: &bellwireStreams, channels: true, launch: bellwire, earlier: earlierBellwire},
		{Name: "centrifuge", About: "the library of Centrifugo, JSON", script: &centrifugeScript, channels: true, launch: child("peer", "centrifuge")},
		{Name: "centrifuge-tuned", About: "the same, 20 ms write delay and what else its documentation offers", script: &centrifugeScript, channels: true,
			launch: child("peer", "centrifuge-tuned")},
		{Name: "centrifuge-sse", About: "the library of Centrifugo, subscribers by its Server-Sent Events", script: &centrifugeStreams, channels: true,
			launch: child("peer", "centrifuge")},
		{Name: "nats", About: "embedded NATS server, its own WebSocket", script: &natsScript, channels: true, launch: child("peer", "nats")},
		{Name: "ws-node", About: "ws on Node.js, a broadcast server", script: &broadcastScript, launch: node},
		{Name: control, About: "the floor once more", script: &broadcastScript, launch: serverFloor},
	}
}

// Select returns the floor and those of the contenders that are named, in the order of all. NAME@PROGRAM is NAME as a program that
// was built earlier, for comparing before and after: cmd/engine for an engine, and bellwire for the server. No names: all.
func Select(all []Contender, names []string) (chosen []Contender) {
	if len(names) == 0 {
		return all
	}
	for _, c := range all {
		if c.Name == Floor || slices.Contains(names, c.Name) {
			chosen = append(chosen, c)
		}
		for _, name := range names {
			if program, built := strings.CutPrefix(name, c.Name+"@"); built && c.earlier != nil {
				then := c
				then.Name, then.launch = name, c.earlier(program)
				chosen = append(chosen, then)
			}
		}
	}
	return chosen
}

// child launches a program of ours that takes commands.
func child(program string, args ...string) launcher {
	return func(programs *Programs, cpu int) (*server, error) {
		return listening(start(program, cpu, programs.path(program), args...))
	}
}

func listening(p *process, err error) (*server, error) {
	if err != nil {
		return nil, err
	}
	line, err := p.answer()
	if err != nil {
		return nil, err
	}
	s := &server{process: p}
	if _, err := fmt.Sscanf(line, "listening %d", &s.port); err != nil {
		p.stop()
		return nil, fmt.Errorf("%s said %q", p.name, line)
	}
	fmt.Sscanf(line, "listening %d %d", &s.port, &s.httpPort)
	s.free = func() error {
		_, err := p.ask("gc")
		return err
	}
	return s, nil
}

func serverFloor(programs *Programs, cpu int) (*server, error) {
	s, err := child("floor")(programs, cpu)
	if err == nil {
		_, err = s.ask("server")
	}
	return s, err
}

func node(programs *Programs, cpu int) (*server, error) {
	if programs.nodeError != nil {
		return nil, programs.nodeError
	}
	return listening(start("node", cpu, "node", "--expose-gc", programs.root+"/node/ws.mjs"))
}

// bellwireConfig is a server's own defaults, except that limits meant for strangers are raised, and one namespace is open.
const bellwireConfig = `
listen: 127.0.0.1:%d
internal_listen: 127.0.0.1:%d
internal_debug: true # memory is measured after a collection
allow_anonymous: true
drain: 0s
api: {keys: [%s]}
log: {level: error}
limits:
  unauthenticated_per_ip: 100000
  admission_per_second: 1000000
  commands_per_second: 1000000
  commands_burst: 1000000
  queue_messages: 100000
namespaces:
  bench: {allow: {subscribe: anyone, publish: anyone}}
`

func bellwire(programs *Programs, cpu int) (*server, error) {
	return earlierBellwire(programs.path("bellwire"))(programs, cpu)
}

func earlierBellwire(program string) launcher {
	return func(programs *Programs, cpu int) (*server, error) { return startBellwire(programs, cpu, program) }
}

func startBellwire(programs *Programs, cpu int, program string) (*server, error) {
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	file := programs.path(fmt.Sprintf("bellwire-%d.yaml", ports[0]))
	if err := os.WriteFile(file, fmt.Appendf(nil, bellwireConfig, ports[0], ports[1], bellwireKey), 0o600); err != nil {
		return nil, err
	}
	p, err := start("bellwire", cpu, program, "serve", "--config", file)
	if err != nil {
		return nil, err
	}
	s := &server{process: p, port: ports[0], httpPort: ports[1]}
	s.free = func() error {
		answer, err := http.Post(fmt.Sprintf("http://127.0.0.1:%d/debug/free", ports[1]), "", nil)
		if err != nil {
			return err
		}
		return answer.Body.Close()
	}
	for late := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		answer, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/readyz", ports[0]))
		if err == nil {
			answer.Body.Close()
			http.DefaultClient.CloseIdleConnections()
			return s, nil
		}
		if time.Now().After(late) {
			s.stop()
			return nil, fmt.Errorf("bellwire does not get ready: %s", p.errors.String())
		}
	}
}

// freePorts returns ports that nobody listens on now.
func freePorts(n int) (ports []int, _ error) {
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
