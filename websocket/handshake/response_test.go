package handshake

import (
	"bufio"
	"net/http"
	"slices"
	"strings"
	"testing"
)

const sampleKey = "dGhlIHNhbXBsZSBub25jZQ=="

func sampleOffer() Offer {
	return Offer{Key: sampleKey, Subprotocols: []string{"chat", "superchat"}, Extension: "permessage-deflate"}
}

func TestResponse(t *testing.T) {
	rows := []struct {
		rule   string
		status int
		edit   func(http.Header)
		fault  string
	}{
		{"the example", 101, nil, ""},
		{"status 200", 200, nil, faultStatus},
		{"status 301", 301, nil, faultStatus},
		{"status 401", 401, nil, faultStatus},
		{"status 500", 500, nil, faultStatus},
		{"Upgrade missing", 101, func(h http.Header) { h.Del("Upgrade") }, faultUpgrade},
		{"Upgrade other", 101, func(h http.Header) { h.Set("Upgrade", "h2c") }, faultUpgrade},
		{"Upgrade list", 101, func(h http.Header) { h.Set("Upgrade", "websocket, h2c") }, faultUpgrade},
		{"Upgrade mixed case", 101, func(h http.Header) { h.Set("Upgrade", "WebSocket") }, ""},
		{"Connection missing", 101, func(h http.Header) { h.Del("Connection") }, faultConnection},
		{"Connection list", 101, func(h http.Header) { h.Set("Connection", "keep-alive, upgrade") }, ""},
		{"Accept missing", 101, func(h http.Header) { h.Del("Sec-Websocket-Accept") }, faultAccept},
		{"Accept wrong", 101, func(h http.Header) { h.Set("Sec-Websocket-Accept", Accept("other")) }, faultAccept},
		{"Accept in other case", 101, func(h http.Header) { h.Set("Sec-Websocket-Accept", strings.ToUpper(Accept(sampleKey))) }, faultAccept},
		{"Accept twice", 101, func(h http.Header) { h.Add("Sec-Websocket-Accept", Accept(sampleKey)) }, faultAccept},
		{"subprotocol offered", 101, func(h http.Header) { h.Set("Sec-Websocket-Protocol", "superchat") }, ""},
		{"subprotocol not offered", 101, func(h http.Header) { h.Set("Sec-Websocket-Protocol", "mqtt") }, faultSubprotocol},
		{"subprotocol empty", 101, func(h http.Header) { h.Set("Sec-Websocket-Protocol", "") }, faultSubprotocol},
		{"two subprotocols", 101, func(h http.Header) { h.Set("Sec-Websocket-Protocol", "chat, superchat") }, faultSubprotocol},
		{"extension", 101, func(h http.Header) { h.Set("Sec-Websocket-Extensions", "permessage-deflate") }, ""},
		{"extension malformed", 101, func(h http.Header) { h.Set("Sec-Websocket-Extensions", "a;") }, "Sec-WebSocket-Extensions: " + errExtensionSyntax.Error()},
		{"two extensions", 101, func(h http.Header) { h.Set("Sec-Websocket-Extensions", "a, b") }, "Sec-WebSocket-Extensions: " + errExtensionCount.Error()},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			h := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Accept": {Accept(sampleKey)}}
			if row.edit != nil {
				row.edit(h)
			}
			_, got := sampleOffer().Check(row.status, h)
			if (got == nil) != (row.fault == "") || got != nil && got.Reason != row.fault {
				t.Errorf("got %v, want %q", got, row.fault)
			}
			if got != nil && got.Error() != got.Reason {
				t.Errorf("error %q", got.Error())
			}
		})
	}
	h := http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Accept": {Accept(sampleKey)}, "Sec-Websocket-Extensions": {"a"}}
	if _, got := (Offer{Key: sampleKey}).Check(101, h); got == nil || got.Reason != faultNoExtensions {
		t.Errorf("extension without offer: got %v", got)
	}
}

func TestOfferHeader(t *testing.T) {
	h := http.Header{"Cookie": {"a=b"}, "Sec-Websocket-Key": {"forged"}, "Upgrade": {"h2c"}}
	sampleOffer().SetHeader(h)
	want := http.Header{
		"Cookie": {"a=b"}, "Upgrade": {"websocket"}, "Connection": {"Upgrade"},
		"Sec-WebSocket-Key": {sampleKey}, "Sec-WebSocket-Version": {"13"},
		"Sec-WebSocket-Protocol": {"chat, superchat"}, "Sec-WebSocket-Extensions": {"permessage-deflate"},
	}
	if len(h) != len(want) {
		t.Errorf("got %v", h)
	}
	for name, values := range want {
		if !slices.Equal(h[name], values) {
			t.Errorf("%s: got %q", name, h[name])
		}
	}
}

func TestOfferValid(t *testing.T) {
	for _, row := range []struct {
		names []string
		valid bool
	}{
		{nil, true}, {[]string{"chat"}, true}, {[]string{"chat", "chat"}, false}, {[]string{""}, false}, {[]string{"a b"}, false},
	} {
		if got := (Offer{Subprotocols: row.names}).Valid(); got != row.valid {
			t.Errorf("%q: got %v", row.names, got)
		}
	}
}

// FuzzResponse: whatever a server answers, what is agreed was offered.
func FuzzResponse(f *testing.F) {
	const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	f.Add(head + "\r\n")
	f.Add(head + "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
	f.Add("HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n")
	f.Fuzz(func(t *testing.T, raw string) {
		response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), nil)
		if err != nil {
			return
		}
		offer := sampleOffer()
		answer, fault := offer.Check(response.StatusCode, response.Header)
		if fault != nil {
			return
		}
		if response.StatusCode != 101 || response.Header.Get("Sec-Websocket-Accept") == "" {
			t.Fatalf("accepted %q", raw)
		}
		if answer.Subprotocol != "" && !slices.Contains(offer.Subprotocols, answer.Subprotocol) {
			t.Fatalf("agreed to %q", answer.Subprotocol)
		}
		if len(answer.Extensions) > 1 {
			t.Fatalf("agreed to %+v", answer.Extensions)
		}
	})
}
