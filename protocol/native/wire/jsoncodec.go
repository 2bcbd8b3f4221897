package wire

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/bellwire/bellwire/realtime"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protowire"
)

// --- writing ---

func appendDecimal(dst []byte, n uint64) []byte { return strconv.AppendUint(dst, n, 10) }

func (c *codec) jsonName(name string) {
	if c.comma {
		c.dst = append(c.dst, ',')
	}
	c.comma = true
	c.dst = append(c.dst, '"')
	c.dst = append(c.dst, name...)
	c.dst = append(c.dst, '"', ':')
}

func (c *codec) jsonText(s string) {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] == '"' || s[i] == '\\' || s[i] >= 0x7f {
			c.dst, _ = jsontext.AppendQuote(c.dst, s) // invalid UTF-8 is replaced
			return
		}
	}
	c.dst = append(c.dst, '"')
	c.dst = append(c.dst, s...)
	c.dst = append(c.dst, '"')
}

func (c *codec) jsonTexts(items []string) {
	c.dst = append(c.dst, '[')
	for i, s := range items {
		if i > 0 {
			c.dst = append(c.dst, ',')
		}
		c.jsonText(s)
	}
	c.dst = append(c.dst, ']')
}

func appendJSONObject[T any](c *codec, m *T, describe fields[T]) {
	c.dst = append(c.dst, '{')
	c.comma = false
	describe(c, m)
	c.dst = append(c.dst, '}')
	c.comma = true
}

func appendJSONList[T any](c *codec, name string, items []T, describe fields[T]) {
	c.jsonName(name)
	c.dst = append(c.dst, '[')
	for i := range items {
		if i > 0 {
			c.dst = append(c.dst, ',')
		}
		appendJSONObject(c, &items[i], describe)
	}
	c.dst = append(c.dst, ']')
	c.comma = true
}

// --- reading ---

// skipNull drops a null, which a tolerant reader takes for absent. Strict, null reaches the field's own reader, which
// finds that it is not what it wants.
func (c *codec) skipNull() bool {
	if c.mode != readJSON || c.strict || c.json.PeekKind() != 'n' {
		return false
	}
	c.readJSONValue()
	return true
}

// readJSONValue returns nil after a failure. The value is the decoder's until the next read.
func (c *codec) readJSONValue() jsontext.Value {
	v, err := c.json.ReadValue()
	if err != nil {
		c.jsonFailed(err)
		return nil
	}
	return v
}

func (c *codec) readJSONToken() {
	if _, err := c.json.ReadToken(); err != nil {
		c.jsonFailed(err)
	}
}

func (c *codec) skipJSONValue() {
	if err := c.json.SkipValue(); err != nil {
		c.jsonFailed(err)
	}
}

// jsonFailed keeps an error of the decoder. Whether it is fatal is decided by looking at the whole document (CON-6).
func (c *codec) jsonFailed(err error) {
	if c.failure == nil {
		c.failure = err
	}
}

// jsonKind reports whether the next value is of one of two kinds, and fails the field when it is not.
func (c *codec) jsonKind(name string, kind, or jsontext.Kind, what string) bool {
	switch k := c.json.PeekKind(); {
	case k == kind || k == or:
		return true
	case k == 0 || k == '}' || k == ']':
		c.readJSONValue() // fails with the decoder's own error
	default:
		c.fail(name, what)
	}
	return false
}

func (c *codec) readText(name string, s *string, bytesMax int) {
	var text string
	if c.mode == readProto {
		if !c.value.isBytes(c, name) {
			return
		}
		text = c.protoText(name)
	} else {
		if !c.jsonKind(name, '"', '"', "must be a string") {
			return
		}
		text = c.jsonString(c.readJSONValue())
	}
	if len(text) > bytesMax {
		c.fail(name, "is longer than "+strconv.Itoa(bytesMax)+" bytes")
		return
	}
	*s = text
}

// jsonString copies a quoted string.
func (c *codec) jsonString(v jsontext.Value) string {
	if len(v) < 2 {
		return ""
	}
	for i := 1; i < len(v)-1; i++ {
		if v[i] == '\\' || v[i] >= 0x80 {
			b, _ := jsontext.AppendUnquote(nil, v) // it was checked, or invalid UTF-8 is tolerated and replaced
			return string(b)
		}
	}
	return string(v[1 : len(v)-1])
}

func (c *codec) readUint(name string, max uint64) uint64 {
	var n uint64
	if c.mode == readProto {
		if !c.value.isVarint(c, name) {
			return 0
		}
		n = c.value.varint
	} else {
		if !c.jsonKind(name, '0', '0', "must be an integer") {
			return 0
		}
		v := c.readJSONValue()
		if c.failure != nil {
			return 0
		}
		var ok bool
		if n, ok = parseInteger(v); !ok {
			c.fail(name, "must be an integer from 0 to "+strconv.FormatUint(max, 10))
			return 0
		}
	}
	if n > max {
		c.fail(name, "is larger than "+strconv.FormatUint(max, 10))
		return 0
	}
	return n
}

// parseInteger takes digits only: no sign, no fraction, no exponent (MSG-5). What does not fit is not ok either.
func parseInteger(v []byte) (n uint64, ok bool) {
	for _, digit := range v {
		if digit < '0' || digit > '9' || n > realtime.OffsetMax {
			return 0, false
		}
		n = n*10 + uint64(digit-'0')
	}
	return n, len(v) > 0
}

func (c *codec) readBool(name string) bool {
	if c.mode == readProto {
		if !c.value.isVarint(c, name) {
			return false
		}
		if c.value.varint > 1 && c.strict {
			c.fail(name, "must be 0 or 1")
		}
		return c.value.varint != 0
	}
	if !c.jsonKind(name, 't', 'f', "must be true or false") {
		return false
	}
	v := c.readJSONValue()
	return len(v) > 0 && v[0] == 't'
}

func (c *codec) readChoice(name string, words []string) uint8 {
	if c.mode == readProto {
		return uint8(c.readUint(name, uint64(len(words)-1)))
	}
	if !c.jsonKind(name, '"', '"', "must be a string") {
		return 0
	}
	word := c.jsonString(c.readJSONValue())
	for i := range words {
		if words[i] != "" && words[i] == word {
			return uint8(i)
		}
	}
	c.fail(name, "is none of its words")
	return 0
}

// readFloat reads any finite number.
func (c *codec) readFloat(name string) float64 {
	if c.mode == readProto {
		return c.protoFloat(name)
	}
	if !c.jsonKind(name, '0', '0', "must be a number") {
		return 0
	}
	f, err := strconv.ParseFloat(string(c.readJSONValue()), 64)
	if err != nil {
		c.fail(name, "must be a finite number")
	}
	return f
}

func readJSONObject[T any](c *codec, name string, m *T, describe fields[T]) {
	if !c.jsonKind(name, '{', '{', "must be an object") {
		return
	}
	c.readJSONToken()
	outerSeen := c.seen
	c.seen = 0
	for c.failure == nil && c.json.PeekKind() == '"' {
		readMember(c, m, describe)
	}
	if c.failure == nil {
		c.readJSONToken() // the closing brace, or what stands in its place
	}
	if c.failure == nil {
		c.mode = finish
		describe(c, m)
		c.mode = readJSON
	}
	if c.failure != nil {
		c.within(name)
	}
	c.seen, c.matched = outerSeen, true
}

func readMember[T any](c *codec, m *T, describe fields[T]) {
	c.name = c.readJSONName()
	if c.failure != nil {
		return
	}
	c.matched = false
	describe(c, m)
	if c.matched || c.failure != nil {
		return
	}
	if c.strict {
		c.fail(shown(c.name), "is unknown")
		return
	}
	c.skipJSONValue()
}

// readJSONName returns a member's name without its quotes.
func (c *codec) readJSONName() []byte {
	v := c.readJSONValue()
	if len(v) < 2 {
		return nil
	}
	for i := 1; i < len(v)-1; i++ {
		if v[i] == '\\' {
			b, _ := jsontext.AppendUnquote(nil, v)
			return b
		}
	}
	return v[1 : len(v)-1]
}

// shown bounds what of a peer's own name is told back.
func shown(name []byte) string {
	const bytesMax = 64
	if len(name) > bytesMax {
		name = name[:bytesMax]
	}
	return strconv.QuoteToASCII(string(name))
}

func readJSONList[T any](c *codec, name string, items *[]T, describe fields[T]) {
	c.readJSONArray(name, func(i int) {
		if c.room(name, i) {
			*items = append(*items, *new(T))
			readJSONObject(c, element, &(*items)[i], describe)
			c.placed(name, i)
		}
	})
}

// element stands in the path of a failure for an element of a list, until placed says which one it is: nobody wants to
// know as long as nothing fails.
const element = "[]"

// placed puts the name of a list and the place in it into the path of a failure within the element there.
func (c *codec) placed(name string, i int) {
	if e, ok := c.failure.(*fieldError); ok {
		e.path = name + "[" + strconv.Itoa(i) + "]" + strings.TrimPrefix(e.path, element)
	}
}

func (c *codec) readJSONTexts(name string, items *[]string, bytesMax int) {
	c.readJSONArray(name, func(i int) {
		if c.room(name, i) {
			var s string
			c.readText(element, &s, bytesMax)
			c.placed(name, i)
			*items = append(*items, s)
		}
	})
}

func (c *codec) readJSONArray(name string, element func(i int)) {
	if !c.jsonKind(name, '[', '[', "must be an array") {
		return
	}
	c.readJSONToken()
	for i := 0; c.failure == nil; i++ {
		if k := c.json.PeekKind(); k == ']' || k == 0 {
			break
		}
		element(i)
	}
	if c.failure == nil {
		c.readJSONToken()
	}
}

func (c *codec) appendFloat(number protowire.Number, name string, f float64) {
	if c.mode == appendJSON {
		if math.IsNaN(f) || math.IsInf(f, 0) {
			c.fault = errors.New(name + " is not finite")
			return
		}
		c.jsonName(name)
		c.dst = jsontext.AppendFloat(c.dst, f, 64)
		return
	}
	c.dst = protowire.AppendTag(c.dst, number, protowire.Fixed64Type)
	c.dst = protowire.AppendFixed64(c.dst, math.Float64bits(f))
}
