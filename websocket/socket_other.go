//go:build !unix

package websocket

import "net"

// socket needs sockets that can be waited for without reading.
type socket struct{}

func (*source) open(net.Conn) {}

func (*socket) ask(net.Conn) {}

func (*socket) plain() bool { return false }

func (*socket) tells() bool { return false }

func (*socket) untaken() int { return 0 }

func (*source) readSocket(net.Conn) ([]byte, error) { return nil, net.ErrClosed }

// sending is what a write of a socket takes.
type sending struct{}

func (*sending) init() {}

// send writes nothing.
func (*socket) send(*sending, net.Conn, []byte) (int, error) { return 0, nil }
