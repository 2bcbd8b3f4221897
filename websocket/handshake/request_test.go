package handshake

import (
	"bufio"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// good is the request of RFC 6455 1.2, changed by edit.
func good(edit func(*Request)) Request {
	r := Request{
		Method: "GET", ProtoMajor: 1, ProtoMinor: 1, Host: "server.example.com",
		Header: http.Header{
			"Upgrade":               {"websocket"},
			"Connection":            {"Upgrade"},
			"Sec-Websocket-Key":     {"dGhlIHNhbXBsZSBub25jZQ=="},
			"Sec-Websocket-Version": {"13"},
		},
	}
	if edit != nil {
		edit(&r)
	}
	return r
}

func with(name string, values ...string) func(*Request) {
	return func(r *Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
}

func without(name string) func(*Request) {
	return func(r *Request) { r.Header.Del(name) }
}

// headOf makes the head of a request that many bytes long.
func headOf(size int) func(*Request) {
	return func(r *Request) {
		r.Target = "/"
		var head strings.Builder
		head.WriteString("GET / HTTP/1.1\r\nHost: " + r.Host + "\r\n")
		r.Header.Write(&head)
		for n := size - head.Len() - len("\r\n"); n > 0; {
			line := min(n, 4096)
			if rest := n - line; rest > 0 && rest < 10 {
				line -= 10
			}
			r.Header["X"] = append(r.Header["X"], strings.Repeat("x", line-len("X: \r\n")))
			n -= line
		}
	}
}

// fieldsOf makes a request with that many field lines, with that of the Host.
func fieldsOf(count int) func(*Request) {
	return func(r *Request) {
		for range count - 1 - len(r.Header) {
			r.Header["X"] = append(r.Header["X"], "x")
		}
	}
}

func policy() *Policy {
	return &Policy{
		Subprotocols:    []string{"chat", "superchat"},
		SubprotocolsMax: 8, ExtensionsMax: 8, OfferBytesMax: 512,
		HeadBytesMax: 16 << 10, LineBytesMax: 8 << 10, FieldsMax: 64, CookiesMax: 32,
	}
}

func TestRequest(t *testing.T) {
	rows := []struct {
		rule string
		edit func(*Request)
		want *Refusal
	}{
		{"RFC 6455 1.2: the example", nil, nil},
		{"HS-08 POST", func(r *Request) { r.Method = "POST" }, refuseMethod},
		{"HS-08 HEAD", func(r *Request) { r.Method = "HEAD" }, refuseMethod},
		{"HS-08 CONNECT", func(r *Request) { r.Method = "CONNECT" }, refuseMethod},
		{"HS-08 lower case", func(r *Request) { r.Method = "get" }, refuseMethod},
		{"HS-08 empty", func(r *Request) { r.Method = "" }, refuseMethod},
		{"HS-09 HTTP/1.0", func(r *Request) { r.ProtoMinor = 0 }, refuseProto},
		{"HS-09 HTTP/0.9", func(r *Request) { r.ProtoMajor, r.ProtoMinor = 0, 9 }, refuseProto},
		{"HS-09 HTTP/2.0", func(r *Request) { r.ProtoMajor, r.ProtoMinor = 2, 0 }, refuseProto},
		{"HS-10 Upgrade missing", without("Upgrade"), refuseUpgrade},
		{"HS-10 Upgrade empty", with("Upgrade", ""), refuseUpgrade},
		{"HS-10 Upgrade websocket2", with("Upgrade", "websocket2"), refuseUpgrade},
		{"HS-10 Upgrade h2c", with("Upgrade", "h2c"), refuseUpgrade},
		{"HS-10 Upgrade in a list", with("Upgrade", "h2c, websocket"), nil},
		{"HS-10 Upgrade in mixed case", with("Upgrade", "WebSocket"), nil},
		{"HS-10 Upgrade in two fields", with("Upgrade", "h2c", "websocket"), nil},
		{"HS-11 Connection missing", without("Connection"), refuseConnection},
		{"HS-11 Connection keep-alive", with("Connection", "keep-alive"), refuseConnection},
		{"HS-11 Connection in a list", with("Connection", "keep-alive, Upgrade"), nil},
		{"HS-11 Connection close too", with("Connection", "close, Upgrade"), nil},
		{"HS-11 Connection in mixed case", with("Connection", "uPGRADE"), nil},
		{"HS-11 Connection in two fields", with("Connection", "keep-alive", "upgrade"), nil},
		{"HS-12 version missing", without("Sec-Websocket-Version"), refuseVersion},
		{"HS-12 version 8", with("Sec-Websocket-Version", "8"), refuseVersion},
		{"HS-12 version 14", with("Sec-Websocket-Version", "14"), refuseVersion},
		{"HS-12 version 013", with("Sec-Websocket-Version", "013"), refuseVersion},
		{"HS-12 version -13", with("Sec-Websocket-Version", "-13"), refuseVersion},
		{"HS-12 version list", with("Sec-Websocket-Version", "13, 8"), refuseVersion},
		{"HS-12 version twice", with("Sec-Websocket-Version", "13", "13"), refuseVersion},
		{"HS-12 version with space", with("Sec-Websocket-Version", " 13"), nil},
		{"HS-13 key missing", without("Sec-Websocket-Key"), refuseKey},
		{"HS-13 key empty", with("Sec-Websocket-Key", ""), refuseKey},
		{"HS-13 key of 15 bytes", with("Sec-Websocket-Key", "AAAAAAAAAAAAAAAAAAAA"), refuseKey},
		{"HS-13 key of 17 bytes", with("Sec-Websocket-Key", "AAAAAAAAAAAAAAAAAAAAAAA="), refuseKey},
		{"HS-13 key of 18 bytes", with("Sec-Websocket-Key", "AAAAAAAAAAAAAAAAAAAAAAAA"), refuseKey},
		{"HS-13 key not base64", with("Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25j*Q=="), refuseKey},
		{"HS-13 key of the URL alphabet", with("Sec-Websocket-Key", "dGhlIHNhbXBsZSBub2-_ZQ=="), refuseKey},
		{"HS-13 key without padding", with("Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ"), refuseKey},
		{"HS-13 key of spaces", with("Sec-Websocket-Key", strings.Repeat(" ", 24)), refuseKey},
		{"HS-13 key twice", with("Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=="), refuseKey},
		{"HS-13 key of 4 KiB", with("Sec-Websocket-Key", strings.Repeat("A", 4096)), refuseKey},
		{"HS-14 Host missing", func(r *Request) { r.Host = "" }, refuseHost},
		{"HS-14 Host with a space", func(r *Request) { r.Host = "a b" }, refuseHost},
		{"HS-14 Host with a bracket open", func(r *Request) { r.Host = "[::1" }, refuseHost},
		{"HS-14 Host with a large port", func(r *Request) { r.Host = "host:99999" }, refuseHost},
		{"HS-14 Host with a path", func(r *Request) { r.Host = "host/path" }, refuseHost},
		{"HS-14 Host with a user", func(r *Request) { r.Host = "user@host" }, refuseHost},
		{"HS-14 Host not ASCII", func(r *Request) { r.Host = "hôte" }, refuseHost},
		{"HS-14 Host with a port", func(r *Request) { r.Host = "host:8080" }, nil},
		{"HS-14 Host of IPv6", func(r *Request) { r.Host = "[::1]:8080" }, nil},
		{"HS-20 body", func(r *Request) { r.ContentLength = 1 }, refuseBody},
		{"HS-20 body of unknown length", func(r *Request) { r.ContentLength = -1 }, refuseBody},
		{"HS-20 chunked", func(r *Request) { r.TransferEncoding = []string{"chunked"} }, refuseBody},
		{"HS-16 eight subprotocols", with("Sec-Websocket-Protocol", "a,b,c,d,e,f,g,h"), nil},
		{"HS-16 nine subprotocols", with("Sec-Websocket-Protocol", "a,b,c,d,e,f,g,h,i"), refuseOffers},
		{"HS-16 512 bytes", with("Sec-Websocket-Protocol", strings.Repeat("a", 512)), nil},
		{"HS-16 513 bytes", with("Sec-Websocket-Protocol", strings.Repeat("a", 513)), refuseOffers},
		{"HS-16 empty item", with("Sec-Websocket-Protocol", "a,,b"), refuseSubprotocol},
		{"HS-16 empty field", with("Sec-Websocket-Protocol", ""), refuseSubprotocol},
		{"HS-16 not a token", with("Sec-Websocket-Protocol", "a b"), refuseSubprotocol},
		{"HS-16 duplicate", with("Sec-Websocket-Protocol", "a, a"), refuseSubprotocol},
		{"HS-16 duplicate over two fields", with("Sec-Websocket-Protocol", "a", "a"), refuseSubprotocol},
		{"HS-04 head of 16 KiB", headOf(16 << 10), nil},
		{"HS-04 head of 16 KiB and 1", headOf(16<<10 + 1), refuseHead},
		{"HS-05 64 fields", fieldsOf(64), nil},
		{"HS-05 65 fields", fieldsOf(65), refuseFields},
		{"HS-05 10,000 fields", fieldsOf(10000), refuseHead},
		{"HS-06 field of 8 KiB", with("X", strings.Repeat("x", 8<<10-3)), nil},
		{"HS-06 field of 8 KiB and 1", with("X", strings.Repeat("x", 8<<10-2)), refuseLine},
		{"HS-06 URL of 8 KiB", func(r *Request) { r.Target = strings.Repeat("/", 8<<10) }, nil},
		{"HS-06 URL of 8 KiB and 1", func(r *Request) { r.Target = strings.Repeat("/", 8<<10+1) }, refuseTarget},
		{"HS-06 32 cookies", with("Cookie", "a=b"+strings.Repeat(";a=b", 31)), nil},
		{"HS-06 33 cookies", with("Cookie", "a=b"+strings.Repeat(";a=b", 32)), refuseCookies},
		{"HS-06 33 cookies in two fields", with("Cookie", "a=b"+strings.Repeat(";a=b", 30), "a=b; a=b"), refuseCookies},
		{"HS-06 10,000 cookies", with("Cookie", strings.Repeat("a;", 10000)), refuseLine},
		{"HS-16 run of separators", with("Sec-Websocket-Protocol", strings.Repeat(" ,", 4000)), refuseSubprotocol},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			if _, got := policy().Check(good(row.edit)); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func TestAccept(t *testing.T) {
	// RFC 6455 1.3
	if got := Accept("dGhlIHNhbXBsZSBub25jZQ=="); got != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("got %q", got)
	}
	if got := Key([16]byte([]byte("the sample nonce"))); got != "dGhlIHNhbXBsZSBub25jZQ==" {
		t.Errorf("got %q", got)
	}
}

func TestSubprotocolChoice(t *testing.T) {
	for _, row := range []struct {
		rule    string
		offered []string
		want    string
	}{
		{"none offered", nil, ""},
		{"none in common", []string{"mqtt"}, ""},
		{"the server's order wins", []string{"superchat, chat"}, "chat"},
		{"names are case-sensitive", []string{"Chat, superchat"}, "superchat"},
		{"over several fields", []string{"mqtt", "superchat"}, "superchat"},
	} {
		accepted, refusal := policy().Check(good(func(r *Request) { r.Header["Sec-Websocket-Protocol"] = row.offered }))
		if refusal != nil || accepted.Subprotocol != row.want {
			t.Errorf("%s: got %q, %v", row.rule, accepted.Subprotocol, refusal)
		}
	}
}

func TestAppendResponse(t *testing.T) {
	accepted := Accepted{Accept: "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", Subprotocol: "chat"}
	extra := http.Header{
		"Set-Cookie":           {"a=b\r\nInjected: yes"},
		"Sec-Websocket-Accept": {"forged"},
		"Upgrade":              {"h2c"},
		"Bad Name":             {"x"},
	}
	const want = "HTTP/1.1 101 Switching Protocols\r\n" +
		"Upgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" +
		"Sec-WebSocket-Protocol: chat\r\n" +
		"Sec-WebSocket-Extensions: permessage-deflate\r\n" +
		"Set-Cookie: a=b  Injected: yes\r\n\r\n"
	if got := string(AppendResponse(nil, accepted, "permessage-deflate", extra)); got != want {
		t.Errorf("got\n%s", got)
	}
}

// FuzzRequest reads requests as the HTTP server does. Whatever comes, the answer
// is one of the documented ones, and an accepted request has what RFC 6455 asks.
func FuzzRequest(f *testing.F) {
	const head = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
	f.Add(head + "\r\n")
	f.Add(head + "Origin: http://server.example.com\r\nSec-WebSocket-Protocol: chat, superchat\r\n\r\n")
	f.Add(head + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x; a=\"\\b\"\r\n\r\n")
	f.Add(head + "Origin: null\r\nContent-Length: 4\r\n\r\nbody")
	f.Add(strings.Replace(head, "GET", "POST", 1) + "\r\n")
	statuses := []int{400, 403, 405, 414, 426, 431, 505}
	f.Fuzz(func(t *testing.T, raw string) {
		parsed, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
		if err != nil {
			return
		}
		r := Request{
			Method: parsed.Method, ProtoMajor: parsed.ProtoMajor, ProtoMinor: parsed.ProtoMinor, Host: parsed.Host,
			Header: parsed.Header, ContentLength: parsed.ContentLength, TransferEncoding: parsed.TransferEncoding,
		}
		accepted, refusal := policy().Check(r)
		if refusal != nil {
			if !slices.Contains(statuses, refusal.Status) || accepted.Accept != "" {
				t.Fatalf("refused with %d, accepted %+v", refusal.Status, accepted)
			}
			return
		}
		key := strings.Trim(parsed.Header.Get("Sec-Websocket-Key"), " \t")
		if parsed.Method != "GET" || accepted.Accept != Accept(key) || parsed.Header.Get("Sec-Websocket-Version") != "13" {
			t.Fatalf("accepted %q", raw)
		}
		if accepted.Subprotocol != "" && !slices.Contains(policy().Subprotocols, accepted.Subprotocol) {
			t.Fatalf("chose %q", accepted.Subprotocol)
		}
		if strings.Count(string(AppendResponse(nil, accepted, "", nil)), "\r\n\r\n") != 1 {
			t.Fatal("the response has a second head")
		}
	})
}
