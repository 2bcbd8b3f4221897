package endpoint

import (
	"cmp"
	"time"

	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/frame"
)

// Config is what many endpoints share. It must not change once in use.
// It must have come from Defaults.
type Config struct {
	Side frame.Side

	// MaskKey returns an unpredictable key for each frame of a client.
	// RFC 6455 5.3: it must come from a strong source of entropy.
	MaskKey func() uint32

	MessageBytesMax int64 // default 1 MiB, after decompression
	FragmentsMax    int   // default 131,072
	ControlBurst    int   // default 20
	ControlPerSec   int   // default 10

	// CompressBytesMin is the smallest message that is compressed. Default 256.
	CompressBytesMin int

	PingInterval time.Duration // default 25 s; negative: never
	PongTimeout  time.Duration // default 8 s; negative: never
	CloseTimeout time.Duration // default 5 s
}

// Defaults returns the configuration with every limit set that was not.
func (c Config) Defaults() Config {
	setLimit(&c.MessageBytesMax, 1<<20)
	setLimit(&c.FragmentsMax, 1<<17)
	setLimit(&c.ControlBurst, 20)
	setLimit(&c.ControlPerSec, 10)
	setLimit(&c.CompressBytesMin, 256)
	setLimit(&c.CloseTimeout, 5*time.Second)
	c.PingInterval = cmp.Or(c.PingInterval, 25*time.Second)
	c.PongTimeout = cmp.Or(c.PongTimeout, 8*time.Second)
	return c
}

// setLimit replaces what is no limit: neither 0 nor less means "unlimited".
func setLimit[T int | int64 | time.Duration](value *T, otherwise T) {
	if *value <= 0 {
		*value = otherwise
	}
}

// state is how far the connection has come. It only ever grows.
type state uint8

const (
	open    state = iota
	closing       // our close frame is out, the peer's has not come
	ending        // it is over, and Next has yet to say so
	closed
)

// Endpoint is one side of a connection. Its zero value is not usable: see Init.
// An instant is a reading of the owner's monotonic clock, from any origin.
type Endpoint struct {
	// Immutable after Init.
	config  *Config
	deflate *deflate.Conn // nil unless permessage-deflate was agreed

	receiver *receiver // nil at rest: between messages, with no input
	late     *[]byte   // payload of the newest ping, where too many pongs are in out; nil: none
	out      []byte    // output not yet taken; nil at rest

	state      state
	sending    frame.Opcode // the message that goes out in parts; Continuation: none
	sendFirst  bool         // none of its frames is out
	sendFlate  bool         // it is compressed
	pingsOpen  uint8        // pings sent whose pongs have not come
	pongsReady uint8        // pongs in out
	pingAwaits bool         // deadline is that of a pong

	heard    time.Duration // when the peer was last heard of
	deadline time.Duration // when the pong or close frame awaited is late; 0: none awaited
	flood    time.Duration // when the allowance of control frames is full again
}

// Init makes e the side of a connection whose handshake is done. agreed is
// nil where compression was not.
func (e *Endpoint) Init(config *Config, agreed *deflate.Conn, now time.Duration) {
	*e = Endpoint{config: config, deflate: agreed, heard: now}
}

// Lend gives the endpoint a buffer for its output, which is appended to what
// the buffer holds. It is the owner's again when Output returns it.
func (e *Endpoint) Lend(buf []byte) { e.out = append(buf, e.out...) }

// Output takes the bytes to be written. They come in the lent buffer, or in one
// of their own where none was lent or it was too small; nil if there are none.
func (e *Endpoint) Output() []byte {
	e.settlePong()
	out := e.out
	e.out = nil
	e.pongsReady = 0
	return out
}

// Pending returns how many bytes Output would give at least.
func (e *Endpoint) Pending() int {
	if e.late != nil {
		return len(e.out) + len(*e.late)
	}
	return len(e.out)
}

// Over reports whether the connection has ended: nothing more is received or sent.
func (e *Endpoint) Over() bool { return e.state >= ending }

// Open reports whether messages can still be sent.
func (e *Endpoint) Open() bool { return e.state == open }

// end stops everything and leaves the last event for Next.
func (e *Endpoint) end(last Event) {
	if e.state >= ending {
		return
	}
	e.state = ending
	e.deadline = 0
	r := e.receiving()
	r.in = nil
	r.last = last
	if e.deflate != nil {
		e.deflate.Release()
	}
}

// fail gives the peer up. RFC 6455 7.1.7: a close frame with the fitting code
// goes out first, where one can.
func (e *Endpoint) fail(v *frame.Violation) {
	if e.state == open && v.Status.Valid() {
		e.appendClose(v.Status, v.Rule)
	}
	e.end(Event{Kind: Closed, Status: v.Status, Violation: v})
}
