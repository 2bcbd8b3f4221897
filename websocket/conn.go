package websocket

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/endpoint"
)

// Conn is one WebSocket connection. All methods may be called concurrently,
// except that Read, ReadInto, Reader and the reader it returned are for one
// goroutine at a time.
//
// It must be closed, by Close or CloseNow, also after a Read or Write has failed.
type Conn struct {
	// Immutable after newConn.
	line         net.Conn
	subprotocol  string
	client       bool
	writeTimeout time.Duration // 0: none
	closeTimeout time.Duration

	// Owned by the goroutine that holds the turn to read.
	source source
	heard  time.Duration  // instant of the last input
	reader *messageReader // of the message that Reader began; nil: none

	mu sync.Mutex // guards all below; never held during I/O

	endpoint endpoint.Endpoint
	reading  baton // to call Next and Receive
	writing  baton // to send messages: held by a Writer until its message ends
	flushing baton // to take output and write it

	served    bool // Serve has the turn to read
	closeSent bool // by Close

	output  *output // lent to the endpoint; nil: none
	taken   uint64  // how often output was taken
	written uint64  // how often what was taken was written

	readArmed  time.Duration // instant of the read deadline; 0: unknown
	writeArmed time.Duration // instant of the write deadline; 0: unknown
	readWatch  *watch        // nil as long as no context could end
	writeWatch *watch
	patience   *patience // nil as long as no write had to wait

	pings   *pings // nil: nobody has waited for a pong or the end
	lineErr error  // what went wrong on the line, for the error of the end
	endErr  error  // what all methods answer once the connection is over
}

// epoch is where this process counts its instants from.
var epoch = time.Now()

// instant reads the monotonic clock.
func instant() time.Duration { return time.Since(epoch) }

// compressors bounds the memory of compression in this process.
var compressors = deflate.NewPool(0, 0)

// connOptions is what Accept and Dial have found out.
type connOptions struct {
	config       *endpoint.Config
	agreed       *deflate.Conn
	subprotocol  string
	client       bool
	writeTimeout time.Duration
	first        []byte // came with the handshake
}

func newConn(line net.Conn, o connOptions) *Conn {
	c := &Conn{
		line:         line,
		subprotocol:  o.subprotocol,
		client:       o.client,
		closeTimeout: o.config.CloseTimeout,
		writeTimeout: max(o.writeTimeout, 0),
		heard:        instant(),
	}
	c.source.open(line)
	c.endpoint.Init(o.config, o.agreed, c.heard)
	c.endpoint.Receive(o.first, c.heard)
	return c
}

// Subprotocol returns the subprotocol agreed, or "".
func (c *Conn) Subprotocol() string { return c.subprotocol }

// RemoteAddr returns the address of the peer.
func (c *Conn) RemoteAddr() net.Addr { return c.line.RemoteAddr() }

// LocalAddr returns the address of this side.
func (c *Conn) LocalAddr() net.Addr { return c.line.LocalAddr() }

// baton lets one goroutine at a time do what may block. Its fields are guarded by
// the connection's mu; unlike a mutex it gives up when a context ends.
type baton struct {
	taken   bool
	waiting chan struct{} // closed when the turn becomes free; nil: nobody waits
}

// takeLocked waits for the turn. It fails when the context ends.
func (c *Conn) takeLocked(ctx context.Context, t *baton) error {
	for t.taken {
		if err := c.awaitLocked(ctx, t); err != nil {
			return err
		}
	}
	t.taken = true
	return nil
}

// awaitLocked waits until whoever has the turn gives it back.
func (c *Conn) awaitLocked(ctx context.Context, t *baton) error {
	if t.waiting == nil {
		t.waiting = make(chan struct{})
	}
	free := t.waiting
	c.mu.Unlock()
	defer c.mu.Lock()
	select {
	case <-free:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *baton) giveBack() {
	t.taken = false
	if t.waiting != nil {
		close(t.waiting)
		t.waiting = nil
	}
}

// watch interrupts an operation of the line when its context ends. It stays
// with a context from one operation to the next, since most callers pass the same one.
type watch struct {
	done   <-chan struct{} // of the context watched; nil: none
	stop   func() bool
	active bool // an operation under this context is going on
}

// watchLocked makes w watch ctx for the operation that begins, and end it by a
// deadline that has passed if ctx ends during it.
func (c *Conn) watchLocked(kept **watch, ctx context.Context) {
	done := ctx.Done()
	if *kept == nil {
		if done == nil {
			return
		}
		*kept = new(watch)
	}
	w := *kept
	w.active = true
	if done == w.done {
		return
	}
	if w.stop != nil {
		w.stop()
	}
	w.done, w.stop = done, nil
	if done == nil {
		return
	}
	w.stop = context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if w.done == done && w.active {
			c.interruptLocked(w)
		}
	})
}

// rest tells w that the operation is over.
func (w *watch) rest() {
	if w != nil {
		w.active = false
	}
}

// ended returns why a context has ended; nil if it has not. Contexts that cannot
// end are asked nothing more.
func ended(ctx context.Context) error {
	if ctx.Done() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// longAgo is a deadline that has passed.
var longAgo = time.Unix(1, 0)

func (c *Conn) interruptLocked(w *watch) {
	if w == c.readWatch {
		c.readArmed = 0
		c.line.SetReadDeadline(longAgo)
		return
	}
	c.writeArmed = 0
	c.line.SetWriteDeadline(longAgo)
}
