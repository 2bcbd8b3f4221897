package rawsocket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Sends says that Send can be used, Tells that Untaken can.
const (
	Sends = true
	Tells = true
)

// The calls are raw: they never block, so that telling the scheduler about them, which costs a part of what they do,
// gains nothing. Package syscall has them by two calls less than x/sys.

// Receive reads what is there: nothing at the end of the stream.
func Receive(fd uintptr, b []byte) (int, syscall.Errno) { return receive(fd, b, unix.MSG_DONTWAIT) }

// Peek is Receive without taking anything.
func Peek(fd uintptr, b []byte) (int, syscall.Errno) {
	return receive(fd, b, unix.MSG_DONTWAIT|unix.MSG_PEEK)
}

func receive(fd uintptr, b []byte, flags uintptr) (int, syscall.Errno) {
	for {
		var n uintptr
		size, errno := Faulted("recvfrom", fd, len(b))
		if errno == 0 {
			n, _, errno = syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(size), flags, 0, 0)
		}
		switch errno {
		case 0:
			return int(n), 0
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// Send writes what the socket takes, which may be less than all.
func Send(fd uintptr, b []byte) (int, syscall.Errno) {
	for {
		var n uintptr
		size, errno := Faulted("sendto", fd, len(b))
		if errno == 0 {
			n, _, errno = syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(size), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		}
		switch errno {
		case 0:
			return int(n), 0
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// Untaken returns how many bytes of what the socket was given the peer's system has not acknowledged; of a Unix
// socket, about what its reader has not read. It is 0 where the system does not say.
func Untaken(fd uintptr) int {
	n, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
	if err != nil {
		return 0
	}
	return n
}
