//go:build !unix

package websocket

import "net"

// socket needs sockets that can be waited for without reading.
type socket struct{}

func (*source) open(net.Conn) {}

func (*socket) plain() bool { return false }

func (*source) readSocket(net.Conn) ([]byte, error) { return nil, net.ErrClosed }

// send writes nothing.
func (*socket) send(net.Conn, []byte) (int, error) { return 0, nil }
