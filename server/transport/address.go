package transport

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// forwardedMax bounds how many entries of X-Forwarded-For are looked at.
const forwardedMax = 100

// Proxies knows the proxies whose word about a client's address is believed. The zero value believes nobody.
type Proxies struct {
	trusted []netip.Prefix
}

// NewProxies returns the proxies in these networks.
func NewProxies(trusted []netip.Prefix) *Proxies { return &Proxies{trusted: trusted} }

// Trusts reports whether address is a proxy's.
func (p *Proxies) Trusts(address netip.Addr) bool {
	if p == nil {
		return false
	}
	for _, prefix := range p.trusted {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}

// trustsPeer is Trusts for the peer of a request.
func (p *Proxies) trustsPeer(r *http.Request) bool {
	return p != nil && len(p.trusted) > 0 && p.Trusts(parseHostPort(r.RemoteAddr))
}

// ClientAddr is the address of who sent the request: the peer's, or, when the peer is a trusted proxy, the last one in
// X-Forwarded-For that is none. What stands before it was written by anybody (HS-27).
func (p *Proxies) ClientAddr(r *http.Request) netip.Addr {
	peer := parseHostPort(r.RemoteAddr)
	if !p.Trusts(peer) {
		return peer
	}
	client := peer
	entries := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for looked := 0; len(entries) > 0 && looked < forwardedMax; looked++ {
		address, err := netip.ParseAddr(strings.TrimSpace(entries[len(entries)-1]))
		if err != nil || address.Zone() != "" {
			break
		}
		client = address.Unmap()
		if !p.Trusts(client) {
			break
		}
		entries = entries[:len(entries)-1]
	}
	return client
}

// Secure reports whether the client spoke TLS, to this server or to a trusted proxy before it.
func (p *Proxies) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	return p.trustsPeer(r) && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

func parseHostPort(text string) netip.Addr {
	if address, err := netip.ParseAddrPort(text); err == nil {
		return address.Addr().Unmap()
	}
	return netip.Addr{}
}

func addrOf(address net.Addr) netip.Addr {
	if tcp, ok := address.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap()
	}
	return parseHostPort(address.String())
}
