package native

import (
	"bytes"
	"errors"
	"sync"

	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
	"github.com/bellwire/bellwire/realtime/session"
)

// Protocol is the native protocol in one framing.
type Protocol struct{ format wire.Format }

// The two framings (CON-1).
var (
	JSON  = Protocol{wire.JSON}
	Proto = Protocol{wire.Proto}
)

var _ session.Protocol = JSON

// Subprotocols are what a server accepts in the WebSocket handshake, the preferred one first.
func Subprotocols() []string { return []string{wire.SubprotocolJSON, wire.SubprotocolProto} }

// BySubprotocol returns the protocol that the handshake has chosen. None was offered: JSON (CON-1).
func BySubprotocol(name string) (p Protocol, ok bool) {
	if name == "" {
		return JSON, true
	}
	format, ok := wire.FormatOf(name)
	return Protocol{format}, ok
}

// Name is the subprotocol.
func (p Protocol) Name() string { return p.format.Subprotocol() }

// statusUnsupportedData is the WebSocket code for a message of the wrong kind (CON-2).
const statusUnsupportedData realtime.Code = 1003

// Framing implements hub.Encoder (CON-2).
func (p Protocol) Framing() hub.Framing {
	if p.format.Binary() {
		return hub.FramingBinary
	}
	return hub.FramingText
}

// Next implements session.Protocol.
func (p Protocol) Next(message []byte, binary bool) (session.Request, []byte, error) {
	if binary != p.format.Binary() {
		return session.Request{}, nil, realtime.NewError(statusUnsupportedData, "a message of the wrong kind")
	}
	m, rest, err := wire.NextClient(p.format, message)
	switch {
	case err == nil:
		return session.Request{ID: m.ID, Name: m.Command.Name(), Command: commandOf(m.Command)}, rest, nil
	case errors.Is(err, wire.ErrMalformed):
		return session.Request{}, nil, realtime.NewError(realtime.CodeBadProtocol, "the message is malformed")
	}
	return refused(err), rest, nil
}

// refused is the request that a decoder refuses.
func refused(err error) session.Request {
	refusal := err.(*wire.Refusal) // NextClient knows no other
	return session.Request{ID: refusal.ID, Name: refusal.Command, Err: refusal.Err}
}

// EncodePublication implements hub.Encoder.
func (p Protocol) EncodePublication(publication *realtime.Publication) []byte {
	const headBytes = 256 // names, position and publisher; most fit
	size := headBytes + len(publication.Payload.Bytes)
	if publication.Payload.Encoding == realtime.EncodingBinary {
		size += size / 2 // base64
	}
	return wire.AppendPublication(make([]byte, 0, size), p.format, publication)
}

// EncodePresence implements hub.Encoder.
func (p Protocol) EncodePresence(change *realtime.PresenceChange) []byte {
	d := desks.Get().(*desk)
	defer d.leave()
	return d.write(p.format, 0, &wire.PresenceChange{
		Channel: change.Channel, Version: change.Version, Count: uint64(change.Count), Set: change.Set, Left: change.Left,
	})
}

// Encode implements session.Protocol.
func (p Protocol) Encode(id uint32, message session.Message) []byte {
	d := desks.Get().(*desk)
	defer d.leave()
	return d.write(p.format, id, d.bodyOf(id, message))
}

// desk is where a message is translated and written. Made anew for each, that was 12 of 14 allocations for the two
// messages that answer a connect with a subscription.
type desk struct {
	draft []byte

	// The answers to connecting; other messages are made when they are needed.
	connected  wire.Connected
	reconnect  wire.Reconnect
	subscribed wire.Subscribed
}

// draftBytesMax is up to how many bytes the memory of a draft is kept.
const draftBytesMax = 64 << 10

var desks = sync.Pool{New: func() any { return &desk{draft: make([]byte, 0, 512)} }}

// write returns memory of just the size of the message, which may wait for long.
func (d *desk) write(format wire.Format, id uint32, body wire.Body) []byte {
	b, err := wire.AppendServer(d.draft[:0], format, &wire.ServerMessage{ID: id, Body: body})
	if err != nil {
		panic(err) // bodyOf knows every message; the sessions's driver recovers
	}
	if cap(b) <= draftBytesMax {
		d.draft = b
	}
	return bytes.Clone(b)
}

// leave lets go of what the message held.
func (d *desk) leave() {
	*d = desk{draft: d.draft}
	desks.Put(d)
}
