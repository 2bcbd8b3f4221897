package reactor

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/endpoint"
)

// Reactor serves connections. All its methods may be called concurrently.
type Reactor struct {
	// Immutable after New.
	config  Config
	loops   []*loop
	drained chan struct{} // closed once no loop has connections and none takes more

	group       safego.Group
	connections atomic.Int64 // with those on their way to a loop
	next        atomic.Uint32
	undrained   atomic.Int32 // loops that may still have connections
	door        atomic.Pointer[entrance]

	mu       sync.Mutex // guards what follows
	settings map[settingsKey]*settings
}

// New starts the loops. It fails with ErrTransport on systems other than Linux.
func New(config Config) (*Reactor, error) {
	r := &Reactor{
		config:   config.defaults(),
		drained:  make(chan struct{}),
		settings: make(map[settingsKey]*settings),
	}
	r.group.Logger = r.config.Logger
	if r.config.Handler.Message == nil {
		r.config.Handler.Message = func(*Turn, websocket.MessageType, []byte) {}
	}
	for i := range r.config.Loops {
		l, err := newLoop(r, i)
		if err != nil {
			for _, l := range r.loops {
				l.poller.close()
			}
			return nil, err
		}
		r.loops = append(r.loops, l)
	}
	r.undrained.Store(int32(len(r.loops)))
	for _, l := range r.loops {
		r.group.Go("reactor loop", l.run, l.destroy)
	}
	return r, nil
}

// Upgrade answers an opening handshake, as websocket.Accept does, and serves the
// connection. data is what t.Data gives. The HTTP handler should return at once, and keep nothing.
//
// With ErrTransport and a request over TLS or HTTP/2 nothing has been done yet: websocket.Accept
// can serve the request instead. Any other error has been answered, or has ended the
// line: one that a listener has wrapped in a type of its own cannot be served.
func (r *Reactor) Upgrade(w http.ResponseWriter, req *http.Request, opts *websocket.AcceptOptions, data any) error {
	if req.TLS != nil || req.ProtoMajor != 1 {
		return ErrTransport
	}
	v := visitOf(req) // has a line that is counted, and with its loop
	if v == nil {
		if err := r.reserve(); err != nil {
			http.Error(w, "too many connections", http.StatusServiceUnavailable)
			return err
		}
	}
	u, err := websocket.Upgrade(w, req, opts)
	if err != nil {
		if v == nil {
			r.connections.Add(-1)
		}
		return err
	}
	a := arrival{first: u.First, settings: r.share(u.Config, u.Subprotocol, u.WriteTimeout), deflate: u.Deflate, data: data}
	if v != nil {
		v.begin(&a)
		return nil
	}
	return r.take(u.Line, a)
}

// Attach serves a connection whose handshake is done. It owns the line from now on, and
// closes it if it cannot serve it. Config must have its defaults; compression may be nil.
func (r *Reactor) Attach(line net.Conn, config *endpoint.Config, compression *deflate.Conn, data any) error {
	if err := r.reserve(); err != nil {
		line.Close()
		return err
	}
	return r.take(line, arrival{settings: r.share(config, "", writeTimeoutDefault), deflate: compression, data: data})
}

// writeTimeoutDefault is that of websocket.AcceptOptions.
const writeTimeoutDefault = 5 * time.Second

// reserve counts a connection that is about to come.
func (r *Reactor) reserve() error {
	if r.connections.Add(1) > int64(r.config.ConnectionsMax) {
		r.connections.Add(-1)
		return ErrFull
	}
	return nil
}

// take brings a connection that has been counted to a loop.
func (r *Reactor) take(line net.Conn, a arrival) error {
	fd, err := takeOver(line, r.config.UserTimeout, a.settings.config.PingInterval < 0)
	if err != nil {
		line.Close()
		r.connections.Add(-1)
		return err
	}
	a.fd = fd
	l := r.loops[r.next.Add(1)%uint32(len(r.loops))]
	if err := l.post(call{kind: callAttach, what: &a}, len(a.first)); err != nil {
		closeDescriptor(fd)
		r.connections.Add(-1)
		return err
	}
	return nil
}

// settingsKey is what makes settings alike: all of the configuration of a server.
type settingsKey struct {
	messageBytesMax                      int64
	fragmentsMax, burst, rate, threshold int
	ping, pong, close, write             time.Duration
	subprotocol                          string
}

// share returns settings that connections have in common.
func (r *Reactor) share(c *endpoint.Config, subprotocol string, writeTimeout time.Duration) *settings {
	key := settingsKey{
		messageBytesMax: c.MessageBytesMax,
		fragmentsMax:    c.FragmentsMax, burst: c.ControlBurst, rate: c.ControlPerSec, threshold: c.CompressBytesMin,
		ping: c.PingInterval, pong: c.PongTimeout, close: c.CloseTimeout, write: writeTimeout,
		subprotocol: subprotocol,
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.settings[key]; s != nil {
		return s
	}
	s := &settings{config: *c, subprotocol: subprotocol, writeTimeout: writeTimeout}
	if len(r.settings) < settingsMax {
		r.settings[key] = s
	}
	return s
}

// Connections returns how many connections there are.
func (r *Reactor) Connections() int { return int(r.connections.Load()) }

// Shutdown closes all connections with a handshake and waits until the last has gone,
// then ends the loops. When ctx ends first it ends what is left at once, and returns the error of ctx.
func (r *Reactor) Shutdown(ctx context.Context, code websocket.StatusCode, reason string) error {
	for _, l := range r.loops {
		l.post(call{kind: callDrain, what: &closing{code, reason}}, 0) // fails if it has stopped
	}
	var err error
	select {
	case <-r.drained:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	r.Close()
	return err
}

// Close ends all connections at once and waits for the loops, and for tasks that were handed off.
func (r *Reactor) Close() {
	for _, l := range r.loops {
		l.post(call{kind: callStop}, 0) // fails if it has stopped
	}
	r.group.Wait(context.Background())
}

// loopDrained is called once by each loop that has no connections and takes no more.
func (r *Reactor) loopDrained() {
	if r.undrained.Add(-1) == 0 {
		close(r.drained)
	}
}
