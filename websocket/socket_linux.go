package websocket

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sendsDirectly says that sendTo can be used.
const sendsDirectly = true

// The calls are raw: they never block, so that telling the scheduler about them,
// which costs a part of what they do, gains nothing. Package syscall has them by two
// calls less than x/sys.

// receive reads what is there.
func receive(fd uintptr, b []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
			return int(n), 0
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// sendTo writes what the socket takes.
func sendTo(fd uintptr, b []byte) (int, syscall.Errno) {
	for {
		n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
		switch errno {
		case 0:
			return int(n), 0
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
