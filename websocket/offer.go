package websocket

import (
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/safego"
)

// HTTP2Offered reports whether servers of net/http in this process offer WebSocket over HTTP/2 (RFC 8441 3).
// net/http decides that when the process starts, by GODEBUG=http2xconnect=1 in its environment, and has nothing to
// ask; so the first call starts a server in memory and reads its settings.
var HTTP2Offered = sync.OnceValue(func() bool {
	ours, theirs := net.Pipe()
	defer ours.Close()
	ours.SetDeadline(time.Now().Add(offerTimeout))
	server := &http.Server{Protocols: new(http.Protocols), Handler: http.NotFoundHandler()}
	server.Protocols.SetUnencryptedHTTP2(true)
	var group safego.Group
	group.Go("offer of HTTP/2", func() { server.Serve(&oneConn{conn: theirs}) }, nil)
	defer server.Close()
	group.Go("preface of HTTP/2", func() { io.WriteString(ours, preface) }, nil)
	return offers(ours)
})

// offerTimeout ends a conversation in memory that does not go as it should.
const offerTimeout = 5 * time.Second

// preface is how a client begins (RFC 9113 3.4), with empty settings.
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// offers reads the first settings of a server, and looks for SETTINGS_ENABLE_CONNECT_PROTOCOL = 1.
func offers(r io.Reader) bool {
	const frameSettings, enableConnectProtocol = 4, 8
	var head [9]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || head[3] != frameSettings {
		return false
	}
	settings := make([]byte, binary.BigEndian.Uint32(head[:])>>8)
	if _, err := io.ReadFull(r, settings); err != nil {
		return false
	}
	for ; len(settings) >= 6; settings = settings[6:] {
		if binary.BigEndian.Uint16(settings) == enableConnectProtocol {
			return binary.BigEndian.Uint32(settings[2:]) == 1
		}
	}
	return false
}

// oneConn is a listener to which one connection comes.
type oneConn struct {
	mu   sync.Mutex
	conn net.Conn // guarded by mu; nil: it has come
}

// Accept implements net.Listener.
func (l *oneConn) Accept() (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	conn := l.conn
	if l.conn = nil; conn == nil {
		return nil, net.ErrClosed
	}
	return conn, nil
}

// Close implements net.Listener.
func (l *oneConn) Close() error { return nil }

// Addr implements net.Listener.
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }
