package wire

import (
	"bytes"
	"errors"
	"io"

	"github.com/bellwire/bellwire/realtime"
	"google.golang.org/protobuf/encoding/protowire"
)

// AppendServer is AppendClient for the other direction.
func AppendServer(dst []byte, f Format, m *ServerMessage) ([]byte, error) {
	if m.Body == nil {
		return dst, errors.New("the message has no body")
	}
	return appendFramed(dst, f, func(c *codec) {
		id := m.ID
		c.uint32(1, "id", &id, IDMax)
		c.appendBody(m.Body)
	})
}

// AppendPublication appends a publication as a push. One without payload and state is the mark "skipped" (SRV-2).
func AppendPublication(dst []byte, f Format, p *realtime.Publication) []byte {
	m := PublicationOf(p)
	c := codec{mode: appendJSON, format: f, dst: dst}
	if f == Proto {
		c.mode = appendProto
		start := c.protoOpen()
		appendMessage(&c, 17, "publication", &m, publicationFields)
		c.protoClose(start)
		return c.dst
	}
	c.dst = append(c.dst, '{')
	appendMessage(&c, 17, "publication", &m, publicationFields)
	c.dst = append(c.dst, '}', '\n')
	return c.dst
}

// PublicationOf is a publication of the vocabulary as a message.
func PublicationOf(p *realtime.Publication) Publication {
	m := Publication{
		Channel: p.Channel, Offset: p.Offset, Prev: p.Prev, Payload: p.Payload, ID: p.ID, From: p.From, State: p.State,
		Skipped: p.IsMark(), Pattern: p.Pattern,
	}
	if !p.Time.IsZero() {
		m.TimeMS = uint64(max(p.Time.UnixMilli(), 0))
	}
	return m
}

// appendBody writes the field of the body that m is.
func (c *codec) appendBody(m Body) {
	switch m := m.(type) {
	case *Error:
		appendMessage(c, 2, "error", m, errorFields)
	case *Connected:
		appendMessage(c, 3, "connect", m, connectedFields)
	case *Empty:
		c.appendEmpty(m)
	case *Published:
		appendMessage(c, 6, "publish", m, publishedFields)
	case *HistoryPage:
		appendMessage(c, 7, "history", m, historyPageFields)
	case *StatePage:
		appendMessage(c, 8, "state", m, statePageFields)
	case *Updated:
		appendMessage(c, 9, "update", m, updatedFields)
	case *PresencePage:
		appendMessage(c, 10, "presence", m, presencePageFields)
	case *Called:
		appendMessage(c, 13, "call", m, calledFields)
	case *Refreshed:
		appendMessage(c, 14, "refresh", m, refreshedFields)
	case *Pong:
		appendMessage(c, 15, "ping", m, pongFields)
	default:
		c.appendPush(m)
	}
}

func (c *codec) appendPush(m Body) {
	switch m := m.(type) {
	case *Subscribed:
		appendMessage(c, 16, "subscribed", m, subscribedFields)
	case *Publication:
		appendMessage(c, 17, "publication", m, publicationFields)
	case *PresenceChange:
		appendMessage(c, 18, "presence", m, presenceChangeFields)
	case *Unsubscribed:
		appendMessage(c, 19, "unsubscribed", m, unsubscribedFields)
	case *Notice:
		appendMessage(c, 20, "notice", m, noticeFields)
	case *Disconnect:
		appendMessage(c, 21, "disconnect", m, disconnectFields)
	}
}

func (c *codec) appendEmpty(m *Empty) {
	switch m.Command {
	case EmptySubscribe:
		appendMessage(c, 4, "subscribe", m, emptyFields)
	case EmptyUnsubscribe:
		appendMessage(c, 5, "unsubscribe", m, emptyFields)
	case EmptyEnter:
		appendMessage(c, 11, "enter", m, emptyFields)
	case EmptyLeave:
		appendMessage(c, 12, "leave", m, emptyFields)
	}
}

// bodyNames has the bodies' fields at their numbers. "presence" is told apart by the id (section 6).
var bodyNames = [...]string{
	2: "error", 3: "connect", 4: "subscribe", 5: "unsubscribe", 6: "publish", 7: "history", 8: "state", 9: "update",
	10: "presence", 11: "enter", 12: "leave", 13: "call", 14: "refresh", 15: "ping", 16: "subscribed",
	17: "publication", 18: "presence", 19: "unsubscribed", 20: "notice", 21: "disconnect",
}

func bodyNumber(name []byte) int {
	for number := 2; number < len(bodyNames); number++ {
		if bodyNames[number] == string(name) {
			return number
		}
	}
	return 0
}

// readBody reads the present value as the body with this number.
func (c *codec) readBody(number int) Body {
	switch number {
	case 2:
		return readBodyAs(c, number, errorFields)
	case 3:
		return readBodyAs(c, number, connectedFields)
	case 4, 5, 11, 12:
		m := readBodyAs(c, number, emptyFields)
		m.Command = emptyCommands[number]
		return m
	case 6:
		return readBodyAs(c, number, publishedFields)
	case 7:
		return readBodyAs(c, number, historyPageFields)
	case 8:
		return readBodyAs(c, number, statePageFields)
	case 9:
		return readBodyAs(c, number, updatedFields)
	case 10:
		return readBodyAs(c, number, presencePageFields)
	case 13:
		return readBodyAs(c, number, calledFields)
	case 14:
		return readBodyAs(c, number, refreshedFields)
	case 15:
		return readBodyAs(c, number, pongFields)
	default:
		return c.readPush(number)
	}
}

var emptyCommands = [...]EmptyCommand{4: EmptySubscribe, 5: EmptyUnsubscribe, 11: EmptyEnter, 12: EmptyLeave}

func (c *codec) readPush(number int) Body {
	switch number {
	case 16:
		return readBodyAs(c, number, subscribedFields)
	case 17:
		return readBodyAs(c, number, publicationFields)
	case 18:
		return readBodyAs(c, number, presenceChangeFields)
	case 19:
		return readBodyAs(c, number, unsubscribedFields)
	case 20:
		return readBodyAs(c, number, noticeFields)
	default:
		return readBodyAs(c, number, disconnectFields)
	}
}

func readBodyAs[T any](c *codec, number int, describe fields[T]) *T {
	m := new(T)
	readMessage(c, bodyNames[number], m, describe)
	return m
}

// ServerDecoder reads the messages of one WebSocket message of a server, in order.
type ServerDecoder struct {
	format Format
	rest   []byte
	failed bool
}

// DecodeServer reads what a server sent, tolerantly (MSG-6). The message is not copied; it must not change until the
// last Next.
func DecodeServer(f Format, message []byte) *ServerDecoder {
	return &ServerDecoder{format: f, rest: message}
}

// Next returns the next message; one whose body is of a kind unknown to this version has a nil Body. The error is io.EOF
// after the last one, or one that is ErrMalformed.
func (d *ServerDecoder) Next() (ServerMessage, error) {
	if d.failed {
		return ServerMessage{}, ErrMalformed
	}
	for d.format == JSON && len(d.rest) > 0 && (d.rest[0] == '\n' || d.rest[0] == '\r') {
		d.rest = d.rest[1:] // an empty line says nothing
	}
	if len(d.rest) == 0 {
		return ServerMessage{}, io.EOF
	}
	one, rest, err := cut(d.format, d.rest)
	d.rest = rest
	if err == nil {
		var m ServerMessage
		if d.format == Proto {
			m, err = decodeServerProto(one)
		} else {
			m, err = decodeServerJSON(one)
		}
		if err == nil {
			return m, nil
		}
	}
	d.failed = true
	return ServerMessage{}, err
}

func decodeServerJSON(one []byte) (ServerMessage, error) {
	p := takeParser(one, false)
	defer p.release()
	c := &p.codec
	if p.decoder.PeekKind() != '{' {
		return ServerMessage{}, ErrMalformed
	}
	c.readJSONToken()
	var m ServerMessage
	var presence []byte // its kind is known when the id is
	for c.failure == nil && p.decoder.PeekKind() == '"' {
		name := c.readJSONName()
		number := bodyNumber(name)
		switch {
		case c.failure != nil:
		case string(name) == "id":
			m.ID = uint32(c.readUint("id", IDMax))
		case number == 0 || m.Body != nil || p.decoder.PeekKind() != '{':
			c.skipJSONValue()
		case number == numberPresencePage:
			presence = bytes.Clone(c.readJSONValue())
		default:
			m.Body = c.readBody(number)
		}
	}
	p.readEnd()
	if c.failure != nil {
		return ServerMessage{}, ErrMalformed
	}
	if presence == nil || m.Body != nil {
		return m, nil
	}
	return decodePresenceJSON(m, presence)
}

// Both are "presence" in JSON: the page has an id, the change has none (section 6).
const (
	numberPresencePage   = 10
	numberPresenceChange = 18
)

func decodePresenceJSON(m ServerMessage, value []byte) (ServerMessage, error) {
	p := takeParser(value, false)
	defer p.release()
	number := numberPresenceChange
	if m.ID != 0 {
		number = numberPresencePage
	}
	m.Body = p.readBody(number)
	if p.failure != nil {
		return ServerMessage{}, ErrMalformed
	}
	return m, nil
}

func decodeServerProto(one []byte) (ServerMessage, error) {
	c := codec{mode: readProto, format: Proto}
	var m ServerMessage
	for b := one; len(b) > 0; {
		n := c.consumeField(b)
		if n == 0 {
			return ServerMessage{}, ErrMalformed
		}
		b = b[n:]
		switch number := int(c.number); {
		case number == 1:
			m.ID = uint32(c.readUint("id", IDMax))
		case number < len(bodyNames) && c.value.kind == protowire.BytesType:
			m.Body = c.readBody(number)
		}
		if c.failure != nil {
			return ServerMessage{}, ErrMalformed
		}
	}
	return m, nil
}
