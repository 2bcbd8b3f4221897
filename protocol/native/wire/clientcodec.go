package wire

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/bellwire/bellwire/realtime"
	"github.com/go-json-experiment/json/jsontext"
	"google.golang.org/protobuf/encoding/protowire"
)

// AppendClient appends one self-delimiting message (CON-2): several can be joined to one WebSocket message.
// The error is that of a message the format cannot carry; dst is returned as it was then.
func AppendClient(dst []byte, f Format, m *ClientMessage) ([]byte, error) {
	if m.Command == nil {
		return dst, errors.New("the message has no command")
	}
	return appendFramed(dst, f, func(c *codec) {
		id := m.ID
		c.uint32(1, "id", &id, IDMax)
		c.appendCommand(m.Command)
	})
}

// writers are codecs that write; they are pooled.
var writers = sync.Pool{New: func() any { return new(codec) }}

// appendFramed puts what body writes into the format's framing.
func appendFramed(dst []byte, f Format, body func(c *codec)) ([]byte, error) {
	c := writers.Get().(*codec)
	*c = codec{mode: appendJSON, format: f, dst: dst}
	if f == Proto {
		c.mode = appendProto
		start := c.protoOpen()
		body(c)
		c.protoClose(start)
	} else {
		c.dst = append(c.dst, '{')
		body(c)
		c.dst = append(c.dst, '}', '\n')
	}
	written, fault := c.dst, c.fault
	*c = codec{}
	writers.Put(c)
	if fault != nil {
		return dst, fault
	}
	return written, nil
}

// ClientDecoder reads the messages of one WebSocket message of a client, in order.
type ClientDecoder struct {
	format  Format
	rest    []byte
	started bool
	failed  bool
}

// DecodeClient reads what a client sent, strictly (MSG-5). The message is not copied; it must not change until the last
// Next.
func DecodeClient(f Format, message []byte) *ClientDecoder {
	return &ClientDecoder{format: f, rest: message}
}

// Next returns the next message. The error is io.EOF after the last one, a *Refusal for a message that is wrong, after
// which Next goes on, or one that is ErrMalformed, after which nothing more can be read.
func (d *ClientDecoder) Next() (ClientMessage, error) {
	if d.failed || len(d.rest) == 0 && !d.started {
		d.failed = true
		return ClientMessage{}, ErrMalformed // CON-2: at least one
	}
	if len(d.rest) == 0 {
		return ClientMessage{}, io.EOF
	}
	d.started = true
	m, rest, err := NextClient(d.format, d.rest)
	d.rest = rest
	d.failed = err != nil && errors.Is(err, ErrMalformed)
	return m, err
}

// NextClient reads the first message of what a client sent, strictly (MSG-5), and returns what follows it: nothing after the
// last one. The error is a *Refusal for a message that is wrong, which others may follow, or one that is ErrMalformed: so
// is nothing at all (CON-2).
func NextClient(f Format, message []byte) (m ClientMessage, rest []byte, err error) {
	if len(message) == 0 {
		return ClientMessage{}, nil, ErrMalformed
	}
	one, rest, err := cut(f, message)
	if err != nil {
		return ClientMessage{}, nil, err
	}
	m, err = decodeClient(f, one)
	return m, rest, err
}

// cut takes the first message off (CON-2).
func cut(f Format, b []byte) (one, rest []byte, err error) {
	if f == JSON {
		one, rest, _ = bytes.Cut(b, []byte{'\n'})
		return one, rest, nil
	}
	size, n := protowire.ConsumeVarint(b)
	if n < 0 || size > uint64(len(b)-n) {
		return nil, nil, ErrMalformed
	}
	return b[n : n+int(size)], b[n+int(size):], nil
}

func decodeClient(f Format, one []byte) (ClientMessage, error) {
	if f == Proto {
		return decodeClientProto(one)
	}
	if depthOf(one) > DepthMax {
		return ClientMessage{}, refusalJSON(one, &fieldError{path: "the document", what: "is nested more than 32 deep"})
	}
	if m, ok := scanClient(one); ok {
		return m, nil
	}
	p := takeParser(one, true)
	defer p.release()
	m, err := p.readClient()
	if err != nil {
		return ClientMessage{}, refusalJSON(one, err)
	}
	return m, nil
}

// parser is a codec that reads JSON, with what it reads from; it is pooled.
type parser struct {
	codec
	decoder jsontext.Decoder
	buffer  bytes.Buffer
}

var parsers = sync.Pool{New: func() any { return new(parser) }}

func takeParser(document []byte, strict bool) *parser {
	p := parsers.Get().(*parser)
	p.buffer = *bytes.NewBuffer(document)
	if strict {
		p.decoder.Reset(&p.buffer)
	} else {
		p.decoder.Reset(&p.buffer, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	}
	p.codec = codec{mode: readJSON, strict: strict, json: &p.decoder}
	return p
}

func (p *parser) release() {
	p.codec = codec{}
	p.buffer = bytes.Buffer{}
	p.decoder.Reset(&p.buffer)
	parsers.Put(p)
}

// errCommands makes the slow path look again; it never leaves the package.
var errCommands = errors.New("not exactly one known command")

// readClient reads the one document there is.
func (c *codec) readClient() (ClientMessage, error) {
	var m ClientMessage
	if !c.jsonKind("the document", '{', '{', "must be an object") {
		return m, c.failure
	}
	c.readJSONToken()
	for c.failure == nil && c.json.PeekKind() == '"' {
		name := c.readJSONName()
		if c.failure != nil {
			break
		}
		if string(name) == "id" {
			m.ID = uint32(c.readUint("id", IDMax))
			continue
		}
		number := commandNumber(name)
		if number == 0 || m.Command != nil {
			return m, errCommands
		}
		m.Command = c.readCommand(number)
	}
	c.readEnd()
	if c.failure == nil && m.Command == nil {
		return m, errCommands
	}
	return m, c.failure
}

// readEnd reads the closing brace and makes sure that nothing follows it.
func (c *codec) readEnd() {
	if c.failure != nil {
		return
	}
	c.readJSONToken()
	if c.failure != nil {
		return
	}
	if _, err := c.json.ReadToken(); err != io.EOF {
		c.failure = ErrMalformed
	}
}

// refusalJSON finds out what a document that could not be read is: no JSON, or a message that is refused, and with which
// id and command. The cause is what the strict reader stumbled over first.
func refusalJSON(document []byte, cause error) error {
	if errors.Is(cause, ErrMalformed) {
		return ErrMalformed
	}
	p := takeParser(document, false)
	defer p.release()
	r := &Refusal{}
	commands, known := p.survey(r)
	if p.failure != nil {
		return ErrMalformed
	}
	if commands >= 0 && (commands != 1 || !known) {
		r.Command = ""
		r.Err = realtime.NewError(realtime.CodeUnknownCommand, "")
		return r
	}
	r.Err = realtime.NewError(realtime.CodeBadRequest, describeCause(cause))
	return r
}

// survey walks over a document without looking into its commands. commands is -1 when it is no object.
func (p *parser) survey(r *Refusal) (commands int, known bool) {
	c := &p.codec
	if p.decoder.PeekKind() != '{' {
		c.skipJSONValue()
		if _, err := p.decoder.ReadToken(); err != io.EOF {
			c.failure = ErrMalformed
		}
		return -1, false
	}
	c.readJSONToken()
	for c.failure == nil && p.decoder.PeekKind() == '"' {
		name := c.readJSONName()
		if string(name) == "id" {
			r.ID = p.surveyID()
			continue
		}
		if number := commandNumber(name); number != 0 {
			known = true
			r.Command = commandNames[number]
		}
		commands++
		if c.failure == nil {
			c.skipJSONValue()
		}
	}
	p.readEnd()
	return commands, known
}

// surveyID is 0 for what is no id.
func (p *parser) surveyID() uint32 {
	if p.decoder.PeekKind() != '0' {
		p.skipJSONValue()
		return 0
	}
	n, ok := parseInteger(p.readJSONValue())
	if !ok || n > IDMax {
		return 0
	}
	return uint32(n)
}

// describeCause names the field (MSG-5).
func describeCause(cause error) string {
	if e, ok := cause.(*fieldError); ok {
		return e.Error()
	}
	var syntactic *jsontext.SyntacticError
	if !errors.As(cause, &syntactic) {
		return "the document is malformed"
	}
	what := "is not valid UTF-8"
	if errors.Is(cause, jsontext.ErrDuplicateName) {
		what = "is given twice"
	}
	path := bytes.ReplaceAll([]byte(syntactic.JSONPointer), []byte{'/'}, []byte{'.'})
	return shown(bytes.TrimPrefix(path, []byte{'.'})) + " " + what
}

func decodeClientProto(one []byte) (ClientMessage, error) {
	var m ClientMessage
	r := &Refusal{}
	commands := 0
	c := codec{mode: readProto, format: Proto, strict: true}
	for b := one; len(b) > 0; {
		n := c.consumeField(b)
		if n == 0 {
			return ClientMessage{}, ErrMalformed
		}
		b = b[n:]
		number := int(c.number)
		switch {
		case number == 1:
			c.readID(r)
		case number >= len(commandNames):
			commands += 2 // unknown is answered like several
		default:
			commands++
			r.Command = commandNames[number]
			if c.failure == nil && commands == 1 {
				m.Command = c.readCommand(number)
			}
		}
		if errors.Is(c.failure, ErrMalformed) {
			return ClientMessage{}, ErrMalformed
		}
	}
	switch {
	case commands != 1:
		r.Command, r.Err = "", realtime.NewError(realtime.CodeUnknownCommand, "")
	case c.failure != nil:
		r.Err = realtime.NewError(realtime.CodeBadRequest, c.failure.Error())
	default:
		m.ID = r.ID
		return m, nil
	}
	return ClientMessage{}, r
}

// readID reads the id, also of a message that is refused already.
func (c *codec) readID(r *Refusal) {
	c.once(1, "id")
	if c.value.isVarint(c, "id") && c.value.varint <= IDMax {
		r.ID = uint32(c.value.varint)
		return
	}
	c.fail("id", "must be an integer from 0 to 4294967295")
}
