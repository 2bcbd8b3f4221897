package reactor

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

const plainHead = "GET /ws?channels=a HTTP/1.1\r\nHost: example.com:8000\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nOrigin:   https://example.com  \r\nCookie: a=b\r\nCookie: c=d\r\n\r\n"

// agrees holds a head that was taken against what net/http reads of it.
func agrees(t *testing.T, b []byte, got *http.Request, length int) {
	t.Helper()
	want, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b[:length])))
	if err != nil {
		t.Fatalf("%q: net/http refuses it: %v", b, err)
	}
	if got.Method != want.Method || got.RequestURI != want.RequestURI || got.Host != want.Host || got.Proto != want.Proto ||
		*got.URL != *want.URL || !reflect.DeepEqual(got.Header, want.Header) || want.ContentLength != 0 {
		t.Fatalf("%q:\n%+v\nnet/http:\n%+v", b, got, want)
	}
}

func TestAPlainHeadIsReadAsNetHTTPDoes(t *testing.T) {
	request, length, ok := newHead(context.Background()).read([]byte(plainHead + "\x81\x80frame"))
	if !ok || length != len(plainHead) {
		t.Fatal(length, ok)
	}
	agrees(t, []byte(plainHead), request, length)
	if request.Header.Get("Sec-WebSocket-Key") == "" || request.Host != "example.com:8000" || request.URL.Path != "/ws" {
		t.Errorf("%+v", request)
	}
}

// The memory for a head is used again: of the last one nothing is left in it, whatever that had, and whether it was taken or not.
func TestNothingOfAHeadIsInTheNext(t *testing.T) {
	many := strings.Replace(plainHead, "Origin", strings.Repeat("X-Same: a\r\n", 40)+"Origin", 1)
	h := newHead(context.Background())
	for _, row := range []struct {
		head string
		ok   bool
	}{
		{plainHead, true},
		{"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", true},
		{many, true},
		{strings.Replace(plainHead, "GET", "PUT", 1), false},
		{strings.Replace(plainHead, "Origin:", "Origin", 1), false},
		{"GET /a?b HTTP/1.1\r\nHost: b\r\nUpgrade: websocket\r\nX-A: 1\r\nX-B: 2\r\nX-A: 3\r\n\r\n", true},
	} {
		request, length, ok := h.read([]byte(row.head))
		if ok != row.ok {
			t.Fatalf("%q: taken %t", row.head, ok)
		}
		if ok {
			agrees(t, []byte(row.head), request, length)
		}
		h.clear()
	}
}

func TestEveryPrefixOfAHeadIsLeftToOthers(t *testing.T) {
	h := newHead(context.Background())
	for i := range len(plainHead) {
		if _, _, ok := h.read([]byte(plainHead[:i])); ok {
			t.Fatalf("%d bytes are taken for a head", i)
		}
		h.clear()
	}
}

func TestWhatIsNotPlainIsLeftToOthers(t *testing.T) {
	swap := func(old, new string) string { return strings.Replace(plainHead, old, new, 1) }
	for name, head := range map[string]string{
		"another method":       swap("GET", "POST"),
		"HTTP/1.0":             swap("HTTP/1.1", "HTTP/1.0"),
		"HTTP/2":               "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"absolute target":      swap("/ws", "http://example.com/ws"),
		"two slashes":          swap("/ws", "//ws"),
		"fragment":             swap("/ws", "/ws#a"),
		"space in the target":  swap("/ws", "/w s"),
		"bytes in the target":  swap("/ws", "/w\xffs"),
		"two spaces":           swap("GET ", "GET  "),
		"no Host":              swap("Host: example.com:8000\r\n", ""),
		"two Hosts":            swap("Upgrade:", "Host: b\r\nUpgrade:"),
		"empty Host":           swap("example.com:8000", ""),
		"strange Host":         swap("example.com", "exam/ple"),
		"Host in UTF-8":        swap("example.com", "exämple"),
		"a length":             swap("Origin", "Content-Length: 5\r\nOrigin"),
		"chunks":               swap("Origin", "transfer-encoding: chunked\r\nOrigin"),
		"an expectation":       swap("Origin", "Expect: 100-continue\r\nOrigin"),
		"space before a colon": swap("Origin:", "Origin :"),
		"a folded line":        swap("Origin: ", "Origin:\r\n "),
		"a line without colon": swap("Origin:", "Origin"),
		"no name":              swap("Origin:", ":"),
		"a line feed alone":    swap("\r\nOrigin", "\nOrigin"),
		"a carriage return":    swap("https", "ht\rtps"),
		"a zero byte":          swap("https", "ht\x00tps"),
		"bytes in a value":     swap("https", "ht\xfftps"),
		"too many lines":       swap("Origin", strings.Repeat("A: b\r\n", fieldsMax)+"Origin"),
		"an escape cut short":  swap("/ws", "/ws%4"),
	} {
		if _, _, ok := newHead(context.Background()).read([]byte(head)); ok {
			t.Errorf("%s: is taken", name)
		}
	}
}

// FuzzHead: whatever is taken, net/http reads the same of it.
func FuzzHead(f *testing.F) {
	f.Add([]byte(plainHead))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\nPragma: no-cache\r\nUpgrade: websocket\r\n\r\n"))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: [::1]:80\r\nUpgrade: WebSocket\r\n\r\n"))
	f.Add([]byte("GET /%2e/?q HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nx:\r\nx: \t b \t\r\n\r\nmore"))
	f.Add([]byte("GET /a:b?c?d HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\n\r\n"))
	f.Add([]byte("GET /ws? HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nsec-WebSocket-Key: a\r\nSec-WebSocket-Extensions: b\r\n\r\n"))
	h := newHead(context.Background())
	f.Fuzz(func(t *testing.T, b []byte) {
		if request, length, ok := h.read(b); ok {
			agrees(t, b, request, length)
		}
		h.clear() // nothing of one is in the next
	})
}
