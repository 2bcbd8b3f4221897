package websockettest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/bellwire/bellwire/websocket/frame"
	"github.com/bellwire/bellwire/websocket/handshake"
)

// Peer speaks in frames, without any rule of its own. It is for one goroutine
// that sends and one that receives.
type Peer struct {
	Line   net.Conn
	Answer *http.Response // to the handshake; of a client only

	reader *bufio.Reader
	client bool
}

// sampleKey is the key of RFC 6455 1.3.
const sampleKey = "dGhlIHNhbXBsZSBub25jZQ=="

// ClientPeer opens a connection as a client does. Extra is header lines such as
// "Origin: http://a.test\r\n". The answer is not checked.
func ClientPeer(line net.Conn, extra string) (*Peer, error) {
	p := &Peer{Line: line, reader: bufio.NewReader(line), client: true}
	request := "GET / HTTP/1.1\r\nHost: " + Host + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: " + sampleKey + "\r\nSec-WebSocket-Version: 13\r\n" + extra + "\r\n"
	if _, err := io.WriteString(line, request); err != nil {
		return nil, err
	}
	var err error
	p.Answer, err = http.ReadResponse(p.reader, nil)
	return p, err
}

// ServerPeer opens a connection as a server does. Extra is header lines.
func ServerPeer(line net.Conn, extra string) (*Peer, error) {
	p := &Peer{Line: line, reader: bufio.NewReader(line)}
	request, err := http.ReadRequest(p.reader)
	if err != nil {
		return nil, err
	}
	accept := handshake.Accept(request.Header.Get("Sec-WebSocket-Key"))
	_, err = io.WriteString(line, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: "+accept+"\r\n"+extra+"\r\n")
	return p, err
}

// Frame is a frame as it stands on the wire, with any values.
type Frame struct {
	Fin              bool
	RSV1, RSV2, RSV3 bool
	Opcode           frame.Opcode
	Payload          []byte
}

// Fin makes a frame that is the last of its message, or the only one.
func Fin(opcode frame.Opcode, payload string) Frame {
	return Frame{Fin: true, Opcode: opcode, Payload: []byte(payload)}
}

// More makes a frame that is not the last one.
func More(opcode frame.Opcode, payload string) Frame {
	return Frame{Opcode: opcode, Payload: []byte(payload)}
}

// CloseFrame makes a close frame.
func CloseFrame(status frame.Status, reason string) Frame {
	return Frame{Fin: true, Opcode: frame.Close, Payload: frame.AppendClose(nil, status, reason)}
}

// Append writes the frame, masked by a fixed key where asked.
func (f Frame) Append(dst []byte, masked bool) []byte {
	const key = 0x3d21fa37
	h := frame.Header{
		Fin: f.Fin, RSV1: f.RSV1, RSV2: f.RSV2, RSV3: f.RSV3,
		Opcode: f.Opcode, Masked: masked, Length: uint64(len(f.Payload)),
	}
	if masked {
		h.Key = key
	}
	dst = frame.Append(dst, h)
	start := len(dst)
	dst = append(dst, f.Payload...)
	if masked {
		frame.Mask(dst[start:], key)
	}
	return dst
}

// String shows a frame in a test's output.
func (f Frame) String() string {
	var bits []string
	for name, set := range map[string]bool{"fin": f.Fin, "rsv1": f.RSV1, "rsv2": f.RSV2, "rsv3": f.RSV3} {
		if set {
			bits = append(bits, name)
		}
	}
	return fmt.Sprintf("opcode %d %s %.60q (%d bytes)", f.Opcode, strings.Join(bits, "+"), f.Payload, len(f.Payload))
}

// Equal reports whether two frames say the same.
func (f Frame) Equal(other Frame) bool {
	return f.Fin == other.Fin && f.RSV1 == other.RSV1 && f.RSV2 == other.RSV2 && f.RSV3 == other.RSV3 &&
		f.Opcode == other.Opcode && bytes.Equal(f.Payload, other.Payload)
}

// Encode writes frames as this peer sends them: a client masks.
func (p *Peer) Encode(frames ...Frame) (wire []byte) {
	for _, f := range frames {
		wire = f.Append(wire, p.client)
	}
	return wire
}

// Send sends frames in one write.
func (p *Peer) Send(frames ...Frame) error {
	_, err := p.Line.Write(p.Encode(frames...))
	return err
}

// SendChopped sends frames in writes of a size.
func (p *Peer) SendChopped(size int, frames ...Frame) error {
	for wire := p.Encode(frames...); len(wire) > 0; {
		n := min(size, len(wire))
		if _, err := p.Line.Write(wire[:n]); err != nil {
			return err
		}
		wire = wire[n:]
	}
	return nil
}

// Receive returns the next frame, unmasked. It fails with io.EOF when the line
// has ended between frames, and when the mask is not as the role asks.
func (p *Peer) Receive() (Frame, error) {
	head, err := p.reader.Peek(2)
	if err != nil {
		if len(head) == 1 {
			err = io.ErrUnexpectedEOF
		}
		return Frame{}, err
	}
	if head, err = p.reader.Peek(frame.HeaderBytes(head[1])); err != nil {
		return Frame{}, io.ErrUnexpectedEOF
	}
	h, n := frame.Decode(head)
	if h.Masked == p.client {
		return Frame{}, fmt.Errorf("websockettest: frame masked %v", h.Masked)
	}
	p.reader.Discard(n)
	payload := make([]byte, h.Length)
	if _, err := io.ReadFull(p.reader, payload); err != nil {
		return Frame{}, io.ErrUnexpectedEOF
	}
	if h.Masked {
		frame.Mask(payload, h.Key)
	}
	return Frame{Fin: h.Fin, RSV1: h.RSV1, RSV2: h.RSV2, RSV3: h.RSV3, Opcode: h.Opcode, Payload: payload}, nil
}
