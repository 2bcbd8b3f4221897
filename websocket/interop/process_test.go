package interop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// chosenPeers names the variable that says which peers of other languages are there.
const chosenPeers = "BELLWIRE_INTEROP"

// The programs of peers in other languages. Paths are from this directory.
var (
	nodeProcess   = &process{name: "node", command: []string{"node", "peer.mjs"}}
	pythonProcess = &process{name: "python", command: []string{"../../build/interop/venv/bin/python", "peer.py"}}
)

// peer makes a peer of the process, which runs as long as the test.
func (p *process) peer(t *testing.T, name string, modes []mode) peer {
	if !slices.Contains(strings.FieldsFunc(os.Getenv(chosenPeers), func(r rune) bool { return r == ',' || r == ' ' }), p.name) {
		t.Skipf("%s does not name %s, a program that has to be installed: `make interop` does and runs it, and `make test` does for node", chosenPeers, p.name)
	}
	p.start(t)
	return peer{name: name, modes: modes, serve: p.serve, dial: p.dial}
}

// A process is a program that is many peers: it reads requests and writes reports, one line of JSON each.
type process struct {
	name    string
	command []string

	mu      sync.Mutex // guards all below
	input   io.Writer
	last    int
	waiting map[int]*subscription
}

// request is what the program is asked for.
type request struct {
	Action          string   `json:"action"` // serve, stop, dial
	ID              int      `json:"id"`
	Mode            string   `json:"mode"`
	URL             string   `json:"url"`
	Subprotocol     string   `json:"subprotocol"`
	Subprotocols    []string `json:"subprotocols"`
	FragmentedBytes int      `json:"fragmentedBytes"`
	HTTP2           bool     `json:"http2"` // serve by HTTP/2
}

// report is what it says.
type report struct {
	ID          int    `json:"id"`
	Event       string `json:"event"` // serving, opened, closed, error
	Port        int    `json:"port"`
	Subprotocol string `json:"subprotocol"`
	Extensions  string `json:"extensions"`
	Code        int    `json:"code"`
	Reason      string `json:"reason"`
}

// subscription is who waits for the reports of one id.
type subscription struct {
	t       *testing.T
	witness *witness
	serving chan int // the port
}

func (p *process) start(t *testing.T) {
	command := exec.Command(p.command[0], p.command[1:]...)
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	p.input, p.waiting = input, make(map[int]*subscription)
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		p.listen(t, output)
	}()
	t.Cleanup(func() {
		input.Close() // the program ends with its input
		<-heard
		command.Wait()
	})
}

func (p *process) listen(t *testing.T, output io.Reader) {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		var r report
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Errorf("%s says %q", p.name, lines.Text())
			continue
		}
		p.mu.Lock()
		s := p.waiting[r.ID]
		p.mu.Unlock()
		if s != nil {
			s.hear(r)
		}
	}
}

func (s *subscription) hear(r report) {
	switch r.Event {
	case "serving":
		s.serving <- r.Port
	case "opened":
		s.witness.opened <- opening{r.Subprotocol, r.Extensions}
	case "closed":
		s.witness.closed <- ending{r.Code, r.Reason}
	case "error":
		s.t.Logf("the peer: %s", r.Reason)
	}
}

// ask sends a request, whose reports go to the witness until the test ends.
func (p *process) ask(t *testing.T, r request, w *witness) *subscription {
	s := &subscription{t: t, witness: w, serving: make(chan int, 1)}
	p.mu.Lock()
	p.last++
	r.ID = p.last
	p.waiting[r.ID] = s
	p.mu.Unlock()
	r.FragmentedBytes = fragmentedBytes
	r.Subprotocol, r.Subprotocols = subprotocolOurs, offered
	p.send(t, r)
	t.Cleanup(func() {
		p.mu.Lock()
		delete(p.waiting, r.ID)
		p.mu.Unlock()
		if r.Action == "serve" {
			p.send(t, request{Action: "stop", ID: r.ID})
		}
	})
	return s
}

func (p *process) send(t *testing.T, r request) {
	line, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, err := p.input.Write(append(line, '\n')); err != nil {
		t.Error(err)
	}
}

func (p *process) serve(t *testing.T, m mode, w *witness) string {
	s := p.ask(t, request{Action: "serve", Mode: m.theirs}, w)
	return fmt.Sprintf("http://127.0.0.1:%d", await(t, "the peer's port", s.serving))
}

func (p *process) serveHTTP2(t *testing.T, m mode, w *witness) string {
	s := p.ask(t, request{Action: "serve", Mode: m.theirs, HTTP2: true}, w)
	return fmt.Sprintf("http://127.0.0.1:%d", await(t, "the peer's port", s.serving))
}

func (p *process) dial(t *testing.T, url string, m mode, w *witness) {
	p.ask(t, request{Action: "dial", Mode: m.theirs, URL: "ws" + strings.TrimPrefix(url, "http")}, w)
}
