package reactor

import (
	"sync"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/endpoint"
)

// kind says what a call from another goroutine asks a loop to do.
type kind uint8

const (
	callSend      kind = iota // with: *Prepared
	callClose                 // what: *closing
	callDo                    // what: func(*Turn)
	callBroadcast             // what: *shard, with: *Prepared
	callCarry                 // what: Task, with: its argument

	// There is always room for these: they are bounded by what caused them.
	callAttach // what: *arrival
	callWake
	callCarryUrgent // as callCarry
	callHandedBack
	callOpenDoor
	callShutDoor
	callDrain // what: *closing
	callStop
)

// call is one of them. Those with a generation are for one connection.
type call struct {
	kind       kind
	panicked   bool // callHandedBack
	slot       uint32
	generation uint32
	what, with any
}

// closing is how a connection is to be closed.
type closing struct {
	code   websocket.StatusCode
	reason string
}

// Prepared is a message encoded once and sent to many connections. It is safe
// for concurrent use.
type Prepared = endpoint.Prepared

// inbox holds calls until their loop has a turn for them.
type inbox struct {
	mu      sync.Mutex
	calls   []call
	bytes   int
	behind  chan struct{} // closed when the calls are taken; nil: nobody waits for that
	awake   bool          // the loop will look here before it waits
	stopped bool
}

// post hands a call to the loop and wakes it if need be. A loop that is behind
// is not woken again and again: it finds all that has gathered when it comes.
func (l *loop) post(c call, bytes int) error {
	wake, err := l.postQuietly(c, bytes)
	if wake {
		l.poller.notify()
	}
	return err
}

// postQuietly leaves the waking to the caller. bytes is about what the call holds in memory.
func (l *loop) postQuietly(c call, bytes int) (wake bool, _ error) {
	in := &l.inbox
	in.mu.Lock()
	defer in.mu.Unlock()
	limits := &l.reactor.config
	switch {
	case in.stopped:
		return false, websocket.ErrClosed
	case c.kind >= callAttach:
	case len(in.calls) >= limits.InboxMax, in.bytes+bytes > limits.InboxBytesMax && in.bytes > 0:
		return false, ErrBusy
	}
	in.calls = append(in.calls, c)
	in.bytes += bytes
	wake = !in.awake
	in.awake = true
	return wake, nil
}

// busy reports whether a call with so many bytes would find no room.
func (l *loop) busy(bytes int) error {
	in := &l.inbox
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case in.stopped:
		return websocket.ErrClosed
	case len(in.calls) >= l.reactor.config.InboxMax, in.bytes+bytes > l.reactor.config.InboxBytesMax && in.bytes > 0:
		return ErrBusy
	}
	return nil
}

// takeCalls exchanges the calls for the empty slice given.
func (in *inbox) takeCalls(empty []call) []call {
	in.mu.Lock()
	defer in.mu.Unlock()
	calls := in.calls
	in.calls = empty
	in.bytes = 0
	in.caughtUpLocked()
	return calls
}

func (in *inbox) caughtUpLocked() {
	if in.behind != nil {
		close(in.behind)
		in.behind = nil
	}
}

// waitFor returns a channel that is closed when the calls are taken, nil with less than so many.
func (in *inbox) waitFor(calls int) <-chan struct{} {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.calls) < calls {
		return nil
	}
	if in.behind == nil {
		in.behind = make(chan struct{})
	}
	return in.behind
}

// mayWait reports whether nothing is there. From then on a call wakes the loop.
func (in *inbox) mayWait() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.awake = len(in.calls) > 0
	return !in.awake
}

// stayAwake says that the loop runs: a call need not wake it.
func (in *inbox) stayAwake() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.awake = true
}

func (in *inbox) stop() []call {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.stopped = true
	calls := in.calls
	in.calls = nil
	in.caughtUpLocked()
	return calls
}
