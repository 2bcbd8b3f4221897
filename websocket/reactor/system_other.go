//go:build !linux

package reactor

import (
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// Other systems have no epoll: New fails, and none of the rest is ever called.

type event struct {
	Events  uint32
	Fd, Pad int32
}

const (
	interestRead  = 1
	interestWrite = 4
	eventRead     = 1
	eventEnd      = 16
	eventHangUp   = 16
)

type poller struct {
	file *os.File
	raw  syscall.RawConn
}

func newPoller() (*poller, error) { return nil, ErrTransport }

func (p *poller) close()                                     {}
func (p *poller) poll([]event) int                           { return 0 }
func (p *poller) notify()                                    {}
func (p *poller) addListener(int32) error                    { return ErrTransport }
func (p *poller) removeListener(int32)                       {}
func peekAt(int32, []byte) (int, error)                      { return 0, ErrTransport }
func acceptOne(int32) (int32, netip.AddrPort, error)         { return 0, netip.AddrPort{}, ErrTransport }
func isShortage(error) bool                                  { return false }
func takeListener(net.Listener) (int32, error)               { return 0, ErrTransport }
func netConn(int32) (net.Conn, error)                        { return nil, ErrTransport }
func setOptions(int, time.Duration, bool)                    {}
func deferAccept(int)                                        {}
func (p *poller) add(int32, uint32, uint32, uint16) error    { return ErrTransport }
func (p *poller) modify(int32, uint32, uint32, uint16) error { return ErrTransport }
func send(int32, []byte) (int, error)                        { return 0, ErrTransport }
func receive(int32, []byte) (int, error)                     { return 0, ErrTransport }
func takeOver(net.Conn, time.Duration, bool) (int32, error)  { return 0, ErrTransport }
func untaken(int32) int                                      { return 0 }
func closeDescriptor(int32)                                  {}
func shutdownWrite(int32)                                    {}
func peerAddr(int32) net.Addr                                { return nil }
