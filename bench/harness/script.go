package harness

import "fmt"

// script is what a server must be told and what it says, as literal text; native/line.h says what each field is for.
type script struct {
	subscribe, stream, ready    string
	connect, connected          string
	publish, publishEnd, answer string
	ping, pong                  string
	http, httpBody, httpBodyEnd string
	sized, binary               bool
}

const upgrade = "GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"

const post = "Host: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %u\r\n\r\n"

const bellwireKey = "bench-bench-bench-bench-bench"

var bellwireScript = script{
	subscribe: `{"id":1,"connect":{"subscribe":[{"channel":"bench:%u"}]}}`, ready: `"subscribed"`,
	connect: `{"id":1,"connect":{}}`, connected: `"connect"`,
	publish: `{"id":1,"publish":{"channel":"bench:%u","data":`, publishEnd: `}}`, answer: `"id":1`,
	http:     "POST /api/v1/publish HTTP/1.1\r\nAuthorization: Bearer " + bellwireKey + "\r\n" + post,
	httpBody: `{"channel":"bench:%u","data":`, httpBodyEnd: `}`,
}

var centrifugeScript = script{
	subscribe: `{"id":1,"connect":{}}` + "\n" + `{"id":2,"subscribe":{"channel":"bench:%u"}}`, ready: `"id":2`,
	connect: `{"id":1,"connect":{}}`, connected: `"id":1`,
	publish: `{"id":1,"publish":{"channel":"bench:%u","data":`, publishEnd: `}}`, answer: `"id":1`,
	ping: `{}`, pong: `{}`,
	http:     "POST /api/publish HTTP/1.1\r\n" + post,
	httpBody: `{"channel":"bench:%u","data":`, httpBodyEnd: `}`,
}

var natsScript = script{
	subscribe: "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB bench.%u 1\r\nPING\r\n", ready: "PONG",
	connect: "CONNECT {\"verbose\":true,\"pedantic\":false}\r\nPING\r\n", connected: "PONG",
	publish: "PUB bench.%u ", sized: true, publishEnd: "\r\n", answer: "+OK",
	ping: "PING", pong: "PONG\r\n", binary: true,
}

// The scripts of subscribers by Server-Sent Events. Centrifuge is told {"id":1,"connect":{"subs":{"bench:%u":{}}}}, escaped for an
// address, and for printf.
var (
	bellwireStreams   = bellwireScript.streamed("/sse?channels=bench:%u", `"subscribed"`)
	centrifugeStreams = centrifugeScript.streamed("/connection/sse?cf_connect="+
		"%%7B%%22id%%22:1,%%22connect%%22:%%7B%%22subs%%22:%%7B%%22bench:%u%%22:%%7B%%7D%%7D%%7D%%7D", `"subs"`)
)

// streamed is the same script with subscribers that are streams.
func (s script) streamed(target, ready string) script {
	s.stream, s.subscribe, s.ready = "GET "+target+" HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n", "", ready
	return s
}

// broadcastScript is that of the servers without a protocol: the floor, and the one on Node.js.
var broadcastScript = script{subscribe: "S", ready: "OK", answer: "OK"}

// teach sets the script of a load generator.
func (s *script) teach(load *process) error {
	flag := map[bool]string{true: "1", false: "0"}
	for _, field := range [][2]string{
		{"request", upgrade}, {"stream", s.stream}, {"subscribe", s.subscribe}, {"ready", s.ready}, {"connect", s.connect}, {"connected", s.connected},
		{"publish", s.publish}, {"publish_end", s.publishEnd}, {"answer", s.answer}, {"ping", s.ping}, {"pong", s.pong},
		{"http", s.http}, {"http_body", s.httpBody}, {"http_body_end", s.httpBodyEnd}, {"sized", flag[s.sized]}, {"binary", flag[s.binary]},
	} {
		if _, err := load.ask("script %s %x", field[0], field[1]); err != nil {
			return fmt.Errorf("teaching: %w", err)
		}
	}
	return nil
}
