package wire

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/bellwire/bellwire/realtime"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protowire"
)

// Fields of the schema's Payload.
const (
	payloadJSON   protowire.Number = 1
	payloadBinary protowire.Number = 2
)

// payload is a field of type Payload: in JSON one of two members (MSG-8). binaryName is "" where JSON carries JSON only.
func (c *codec) payload(number protowire.Number, name, binaryName string, p *realtime.Payload, d demand) {
	switch c.mode {
	case appendJSON:
		c.appendJSONPayload(name, binaryName, *p)
	case appendProto:
		c.appendProtoPayload(number, *p)
	case finish:
		c.demanded(number, name, d)
	case readJSON:
		c.readJSONPayload(number, name, binaryName, p)
	case readProto:
		if c.take(number, name) && c.once(number, name) {
			c.readProtoPayload(name, p)
		}
	}
}

func (c *codec) appendJSONPayload(name, binaryName string, p realtime.Payload) {
	switch {
	case p.Encoding == realtime.EncodingJSON:
		c.jsonName(name)
		c.appendJSONValue(p.Bytes)
	case p.Encoding == realtime.EncodingBinary && binaryName == "":
		c.fault = fmt.Errorf("%s must be JSON in the JSON framing", name)
	case p.Encoding == realtime.EncodingBinary:
		c.jsonName(binaryName)
		c.dst = append(c.dst, '"')
		c.dst = base64.StdEncoding.AppendEncode(c.dst, p.Bytes)
		c.dst = append(c.dst, '"')
	}
}

// appendJSONValue keeps line feeds out, which would end the document (CON-2).
func (c *codec) appendJSONValue(value []byte) {
	if bytes.IndexByte(value, '\n') >= 0 {
		value = compact(value)
	}
	c.dst = append(c.dst, value...)
}

func (c *codec) appendProtoPayload(number protowire.Number, p realtime.Payload) {
	if p.IsNone() {
		return
	}
	kind := payloadJSON
	if p.Encoding == realtime.EncodingBinary {
		kind = payloadBinary
	}
	inner := protowire.SizeTag(kind) + protowire.SizeBytes(len(p.Bytes))
	c.dst = protowire.AppendTag(c.dst, number, protowire.BytesType)
	c.dst = protowire.AppendVarint(c.dst, uint64(inner))
	c.protoBytes(kind, p.Bytes)
}

func (c *codec) readJSONPayload(number protowire.Number, name, binaryName string, p *realtime.Payload) {
	if c.take(number, name) {
		if v := c.readJSONValue(); c.failure == nil && c.onlyPayload(number, name, binaryName) {
			*p = realtime.JSON(compact(v))
		}
		return
	}
	if binaryName == "" || !c.take(number, binaryName) || c.skipNull() {
		return
	}
	if !c.jsonKind(binaryName, '"', '"', "must be a string") {
		return
	}
	v := c.readJSONValue()
	if c.failure != nil || !c.onlyPayload(number, name, binaryName) {
		return
	}
	decoded, err := base64.StdEncoding.Strict().DecodeString(c.jsonString(v))
	if err != nil {
		c.fail(binaryName, "is not base64 with padding")
		return
	}
	*p = realtime.Binary(decoded)
}

// onlyPayload fails the second of the two members that can carry a payload.
func (c *codec) onlyPayload(number protowire.Number, name, binaryName string) bool {
	if c.seen&(1<<number) != 0 && c.strict {
		c.fail(name, "and "+binaryName+" are both given")
		return false
	}
	c.seen |= 1 << number
	return true
}

func (c *codec) readProtoPayload(name string, p *realtime.Payload) {
	if !c.value.isBytes(c, name) {
		return
	}
	inner := c.value.bytes
	outerSeen := c.seen
	c.seen = 0
	for len(inner) > 0 && c.failure == nil {
		n := c.consumeField(inner)
		if n == 0 {
			break
		}
		inner = inner[n:]
		c.readProtoPayloadKind(name, p)
	}
	if p.IsNone() && c.failure == nil && c.strict {
		c.fail(name, "has neither json nor binary")
	}
	c.seen, c.matched = outerSeen, true
}

func (c *codec) readProtoPayloadKind(name string, p *realtime.Payload) {
	known := c.number == payloadJSON || c.number == payloadBinary
	switch {
	case !known && c.strict:
		c.fail(name, "has an unknown field")
	case !known:
	case !p.IsNone() && c.strict:
		c.fail(name, "is given twice")
	case !c.value.isBytes(c, name):
	case c.number == payloadBinary:
		*p = realtime.Binary(bytes.Clone(c.value.bytes))
		if p.Bytes == nil {
			p.Bytes = []byte{}
		}
	case !c.strict:
		*p = realtime.JSON(bytes.Clone(c.value.bytes))
	default:
		value, err := CompactJSON(c.value.bytes)
		if err != nil {
			c.fail(name, err.Error())
			return
		}
		*p = realtime.JSON(value)
	}
}

// Errors of CompactJSON.
var (
	ErrNotJSON = errors.New("is not one valid JSON value")
	ErrTooDeep = errors.New("is nested more than 30 deep")
)

// CompactJSON returns a copy of one JSON value without insignificant white space, checked as strictly as MSG-5 and MSG-9
// ask: what came through it may be a payload.
func CompactJSON(value []byte) ([]byte, error) {
	if depthOf(value) > PayloadDepthMax {
		return nil, ErrTooDeep
	}
	if !scanValue(value) && !jsontext.Value(value).IsValid() {
		return nil, ErrNotJSON
	}
	return compact(value), nil
}

// compact copies valid JSON without insignificant white space.
func compact(value []byte) []byte {
	if bytes.IndexByte(value, ' ') < 0 && bytes.IndexByte(value, '\n') < 0 && bytes.IndexByte(value, '\t') < 0 &&
		bytes.IndexByte(value, '\r') < 0 {
		return bytes.Clone(value)
	}
	dst := make([]byte, 0, len(value))
	inString, escaped := false, false
	for _, b := range value {
		switch {
		case inString:
			inString = b != '"' || escaped
			escaped = b == '\\' && !escaped
		case b == ' ' || b == '\n' || b == '\t' || b == '\r':
			continue
		case b == '"':
			inString = true
		}
		dst = append(dst, b)
	}
	return dst
}

// depthOf is how deep value would be nested if it were JSON. It reads no further than it takes to say "too deep".
func depthOf(value []byte) int {
	if bytes.Count(value, []byte{'{'})+bytes.Count(value, []byte{'['}) <= PayloadDepthMax {
		return 0 // cannot be deeper than that; how deep it is does not matter
	}
	depth, deepest := 0, 0
	inString, escaped := false, false
	for _, b := range value {
		switch {
		case inString:
			inString = b != '"' || escaped
			escaped = b == '\\' && !escaped
		case b == '"':
			inString = true
		case b == '{' || b == '[':
			depth++
			deepest = max(deepest, depth)
		case b == '}' || b == ']':
			depth--
		}
	}
	return deepest
}
