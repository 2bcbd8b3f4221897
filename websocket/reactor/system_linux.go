package reactor

import (
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/bellwire/bellwire/websocket/internal/rawsocket"
)

// The system calls of the hot path are raw: they never block, so that telling the
// scheduler about them, which costs more than many of them do, gains nothing. They are those
// of package syscall: x/sys gets to the same by two more calls, 0.003 of a delivery.

type event = unix.EpollEvent

// Lines are watched for edges: what stands in the list of the ready is then looked
// at once and not a second time to find that it is ready no more, which cost
// 0.05 of an echo. The price is that what is not read to its end has to be remembered.
const (
	interestRead  = unix.EPOLLIN | unix.EPOLLRDHUP
	interestWrite = unix.EPOLLOUT
	eventRead     = unix.EPOLLIN
	eventEnd      = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	eventHangUp   = unix.EPOLLHUP | unix.EPOLLERR
)

// poller is an epoll descriptor that is itself watched by Go's runtime.
type poller struct {
	fd   int
	file *os.File
	raw  syscall.RawConn
	wake int // eventfd
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("eventfd", err)
	}
	p := &poller{fd: fd, wake: wake}
	// Edge-triggered, so that nobody has to read it: each write is an edge.
	err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, wake, &event{Events: unix.EPOLLIN | unix.EPOLLET, Fd: wakeSlot})
	if err == nil {
		err = unix.SetNonblock(fd, true) // os.NewFile watches what does not block
	}
	if err == nil {
		p.file = os.NewFile(uintptr(fd), "epoll")
		p.raw, err = p.file.SyscallConn()
	}
	if err == nil {
		err = p.file.SetReadDeadline(time.Time{}) // fails where the runtime does not watch it
	}
	if err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *poller) close() {
	if p.file != nil {
		p.file.Close()
	} else {
		unix.Close(p.fd)
	}
	unix.Close(p.wake)
}

// addListener watches a listener: as long as a connection waits, and not only when one comes.
func (p *poller) addListener(fd int32) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, &event{Events: unix.EPOLLIN, Fd: doorSlot})
}

func (p *poller) removeListener(fd int32) { unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, int(fd), nil) }

// poll returns the events that are there. It does not wait.
func (p *poller) poll(events []event) int {
	for {
		var n uintptr
		size, errno := rawsocket.Faulted("epoll_pwait", uintptr(p.fd), len(events))
		if errno == 0 {
			n, _, errno = syscall.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&events[0])), uintptr(size), 0, 0, 0)
		}
		switch errno {
		case 0:
			return int(n)
		case unix.EINTR: // events may be there, and nobody would tell of them again
		default:
			return 0
		}
	}
}

// notify makes the descriptor readable.
func (p *poller) notify() {
	one := [8]byte{1}
	syscall.RawSyscall(unix.SYS_WRITE, uintptr(p.wake), uintptr(unsafe.Pointer(&one)), 8)
}

func (p *poller) add(fd int32, slot, generation uint32, interest uint16) error {
	return p.control(unix.EPOLL_CTL_ADD, fd, &event{Events: uint32(interest) | unix.EPOLLET, Fd: int32(slot), Pad: int32(generation)})
}

func (p *poller) modify(fd int32, slot, generation uint32, interest uint16) error {
	return p.control(unix.EPOLL_CTL_MOD, fd, &event{Events: uint32(interest) | unix.EPOLLET, Fd: int32(slot), Pad: int32(generation)})
}

func (p *poller) control(operation uintptr, fd int32, e *event) error {
	_, errno := rawsocket.Faulted("epoll_ctl", uintptr(fd), 0)
	if errno == 0 {
		_, _, errno = syscall.RawSyscall6(unix.SYS_EPOLL_CTL, uintptr(p.fd), operation, uintptr(fd), uintptr(unsafe.Pointer(e)), 0, 0)
	}
	if errno != 0 {
		return os.NewSyscallError("epoll_ctl", errno)
	}
	return nil
}

// send writes what the socket takes. It returns 0 and no error if that is nothing.
func send(fd int32, b []byte) (int, error) {
	n, errno := rawsocket.Send(uintptr(fd), b)
	switch errno {
	case 0, unix.EAGAIN:
		return n, nil
	}
	return 0, os.NewSyscallError("sendto", errno)
}

// untaken returns how many bytes the peer's system has not acknowledged, of what the socket was given.
func untaken(fd int32) int { return rawsocket.Untaken(uintptr(fd)) }

// receive reads what is there. It returns errDry if that is nothing.
func receive(fd int32, b []byte) (int, error) { return received(rawsocket.Receive(uintptr(fd), b)) }

// peekAt is receive without taking anything.
func peekAt(fd int32, b []byte) (int, error) { return received(rawsocket.Peek(uintptr(fd), b)) }

func received(n int, errno syscall.Errno) (int, error) {
	switch errno {
	case 0:
		return n, nil
	case unix.EAGAIN:
		return 0, errDry
	}
	return 0, os.NewSyscallError("recvfrom", errno)
}

// acceptOne takes a connection from a listener. It returns errDry where none waits.
func acceptOne(listener int32) (int32, netip.AddrPort, error) {
	var peer unix.RawSockaddrAny
	for {
		size := uint32(unix.SizeofSockaddrAny)
		var fd uintptr
		_, errno := rawsocket.Faulted("accept4", uintptr(listener), 0)
		if errno == 0 {
			fd, _, errno = syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(listener), uintptr(unsafe.Pointer(&peer)),
				uintptr(unsafe.Pointer(&size)), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		}
		switch errno {
		case 0:
			return int32(fd), addrPort(&peer), nil
		case unix.EINTR, unix.ECONNABORTED:
		case unix.EAGAIN:
			return 0, netip.AddrPort{}, errDry
		default:
			return 0, netip.AddrPort{}, errno
		}
	}
}

// isShortage reports whether accepting failed for want of descriptors or memory. Other
// failures are those of one connection, which has been taken out of the queue with them.
func isShortage(err error) bool {
	switch err {
	case unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM:
		return true
	}
	return false
}

func addrPort(sa *unix.RawSockaddrAny) netip.AddrPort {
	port := func(p *uint16) uint16 { return binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(p))[:]) }
	switch sa.Addr.Family {
	case unix.AF_INET:
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), port(&in.Port))
	case unix.AF_INET6:
		in := (*unix.RawSockaddrInet6)(unsafe.Pointer(sa))
		return netip.AddrPortFrom(netip.AddrFrom16(in.Addr), port(&in.Port))
	}
	return netip.AddrPort{}
}

// takeListener makes the descriptor of a listener this package's own.
func takeListener(listener net.Listener) (int32, error) {
	tcp, ok := listener.(*net.TCPListener)
	if !ok {
		return 0, ErrTransport
	}
	fd, err := duplicate(tcp)
	if err != nil {
		return 0, err
	}
	tcp.Close()
	return int32(fd), nil
}

// netConn makes a connection of Go's net from a duplicate of a descriptor.
func netConn(fd int32) (net.Conn, error) {
	own, err := duplicateOf(uintptr(fd))
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(own), "")
	defer file.Close()
	return net.FileConn(file)
}

// duplicate returns a second descriptor of a socket.
func duplicate(socket syscall.Conn) (fd int, _ error) {
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0, err
	}
	var dupErr error
	err = raw.Control(func(original uintptr) { fd, dupErr = duplicateOf(original) })
	if err != nil {
		return 0, err
	}
	return fd, dupErr
}

func duplicateOf(fd uintptr) (int, error) {
	if _, errno := rawsocket.Faulted("fcntl", fd, 0); errno != 0 {
		return 0, os.NewSyscallError("fcntl", errno)
	}
	own, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	return own, os.NewSyscallError("fcntl", err)
}

// takeOver makes the descriptor of a socket this package's own and closes what
// Go has around it, which would cost about 0.9 kB a connection.
func takeOver(line net.Conn, userTimeout time.Duration, keepAlive bool) (int32, error) {
	var socket syscall.Conn
	isTCP := false
	switch line := line.(type) {
	case *net.TCPConn:
		socket, isTCP = line, true
	case *net.UnixConn:
		socket = line
	default:
		return 0, ErrTransport
	}
	fd, err := duplicate(socket)
	if err != nil {
		return 0, err
	}
	line.Close()
	if isTCP {
		setOptions(fd, userTimeout, keepAlive)
	}
	return int32(fd), nil
}

// setOptions says what the connection is for. None of it is needed for it to work.
func setOptions(fd int, userTimeout time.Duration, keepAlive bool) {
	// Messages are to leave at once: what belongs together is sent together anyway.
	setOption(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	on := 0
	switch {
	case keepAlive:
		// No pings: a peer that has gone silently is found by the system's probes. Not together with a user
		// timeout: with one, the kernel ends the line when it is over and a single probe is unanswered, however many
		// are allowed (tcp_keepalive_timer). One is easily lost: lines opened together send theirs from one run of
		// the timer, where the receiving backlog (net.core.netdev_max_backlog, 1,000) drops what is beyond it.
		on = 1
	case userTimeout > 0:
		// A peer that is gone while output is on its way is given up.
		setOption(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout/time.Millisecond))
	}
	setOption(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, on)
}

// deferAccept makes a listener give out a connection only when something has come on it, or after a second of nothing:
// one wake-up for both. Until then it takes no descriptor. In HTTP nobody waits for the server to speak first.
func deferAccept(listener int) { setOption(listener, unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, 1) }

func setOption(fd, level, option, value int) {
	if _, errno := rawsocket.Faulted("setsockopt", uintptr(fd), 0); errno == 0 {
		unix.SetsockoptInt(fd, level, option, value)
	}
}

// closeDescriptor closes it whatever the system says of that: also after an error it is closed.
func closeDescriptor(fd int32) {
	rawsocket.Faulted("close", uintptr(fd), 0)
	syscall.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0)
}

func shutdownWrite(fd int32) {
	if _, errno := rawsocket.Faulted("shutdown", uintptr(fd), 0); errno == 0 {
		unix.Shutdown(int(fd), unix.SHUT_WR)
	}
}

func peerAddr(fd int32) net.Addr {
	sa, err := unix.Getpeername(int(fd))
	if err != nil {
		return nil
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return &net.TCPAddr{IP: sa.Addr[:], Port: sa.Port}
	case *unix.SockaddrInet6:
		return &net.TCPAddr{IP: sa.Addr[:], Port: sa.Port}
	case *unix.SockaddrUnix:
		return &net.UnixAddr{Name: sa.Name, Net: "unix"}
	}
	return nil
}
