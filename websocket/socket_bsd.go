//go:build unix && !linux

package websocket

import "syscall"

// sendsDirectly says that sendTo can be used: here the system has no flag that
// both keeps a write from blocking and from raising SIGPIPE.
const sendsDirectly = false

// receive reads what is there.
func receive(fd uintptr, b []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), b)
		switch err {
		case nil:
			return n, nil
		case syscall.EINTR:
		default:
			return 0, err
		}
	}
}

// sendTo is not used.
func sendTo(uintptr, []byte) (int, error) { return 0, syscall.EAGAIN }
