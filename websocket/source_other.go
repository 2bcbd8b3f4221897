//go:build !unix

package websocket

import "net"

// parkedReader needs sockets that can be waited for without reading.
type parkedReader struct{}

func newParkedReader(net.Conn) *parkedReader { return nil }

func (*parkedReader) read(*source) ([]byte, error) { return nil, net.ErrClosed }
