package reactor

import (
	"time"

	"github.com/bellwire/bellwire/websocket/endpoint"
)

// line is one connection. It lives in a table without a pointer of its own to
// any buffer, timer, goroutine or net.Conn: at rest it is all that there is of it.
type line struct {
	// Read for every mark of a fan-out, and therefore first and together.
	fd         int32
	slot       uint32
	generation uint32 // grows when the slot is given away again
	departure  uint32 // where in the loop's departures it is, if it is: loop.departing
	state      state
	lent       bool // the endpoint has a buffer of the loop
	compresses bool
	unread     bool   // in the loop's list of lines with more input
	held       bool   // in the loop's list of lines whose message is being inflated, and not read meanwhile
	broken     bool   // the socket has failed, and the line is in the loop's list of the doomed
	interest   uint16 // what epoll watches

	membership int32 // the first of its memberships; none: -1
	wheelNext  int32 // lines of the same tick; none: -1
	wheelPrev  int32
	wheelTick  uint32 // 0: not in the wheel

	backlog  *backlog
	settings *settings
	data     any
	endpoint endpoint.Endpoint
}

// state is how far a line has come.
type state uint8

const (
	free      state = iota
	open            // an endpoint speaks
	streaming       // only this side speaks: stream.go
	greeting        // accepted, and has not said what it wants
	lingering       // the endpoint has ended and the peer may still read what was sent last
)

// backlog is what a line holds only as long as something is unfinished.
type backlog struct {
	queue   []byte        // output that the socket did not take
	sent    int           // of queue
	due     time.Duration // when the peer must have taken some of it, or have closed
	untaken int           // bytes that the system held for the peer when due was set
	tasks   []func()      // handed off and not yet begun
	running bool          // a goroutine has tasks of this line
}

// settings are shared by all connections that were upgraded alike.
type settings struct {
	stream       *StreamConfig // nil: these are of WebSockets
	config       endpoint.Config
	subprotocol  string
	writeTimeout time.Duration
}

// pageLines makes a page of the table a multiple of the allocator's own pages, of 8 KiB: lines take no more than they are.
const pageLines = 512

// table holds lines by slot. Pages are never moved, so that a *line stays valid.
type table struct {
	pages []*[pageLines]line
	free  []uint32 // slots given back
	used  int
}

func (t *table) at(slot uint32) *line {
	return &t.pages[slot/pageLines][slot%pageLines]
}

// take returns a free line. Its generation is one that it never had before.
func (t *table) take() *line {
	if len(t.free) == 0 {
		first := uint32(len(t.pages) * pageLines)
		t.pages = append(t.pages, new([pageLines]line))
		for i := range uint32(pageLines) {
			t.free = append(t.free, first+pageLines-1-i)
		}
	}
	slot := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	t.used++
	c := t.at(slot)
	*c = line{slot: slot, generation: c.generation + 1, membership: -1, wheelNext: -1, wheelPrev: -1}
	return c
}

func (t *table) giveBack(c *line) {
	*c = line{fd: -1, slot: c.slot, generation: c.generation, membership: -1, wheelNext: -1, wheelPrev: -1}
	t.free = append(t.free, c.slot)
	t.used--
}

// find returns the line that a reference was made for, or nil if it is gone.
func (t *table) find(slot, generation uint32) *line {
	if slot >= uint32(len(t.pages)*pageLines) {
		return nil
	}
	if c := t.at(slot); c.generation == generation && c.state != free {
		return c
	}
	return nil
}

// each calls f for all lines in use. f may give the line back.
func (t *table) each(f func(c *line)) {
	for _, page := range t.pages {
		for i := range page {
			if page[i].state != free {
				f(&page[i])
			}
		}
	}
}
