package handshake

import (
	"net/http"
	"testing"
)

// connect is the request of RFC 8441 5.1, changed by edit.
func connect(edit func(*Request)) Request {
	r := Request{
		Method: "CONNECT", Protocol: "websocket", Target: "/chat", ProtoMajor: 2, Host: "server.example.com", Secure: true, ContentLength: -1,
		Header: http.Header{
			":protocol":                {"websocket"},
			"Sec-Websocket-Protocol":   {"chat, superchat"},
			"Sec-Websocket-Extensions": {"permessage-deflate"},
			"Sec-Websocket-Version":    {"13"},
			"Origin":                   {"https://server.example.com"},
		},
	}
	if edit != nil {
		edit(&r)
	}
	return r
}

func TestExtendedConnect(t *testing.T) {
	rows := []struct {
		rule string
		edit func(*Request)
		want *Refusal
	}{
		{"RFC 8441 5.1: the example", nil, nil},
		{"RFC 8441 5: over http for ws", func(r *Request) { r.Secure = false; r.Header.Set("Origin", "http://server.example.com") }, nil},
		{"RFC 8441 5: the token in another case", func(r *Request) { r.Protocol = "WebSocket" }, nil},
		{"RFC 8441 4: CONNECT without :protocol is a tunnel", func(r *Request) { r.Protocol = "" }, refuseTunnel},
		{"RFC 8441 4: another :protocol", func(r *Request) { r.Protocol = "connect-udp" }, refuseProtocol},
		{"RFC 8441 4: the list of an Upgrade is no :protocol", func(r *Request) { r.Protocol = "websocket, x" }, refuseProtocol},
		{"RFC 8441 5: the method is CONNECT", func(r *Request) { r.Method = "GET" }, refuseProto},
		{"RFC 8441 5: a stream that ended with its head", func(r *Request) { r.ContentLength = 0 }, refuseEnded},
		{"RFC 9110 9.3.6: CONNECT with a length", func(r *Request) { r.ContentLength = 5 }, refuseLength},
		{"RFC 9110 9.3.6: CONNECT with a length of nothing", func(r *Request) { r.Header.Set("Content-Length", "-1") }, refuseLength},
		{"RFC 8441 5: with Upgrade", withValue("Upgrade", "websocket"), refuseConnected},
		{"RFC 8441 5: with Connection", withValue("Connection", "Upgrade"), refuseConnected},
		{"RFC 8441 5: a key is not processed", withValue("Sec-Websocket-Key", "not a key"), nil},
		{"RFC 8441 5: no version", func(r *Request) { r.Header.Del("Sec-Websocket-Version") }, refuseStreamVersion},
		{"RFC 8441 5: version 12", withValue("Sec-Websocket-Version", "12"), refuseStreamVersion},
		{"RFC 8441 5: two versions", func(r *Request) { r.Header["Sec-Websocket-Version"] = []string{"13", "13"} }, refuseStreamVersion},
		{"RFC 8441 4: no :authority", func(r *Request) { r.Host = "" }, refuseHost},
		{"RFC 8441 4: :authority with a user", func(r *Request) { r.Host = "u@server.example.com" }, refuseHost},
		{"HS-19: another origin", withValue("Origin", "https://evil.example"), refuseOrigin},
		{"HS-19: the origin of the other scheme", func(r *Request) { r.Secure = false }, refuseOrigin},
		{"malformed subprotocols", withValue("Sec-Websocket-Protocol", "a b"), refuseSubprotocol},
		{"a target too long", func(r *Request) { r.Target = string(make([]byte, 9000)) }, refuseTarget},
		{"HTTP/1.1 has no extended CONNECT", func(r *Request) { r.ProtoMajor, r.ProtoMinor = 1, 1 }, refuseMethod},
		{"HTTP/3 has another", func(r *Request) { r.ProtoMajor = 3 }, refuseMethod},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			got, refusal := policy().Check(connect(row.edit))
			if refusal != row.want {
				t.Fatalf("got %v, want %v", refusal, row.want)
			}
			if refusal == nil && (got.Accept != "" || got.Subprotocol != "chat" || len(got.Extensions) != 1) {
				t.Errorf("accepted as %+v", got)
			}
		})
	}
}

func withValue(name, value string) func(*Request) {
	return func(r *Request) { r.Header.Set(name, value) }
}

// RFC 8441 5: the answer has neither Accept nor anything of an upgrade.
func TestSetResponse(t *testing.T) {
	h := http.Header{"X-Before": {"1"}}
	SetResponse(h, Accepted{Subprotocol: "chat"}, "permessage-deflate", http.Header{
		"Set-Cookie": {"a=b", "c=d\r\nX-Evil: 1"}, "Upgrade": {"x"}, "Connection": {"x"}, "Sec-Websocket-Accept": {"x"}, "Content-Length": {"5"}, "no token": {"x"},
	})
	want := map[string]string{"X-Before": "1", "Sec-Websocket-Protocol": "chat", "Sec-Websocket-Extensions": "permessage-deflate", "Set-Cookie": "a=b"}
	for name, value := range want {
		if h.Get(name) != value {
			t.Errorf("%s is %q", name, h.Get(name))
		}
	}
	if len(h) != len(want) || h["Set-Cookie"][1] != "c=d  X-Evil: 1" {
		t.Errorf("%v", h)
	}
}

func TestConnectAnswer(t *testing.T) {
	rows := []struct {
		rule   string
		status int
		header http.Header
		fault  string
	}{
		{"RFC 8441 5.1: the example", 200, http.Header{"Sec-Websocket-Protocol": {"chat"}}, ""},
		{"RFC 9110 9.3.6: any 2xx", 204, nil, ""},
		{"RFC 8441 5: an Accept is not processed", 200, http.Header{"Sec-Websocket-Accept": {"x"}}, ""},
		{"101 is of HTTP/1.1", 101, nil, faultConnectedStatus},
		{"a redirect", 302, nil, faultConnectedStatus},
		{"a refusal", 403, nil, faultConnectedStatus},
		{"a subprotocol not offered", 200, http.Header{"Sec-Websocket-Protocol": {"mqtt"}}, faultSubprotocol},
		{"an extension not offered", 200, http.Header{"Sec-Websocket-Extensions": {"x"}}, faultNoExtensions},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			_, got := Offer{Subprotocols: []string{"chat"}}.Check(row.status, row.header)
			if (got == nil) != (row.fault == "") || got != nil && got.Reason != row.fault {
				t.Errorf("got %v, want %q", got, row.fault)
			}
		})
	}
}

// RFC 8441 5: what a client sends, besides the pseudo-headers.
func TestConnectOffer(t *testing.T) {
	h := http.Header{"Upgrade": {"x"}, "Connection": {"x"}, "Sec-Websocket-Key": {"x"}, "Origin": {"https://a"}}
	Offer{Subprotocols: []string{"a", "b"}, Extension: "e"}.SetHeader(h)
	want := map[string]string{"Origin": "https://a", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": "a, b", "Sec-WebSocket-Extensions": "e"}
	for name, value := range want {
		if len(h[name]) != 1 || h[name][0] != value {
			t.Errorf("%s is %q", name, h[name])
		}
	}
	if len(h) != len(want) {
		t.Errorf("%v", h)
	}
}
