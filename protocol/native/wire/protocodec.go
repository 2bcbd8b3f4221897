package wire

import (
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// protoValue is the value of one field as it came.
type protoValue struct {
	kind   protowire.Type
	varint uint64
	bits   uint64 // fixed64
	bytes  []byte // belongs to the input
}

// --- writing ---

// protoOpen leaves one byte for the length of what follows, which most messages need; protoClose makes room for more.
func (c *codec) protoOpen() (start int) {
	c.dst = append(c.dst, 0)
	return len(c.dst)
}

func (c *codec) protoClose(start int) {
	n := len(c.dst) - start
	size := protowire.SizeVarint(uint64(n))
	if size > 1 {
		c.dst = slices.Grow(c.dst, size-1)[:len(c.dst)+size-1]
		copy(c.dst[start+size-1:], c.dst[start:start+n])
	}
	binary.PutUvarint(c.dst[start-1:], uint64(n))
}

func (c *codec) protoBytes(number protowire.Number, b []byte) {
	c.dst = protowire.AppendTag(c.dst, number, protowire.BytesType)
	c.dst = protowire.AppendBytes(c.dst, b)
}

// --- reading ---

func (v *protoValue) isBytes(c *codec, name string) bool {
	return v.is(c, name, protowire.BytesType)
}

func (v *protoValue) isVarint(c *codec, name string) bool {
	return v.is(c, name, protowire.VarintType)
}

// is fails the field when its wire type is not the schema's.
func (v *protoValue) is(c *codec, name string, kind protowire.Type) bool {
	if v.kind != kind {
		c.fail(name, "has the wrong wire type")
	}
	return v.kind == kind
}

func (c *codec) protoText(name string) string {
	if !utf8.Valid(c.value.bytes) {
		c.fail(name, "is not valid UTF-8")
		return ""
	}
	return string(c.value.bytes)
}

func (c *codec) protoFloat(name string) float64 {
	if !c.value.is(c, name, protowire.Fixed64Type) {
		return 0
	}
	f := math.Float64frombits(c.value.bits)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		c.fail(name, "must be a finite number")
	}
	return f
}

// readProtoMessage reads the present value as a message.
func readProtoMessage[T any](c *codec, name string, m *T, describe fields[T]) {
	if !c.value.isBytes(c, name) {
		return
	}
	outerSeen := c.seen
	readProtoFields(c, c.value.bytes, m, describe)
	if c.failure != nil {
		c.within(name)
	}
	c.seen, c.matched = outerSeen, true
}

func readProtoFields[T any](c *codec, b []byte, m *T, describe fields[T]) {
	c.seen = 0
	for len(b) > 0 && c.failure == nil {
		n := c.consumeField(b)
		if n == 0 {
			return
		}
		b = b[n:]
		c.matched = false
		describe(c, m)
		if !c.matched && c.failure == nil && c.strict {
			c.fail("field "+string(appendDecimal(nil, uint64(c.number))), "is unknown")
		}
	}
	if c.failure == nil {
		c.mode = finish
		describe(c, m)
		c.mode = readProto
	}
}

// consumeField makes the next field the present one and returns its length, 0 when the bytes are no protobuf.
func (c *codec) consumeField(b []byte) int {
	number, kind, n := protowire.ConsumeTag(b)
	if n < 0 {
		c.failure = ErrMalformed
		return 0
	}
	c.number, c.value = number, protoValue{kind: kind}
	var size int
	switch kind {
	case protowire.VarintType:
		c.value.varint, size = protowire.ConsumeVarint(b[n:])
	case protowire.BytesType:
		c.value.bytes, size = protowire.ConsumeBytes(b[n:])
	case protowire.Fixed64Type:
		c.value.bits, size = protowire.ConsumeFixed64(b[n:])
	default:
		size = protowire.ConsumeFieldValue(number, kind, b[n:])
	}
	if size < 0 {
		c.failure = ErrMalformed
		return 0
	}
	return n + size
}
