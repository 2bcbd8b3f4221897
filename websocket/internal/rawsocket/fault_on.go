//go:build race

package rawsocket

import (
	"sync/atomic"
	"syscall"
)

// A Fault is what a test makes of a system call: how many bytes of size it may move, and the error that it fails with
// instead of being made. Any goroutine may call it.
type Fault func(call string, fd uintptr, size int) (int, syscall.Errno)

var fault atomic.Pointer[Fault]

// SetFault has a Fault asked before each system call of the process that the drivers of the engine make, until it is
// set to nil. It is there in builds with the race detector only.
func SetFault(f Fault) {
	if f == nil {
		fault.Store(nil)
		return
	}
	fault.Store(&f)
}

// Faulted asks what becomes of a system call.
func Faulted(call string, fd uintptr, size int) (int, syscall.Errno) {
	if f := fault.Load(); f != nil {
		return (*f)(call, fd, size)
	}
	return size, 0
}
