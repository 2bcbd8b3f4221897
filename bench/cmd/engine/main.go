package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"time"
)

// contender is one library's server.
type contender interface {
	http.Handler

	// send sends each of the payloads, as a binary message, to all connections.
	send(payloads [][]byte)
}

var contenders = map[string]func() contender{
	"bellwire": newBellwire,
	"gorilla":  newGorilla,
	"coder":    newCoder,
	"gobwas":   newGobwas,
	"gws":      newGWS,
}

// servers are those of libraries that bring their own HTTP server.
var servers = map[string]func(net.Listener) (contender, error){
	"bellwire-reactor": serveReactor,
	"fasthttp":         serveFasthttp,
	"nbio":             serveNBIO,
}

func main() {
	name, address := "", "127.0.0.1:0"
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if len(os.Args) > 2 {
		address = os.Args[2]
	}
	if err := run(name, address); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		os.Exit(1)
	}
}

func run(name, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	c, err := serve(name, listener)
	if err != nil {
		return err
	}
	fmt.Println("listening", listener.Addr().(*net.TCPAddr).Port)
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		if err := obey(c, commands.Text()); err != nil {
			return err
		}
		fmt.Println("ok")
	}
	return commands.Err()
}

func serve(name string, listener net.Listener) (contender, error) {
	if start, known := servers[name]; known {
		return start(listener)
	}
	make, known := contenders[name]
	if !known {
		return nil, fmt.Errorf("unknown library %q", name)
	}
	c := make()
	mux := http.NewServeMux()
	mux.Handle("/ws", c)
	go http.Serve(listener, mux)
	return c, nil
}

func obey(c contender, command string) error {
	var size, k, count, micros int
	switch {
	case command == "gc":
		debug.FreeOSMemory()
	case command == "profile stop":
		pprof.StopCPUProfile()
	case strings.HasPrefix(command, "profile "):
		f, err := os.Create(strings.TrimPrefix(command, "profile "))
		if err != nil {
			return err
		}
		return pprof.StartCPUProfile(f)
	case strings.HasPrefix(command, "payload "):
	default:
		if _, err := fmt.Sscanf(command, "fan %d %d %d %d", &size, &k, &count, &micros); err != nil {
			return fmt.Errorf("unknown command %q", command)
		}
		fan(c, size, k, count, time.Duration(micros)*time.Microsecond)
	}
	return nil
}

func fan(c contender, size, k, count int, every time.Duration) {
	payloads := slices.Repeat([][]byte{bytes.Repeat([]byte("b"), size)}, k)
	next := time.Now()
	for range count {
		c.send(payloads)
		next = next.Add(every)
		time.Sleep(time.Until(next))
	}
}

// registry holds the connections of a library that has none.
type registry[C comparable] struct {
	mu    sync.Mutex
	conns map[C]struct{}
	list  []C // of conns; nil: it has changed
}

func (r *registry[C]) add(c C) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.conns == nil {
		r.conns = make(map[C]struct{})
	}
	r.conns[c] = struct{}{}
	r.list = nil
}

func (r *registry[C]) remove(c C) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
	r.list = nil
}

// all returns the connections; the slice is not changed later.
func (r *registry[C]) all() []C {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.list == nil {
		r.list = make([]C, 0, len(r.conns))
		for c := range r.conns {
			r.list = append(r.list, c)
		}
	}
	return r.list
}
