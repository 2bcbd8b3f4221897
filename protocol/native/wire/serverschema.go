package wire

import (
	"math"

	"github.com/bellwire/bellwire/realtime"
	"google.golang.org/protobuf/encoding/protowire"
)

// anyBytes is for fields of the server, which the tolerant reader does not bound.
const anyBytes = math.MaxInt

func errorFields(c *codec, m *Error) {
	c.code(1, &m.Code)
	c.text(2, "name", &m.Name, anyBytes, optional)
	c.text(3, "message", &m.Message, anyBytes, optional)
	c.text(4, "command", &m.Command, anyBytes, optional)
}

func (c *codec) code(number protowire.Number, code *realtime.Code) {
	wide := uint64(*code)
	c.uint(number, "code", &wide, math.MaxUint16)
	*code = realtime.Code(wide)
}

func connectedFields(c *codec, m *Connected) {
	c.text(1, "connection", &m.Connection, anyBytes, optional)
	c.text(2, "user", &m.User, anyBytes, optional)
	c.text(3, "server", &m.Server, anyBytes, optional)
	c.text(4, "node", &m.Node, anyBytes, optional)
	c.uint(5, "ping_ms", &m.PingMS, realtime.OffsetMax)
	c.uint(6, "pong_ms", &m.PongMS, realtime.OffsetMax)
	c.uint(7, "expires_ms", &m.ExpiresMS, realtime.OffsetMax)
	message(c, 8, "reconnect", &m.Reconnect, reconnectFields)
	c.uint(9, "time_ms", &m.TimeMS, realtime.OffsetMax)
	c.uint(10, "message_bytes", &m.MessageBytes, realtime.OffsetMax)
}

func reconnectFields(c *codec, m *Reconnect) {
	c.uint(1, "window_ms", &m.WindowMS, realtime.OffsetMax)
}

func emptyFields(*codec, *Empty) {}

func publishedFields(c *codec, m *Published) {
	c.text(1, "epoch", &m.Position.Epoch, anyBytes, optional)
	c.uint(2, "offset", &m.Position.Offset, realtime.OffsetMax)
	c.boolean(3, "duplicate", &m.Duplicate)
}

func missedFields(c *codec, m *realtime.Missed) {
	c.uint(1, "from", &m.From, realtime.OffsetMax)
	c.uint(2, "to", &m.To, realtime.OffsetMax)
}

func historyPageFields(c *codec, m *HistoryPage) {
	c.text(1, "epoch", &m.Epoch, anyBytes, optional)
	c.uint(2, "top", &m.Top, realtime.OffsetMax)
	list(c, 3, "publications", &m.Publications, publicationFields, optional)
	c.boolean(4, "more", &m.More)
	message(c, 5, "missed", &m.Missed, missedFields)
}

func entryFields(c *codec, m *realtime.Entry) {
	c.text(1, "key", &m.Key, anyBytes, optional)
	c.payload(2, "value", "value64", &m.Value, optional)
	c.uint(3, "version", &m.Version, realtime.OffsetMax)
}

func statePageFields(c *codec, m *StatePage) {
	c.text(1, "epoch", &m.Epoch, anyBytes, optional)
	c.uint(2, "as_of", &m.AsOf, realtime.OffsetMax)
	list(c, 3, "entries", &m.Entries, entryFields, optional)
	c.boolean(4, "more", &m.More)
}

func updatedFields(c *codec, m *Updated) {
	c.boolean(1, "applied", &m.Applied)
	c.payload(2, "value", "value64", &m.Value, optional)
	c.uint(3, "version", &m.Version, realtime.OffsetMax)
	c.text(4, "epoch", &m.Epoch, anyBytes, optional)
	c.uint(5, "offset", &m.Offset, realtime.OffsetMax)
	c.boolean(6, "duplicate", &m.Duplicate)
}

func memberConnectionFields(c *codec, m *realtime.MemberConnection) {
	c.text(1, "connection", &m.Connection, anyBytes, optional)
	c.payload(2, "data", "data64", &m.Payload, optional)
}

func memberFields(c *codec, m *realtime.Member) {
	c.text(1, "user", &m.User, anyBytes, optional)
	c.info(2, &m.Info)
	list(c, 3, "connections", &m.Connections, memberConnectionFields, optional)
}

// info is a JSON object: itself in JSON, its bytes in protobuf.
func (c *codec) info(number protowire.Number, info *[]byte) {
	switch c.mode {
	case appendJSON:
		if len(*info) > 0 {
			c.jsonName("info")
			c.appendJSONValue(*info)
		}
	case appendProto:
		if len(*info) > 0 {
			c.protoBytes(number, *info)
		}
	case readJSON:
		if c.begin(number, "info", optional) && c.jsonKind("info", '{', '{', "must be an object") {
			*info = compact(c.readJSONValue())
		}
	case readProto:
		if c.begin(number, "info", optional) && c.value.isBytes(c, "info") {
			*info = append([]byte(nil), c.value.bytes...)
		}
	}
}

func presencePageFields(c *codec, m *PresencePage) {
	c.uint(1, "version", &m.Version, realtime.OffsetMax)
	c.uint(2, "count", &m.Count, realtime.OffsetMax)
	list(c, 3, "members", &m.Members, memberFields, optional)
	c.boolean(4, "more", &m.More)
}

func calledFields(c *codec, m *Called) { c.payload(1, "data", "data64", &m.Payload, optional) }

func refreshedFields(c *codec, m *Refreshed) {
	c.uint(1, "expires_ms", &m.ExpiresMS, realtime.OffsetMax)
}

func pongFields(c *codec, m *Pong) { c.uint(1, "time_ms", &m.TimeMS, realtime.OffsetMax) }

func subscribedFields(c *codec, m *Subscribed) {
	c.text(1, "channel", &m.Channel, anyBytes, optional)
	c.text(2, "epoch", &m.Epoch, anyBytes, optional)
	c.uint(3, "offset", &m.Offset, realtime.OffsetMax)
	c.uint(4, "top", &m.Top, realtime.OffsetMax)
	c.recovered(5, &m.Recovered)
	message(c, 6, "missed", &m.Missed, missedFields)
	message(c, 7, "state", &m.State, statePageFields)
	message(c, 8, "presence", &m.Presence, presencePageFields)
	c.uint(9, "expires_ms", &m.ExpiresMS, realtime.OffsetMax)
	message(c, 10, "error", &m.Error, errorFields)
}

func (c *codec) recovered(number protowire.Number, recovered **bool) {
	switch c.mode {
	case appendJSON, appendProto:
		if *recovered != nil {
			c.appendBool(number, "recovered", **recovered)
		}
	default:
		if c.begin(number, "recovered", optional) {
			b := c.readBool("recovered")
			*recovered = &b
		}
	}
}

func publisherFields(c *codec, m *realtime.Publisher) {
	c.text(1, "user", &m.User, anyBytes, optional)
	c.text(2, "connection", &m.Connection, anyBytes, optional)
}

func stateChangeFields(c *codec, m *realtime.StateChange) {
	c.text(1, "key", &m.Key, anyBytes, optional)
	c.payload(2, "value", "value64", &m.Value, optional)
	c.boolean(3, "removed", &m.Removed)
}

func publicationFields(c *codec, m *Publication) {
	c.text(1, "channel", &m.Channel, anyBytes, optional)
	c.uint(2, "offset", &m.Offset, realtime.OffsetMax)
	c.prev(m)
	c.payload(4, "data", "data64", &m.Payload, optional)
	c.text(5, "id", &m.ID, anyBytes, optional)
	c.uint(6, "time_ms", &m.TimeMS, realtime.OffsetMax)
	c.publisher(7, "from", &m.From)
	message(c, 8, "state", &m.State, stateChangeFields)
	c.boolean(9, "skipped", &m.Skipped)
	c.boolean(10, "pattern", &m.Pattern)
}

// prev is the offset before it when it is absent (POS-2). It is described after offset and read in any order.
func (c *codec) prev(m *Publication) {
	there := m.Offset != 0 && m.Prev != m.Offset-1
	c.uintAlways(3, "prev", &m.Prev, realtime.OffsetMax, there, optional)
	if c.mode == finish && m.Offset != 0 && c.seen&(1<<3) == 0 {
		m.Prev = m.Offset - 1
	}
}

// publisher is there unless it is zero (POS-8).
func (c *codec) publisher(number protowire.Number, name string, p *realtime.Publisher) {
	switch c.mode {
	case appendJSON, appendProto:
		if *p != (realtime.Publisher{}) {
			appendMessage(c, number, name, p, publisherFields)
		}
	default:
		if c.begin(number, name, optional) {
			readMessage(c, name, p, publisherFields)
		}
	}
}

func presenceChangeFields(c *codec, m *PresenceChange) {
	c.text(1, "channel", &m.Channel, anyBytes, optional)
	c.uint(2, "version", &m.Version, realtime.OffsetMax)
	c.uint(3, "count", &m.Count, realtime.OffsetMax)
	list(c, 4, "set", &m.Set, memberFields, optional)
	c.texts(5, "left", &m.Left, anyBytes, optional)
}

func unsubscribedFields(c *codec, m *Unsubscribed) {
	c.text(1, "channel", &m.Channel, anyBytes, optional)
	c.code(2, &m.Code)
	c.text(3, "reason", &m.Reason, anyBytes, optional)
}

func noticeFields(c *codec, m *Notice) { message(c, 1, "reconnect", &m.Reconnect, reconnectFields) }

func disconnectFields(c *codec, m *Disconnect) {
	c.code(1, &m.Code)
	c.text(2, "reason", &m.Reason, anyBytes, optional)
	message(c, 3, "reconnect", &m.Reconnect, reconnectFields)
}
