package transport

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
)

// Admission bounds the connections of one address that have not proved anything yet: no request answered, no session
// connected. More are closed as soon as they are accepted (HS-03).
type Admission struct {
	perAddress int
	proxies    *Proxies
	refused    atomic.Uint64

	mu sync.Mutex
	// Guarded by mu.
	waiting map[netip.Addr]int // by address; no entry is 0
	slots   map[net.Conn]*Slot // of connections that HTTP still owns
}

// NewAdmission returns an Admission. Connections of trusted proxies are counted by their clients' addresses.
func NewAdmission(perAddress int, proxies *Proxies) *Admission {
	return &Admission{
		perAddress: perAddress, proxies: proxies,
		waiting: make(map[netip.Addr]int), slots: make(map[net.Conn]*Slot),
	}
}

// Refused is how many connections were closed for there being too many.
func (a *Admission) Refused() uint64 { return a.refused.Load() }

// Slot is one place among those of an address. The nil Slot is a place that needs no counting.
type Slot struct {
	admission *Admission
	address   netip.Addr
	done      atomic.Bool
}

// Release gives the place back. It may be called more than once.
func (s *Slot) Release() {
	if s == nil || s.done.Swap(true) {
		return
	}
	a := s.admission
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting[s.address]--; a.waiting[s.address] == 0 {
		delete(a.waiting, s.address)
	}
}

// Acquire takes a place for an address, and false when all are taken. IPv6 addresses count by their /64, which is one
// subscriber's.
func (a *Admission) Acquire(address netip.Addr) (*Slot, bool) {
	key := addressKey(address)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting[key] >= a.perAddress {
		a.refused.Add(1)
		return nil, false
	}
	a.waiting[key]++
	return &Slot{admission: a, address: key}, true
}

func addressKey(address netip.Addr) netip.Addr {
	if !address.Is6() {
		return address
	}
	prefix, err := address.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return prefix.Addr()
}

// Listen wraps a listener so that connections beyond the limit are closed before anything is read of them.
func (a *Admission) Listen(listener net.Listener) net.Listener {
	return &admittingListener{Listener: listener, admission: a}
}

type admittingListener struct {
	net.Listener
	admission *Admission
}

// Accept returns the connection itself, not a wrapper around it: the engine may take its descriptor.
func (l *admittingListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		slot, ok := l.admission.admit(addrOf(conn.RemoteAddr()))
		if !ok {
			conn.Close()
			continue
		}
		if slot != nil {
			l.admission.keep(conn, slot)
		}
		return conn, nil
	}
}

// admit takes a place for a connection that was just accepted: none for a trusted proxy's, whose clients need one each.
func (a *Admission) admit(peer netip.Addr) (*Slot, bool) {
	if a.proxies.Trusts(peer) {
		return nil, true
	}
	return a.Acquire(peer)
}

func (a *Admission) keep(conn net.Conn, slot *Slot) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.slots[conn] = slot
}

func (a *Admission) forget(conn net.Conn) *Slot {
	a.mu.Lock()
	defer a.mu.Unlock()
	slot := a.slots[conn]
	delete(a.slots, conn)
	return slot
}

// ConnState is for http.Server. An answered request is proof enough; an upgraded connection keeps its place until the
// session behind it is connected.
func (a *Admission) ConnState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateIdle, http.StateClosed:
		a.forget(plain(conn)).Release()
	case http.StateHijacked:
		a.forget(plain(conn))
	}
}

type slotKey struct{}

// ConnContext is for http.Server: it lets a handler take over the place of its connection.
func (a *Admission) ConnContext(ctx context.Context, conn net.Conn) context.Context {
	a.mu.Lock()
	defer a.mu.Unlock()
	return context.WithValue(ctx, slotKey{}, a.slots[plain(conn)])
}

// ownSlot returns the place of the request's connection, nil where it has none.
func ownSlot(r *http.Request) *Slot {
	slot, _ := r.Context().Value(slotKey{}).(*Slot)
	return slot
}

// slotOf returns the place that an upgraded connection keeps: its own, or behind a trusted proxy one that it takes for the client. A stream of
// HTTP/2 gets a place of its own, for there are many on a connection, whose place is given back.
func (a *Admission) slotOf(r *http.Request, own *Slot) (*Slot, bool) {
	if a.proxies.trustsPeer(r) {
		return a.Acquire(a.proxies.ClientAddr(r))
	}
	if r.ProtoMajor == 2 {
		own.Release()
		return a.Acquire(parseHostPort(r.RemoteAddr))
	}
	return own, true
}

// plain is the connection that the listener accepted, under TLS too.
func plain(conn net.Conn) net.Conn {
	if secured, ok := conn.(interface{ NetConn() net.Conn }); ok {
		return secured.NetConn()
	}
	return conn
}
