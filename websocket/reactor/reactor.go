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
	config Config
	loops  []*loop

	group      safego.Group
	population population
	next       atomic.Uint32
	door       atomic.Pointer[entrance]

	mu       sync.Mutex // guards what follows
	settings map[settingsKey]*settings
}

// New starts the loops. It fails with ErrTransport on systems other than Linux.
func New(config Config) (*Reactor, error) {
	r := &Reactor{
		config:     config.defaults(),
		population: population{ended: make(chan struct{})},
		settings:   make(map[settingsKey]*settings),
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
	if v := visitOf(req); v != nil { // has a line that is counted, and with its loop
		u, err := websocket.Upgrade(w, req, opts)
		if err == nil {
			v.begin(r.arrival(u, data))
		}
		return err
	}
	l, err := r.reserve()
	if err != nil {
		w.Header().Set("Connection", "close") // who asked for an upgrade may go on with frames (VC-22)
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return err
	}
	u, err := websocket.Upgrade(w, req, opts)
	if err != nil {
		r.population.leave()
		return err
	}
	return r.take(l, u.Line, r.arrival(u, data))
}

// arrival makes one of a handshake that has been answered.
func (r *Reactor) arrival(u *websocket.Upgraded, data any) *arrival {
	return &arrival{first: u.First, settings: r.share(u.Config, u.Subprotocol, u.WriteTimeout), deflate: u.Deflate, data: data}
}

// Attach serves a connection whose handshake is done. It owns the line from now on, and
// closes it if it cannot serve it. Config must have its defaults; compression may be nil.
func (r *Reactor) Attach(line net.Conn, config *endpoint.Config, compression *deflate.Conn, data any) error {
	l, err := r.reserve()
	if err != nil {
		line.Close()
		return err
	}
	return r.take(l, line, &arrival{settings: r.share(config, "", writeTimeoutDefault), deflate: compression, data: data})
}

// writeTimeoutDefault is that of websocket.AcceptOptions.
const writeTimeoutDefault = 5 * time.Second

// reserve counts a connection that is about to come, and chooses its loop. A loop that is too far behind
// gets none: to refuse a connection is possible before its handshake is answered, and not after.
func (r *Reactor) reserve() (*loop, error) {
	if err := r.population.enter(r.config.ConnectionsMax); err != nil {
		return nil, err
	}
	l := r.loops[r.next.Add(1)%uint32(len(r.loops))]
	if err := l.busy(0); err != nil {
		r.population.leave()
		return nil, err
	}
	return l, nil
}

// take brings a connection that has been counted to its loop.
func (r *Reactor) take(l *loop, line net.Conn, a *arrival) error {
	fd, err := takeOver(line, r.config.UserTimeout, a.settings.config.PingInterval < 0)
	if err != nil {
		line.Close()
		r.population.leave()
		return err
	}
	a.fd = fd
	if err := l.post(call{kind: callAttach, what: a}, len(a.first)); err != nil {
		closeDescriptor(fd)
		r.population.leave()
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
func (r *Reactor) Connections() int { return r.population.size() }

// Shutdown closes all connections with a handshake and waits until the last has gone,
// then ends the loops. Those that come meanwhile are closed alike; once none is left new ones are refused with 503.
// When ctx ends first it ends what is left at once, and returns the error of ctx.
func (r *Reactor) Shutdown(ctx context.Context, code websocket.StatusCode, reason string) error {
	for _, l := range r.loops {
		l.post(call{kind: callDrain, what: &closing{code, reason}}, 0) // fails if it has stopped
	}
	r.population.end()
	var err error
	select {
	case <-r.population.ended:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	r.Close()
	return err
}

// Close ends all connections at once and waits for the loops, and for tasks that were handed off.
func (r *Reactor) Close() {
	r.population.end()
	for _, l := range r.loops {
		l.post(call{kind: callStop}, 0) // fails if it has stopped
	}
	r.group.Wait(context.Background())
}
