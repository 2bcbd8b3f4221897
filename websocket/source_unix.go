//go:build unix

package websocket

import (
	"io"
	"net"
	"syscall"
)

// parkedReader waits for a socket to become readable before it gets a buffer.
type parkedReader struct {
	raw     syscall.RawConn
	attempt func(fd uintptr) bool // p.try, made once
	source  *source               // during a read
	n       int
	err     error
}

// newParkedReader takes plain sockets only: a type that merely embeds one may
// have a Read of its own.
func newParkedReader(line net.Conn) *parkedReader {
	var socket syscall.Conn
	switch line := line.(type) {
	case *net.TCPConn:
		socket = line
	case *net.UnixConn:
		socket = line
	default:
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil
	}
	p := &parkedReader{raw: raw}
	p.attempt = p.try
	return p
}

func (p *parkedReader) read(s *source) ([]byte, error) {
	p.source = s
	err := p.raw.Read(p.attempt)
	p.source = nil
	switch {
	case err != nil:
		return nil, err
	case p.err != nil:
		return nil, p.err
	case p.n == 0:
		return nil, io.EOF
	}
	return s.buffer[:p.n], nil
}

// try reads what is there, and reports false where nothing is.
func (p *parkedReader) try(fd uintptr) bool {
	for {
		p.n, p.err = syscall.Read(int(fd), p.source.memory())
		switch p.err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			p.source.release()
			return false
		}
		return true
	}
}
