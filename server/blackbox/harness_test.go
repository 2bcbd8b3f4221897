package blackbox

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/leak"
	"github.com/bellwire/bellwire/server"
	"github.com/bellwire/bellwire/server/config"
)

func TestMain(m *testing.M) { leak.Main(m) }

// patience ends a test that would hang; nothing passes because of it.
const patience = 20 * time.Second

type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// target is a server in development mode; its end checks that nothing panicked.
type target struct {
	t       testing.TB
	address string
	log     *safeBuffer
}

func start(t testing.TB, change func(*config.Config)) *target {
	t.Helper()
	cfg, err := config.Load(config.Sources{Flags: map[string]any{"dev": true, "listen": "127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Drain = 0
	cfg.Limits.AdmissionPerSecond = 100_000
	if change != nil {
		change(cfg)
	}
	log := new(safeBuffer)
	s, err := server.New(server.Options{Config: cfg, Version: "test", Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	x := &target{t: t, address: strings.TrimPrefix(s.URL(), "http://"), log: log}
	t.Cleanup(func() {
		if strings.Contains(x.metrics(), "bellwire_panics_total{") {
			t.Error("something panicked:\n" + log.String())
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return x
}

func (x *target) metrics() string {
	x.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get("http://" + x.address + "/metrics")
	for deadline := time.Now().Add(patience); err != nil; { // the door is still shut for those who came before
		if time.Now().After(deadline) {
			x.t.Fatal(err)
		}
		response, err = client.Get("http://" + x.address + "/metrics")
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		x.t.Fatal(err)
	}
	return string(text)
}

// until waits for a line of the metrics.
func (x *target) until(line string) {
	x.t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(x.metrics(), line+"\n"); {
		if time.Now().After(deadline) {
			x.t.Fatalf("the metrics never say %s", line)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// line is one raw socket after the handshake.
type line struct {
	t       testing.TB
	conn    net.Conn
	in      *bufio.Reader
	binary  bool
	waiting []string
}

func (x *target) open(subprotocol string) *line {
	x.t.Helper()
	conn, err := net.Dial("tcp", x.address)
	if err != nil {
		x.t.Fatal(err)
	}
	x.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: %s\r\n\r\n", x.address, subprotocol)
	l := &line{t: x.t, conn: conn, in: bufio.NewReader(conn), binary: strings.HasSuffix(subprotocol, "proto")}
	response, err := http.ReadResponse(l.in, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		x.t.Fatalf("handshake: %v %v", response, err)
	}
	return l
}

// connected is a line in JSON on which connect has been answered.
func (x *target) connected() *line {
	l := x.open("bellwire.v1.json")
	l.say(`{"id":1,"connect":{}}`)
	l.next()
	return l
}

// say sends one masked data frame; an error shows when reading.
func (l *line) say(message string) {
	l.frame(map[bool]byte{false: 0x81, true: 0x82}[l.binary], []byte(message))
}

func (l *line) frame(first byte, payload []byte) {
	header := []byte{first}
	switch n := len(payload); {
	case n < 126:
		header = append(header, 0x80|byte(n))
	case n < 1<<16:
		header = binary.BigEndian.AppendUint16(append(header, 0x80|126), uint16(n))
	default:
		header = binary.BigEndian.AppendUint64(append(header, 0x80|127), uint64(n))
	}
	_, _ = l.conn.Write(append(append(header, 0, 0, 0, 0), payload...)) // a key of zeros changes nothing
}

// read returns the next frame's opcode and payload, and 0 when the socket has ended.
func (l *line) read() (opcode byte, payload []byte) {
	var head [2]byte
	if _, err := io.ReadFull(l.in, head[:]); err != nil {
		return 0, nil
	}
	size := uint64(head[1])
	switch size {
	case 126:
		var wide [2]byte
		_, _ = io.ReadFull(l.in, wide[:])
		size = uint64(binary.BigEndian.Uint16(wide[:]))
	case 127:
		var wide [8]byte
		_, _ = io.ReadFull(l.in, wide[:])
		size = binary.BigEndian.Uint64(wide[:])
	}
	payload = make([]byte, size)
	_, _ = io.ReadFull(l.in, payload)
	return head[0] & 15, payload
}

// next is the next JSON document of the server, or "" when the line has ended.
func (l *line) next() string {
	for len(l.waiting) == 0 {
		opcode, payload := l.read()
		switch opcode {
		case 1:
			l.waiting = strings.Split(strings.TrimSuffix(string(payload), "\n"), "\n")
		case 9:
			l.frame(0x8a, payload)
		case 0, 8:
			return ""
		}
	}
	first := l.waiting[0]
	l.waiting = l.waiting[1:]
	return first
}

// code is the close code by which the line ends; 0 when it ends without.
func (l *line) code() int {
	for {
		switch opcode, payload := l.read(); {
		case opcode == 0:
			return 0
		case opcode == 8 && len(payload) >= 2:
			return int(binary.BigEndian.Uint16(payload))
		}
	}
}

// errorOf is the code of an error reply, or of an answer to a subscription, and 0 when there is none.
func errorOf(message string) int {
	var m struct {
		Error      struct{ Code int }
		Subscribed struct{ Error struct{ Code int } }
	}
	if json.Unmarshal([]byte(message), &m) != nil {
		return -1
	}
	return max(m.Error.Code, m.Subscribed.Error.Code)
}

// honest is a client that must be served whatever others did.
func (x *target) honest() {
	x.t.Helper()
	l := x.connected()
	l.say(`{"id":2,"subscribe":{"channels":[{"channel":"honest:x"}]}}` + "\n" + `{"id":3,"publish":{"channel":"honest:x","data":"here"}}`)
	for range 4 {
		if m := l.next(); strings.Contains(m, `"publication"`) {
			l.conn.Close()
			return
		}
	}
	x.t.Error("an honest client was not served")
}
