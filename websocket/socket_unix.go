//go:build unix

package websocket

import (
	"io"
	"net"
	"os"
	"syscall"

	"github.com/bellwire/bellwire/websocket/internal/rawsocket"
)

// socket reads and writes a plain socket by system calls that never block, and
// asks the runtime's poller only to wait.
type socket struct {
	raw syscall.RawConn // nil: the line is no plain socket

	// Of reading, for the goroutine that holds the turn to read.
	tryRead func(fd uintptr) bool // source.readOnce, made once
	n       int
	errno   syscall.Errno
}

// open takes plain sockets only: a type that merely embeds one may have a Read of its own.
func (s *source) open(line net.Conn) {
	switch line.(type) {
	case *net.TCPConn, *net.UnixConn:
		if s.socket.ask(line); s.socket.raw != nil {
			s.socket.tryRead = s.readOnce
		}
	}
}

// ask takes a socket of any type, to be asked and nothing else.
func (s *socket) ask(line net.Conn) {
	if plain, ok := line.(syscall.Conn); ok {
		s.raw, _ = plain.SyscallConn()
	}
}

// tells reports whether untaken knows anything.
func (s *socket) tells() bool { return rawsocket.Tells && s.raw != nil }

// untaken returns how many bytes the system holds for the peer, of what the socket was given; 0 once it is closed.
func (s *socket) untaken() (n int) {
	_ = s.raw.Control(func(fd uintptr) { n = rawsocket.Untaken(fd) })
	return n
}

// plain reports whether readSocket may be used.
func (s *socket) plain() bool { return s.raw != nil }

// readSocket waits without a buffer until there is something to be read.
func (s *source) readSocket(line net.Conn) ([]byte, error) {
	err := s.socket.raw.Read(s.socket.tryRead)
	switch {
	case err != nil:
		return nil, err
	case s.socket.errno != 0:
		return nil, lineError("read", line, s.socket.errno)
	case s.socket.n == 0:
		return nil, io.EOF
	}
	return s.buffer.bytes[:s.socket.n], nil
}

// readOnce reads what is there, and reports false where nothing is. Before each wait it finds
// nothing, which costs 0.07 of an echo and has to be: docs/decisions/0005.
func (s *source) readOnce(fd uintptr) bool {
	s.socket.n, s.socket.errno = rawsocket.Receive(fd, s.memory())
	if s.socket.errno == syscall.EAGAIN {
		s.release()
		return false
	}
	return true
}

// sending is one write.
type sending struct {
	try   func(fd uintptr) // s.once, made once
	out   []byte
	n     int
	errno syscall.Errno
}

func (s *sending) init() { s.try = s.once }

func (s *sending) once(fd uintptr) { s.n, s.errno = rawsocket.Send(fd, s.out) }

// send writes what the socket takes at once and returns how much that was. Where
// it cannot, it writes nothing and returns no error.
func (s *socket) send(write *sending, line net.Conn, b []byte) (int, error) {
	if !rawsocket.Sends || s.raw == nil || len(b) == 0 {
		return 0, nil
	}
	write.out = b
	err := s.raw.Control(write.try)
	write.out = nil
	switch {
	case err != nil:
		return 0, err
	case write.errno == syscall.EAGAIN:
		return 0, nil
	case write.errno != 0:
		return 0, lineError("write", line, write.errno)
	}
	return write.n, nil
}

// lineError makes an error of the system what the net package would have made of it.
func lineError(operation string, line net.Conn, errno syscall.Errno) error {
	local, remote := line.LocalAddr(), line.RemoteAddr()
	return &net.OpError{Op: operation, Net: local.Network(), Source: local, Addr: remote, Err: os.NewSyscallError(operation, errno)}
}
