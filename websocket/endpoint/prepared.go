package endpoint

import (
	"sync"
	"unicode/utf8"

	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/frame"
)

// Prepared is a message made for many connections: each of its encodings is
// made at most once and shared. It is safe for concurrent use.
type Prepared struct {
	// Immutable after Prepare.
	opcode  frame.Opcode
	plain   []byte // the whole frame of a server
	payload []byte // the end of plain

	compressOnce sync.Once
	compressed   []byte // the whole compressed frame of a server; nil: does not pay
}

// Prepare makes a message. It copies the payload.
func Prepare(opcode frame.Opcode, payload []byte) (*Prepared, error) {
	switch {
	case !opcode.Data():
		return nil, ErrOpcode
	case opcode == frame.Text && !utf8.Valid(payload):
		return nil, ErrText
	}
	p := &Prepared{opcode: opcode}
	p.plain = make([]byte, 0, frame.HeaderBytesMax+len(payload))
	p.plain = frame.Append(p.plain, frame.Header{Fin: true, Opcode: opcode, Length: uint64(len(payload))})
	head := len(p.plain)
	p.plain = append(p.plain, payload...)
	p.payload = p.plain[head:]
	return p, nil
}

// Frame returns the bytes of the message as a server sends it without
// compression. They are shared: nobody may change them.
func (p *Prepared) Frame() []byte { return p.plain }

// Compressed returns the message as a server sends it to those that agreed on
// compression, or nil where that does not make it smaller.
func (p *Prepared) Compressed(pool *deflate.Pool) []byte {
	p.compressOnce.Do(func() {
		payload, ok := pool.Alone(p.payload)
		if !ok {
			return
		}
		h := frame.Header{Fin: true, RSV1: true, Opcode: p.opcode, Length: uint64(len(payload))}
		p.compressed = append(frame.Append(nil, h), payload...)
	})
	return p.compressed
}

// SendPrepared puts a prepared message in the output. A client encodes it anew,
// since each of its frames has a mask of its own.
func (e *Endpoint) SendPrepared(p *Prepared) error {
	if e.config.Side == frame.Client {
		return e.Send(p.opcode, p.payload)
	}
	switch {
	case e.state != open:
		return ErrNotOpen
	case e.sending != frame.Continuation:
		return ErrMessageOpen
	}
	e.out = append(e.out, e.Encoding(p)...)
	return nil
}

// Encoding returns the bytes by which a server's endpoint sends the message: a
// driver that shares them between connections writes them itself.
func (e *Endpoint) Encoding(p *Prepared) []byte {
	if e.deflate == nil || len(p.payload) < e.config.CompressBytesMin {
		return p.plain
	}
	if compressed := p.Compressed(e.deflate.Pool()); compressed != nil && e.deflate.TakesAlone(len(p.payload)) {
		return compressed
	}
	return p.plain
}
