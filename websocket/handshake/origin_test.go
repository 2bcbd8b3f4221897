package handshake

import (
	"strings"
	"testing"
)

// HS-19, VC-23: who may connect, by Origin.
func TestOrigin(t *testing.T) {
	own := func(r *Request) { r.Host = "good.com"; r.Secure = true }
	rows := []struct {
		rule     string
		patterns []string
		origins  []string
		ok       bool
	}{
		{"absent: no browser", nil, nil, true},
		{"same origin", nil, []string{"https://good.com"}, true},
		{"same origin, port spelled out", nil, []string{"https://good.com:443"}, true},
		{"same origin, upper case", nil, []string{"HTTPS://GOOD.com"}, true},
		{"null", nil, []string{"null"}, false},
		{"empty", nil, []string{""}, false},
		{"other scheme", nil, []string{"http://good.com"}, false},
		{"scheme of the socket", nil, []string{"wss://good.com"}, false},
		{"other port", nil, []string{"https://good.com:8443"}, false},
		{"port of the other scheme", nil, []string{"https://good.com:80"}, false},
		{"trailing dot", nil, []string{"https://good.com."}, false},
		{"as prefix", nil, []string{"https://good.com.evil"}, false},
		{"as suffix", nil, []string{"https://evilgood.com"}, false},
		{"subdomain", nil, []string{"https://sub.good.com"}, false},
		{"as user", nil, []string{"https://good.com@evil"}, false},
		{"with a user", nil, []string{"https://evil@good.com"}, false},
		{"with a path", nil, []string{"https://good.com/"}, false},
		{"with a query", nil, []string{"https://good.com?x"}, false},
		{"with a fragment", nil, []string{"https://good.com#x"}, false},
		{"without scheme", nil, []string{"good.com"}, false},
		{"two fields", nil, []string{"https://good.com", "https://good.com"}, false},
		{"list", nil, []string{"https://good.com, https://good.com"}, false},
		{"list with spaces", nil, []string{"https://good.com https://evil"}, false},
		{"file", nil, []string{"file://"}, false},
		{"not ASCII", nil, []string{"https://gооd.com"}, false},
		{"backslash", nil, []string{`https://evil\good.com`}, false},
		{"port 0", nil, []string{"https://good.com:0"}, false},
		{"port with zeros", nil, []string{"https://good.com:0443"}, false},
		{"port wildcard is no port", nil, []string{"https://good.com:*"}, false},
		{"very long", nil, []string{"https://" + strings.Repeat("a", 8000)}, false},
		{"allowed exactly", []string{"https://app.com"}, []string{"https://app.com"}, true},
		{"allowed exactly, other scheme", []string{"https://app.com"}, []string{"http://app.com"}, false},
		{"allowed exactly, other scheme, same port", []string{"https://app.com:8443"}, []string{"http://app.com:8443"}, false},
		{"pattern: any port, other scheme", []string{"https://app.com:*"}, []string{"http://app.com"}, false},
		{"allowed exactly, subdomain", []string{"https://app.com"}, []string{"https://x.app.com"}, false},
		{"allowed: own origin stays", []string{"https://app.com"}, []string{"https://good.com"}, true},
		{"pattern: one label", []string{"https://*.app.com"}, []string{"https://x.app.com"}, true},
		{"pattern: two labels", []string{"https://*.app.com"}, []string{"https://y.x.app.com"}, true},
		{"pattern: no label", []string{"https://*.app.com"}, []string{"https://app.com"}, false},
		{"pattern: empty label", []string{"https://*.app.com"}, []string{"https://.app.com"}, false},
		{"pattern: no dot", []string{"https://*.app.com"}, []string{"https://evilapp.com"}, false},
		{"pattern: any port", []string{"http://localhost:*"}, []string{"http://localhost:5173"}, true},
		{"pattern: any port, default", []string{"http://localhost:*"}, []string{"http://localhost"}, true},
		{"pattern: any port, other host", []string{"http://localhost:*"}, []string{"http://localhost.evil:80"}, false},
		{"pattern: null", []string{"null"}, []string{"null"}, true},
		{"IPv6", []string{"http://[::1]:3000"}, []string{"http://[::1]:3000"}, true},
		{"IPv6, other port", []string{"http://[::1]:3000"}, []string{"http://[::1]:3001"}, false},
		{"extension of a browser", []string{"chrome-extension://abcdef"}, []string{"chrome-extension://abcdef"}, true},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			p := policy()
			var err error
			if p.Origins, err = ParseOrigins(row.patterns); err != nil {
				t.Fatal(err)
			}
			r := good(own)
			if row.origins != nil {
				r.Header["Origin"] = row.origins
			}
			_, refusal := p.Check(r)
			if ok := refusal == nil; ok != row.ok {
				t.Errorf("got %v", refusal)
			}
			if refusal != nil && refusal.Status != 403 {
				t.Errorf("status %d", refusal.Status)
			}
			p.AnyOrigin = true
			if _, refusal := p.Check(r); refusal != nil {
				t.Errorf("with any origin: %v", refusal)
			}
		})
	}
}

func TestOriginPatternFaults(t *testing.T) {
	for _, pattern := range []string{"", "*", "example.com", "https://", "https://*", "https://a/b", "https://a:99999", "https://[zz]", "https://[::1", "https://[::1]x"} {
		if _, err := ParseOrigins([]string{pattern}); err == nil {
			t.Errorf("%q is taken", pattern)
		}
	}
}

func FuzzOrigin(f *testing.F) {
	f.Add("https://good.com", "https://good.com")
	f.Add("https://*.good.com", "https://a.good.com:443")
	f.Add("http://[::1]:*", "http://[::1]:80")
	f.Fuzz(func(t *testing.T, pattern, value string) {
		list, err := ParseOrigins([]string{pattern})
		o, ok := parseOrigin(value)
		if err != nil || !ok || !list.match(o) {
			return
		}
		// What matches ends in the host that the pattern names, and in nothing after it.
		scheme, rest, _ := strings.Cut(strings.ToLower(pattern), "://")
		host, _, _ := splitAuthority(strings.TrimSuffix(strings.TrimPrefix(rest, "*."), ":*"))
		if scheme != o.scheme || !strings.HasSuffix(o.host, host) {
			t.Fatalf("%q matches %q", pattern, value)
		}
		if !strings.HasPrefix(rest, "*.") && o.host != host {
			t.Fatalf("%q matches %q", pattern, value)
		}
	})
}
