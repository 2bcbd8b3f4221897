package transport

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func request(remote string, header http.Header) *http.Request {
	r := &http.Request{RemoteAddr: remote, Header: header}
	if header == nil {
		r.Header = http.Header{}
	}
	return r
}

// HS-27: only a trusted proxy is believed, and only the entries that trusted proxies wrote.
func TestHS27ClientAddress(t *testing.T) {
	proxies := NewProxies([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")})
	hundred := strings.TrimSuffix(strings.Repeat("10.0.0.1, ", 150), ", ")
	tests := []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"no proxy", "203.0.113.7:5000", nil, "203.0.113.7"},
		{"untrusted peer that claims", "203.0.113.7:5000", []string{"198.51.100.1"}, "203.0.113.7"},
		{"trusted proxy", "10.0.0.1:5000", []string{"198.51.100.1"}, "198.51.100.1"},
		{"trusted proxy without the header", "10.0.0.1:5000", nil, "10.0.0.1"},
		{"what the client wrote before", "10.0.0.1:5000", []string{"1.2.3.4, 198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.0.0.1:5000", []string{"1.2.3.4, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"two headers are one list", "10.0.0.1:5000", []string{"1.2.3.4", "198.51.100.1"}, "198.51.100.1"},
		{"invalid entry", "10.0.0.1:5000", []string{"1.2.3.4, not-an-address"}, "10.0.0.1"},
		{"invalid entry before a proxy's", "10.0.0.1:5000", []string{"evil, 10.0.0.2"}, "10.0.0.2"},
		{"empty element", "10.0.0.1:5000", []string{"198.51.100.1, "}, "10.0.0.1"},
		{"IPv6 zone", "10.0.0.1:5000", []string{"fe80::1%eth0"}, "10.0.0.1"},
		{"IPv6", "[fd00::1]:5000", []string{"2001:db8::1"}, "2001:db8::1"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:5000", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"a hundred hops and no more", "10.0.0.1:5000", []string{"198.51.100.1, " + hundred}, "10.0.0.1"},
		{"with a port", "10.0.0.1:5000", []string{"198.51.100.1:80"}, "10.0.0.1"},
	}
	for _, test := range tests {
		header := http.Header{}
		for _, value := range test.forwarded {
			header.Add("X-Forwarded-For", value)
		}
		if got := proxies.ClientAddr(request(test.remote, header)).String(); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	var nobody *Proxies
	if got := nobody.ClientAddr(request("10.0.0.1:1", http.Header{"X-Forwarded-For": {"1.2.3.4"}})).String(); got != "10.0.0.1" {
		t.Errorf("without proxies: %s", got)
	}
}

func TestSecureIsTLSHereOrAtATrustedProxy(t *testing.T) {
	proxies := NewProxies([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	https := http.Header{"X-Forwarded-Proto": {"https"}}
	direct := request("203.0.113.7:1", nil)
	direct.TLS = &tls.ConnectionState{}
	for name, test := range map[string]struct {
		r    *http.Request
		want bool
	}{
		"plain": {request("203.0.113.7:1", nil), false}, "TLS here": {direct, true},
		"claimed by a stranger": {request("203.0.113.7:1", https), false}, "said by a proxy": {request("10.0.0.1:1", https), true},
		"plain at a proxy": {request("10.0.0.1:1", http.Header{"X-Forwarded-Proto": {"http"}}), false},
	} {
		if got := proxies.Secure(test.r); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
