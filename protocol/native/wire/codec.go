package wire

import "io"

// AppendClient appends one self-delimiting message (CON-2): several can be joined to one WebSocket message.
// The error is that of a message the format cannot carry; dst is returned as it was then.
func AppendClient(dst []byte, f Format, m *ClientMessage) ([]byte, error) {
	return dst, nil
}

// AppendServer is AppendClient for the other direction.
func AppendServer(dst []byte, f Format, m *ServerMessage) ([]byte, error) {
	return dst, nil
}

// ClientDecoder reads the messages of one WebSocket message of a client, in order.
type ClientDecoder struct {
	format Format
	rest   []byte
}

// DecodeClient reads what a client sent, strictly (MSG-5). The message is not copied; it must not change until the last
// Next.
func DecodeClient(f Format, message []byte) *ClientDecoder {
	return &ClientDecoder{format: f, rest: message}
}

// Next returns the next message. The error is io.EOF after the last one, a *Refusal for a message that is wrong, after
// which Next goes on, or one that is ErrMalformed, after which nothing more can be read.
func (d *ClientDecoder) Next() (ClientMessage, error) {
	return ClientMessage{}, io.EOF
}

// ServerDecoder reads the messages of one WebSocket message of a server, in order.
type ServerDecoder struct {
	format Format
	rest   []byte
}

// DecodeServer reads what a server sent, tolerantly (MSG-6). The message is not copied; it must not change until the
// last Next.
func DecodeServer(f Format, message []byte) *ServerDecoder {
	return &ServerDecoder{format: f, rest: message}
}

// Next returns the next message. The error is io.EOF after the last one, or one that is ErrMalformed.
func (d *ServerDecoder) Next() (ServerMessage, error) {
	return ServerMessage{}, io.EOF
}
