package websocket

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
)

var errPending = errors.New("websocket: driver not linked in")

// Conn is one WebSocket connection. All methods may be called concurrently,
// except that Read, ReadInto, Reader and the reader it returned are for one
// goroutine at a time.
type Conn struct {
	netConn     net.Conn
	subprotocol string
}

// Accept answers an opening handshake.
func Accept(w http.ResponseWriter, r *http.Request, opts *AcceptOptions) (*Conn, error) {
	return nil, errPending
}

// Dial opens a connection to a URL.
func Dial(ctx context.Context, url string, opts *DialOptions) (*Conn, *http.Response, error) {
	return nil, nil, errPending
}

// Read returns the next message in memory that the caller owns.
func (c *Conn) Read(ctx context.Context) (MessageType, []byte, error) { return 0, nil, errPending }

// ReadInto is Read into buf[:0], which grows as needed.
func (c *Conn) ReadInto(ctx context.Context, buf []byte) (MessageType, []byte, error) {
	return 0, nil, errPending
}

// Reader returns the next message as a stream.
func (c *Conn) Reader(ctx context.Context) (MessageType, io.Reader, error) {
	return 0, nil, errPending
}

// Write sends one message.
func (c *Conn) Write(ctx context.Context, t MessageType, payload []byte) error { return errPending }

// WriteBatch sends several messages in one system call.
func (c *Conn) WriteBatch(ctx context.Context, t MessageType, payloads ...[]byte) error {
	return errPending
}

// WritePrepared sends prepared messages in one system call.
func (c *Conn) WritePrepared(ctx context.Context, messages ...*PreparedMessage) error {
	return errPending
}

// Writer starts a message that is sent in parts; Close ends it.
func (c *Conn) Writer(ctx context.Context, t MessageType) (io.WriteCloser, error) {
	return nil, errPending
}

// Ping sends a ping and waits for its pong.
func (c *Conn) Ping(ctx context.Context) error { return errPending }

// Close performs the close handshake.
func (c *Conn) Close(code StatusCode, reason string) error { return errPending }

// CloseNow drops the line without a handshake.
func (c *Conn) CloseNow() error { return errPending }

// Subprotocol returns the subprotocol agreed, or "".
func (c *Conn) Subprotocol() string { return c.subprotocol }

// RemoteAddr returns the address of the peer.
func (c *Conn) RemoteAddr() net.Addr { return c.netConn.RemoteAddr() }

// LocalAddr returns the address of this side.
func (c *Conn) LocalAddr() net.Addr { return c.netConn.LocalAddr() }

// PreparedMessage is a message encoded once and sent to many connections.
type PreparedMessage struct {
	kind    MessageType
	payload []byte
}

// NewPreparedMessage keeps payload, which must not change any more.
func NewPreparedMessage(t MessageType, payload []byte) (*PreparedMessage, error) {
	return &PreparedMessage{kind: t, payload: payload}, nil
}
