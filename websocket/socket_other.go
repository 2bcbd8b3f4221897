//go:build !unix

package websocket

import "net"

// socket needs sockets that can be waited for without reading.
type socket struct{}

func (*socket) open(net.Conn) {}

func (*socket) plain() bool { return false }

func (*socket) read(*source) ([]byte, error) { return nil, net.ErrClosed }

// send writes nothing.
func (*socket) send([]byte) (int, error) { return 0, nil }
