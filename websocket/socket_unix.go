//go:build unix

package websocket

import (
	"io"
	"net"
	"os"
	"syscall"
)

// socket reads and writes a plain socket by system calls that never block, and
// asks the runtime's poller only to wait. Its fields are its owner's during a call: those of
// reading with the turn to read, those of writing with the turn to flush.
type socket struct {
	line net.Conn
	raw  syscall.RawConn // nil: the line is no plain socket

	tryRead func(fd uintptr) bool // s.readOnce, made once
	source  *source               // during a read
	n       int
	readErr error

	trySend func(fd uintptr) // s.sendOnce, made once
	out     []byte           // during a write
	sent    int
	sendErr error
}

// open takes plain sockets only: a type that merely embeds one may have a Read of its own.
func (s *socket) open(line net.Conn) {
	s.line = line
	var plain syscall.Conn
	switch line := line.(type) {
	case *net.TCPConn:
		plain = line
	case *net.UnixConn:
		plain = line
	default:
		return
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return
	}
	s.raw = raw
	s.tryRead = s.readOnce
	if sendsDirectly {
		s.trySend = s.sendOnce
	}
}

// plain reports whether read may be used.
func (s *socket) plain() bool { return s.raw != nil }

// read waits without a buffer until there is something to be read into that of
// the source.
func (s *socket) read(from *source) ([]byte, error) {
	s.source = from
	err := s.raw.Read(s.tryRead)
	s.source = nil
	switch {
	case err != nil:
		return nil, err
	case s.readErr != nil:
		return nil, s.wrap("read", s.readErr)
	case s.n == 0:
		return nil, io.EOF
	}
	return from.buffer.bytes[:s.n], nil
}

// readOnce reads what is there, and reports false where nothing is.
func (s *socket) readOnce(fd uintptr) bool {
	s.n, s.readErr = receive(fd, s.source.memory())
	if s.readErr == syscall.EAGAIN {
		s.source.release()
		return false
	}
	return true
}

// send writes what the socket takes at once and returns how much that was. Where
// it cannot, it writes nothing and returns no error.
func (s *socket) send(b []byte) (int, error) {
	if s.trySend == nil || len(b) == 0 {
		return 0, nil
	}
	s.out, s.sent, s.sendErr = b, 0, nil
	err := s.raw.Control(s.trySend)
	s.out = nil
	switch {
	case err != nil:
		return 0, err
	case s.sendErr == syscall.EAGAIN:
		return 0, nil
	case s.sendErr != nil:
		return 0, s.wrap("write", s.sendErr)
	}
	return s.sent, nil
}

func (s *socket) sendOnce(fd uintptr) { s.sent, s.sendErr = sendTo(fd, s.out) }

// wrap makes an error of the system what the net package would have made of it.
func (s *socket) wrap(operation string, err error) error {
	local, remote := s.line.LocalAddr(), s.line.RemoteAddr()
	return &net.OpError{Op: operation, Net: local.Network(), Source: local, Addr: remote, Err: os.NewSyscallError(operation, err)}
}
