//go:build linux && race

package websocket

import "syscall"

// sendsDirectly says that sendTo can be used.
const sendsDirectly = true

// In builds with the race detector the calls are those of package syscall, which
// tell it that what is written happens before it is read at the other end. Sockets of
// the net package do not block.

// receive reads what is there.
func receive(fd uintptr, b []byte) (int, syscall.Errno) { return retried(syscall.Read, fd, b) }

// sendTo writes what the socket takes.
func sendTo(fd uintptr, b []byte) (int, syscall.Errno) { return retried(syscall.Write, fd, b) }

func retried(call func(fd int, b []byte) (int, error), fd uintptr, b []byte) (int, syscall.Errno) {
	for {
		n, err := call(int(fd), b)
		switch errno, _ := err.(syscall.Errno); errno {
		case 0:
			return n, 0
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}
