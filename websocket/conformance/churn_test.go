package conformance_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/internal/leak"
	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// cycles is how many connections come and go in each driver: 10,000 (a fifth under the race detector, beside which
// `make conformance` runs without it), or what BELLWIRE_SOAK says.
func cycles(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("BELLWIRE_SOAK"))
	switch {
	case os.Getenv("BELLWIRE_SOAK") == "" && slowness == 1:
		return 10_000
	case os.Getenv("BELLWIRE_SOAK") == "":
		return 2_000
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// heapGrowthMax is how much the heap may grow between the first fifth of the cycles and
// their end: buffers that a pool holds, and nothing a connection leaves.
const heapGrowthMax = 1 << 20

// G9: connections that come and go, in each way to go, leave nothing: no descriptor, no
// goroutine, no memory.
func TestChurn(t *testing.T) {
	for _, name := range []string{"reading", "serving", "reactor"} {
		run := func(n int) func(t *testing.T) {
			return func(t *testing.T) {
				for _, d := range drivers(t) {
					if d.name == name {
						churn(t, d, n)
					}
				}
			}
		}
		t.Run(name+"/once", run(60)) // what is opened once a process is open
		leak.Check(t)
		before := descriptors(t)
		t.Run(name+"/again", run(cycles(t)))
		if after := descriptors(t); after > before {
			t.Errorf("%s: %d descriptors are open, %d before", name, after, before)
		}
	}
}

// descriptors counts those of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// heap is what the heap holds that is in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // pools let go of what they hold in two steps
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// crowd counts what the server has not seen the end of. It is no WaitGroup, which must not grow from nothing while somebody
// waits: a client may be gone before the server has looked at its request.
type crowd struct {
	mu    sync.Mutex
	count int
	empty sync.Cond
}

func (c *crowd) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count += n; c.count == 0 {
		c.empty.Broadcast()
	}
}

func (c *crowd) wait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.count > 0 {
		c.empty.Wait()
	}
}

// churn lets n connections come and go, and waits until the server has seen all of them end.
func churn(t *testing.T, d driver, n int) {
	var lives crowd
	lives.empty.L = &lives.mu
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := newLife()
		opts := &websocket.AcceptOptions{Compression: websocket.CompressionContextTakeover}
		lives.add(1)
		go func() {
			defer lives.add(-1)
			<-l.ended
		}()
		if err := d.serve(w, r, opts, l); err != nil {
			l.ended <- err
		}
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			lives.add(1)
		case http.StateHijacked, http.StateClosed:
			lives.add(-1)
		}
	}
	server.Start()
	stage := func(from, to int) int64 {
		var workers sync.WaitGroup
		for worker := range 4 {
			workers.Go(func() {
				for i := from + worker; i < to; i += 4 {
					live(t, server.Listener.Addr().String(), i)
				}
			})
		}
		workers.Wait()
		lives.wait()
		return heap()
	}
	before := stage(0, n/5)
	if grown := stage(n/5, n) - before; grown > heapGrowthMax {
		t.Errorf("the heap has grown by %d bytes in %d connections", grown, n-n/5)
	}
	server.Close()
}

// dialReset opens a line that leaves nothing behind in the system when it is closed: as many
// connections as these would use up the ports.
func dialReset(ctx context.Context, network, address string) (net.Conn, error) {
	line, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		line.(*net.TCPConn).SetLinger(0)
	}
	return line, err
}

// live is one connection from its beginning to one of several ends.
func live(t *testing.T, address string, way int) {
	if way%3 == 0 {
		liveAsPeer(t, address, way/3)
		return
	}
	conn, _, err := websocket.Dial(t.Context(), "ws://"+address, &websocket.DialOptions{
		Compression: websocket.CompressionMode(way % 4 % 3),
		DialContext: dialReset,
	})
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.CloseNow()
	switch way % 4 {
	case 0:
		conn.Close(websocket.StatusNormalClosure, "")
	case 1:
		conn.Write(t.Context(), websocket.TextMessage, make([]byte, 1000)) // and gone
	case 2:
		if w, err := conn.Writer(t.Context(), websocket.BinaryMessage); err == nil {
			w.Write(make([]byte, 5000)) // gone inside a message
		}
	}
}

// liveAsPeer has ends that the engine's client would not have.
func liveAsPeer(t *testing.T, address string, way int) {
	line, err := dialReset(t.Context(), "tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	defer line.Close()
	switch way % 5 {
	case 0:
		line.Write([]byte(head)) // gone inside the handshake
		return
	case 1:
		line.Write([]byte(head + "Origin: http://evil.test\r\n\r\n")) // refused
		return
	}
	p, err := ws.ClientPeer(line, "")
	if err != nil {
		t.Error(err)
		return
	}
	switch way % 5 {
	case 2:
		line.Write([]byte{0x81, 0x85, 0}) // gone inside a frame
	case 3:
		p.Send(ws.Fin(3, "")) // failed, and read to the end
		for {
			if _, err := p.Receive(); err != nil {
				return
			}
		}
	case 4:
		p.Send(text("hi"), ws.CloseFrame(frame.StatusNormal, ""))
		p.Receive()
	}
}
