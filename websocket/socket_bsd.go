//go:build unix && !linux

package websocket

import "syscall"

// sendsDirectly says that sendTo can be used: here the system has no flag that
// both keeps a write from blocking and from raising SIGPIPE.
const sendsDirectly = false

// receive reads what is there.
func receive(fd uintptr, b []byte) (int, syscall.Errno) {
	for {
		n, err := syscall.Read(int(fd), b)
		switch errno, _ := err.(syscall.Errno); errno {
		case 0:
			return n, 0
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

// sendTo is not used.
func sendTo(uintptr, []byte) (int, syscall.Errno) { return 0, syscall.EAGAIN }
