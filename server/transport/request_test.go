package transport

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/protocol/native"
	"github.com/bellwire/bellwire/realtime/hub"
)

func testTransport() *WebSocket {
	return &WebSocket{config: Config{Protocols: []Protocol{{Subprotocol: "bellwire.v1.json", Session: native.JSON}, {Subprotocol: "bellwire.v1.proto", Session: native.Proto}}}}
}

// CON-1
func TestCON1TheSubprotocolIsChosen(t *testing.T) {
	tests := []struct {
		name   string
		offers []string
		want   string
		binary bool
		ok     bool
	}{
		{"no offer speaks JSON and selects nothing", nil, "", false, true},
		{"JSON", []string{"bellwire.v1.json"}, "bellwire.v1.json", false, true},
		{"protobuf", []string{"bellwire.v1.proto"}, "bellwire.v1.proto", true, true},
		{"the client's first", []string{"bellwire.v1.proto, bellwire.v1.json"}, "bellwire.v1.proto", true, true},
		{"the client's first known", []string{"graphql-ws, bellwire.v1.json"}, "bellwire.v1.json", false, true},
		{"in two fields", []string{"graphql-ws", "bellwire.v1.proto"}, "bellwire.v1.proto", true, true},
		{"only unknown ones", []string{"graphql-ws"}, "", false, false},
		{"another case is another name", []string{"Bellwire.v1.json"}, "", false, false},
		{"empty", []string{""}, "", false, false},
	}
	for _, test := range tests {
		got, ok := testTransport().choose(test.offers)
		if got.Subprotocol != test.want || ok != test.ok || ok && (got.Session.Framing() == hub.FramingBinary) != test.binary {
			t.Errorf("%s: %+v %v", test.name, got, ok)
		}
	}
}

// TEN-1, TEN-2
func TestTEN1TEN2TheQueryHasChannelsOnly(t *testing.T) {
	many := func(n int) string { return "channels=" + strings.TrimSuffix(strings.Repeat("c,", n), ",") }
	tests := []struct {
		query string
		want  int
		ok    bool
	}{
		{"", 0, true},
		{"channels=ticker", 1, true},
		{"channels=ticker,chat:lobby,*", 3, true},
		{"channels=chat%3Alobby", 1, true},
		{many(32), 32, true},
		{many(33), 0, false},
		{many(100_000), 0, false},
		{"channels=", 0, false},
		{"channels=a&channels=b", 0, false},
		{"channels=a&token=secret", 0, false},
		{"token=secret", 0, false},
		{"access_token=secret", 0, false},
		{"channels=%zz", 0, false},
		{"channels=a;token=b", 0, false},
		{"Channels=a", 0, false},
	}
	for _, test := range tests {
		got, refusal := readChannels(test.query)
		if len(got) != test.want || (refusal == "") != test.ok || strings.Contains(refusal, "secret") {
			t.Errorf("%.40s: %d %q", test.query, len(got), refusal)
		}
	}
}

func TestTheTokenOfTheAuthorizationHeader(t *testing.T) {
	tests := []struct {
		fields []string
		want   string
		ok     bool
	}{
		{nil, "", true}, {[]string{"Bearer a.b.c"}, "a.b.c", true}, {[]string{"bearer  a.b.c "}, "a.b.c", true},
		{[]string{"Basic dTpw"}, "", true}, {[]string{"Bearer"}, "", false}, {[]string{"Bearer "}, "", false},
		{[]string{"Bearer a", "Bearer b"}, "", false},
	}
	for _, test := range tests {
		got, refusal := bearer(test.fields)
		if got != test.want || (refusal == "") != test.ok {
			t.Errorf("%q: %q %q", test.fields, got, refusal)
		}
	}
}

func TestTheHeadIsBounded(t *testing.T) {
	guard := &Guard{HeaderLinesMax: 64, LineBytesMax: 8 << 10, URLBytesMax: 8 << 10, CookiesMax: 32, Hosts: []string{"localhost", "127.0.0.1", "::1"}}
	lines := func(n int) http.Header {
		header := http.Header{}
		for range n - 1 { // Host is one
			header.Add("X-A", "b")
		}
		return header
	}
	cookies := func(n int) http.Header {
		return http.Header{"Cookie": {strings.TrimSuffix(strings.Repeat("a=b; ", n), "; ")}}
	}
	tests := []struct {
		name   string
		uri    string
		host   string
		header http.Header
		want   int
	}{
		{"plain", "/ws", "localhost:8000", nil, 0},
		{"64 lines", "/ws", "localhost", lines(64), 0},
		{"65 lines", "/ws", "localhost", lines(65), 431},
		{"10,000 lines", "/ws", "localhost", lines(10_000), 431},
		{"line of 8 KiB", "/ws", "localhost", http.Header{"X-A": {strings.Repeat("b", 8<<10-5)}}, 0},
		{"line of 8 KiB and one", "/ws", "localhost", http.Header{"X-A": {strings.Repeat("b", 8<<10-4)}}, 431},
		{"URL of 8 KiB", "/" + strings.Repeat("a", 8<<10-1), "localhost", nil, 0},
		{"URL of 8 KiB and one", "/" + strings.Repeat("a", 8<<10), "localhost", nil, 414},
		{"32 cookies", "/ws", "localhost", cookies(32), 0},
		{"33 cookies", "/ws", "localhost", cookies(33), 431},
		{"loopback by address", "/ws", "127.0.0.1:8000", nil, 0},
		{"loopback by IPv6", "/ws", "[::1]:8000", nil, 0},
		{"in capitals", "/ws", "LOCALHOST:8000", nil, 0},
		{"a name that points here", "/ws", "evil.example:8000", nil, 421},
		{"a name that begins alike", "/ws", "localhost.evil.example", nil, 421},
		{"empty", "/ws", "", nil, 421},
		{"strange", "/ws", "[::1", nil, 0},
	}
	for _, test := range tests {
		r := request("203.0.113.7:1", test.header)
		r.RequestURI, r.Host = test.uri, test.host
		if got, _ := guard.check(r); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
	guard.Hosts = nil
	r := request("203.0.113.7:1", nil)
	r.Host = "anything.example"
	if got, _ := guard.check(r); got != 0 {
		t.Errorf("without a list: %d", got)
	}
}
