//go:build unix && !linux

package rawsocket

import "syscall"

// Sends says that Send can be used: here the system has no flag that both keeps a write from blocking and from raising
// SIGPIPE. Tells says that Untaken can.
const (
	Sends = false
	Tells = false
)

// Receive reads what is there: nothing at the end of the stream. The socket must be one that does not block.
func Receive(fd uintptr, b []byte) (int, syscall.Errno) {
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

// Send is not used.
func Send(uintptr, []byte) (int, syscall.Errno) { return 0, syscall.EAGAIN }

// Untaken is not used.
func Untaken(uintptr) int { return 0 }
