package reactor

import (
	"cmp"
	"errors"
	"log/slog"
	"runtime"
	"time"

	"github.com/bellwire/bellwire/websocket"
)

// Config says how a Reactor works. A zero field means its default.
type Config struct {
	// Handler is called for what connections do.
	Handler Handler

	// Loops is how many goroutines own the connections. Default one a processor.
	Loops int

	// ConnectionsMax is how many connections there may be at once. Default 1,048,576.
	// One more is refused.
	ConnectionsMax int

	// ReadBytes is the size of each loop's read buffer, and thereby how much of one
	// connection is read in a turn before the others have theirs. Default 256 KiB.
	ReadBytes int

	// QueueBytesMax is how much output of one connection may wait for its peer.
	// Default 1 MiB. A connection beyond it ends with ErrSlow.
	QueueBytesMax int

	// InboxMax and InboxBytesMax are how many calls from other goroutines, and bytes
	// in them, may wait for a loop. Default 65,536 and 64 MiB. Calls beyond it fail with ErrBusy.
	InboxMax      int
	InboxBytesMax int

	// UserTimeout is how long sent bytes may stay unacknowledged before the system
	// gives the peer up (TCP_USER_TIMEOUT). Default 30 s; negative: as the system has it.
	// It does not apply where pings are off: the system's keep-alive is on instead.
	UserTimeout time.Duration

	// Logger gets panics of the Handler. Default slog.Default().
	Logger *slog.Logger
}

// Handler is what a program does with its connections. Each function is called
// on the loop that owns the connection and must not block: while it runs, no
// other connection of that loop is served. What may block goes through Turn.HandOff.
// All but Message may be nil.
type Handler struct {
	// Open is called once, before anything else happens on the connection. What was
	// given to Upgrade or Attach as data is in t.Data.
	Open func(t *Turn)

	// Message is called for each message. The payload is valid until it returns.
	Message func(t *Turn, kind websocket.MessageType, payload []byte)

	// Woken is called after Conn.Wake.
	Woken func(t *Turn)

	// Drained is called when output that had to wait for the peer has all gone out.
	Drained func(t *Turn)

	// Closed is called once, last. The error is what a Conn of the package websocket
	// would give: websocket.CloseStatus knows its code. Nothing can be sent any more.
	Closed func(t *Turn, err error)
}

// What goes wrong.
var (
	// ErrSlow is how a connection ends whose peer takes its output too slowly.
	ErrSlow = errors.New("websocket/reactor: the peer takes its messages too slowly")

	// ErrBusy is the answer to calls while a loop is too far behind.
	ErrBusy = errors.New("websocket/reactor: too much is waiting for a loop")

	// ErrFull is why a connection is not taken: there are ConnectionsMax already.
	ErrFull = errors.New("websocket/reactor: too many connections")

	// ErrTransport is why a connection is not taken: it is no plain TCP or Unix
	// socket, or the system is not Linux. The package websocket can serve it.
	ErrTransport = errors.New("websocket/reactor: only plain sockets on Linux are served")
)

const (
	connectionsDefault = 1 << 20
	readBytesDefault   = 256 << 10
	queueBytesDefault  = 1 << 20
	inboxDefault       = 1 << 16
	inboxBytesDefault  = 64 << 20
	userTimeoutDefault = 30 * time.Second

	// readPauseBytes of waiting output stop the reading of more input that may
	// cause more output.
	readPauseBytes = 64 << 10

	// progressBytesMin is what a peer has to take within the write timeout, if there is so much for it.
	progressBytesMin = 1 << 10

	// outBytes of replies to one read are sent before more are made.
	outBytes = 256 << 10

	// handOffMax is how many tasks of one connection may wait. Reading stops with the
	// first, so that this is no less than the frames of one read are.
	handOffMax = 64 << 10

	// flushMax is how many connections of a fan-out are written to before the
	// loop looks after its other work.
	flushMax = 512

	// behindCalls that wait make a loop one that is behind.
	behindCalls = 1024

	// paletteBytesMax of fan-out may wait to be written before more is taken.
	paletteBytesMax = 1 << 20

	// settingsMax is how many different settings connections share.
	settingsMax = 1024
)

func (c Config) defaults() Config {
	c.Loops = cmp.Or(c.Loops, runtime.GOMAXPROCS(0))
	c.ConnectionsMax = cmp.Or(c.ConnectionsMax, connectionsDefault)
	c.ReadBytes = cmp.Or(c.ReadBytes, readBytesDefault)
	c.QueueBytesMax = cmp.Or(c.QueueBytesMax, queueBytesDefault)
	c.InboxMax = cmp.Or(c.InboxMax, inboxDefault)
	c.InboxBytesMax = cmp.Or(c.InboxBytesMax, inboxBytesDefault)
	c.UserTimeout = cmp.Or(c.UserTimeout, userTimeoutDefault)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	return c
}
