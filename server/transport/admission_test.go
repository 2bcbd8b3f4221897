package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"testing"
)

// HS-03: places are counted for each address, given back once, and forgotten when nobody holds one.
func TestHS03PlacesOfAnAddress(t *testing.T) {
	a := NewAdmission(2, nil)
	one, ok1 := a.Acquire(netip.MustParseAddr("203.0.113.7"))
	_, ok2 := a.Acquire(netip.MustParseAddr("203.0.113.7"))
	_, ok3 := a.Acquire(netip.MustParseAddr("203.0.113.7"))
	_, other := a.Acquire(netip.MustParseAddr("203.0.113.8"))
	if !ok1 || !ok2 || ok3 || !other || a.Refused() != 1 {
		t.Errorf("%v %v %v %v %d", ok1, ok2, ok3, other, a.Refused())
	}
	one.Release()
	one.Release()
	four, ok4 := a.Acquire(netip.MustParseAddr("203.0.113.7"))
	_, ok5 := a.Acquire(netip.MustParseAddr("203.0.113.7"))
	if !ok4 || ok5 {
		t.Errorf("after one was given back twice: %v %v", ok4, ok5)
	}
	four.Release()
	var none *Slot
	none.Release()

	six := NewAdmission(1, nil)
	first, _ := six.Acquire(netip.MustParseAddr("2001:db8::1"))
	if _, ok := six.Acquire(netip.MustParseAddr("2001:db8::2")); ok {
		t.Error("two addresses of one /64 are one subscriber")
	}
	if _, ok := six.Acquire(netip.MustParseAddr("2001:db8:0:1::1")); !ok {
		t.Error("another /64 is another subscriber")
	}
	first.Release()
	if len(six.waiting) != 1 {
		t.Errorf("%d addresses are remembered", len(six.waiting))
	}
}

// pipeListener hands out prepared connections.
type pipeListener struct {
	net.Listener
	conns []net.Conn
}

func (l *pipeListener) Accept() (net.Conn, error) {
	if len(l.conns) == 0 {
		return nil, errors.New("no more")
	}
	conn := l.conns[0]
	l.conns = l.conns[1:]
	return conn, nil
}

type addressedConn struct {
	net.Conn
	address string
	closed  bool
}

func (c *addressedConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(c.address))
}

func (c *addressedConn) Close() error {
	c.closed = true
	return nil
}

// HS-03: what is too much is closed at accept; an answered request, the end, and an upgrade settle the place.
func TestHS03TheListenerClosesWhatIsTooMuch(t *testing.T) {
	conns := []*addressedConn{{address: "203.0.113.7:1"}, {address: "203.0.113.7:2"}, {address: "10.0.0.1:3"}, {address: "10.0.0.1:4"}, {address: "203.0.113.8:5"}}
	inner := &pipeListener{}
	for _, conn := range conns {
		inner.conns = append(inner.conns, conn)
	}
	a := NewAdmission(1, NewProxies([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}))
	listener := a.Listen(inner)
	var accepted []net.Conn
	for {
		conn, err := listener.Accept()
		if err != nil {
			break
		}
		accepted = append(accepted, conn)
	}
	if len(accepted) != 4 || !conns[1].closed || conns[0].closed {
		t.Fatalf("%d accepted", len(accepted))
	}
	upgraded := a.ConnContext(context.Background(), conns[0])
	a.ConnState(conns[0], http.StateHijacked)
	if len(a.waiting) != 2 {
		t.Error("an upgrade gave the place back")
	}
	r := request("203.0.113.7:1", nil).WithContext(upgraded)
	slot, ok := a.slotOf(r, ownSlot(r))
	if !ok || slot == nil {
		t.Fatal("the handler did not get the place")
	}
	slot.Release()
	a.ConnState(conns[4], http.StateIdle)
	a.ConnState(conns[4], http.StateClosed)
	if len(a.waiting) != 0 || len(a.slots) != 0 {
		t.Errorf("left: %v %v", a.waiting, a.slots)
	}
	behind := request("10.0.0.1:3", http.Header{"X-Forwarded-For": {"198.51.100.1"}})
	first, ok1 := a.slotOf(behind, nil)
	_, ok2 := a.slotOf(behind, nil)
	if !ok1 || ok2 {
		t.Errorf("clients behind a proxy: %v %v", ok1, ok2)
	}
	first.Release()
}
