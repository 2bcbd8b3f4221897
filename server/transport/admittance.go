package transport

import (
	"bufio"
	"errors"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/node"
	"github.com/bellwire/bellwire/realtime/session"
	"github.com/bellwire/bellwire/websocket"
)

// admittance asks for admission between the checks of the handshake and the 101. The engine takes the connection over
// only when a request has passed all checks, so that what is no upgrade takes no place, and what is not admitted can
// still be told so by HTTP (LIV-5).
type admittance struct {
	http.ResponseWriter
	transport *WebSocket
	request   *http.Request
	protocol  Protocol
	hello     node.Hello

	onReactor  bool             // a loop will serve the line
	own        *Slot            // of the connection that the request came by; nil: it has none
	slot       *Slot            // nil: needs no counting
	placed     bool             // there was a place
	line       *line            // of a line that goroutines serve
	carried    *carriedLine     // of a line that a loop serves
	connection *node.Connection // set when the node has admitted the line
	refused    bool             // by the address's places or by the node; nothing has been written
}

var errNotAdmitted = errors.New("the line was not admitted")

// Hijack implements http.Hijacker.
func (a *admittance) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if err := a.admit(); err != nil {
		return nil, nil, err
	}
	return http.NewResponseController(a.ResponseWriter).Hijack()
}

// admit takes a place of the address and asks the node.
func (a *admittance) admit() error {
	slot, ok := a.transport.config.Admission.slotOf(a.request, a.own)
	if !ok {
		a.refused = true
		return errNotAdmitted
	}
	a.slot, a.placed = slot, true
	connection, err := a.transport.config.Node.Open(a.newLine(), a.protocol.Session, a.hello)
	if err != nil {
		a.refused = true
		return errNotAdmitted
	}
	if a.connection = connection; a.carried != nil {
		a.carried.connection = connection
	}
	return nil
}

func (a *admittance) newLine() session.Transport {
	t := a.transport
	if a.onReactor {
		a.carried = &carriedLine{carriage: carriage{transport: t, slot: a.slot}, kind: messageType(a.protocol.Session.Framing())}
		return a.carried
	}
	a.line = &line{
		kind: messageType(a.protocol.Session.Framing()), frameBytesMax: t.config.FrameBytesMax, slot: a.slot,
		group: &t.group, opened: make(chan struct{}),
	}
	return a.line
}

// giveUp ends what was begun for a line that does not come to be.
func (a *admittance) giveUp(cause error) {
	defer a.slot.Release()
	var handshake *websocket.HandshakeError
	switch {
	case a.connection != nil:
		if a.line != nil {
			a.line.fail()
		}
		a.connection.Closed(cause)
	case a.refused && !a.placed:
		a.transport.refuse(a.ResponseWriter, a.request, http.StatusTooManyRequests, "too many connections of this address have not connected yet")
	case a.refused:
		setRetryAfter(a, a.transport.config.Node.RetryAfter())
		a.transport.refuse(a.ResponseWriter, a.request, http.StatusServiceUnavailable, realtime.CodeOverloaded.Meaning())
	case errors.As(cause, &handshake):
		a.transport.config.Metrics.Refused(handshake.Status) // the engine has written it
	}
}

// setRetryAfter says in whole seconds, at least one, when to come again (RFC 9110 10.2.3).
func setRetryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", wholeSeconds(wait))
}

func wholeSeconds(wait time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
}
