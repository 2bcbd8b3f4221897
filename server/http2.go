package server

import (
	"errors"
	"net/http"

	"github.com/bellwire/bellwire/websocket"
)

const (
	streamsMax          = 100       // of one connection; RFC 9113 6.5.2 recommends no fewer
	streamBytesMax      = 64 << 10  // come and not yet read, on a stream
	connectionBytesMax  = 512 << 10 // and on all of a connection
	headerTableBytesMax = 4 << 10   // that a client can make the header compression remember
)

// ErrHTTP2NotOffered is why a server with http2_websocket cannot be made in this process.
var ErrHTTP2NotOffered = errors.New("http2_websocket is on, but net/http offers WebSocket over HTTP/2 only to a process that began with " +
	HTTP2Setting + " among GODEBUG in its environment")

// HTTP2Setting is the setting of GODEBUG with which net/http offers WebSocket over HTTP/2.
const HTTP2Setting = "http2xconnect=1"

// HTTP2Offered reports whether this process can serve WebSocket over HTTP/2, which was decided when it began.
func HTTP2Offered() bool { return websocket.HTTP2Offered() }

// addHTTP2 lets a server speak HTTP/2 too: chosen in the handshake of TLS, and where there is no TLS by clients that know
// (RFC 9113 3.3), which are proxies. The floods of VC-20 are for net/http to withstand; these are its limits.
func (s *Server) addHTTP2(server *http.Server) {
	server.Protocols.SetHTTP2(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	server.TLSConfig.NextProtos = []string{"h2", "http/1.1"}
	server.HTTP2 = &http.HTTP2Config{
		MaxConcurrentStreams:          streamsMax,
		MaxDecoderHeaderTableSize:     headerTableBytesMax,
		MaxEncoderHeaderTableSize:     headerTableBytesMax,
		MaxReceiveBufferPerConnection: connectionBytesMax,
		MaxReceiveBufferPerStream:     streamBytesMax,
		// A connection that takes no bytes at all ends with its streams, each of which counts its own time besides.
		WriteByteTimeout: s.config.Limits.WriteTimeout,
	}
}
