package wire

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// Each message is described once, by a function that names its fields to a codec: their number, their JSON name, where
// the value is, and what is demanded of it. The codec's mode decides what naming a field does.

// mode is what a codec does with a field that is named to it.
type mode uint8

const (
	appendJSON  mode = iota // write it, if it is not its default
	appendProto             // the same
	readJSON                // take the value that stands next in the decoder, if it is this field's
	readProto               // the same with value
	finish                  // after reading an object: see to it that what is required was there, and set defaults
)

// demand is what a strict reader asks of a field.
type demand uint8

const (
	optional demand = iota
	required
)

// codec is the state of one message being written or read. It is used by one goroutine.
type codec struct {
	mode   mode
	format Format
	strict bool

	// Writing.
	dst   []byte
	comma bool  // the next JSON member is not the first of its object
	fault error // the message cannot be carried in this format

	// Reading. The present field is that of one object at a time; readers of nested objects keep and restore it.
	json    document
	name    []byte // readJSON: belongs to json until the value is read
	number  protowire.Number
	value   protoValue
	matched bool   // the present field was taken
	seen    uint64 // fields of the present object that were there, by number
	failure error  // *fieldError, or ErrMalformed; nothing is read any more
}

// fields describes the message type T.
type fields[T any] func(c *codec, m *T)

// fieldError says which field breaks MSG-5, and how.
type fieldError struct {
	path string
	what string
}

func (e *fieldError) Error() string { return e.path + " " + e.what }

func (c *codec) fail(name, what string) {
	if c.failure == nil {
		c.failure = &fieldError{path: name, what: what}
	}
}

// within puts the name of the enclosing field before that of the failed one.
func (c *codec) within(name string) {
	if e, ok := c.failure.(*fieldError); ok {
		e.path = name + "." + e.path
	}
}

// take reports whether the present field is the one with this number and name, and marks it as taken.
func (c *codec) take(number protowire.Number, name string) bool {
	if c.matched || c.failure != nil {
		return false
	}
	if c.mode == readJSON {
		if string(c.name) != name {
			return false
		}
	} else if c.number != number {
		return false
	}
	c.matched = true
	return true
}

// once marks a field that is not repeated as seen; strict, twice is a failure (MSG-5). JSON's own reader finds
// duplicate names itself.
func (c *codec) once(number protowire.Number, name string) bool {
	bit := uint64(1) << number
	if c.seen&bit != 0 && c.strict {
		c.fail(name, "is given twice")
		return false
	}
	c.seen |= bit
	return true
}

// demanded is what finish does with a field.
func (c *codec) demanded(number protowire.Number, name string, d demand) {
	if d == required && c.strict && c.seen&(1<<number) == 0 {
		c.fail(name, "is missing")
	}
}

// begin is how reading a field starts: it reports whether its value is to be read now.
func (c *codec) begin(number protowire.Number, name string, d demand) bool {
	if c.mode == finish {
		c.demanded(number, name, d)
		return false
	}
	return c.take(number, name) && !c.skipNull() && c.once(number, name)
}

func (c *codec) text(number protowire.Number, name string, s *string, bytesMax int, d demand) {
	switch c.mode {
	case appendJSON:
		if *s != "" {
			c.jsonName(name)
			c.jsonText(*s)
		}
	case appendProto:
		if *s != "" {
			c.dst = protowire.AppendTag(c.dst, number, protowire.BytesType)
			c.dst = protowire.AppendString(c.dst, *s)
		}
	default:
		if c.begin(number, name, d) {
			c.readText(name, s, bytesMax)
			if *s == "" {
				c.seen &^= 1 << number // absent and default are the same (MSG-7)
			}
		}
	}
}

func (c *codec) uint(number protowire.Number, name string, n *uint64, max uint64) {
	switch c.mode {
	case appendJSON, appendProto:
		if *n != 0 {
			c.appendUint(number, name, *n)
		}
	default:
		if c.begin(number, name, optional) {
			*n = c.readUint(name, max)
		}
	}
}

// uintAlways is for fields whose presence says something.
func (c *codec) uintAlways(number protowire.Number, name string, n *uint64, max uint64, there bool, d demand) {
	switch c.mode {
	case appendJSON, appendProto:
		if there {
			c.appendUint(number, name, *n)
		}
	default:
		if c.begin(number, name, d) {
			*n = c.readUint(name, max)
		}
	}
}

func (c *codec) uint32(number protowire.Number, name string, n *uint32, max uint32) {
	wide := uint64(*n)
	c.uint(number, name, &wide, uint64(max))
	*n = uint32(wide)
}

func (c *codec) boolean(number protowire.Number, name string, b *bool) {
	switch c.mode {
	case appendJSON, appendProto:
		if *b {
			c.appendBool(number, name, true)
		}
	default:
		if c.begin(number, name, optional) {
			*b = c.readBool(name)
		}
	}
}

// choice is a field of an enumeration: a word in JSON, a number in protobuf; words[0] is the default.
func (c *codec) choice(number protowire.Number, name string, n *uint8, words []string, d demand) {
	switch c.mode {
	case appendJSON:
		if *n != 0 && int(*n) < len(words) {
			c.jsonName(name)
			c.jsonText(words[*n])
		}
	case appendProto:
		if *n != 0 {
			c.appendUint(number, name, uint64(*n))
		}
	default:
		if c.begin(number, name, d) {
			*n = c.readChoice(name, words)
			if *n == 0 {
				c.seen &^= 1 << number
			}
		}
	}
}

// message is a nested message, nil when it is absent.
func message[T any](c *codec, number protowire.Number, name string, m **T, describe fields[T]) {
	switch c.mode {
	case appendJSON, appendProto:
		if *m != nil {
			appendMessage(c, number, name, *m, describe)
		}
	default:
		if c.begin(number, name, optional) {
			*m = new(T)
			readMessage(c, name, *m, describe)
		}
	}
}

// list is a repeated message.
func list[T any](c *codec, number protowire.Number, name string, items *[]T, describe fields[T], d demand) {
	switch c.mode {
	case appendJSON:
		if len(*items) > 0 {
			appendJSONList(c, name, *items, describe)
		}
	case appendProto:
		for i := range *items {
			appendMessage(c, number, name, &(*items)[i], describe)
		}
	case finish:
		c.demanded(number, name, d)
	case readJSON:
		if c.take(number, name) && !c.skipNull() && c.once(number, name) {
			readJSONList(c, name, items, describe)
			if len(*items) == 0 {
				c.seen &^= 1 << number
			}
		}
	case readProto:
		if c.take(number, name) && c.room(name, len(*items)) {
			c.seen |= 1 << number
			*items = append(*items, *new(T))
			readMessage(c, name, &(*items)[len(*items)-1], describe)
		}
	}
}

// texts is a repeated string.
func (c *codec) texts(number protowire.Number, name string, items *[]string, bytesMax int, d demand) {
	switch c.mode {
	case appendJSON:
		if len(*items) > 0 {
			c.jsonName(name)
			c.jsonTexts(*items)
		}
	case appendProto:
		for _, s := range *items {
			c.dst = protowire.AppendTag(c.dst, number, protowire.BytesType)
			c.dst = protowire.AppendString(c.dst, s)
		}
	case finish:
		c.demanded(number, name, d)
	case readJSON:
		if c.take(number, name) && !c.skipNull() && c.once(number, name) {
			c.readJSONTexts(name, items, bytesMax)
			if len(*items) == 0 {
				c.seen &^= 1 << number
			}
		}
	case readProto:
		if c.take(number, name) && c.room(name, len(*items)) {
			c.seen |= 1 << number
			var s string
			c.readText(name, &s, bytesMax)
			*items = append(*items, s)
		}
	}
}

// itemsTolerated bounds a list for the tolerant reader: more than any server sends.
const itemsTolerated = 1 << 16

// room reports whether a list that has n elements may have another.
func (c *codec) room(name string, n int) bool {
	switch {
	case !c.strict && n >= itemsTolerated:
		c.failure = ErrMalformed
	case c.strict && n >= ItemsMax:
		c.fail(name, "has more than 1000 elements")
	}
	return c.failure == nil
}

func (c *codec) appendUint(number protowire.Number, name string, n uint64) {
	if c.mode == appendJSON {
		c.jsonName(name)
		c.dst = appendDecimal(c.dst, n)
		return
	}
	c.dst = protowire.AppendTag(c.dst, number, protowire.VarintType)
	c.dst = protowire.AppendVarint(c.dst, n)
}

func (c *codec) appendBool(number protowire.Number, name string, b bool) {
	if c.mode == appendJSON {
		c.jsonName(name)
		if b {
			c.dst = append(c.dst, "true"...)
		} else {
			c.dst = append(c.dst, "false"...)
		}
		return
	}
	c.dst = protowire.AppendTag(c.dst, number, protowire.VarintType)
	c.dst = protowire.AppendVarint(c.dst, protowire.EncodeBool(b))
}

func appendMessage[T any](c *codec, number protowire.Number, name string, m *T, describe fields[T]) {
	if c.mode == appendJSON {
		c.jsonName(name)
		appendJSONObject(c, m, describe)
		return
	}
	c.dst = protowire.AppendTag(c.dst, number, protowire.BytesType)
	start := c.protoOpen()
	describe(c, m)
	c.protoClose(start)
}

func readMessage[T any](c *codec, name string, m *T, describe fields[T]) {
	if c.mode == readJSON {
		readJSONObject(c, name, m, describe)
	} else {
		readProtoMessage(c, name, m, describe)
	}
}
