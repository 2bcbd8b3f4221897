// Package deadline has the deadline of an operation on a net.Conn that is made of something else than a socket: it can be
// waited for, and moved while somebody waits.
//
// It starts no goroutine; a timer runs only while a deadline lies ahead and somebody has asked for it. All methods may
// be called concurrently.
package deadline
