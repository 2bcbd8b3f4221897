package wire

import (
	"math"

	"github.com/bellwire/bellwire/realtime"
)

// Lengths that a strict reader allows. Names have a grammar of their own, which a session checks.
const nameBytesMax = 255

var (
	presenceWords = []string{"none", "count", "members"}
	opWords       = []string{"", "set", "remove", "increment", "set_if", "set_greater"}
)

func connectFields(c *codec, m *Connect) {
	c.text(1, "token", &m.Token, TokenBytesMax, optional)
	c.text(2, "client", &m.Client, ClientBytesMax, optional)
	list(c, 3, "subscribe", &m.Subscribe, subscribeItemFields, optional)
}

func subscribeItemFields(c *codec, m *SubscribeItem) {
	c.text(1, "channel", &m.Channel, nameBytesMax, required)
	message(c, 2, "since", &m.Since, positionFields)
	c.uint32(3, "rewind", &m.Rewind, math.MaxUint32)
	c.boolean(4, "state", &m.State)
	c.choice(5, "presence", (*uint8)(&m.Presence), presenceWords, optional)
	c.payload(6, "enter", "", &m.Enter, optional)
	c.text(7, "token", &m.Token, TokenBytesMax, optional)
}

func positionFields(c *codec, m *realtime.Position) {
	c.text(1, "epoch", &m.Epoch, EpochBytesMax, required)
	c.uint(2, "offset", &m.Offset, realtime.OffsetMax)
}

func subscribeFields(c *codec, m *Subscribe) {
	list(c, 1, "channels", &m.Channels, subscribeItemFields, required)
}

func unsubscribeFields(c *codec, m *Unsubscribe) {
	c.texts(1, "channels", &m.Channels, nameBytesMax, required)
}

func publishFields(c *codec, m *Publish) {
	c.text(1, "channel", &m.Channel, nameBytesMax, required)
	c.payload(2, "data", "data64", &m.Payload, required)
	c.text(3, "id", &m.ID, realtime.PublicationIDBytesMax, optional)
	c.echo(&m.NoEcho)
}

// echo is true when it is absent.
func (c *codec) echo(noEcho *bool) {
	switch c.mode {
	case appendJSON, appendProto:
		if *noEcho {
			c.appendBool(4, "echo", false)
		}
	default:
		if c.begin(4, "echo", optional) {
			*noEcho = !c.readBool("echo")
		}
	}
}

func historyFields(c *codec, m *History) {
	c.text(1, "channel", &m.Channel, nameBytesMax, required)
	message(c, 2, "since", &m.Since, positionFields)
	c.uint32(3, "limit", &m.Limit, LimitMax)
	c.boolean(4, "reverse", &m.Reverse)
}

func stateFields(c *codec, m *State) {
	c.text(1, "channel", &m.Channel, nameBytesMax, required)
	c.text(2, "key", &m.Key, realtime.KeyBytesMax, optional)
	c.text(3, "after", &m.After, realtime.KeyBytesMax, optional)
	c.uint32(4, "limit", &m.Limit, LimitMax)
}

func updateFields(c *codec, m *Update) {
	c.text(1, "channel", &m.Channel, nameBytesMax, required)
	c.choice(2, "op", (*uint8)(&m.Op), opWords, required)
	c.text(3, "key", &m.Key, realtime.KeyBytesMax, required)
	c.payload(4, "value", "value64", &m.Value, optional)
	c.by(m)
	c.uintAlways(6, "version", &m.Version, realtime.OffsetMax, m.Op == OpSetIf, optional)
	c.text(7, "id", &m.ID, realtime.PublicationIDBytesMax, optional)
	if c.mode == finish && c.failure == nil {
		c.checkUpdate(m)
	}
}

// by is 1 when it is absent.
func (c *codec) by(m *Update) {
	switch c.mode {
	case appendJSON, appendProto:
		if m.Op == OpIncrement && m.By != 1 {
			c.appendFloat(5, "by", m.By)
		}
	default:
		if c.begin(5, "by", optional) {
			m.By = c.readFloat("by")
		}
	}
}

// checkUpdate demands the fields that the op needs and refuses those it does not know (STA-2).
func (c *codec) checkUpdate(m *Update) {
	has := func(number int) bool { return c.seen&(1<<number) != 0 }
	takesValue := m.Op == OpSet || m.Op == OpSetIf || m.Op == OpSetGreater
	switch {
	case takesValue && !has(4):
		c.fail("value", "is missing")
	case !takesValue && has(4):
		c.fail("value", "does not belong to this op")
	case m.Op != OpIncrement && has(5):
		c.fail("by", "does not belong to this op")
	case m.Op == OpSetIf && !has(6):
		c.fail("version", "is missing")
	case m.Op != OpSetIf && has(6):
		c.fail("version", "does not belong to this op")
	}
	if m.Op == OpIncrement && !has(5) {
		m.By = 1
	}
}

func presenceFields(c *codec, m *Presence) {
	c.text(1, "channel", &m.Channel, nameBytesMax, required)
	c.boolean(2, "count_only", &m.CountOnly)
	c.text(3, "after", &m.After, realtime.UserBytesMax, optional)
	c.uint32(4, "limit", &m.Limit, LimitMax)
}

func enterFields(c *codec, m *Enter) {
	c.text(1, "channel", &m.Channel, nameBytesMax, required)
	c.payload(2, "data", "data64", &m.Payload, optional)
}

func leaveFields(c *codec, m *Leave) { c.text(1, "channel", &m.Channel, nameBytesMax, required) }

func callFields(c *codec, m *Call) {
	c.text(1, "method", &m.Method, MethodBytesMax, required)
	c.payload(2, "data", "data64", &m.Payload, optional)
}

func refreshFields(c *codec, m *Refresh) {
	c.text(1, "token", &m.Token, TokenBytesMax, required)
	c.text(2, "channel", &m.Channel, nameBytesMax, optional)
}

func pingFields(*codec, *Ping) {}

// appendCommand writes the field of the command that m is.
func (c *codec) appendCommand(m Command) {
	switch m := m.(type) {
	case *Connect:
		appendMessage(c, 2, "connect", m, connectFields)
	case *Subscribe:
		appendMessage(c, 3, "subscribe", m, subscribeFields)
	case *Unsubscribe:
		appendMessage(c, 4, "unsubscribe", m, unsubscribeFields)
	case *Publish:
		appendMessage(c, 5, "publish", m, publishFields)
	case *History:
		appendMessage(c, 6, "history", m, historyFields)
	case *State:
		appendMessage(c, 7, "state", m, stateFields)
	case *Update:
		appendMessage(c, 8, "update", m, updateFields)
	case *Presence:
		appendMessage(c, 9, "presence", m, presenceFields)
	case *Enter:
		appendMessage(c, 10, "enter", m, enterFields)
	case *Leave:
		appendMessage(c, 11, "leave", m, leaveFields)
	case *Call:
		appendMessage(c, 12, "call", m, callFields)
	case *Refresh:
		appendMessage(c, 13, "refresh", m, refreshFields)
	case *Ping:
		appendMessage(c, 14, "ping", m, pingFields)
	}
}

// commandNames has the commands' fields at their numbers.
var commandNames = [...]string{
	2: "connect", 3: "subscribe", 4: "unsubscribe", 5: "publish", 6: "history", 7: "state", 8: "update", 9: "presence",
	10: "enter", 11: "leave", 12: "call", 13: "refresh", 14: "ping",
}

// commandNumber is 0 for what is no command.
func commandNumber(name []byte) int {
	for number := 2; number < len(commandNames); number++ {
		if commandNames[number] == string(name) {
			return number
		}
	}
	return 0
}

// readCommand reads the present value as the command with this number.
func (c *codec) readCommand(number int) Command {
	switch number {
	case 2:
		return readAs(c, number, connectFields)
	case 3:
		return readAs(c, number, subscribeFields)
	case 4:
		return readAs(c, number, unsubscribeFields)
	case 5:
		return readAs(c, number, publishFields)
	case 6:
		return readAs(c, number, historyFields)
	case 7:
		return readAs(c, number, stateFields)
	case 8:
		return readAs(c, number, updateFields)
	case 9:
		return readAs(c, number, presenceFields)
	case 10:
		return readAs(c, number, enterFields)
	case 11:
		return readAs(c, number, leaveFields)
	case 12:
		return readAs(c, number, callFields)
	case 13:
		return readAs(c, number, refreshFields)
	default:
		return readAs(c, number, pingFields)
	}
}

func readAs[T any](c *codec, number int, describe fields[T]) *T {
	m := new(T)
	readMessage(c, commandNames[number], m, describe)
	return m
}
