package conformance_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// The catalogue of bad input over real sockets: FR (frames), CP (compression)
// and FL (flow). Each attack is followed by the liveness call.

// rawHeader is a frame header, written by hand, and what follows it.
func rawHeader(first, second byte, rest ...byte) step {
	return step{raw: append([]byte{first, second}, rest...)}
}

func TestFrameCatalogue(t *testing.T) {
	hello := text("hello")
	cases := []conversation{
		{"FR-08 continuation of nothing", []step{say(finish("x"))}, fails(1002)},
		{"FR-08 text inside a message", []step{say(begin(frame.Text, "a"), hello)}, fails(1002)},
		{"FR-08 continuation after a close", nil, end{[]ws.Frame{ws.CloseFrame(1000, ""), finish("x")}, 1000}},
		{"FR-10 empty text", []step{say(text("")), hear(text(""))}, normal},
		{"FR-10 all fragments empty", []step{say(begin(frame.Binary, ""), goOn(""), goOn(""), finish("")), hear(binary(""))}, normal},
		{"FR-16 two closes", nil, end{[]ws.Frame{ws.CloseFrame(1000, ""), ws.CloseFrame(1001, "")}, 1000}},
	}
	for opcode := frame.Opcode(3); opcode < 16; opcode++ {
		if opcode >= 8 && opcode <= 10 {
			continue
		}
		for _, size := range []int{0, 1, 125} {
			f := ws.Frame{Fin: size != 1, Opcode: opcode, Payload: make([]byte, size)}
			cases = append(cases, conversation{fmt.Sprintf("FR-03 opcode %d of %d bytes", opcode, size), []step{say(f)}, fails(1002)})
		}
	}
	for opcode := frame.Close; opcode <= frame.Pong; opcode++ {
		for _, size := range []int{126, 1000, 65536} {
			f := ws.Fin(opcode, strings.Repeat("x", size))
			cases = append(cases, conversation{fmt.Sprintf("FR-04 opcode %d of %d bytes", opcode, size), []step{say(f)}, fails(1002)})
		}
	}
	// FR-09: a ping at every border of a message.
	parts := []ws.Frame{begin(frame.Text, "a"), goOn("b"), goOn(""), finish("c")}
	for border := range len(parts) + 1 {
		frames := append(append(append([]ws.Frame{}, parts[:border]...), ping("1"), ping("2")), parts[border:]...)
		heard := []ws.Frame{pong("1"), pong("2"), text("abc")}
		if border == len(parts) {
			heard = []ws.Frame{text("abc"), pong("1"), pong("2")}
		}
		cases = append(cases, conversation{fmt.Sprintf("FR-09 pings at border %d", border), []step{say(frames...), hear(heard...)}, normal})
	}
	play(t, socketSides(t), websocket.AcceptOptions{}, cases)
}

// FR-05, FR-07, VC-01, VC-11: headers written by hand.
func TestHeaderCatalogue(t *testing.T) {
	long := func(length uint64) []byte {
		return frame.Append(nil, frame.Header{Fin: true, Opcode: frame.Binary, Length: length})[2:]
	}
	var servers, clients []conversation
	for _, row := range []struct {
		rule   string
		length uint64
		want   frame.Status
	}{
		{"VC-01 2^31-1", 1<<31 - 1, 1009}, {"VC-01 2^31", 1 << 31, 1009}, {"VC-01 2^32-1", 1<<32 - 1, 1009}, {"VC-01 2^32", 1 << 32, 1009},
		{"VC-01 2^63-1", 1<<63 - 1, 1009}, {"VC-01 2^63", 1 << 63, 1002}, {"VC-01 2^63+1", 1<<63 + 1, 1002}, {"VC-01 2^64-1", 1<<64 - 1, 1002},
		{"VC-01 limit + 1", 1<<20 + 1, 1009},
	} {
		mask := []byte{1, 2, 3, 4}
		servers = append(servers, conversation{row.rule, []step{rawHeader(0x82, 0xFF, append(long(row.length), mask...)...)}, fails(row.want)})
		clients = append(clients, conversation{row.rule, []step{rawHeader(0x82, 0x7F, long(row.length)...)}, fails(row.want)})
	}
	hello := []byte("\x00\x00\x00\x00hello")
	servers = append(servers,
		conversation{"FR-07 client unmasked", []step{rawHeader(0x81, 0x05, []byte("hello")...)}, fails(1002)},
		conversation{"FR-07 mask key 0", []step{rawHeader(0x81, 0x85, hello...), hear(text("hello"))}, normal},
		conversation{"FR-06 126-form of 125", []step{rawHeader(0x82, 0xFE, 0, 125, 0, 0, 0, 0)}, fails(1002)},
		conversation{"FR-06 127-form of 65,535", []step{rawHeader(0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0)}, fails(1002)})
	clients = append(clients, conversation{"FR-07 server masked", []step{rawHeader(0x81, 0x85, hello...)}, fails(1002)})
	for _, s := range socketSides(t) {
		cases := map[bool][]conversation{false: servers, true: clients}[s.client]
		play(t, []side{s}, websocket.AcceptOptions{}, cases)
	}
}

// FR-12, VC-03, VC-04: the limits of a message, at them and one above.
func TestLimitCatalogue(t *testing.T) {
	limits := websocket.Limits{MessageBytes: 1000, Fragments: 10}
	var cases []conversation
	for size := 999; size <= 1001; size++ {
		for _, fragment := range []int{2000, 300} {
			whole := binary(strings.Repeat("x", size))
			c := conversation{fmt.Sprintf("FR-12 %d bytes in frames of %d", size, fragment), []step{say(fragments(whole, fragment)...)}, fails(1009)}
			if size <= 1000 {
				c.steps, c.end = append(c.steps, hear(whole)), normal
			}
			cases = append(cases, c)
		}
	}
	for count := 9; count <= 11; count++ {
		whole := binary(strings.Repeat("x", count))
		c := conversation{fmt.Sprintf("FR-11 %d fragments", count), []step{say(fragments(whole, 1)...)}, fails(1008)}
		if count <= 10 {
			c.steps, c.end = append(c.steps, hear(whole)), normal
		}
		cases = append(cases, c)
	}
	endless := []ws.Frame{begin(frame.Binary, "")}
	for range 1000 {
		endless = append(endless, goOn(""))
	}
	cases = append(cases, conversation{"FR-10 endless empty fragments", []step{say(endless...)}, fails(1008)})
	play(t, socketSides(t), websocket.AcceptOptions{Limits: limits}, cases)
}

// FR-19, FR-20: floods of pings and of pongs, also from a peer that does not
// read: at most twenty at once, then 1008.
func TestControlFlood(t *testing.T) {
	for _, side := range socketSides(t) {
		for _, opcode := range []frame.Opcode{frame.Ping, frame.Pong} {
			t.Run(fmt.Sprintf("%s/opcode %d", side.name, opcode), func(t *testing.T) {
				s := side.open(t, websocket.AcceptOptions{CloseTimeout: 50 * time.Millisecond}, "") // the peer stays on the line
				var flood []ws.Frame
				for range 1000 {
					flood = append(flood, ws.Fin(opcode, strings.Repeat("x", 125)))
				}
				s.peer.Send(flood...)
				checkEnded(t, s, websocket.StatusPolicyViolation)
			})
		}
	}
}

// FR-18: a thousand frames in one segment, and a message byte by byte.
func TestCoalescedAndSplit(t *testing.T) {
	for _, side := range socketSides(t) {
		t.Run(side.name, func(t *testing.T) {
			peer := side.open(t, websocket.AcceptOptions{}, "").peer
			var frames []ws.Frame
			for n := range 1000 {
				frames = append(frames, text(fmt.Sprint(n)))
			}
			go peer.Send(frames...)
			for _, want := range frames {
				if got, err := peer.Receive(); err != nil || !got.Equal(want) {
					t.Fatalf("got %v, %v, want %v", got, err, want)
				}
			}
			whole := text(strings.Repeat("y", 64<<10/slowness))
			go peer.SendChopped(1, whole)
			if got, err := peer.Receive(); err != nil || !got.Equal(whole) {
				t.Fatalf("got %v, %v", got, err)
			}
			checkEnd(t, normal, peer)
		})
	}
}

// VC-05, CP-01, CP-02: bombs, one and many at once: 1009, and memory that follows
// the limit and not the bomb.
func TestBombs(t *testing.T) {
	for _, d := range drivers(t) {
		t.Run(d.name, func(t *testing.T) {
			bomb(t, listen(t, d, &websocket.AcceptOptions{Compression: websocket.CompressionNoContextTakeover}))
		})
	}
}

func bomb(t *testing.T, address string) {
	const limit, bombBytes, peers = 1 << 20, 64 << 20 / slowness, 16
	var compressed bytes.Buffer
	w, _ := flate.NewWriter(&compressed, flate.BestCompression)
	w.Write(make([]byte, bombBytes))
	w.Flush()
	bomb := ws.Frame{Fin: true, RSV1: true, Opcode: frame.Binary, Payload: bytes.TrimSuffix(compressed.Bytes(), []byte("\x00\x00\xff\xff"))}
	compressed.Reset()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var wg sync.WaitGroup
	for range peers {
		wg.Go(func() {
			peer, err := ws.ClientPeer(ws.Connect(t, address), "Sec-WebSocket-Extensions: permessage-deflate\r\n")
			if err != nil {
				t.Error(err)
				return
			}
			peer.Send(fragments(bomb, 1000)...)
			got, err := peer.Receive()
			if status, _, _ := frame.DecodeClose(got.Payload); err != nil || status != 1009 {
				t.Errorf("got %v, %v", got, err)
			}
			peer.Line.Close()
		})
	}
	wg.Wait()
	runtime.ReadMemStats(&after)
	if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > peers*8*limit {
		t.Errorf("%d bytes were allocated for %d bombs under a limit of %d", grown, peers, limit)
	}
	liveness(t, "ws://"+address)
}

// VC-07, CP-04: compression that was not agreed, or where it may not be.
func TestCompressionAbuse(t *testing.T) {
	const offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
	one := ws.Frame{Fin: true, RSV1: true, Opcode: frame.Text, Payload: []byte("\xf2\x48\xcd\xc9\xc9\x07\x00")}
	for rule, row := range map[string]struct {
		extra  string
		frames []ws.Frame
		want   frame.Status
	}{
		"not agreed":              {"", []ws.Frame{one}, 1002},
		"on a ping":               {offer, []ws.Frame{{Fin: true, RSV1: true, Opcode: frame.Ping}}, 1002},
		"on a close":              {offer, []ws.Frame{{Fin: true, RSV1: true, Opcode: frame.Close}}, 1002},
		"on a continuation":       {offer, []ws.Frame{{RSV1: true, Opcode: frame.Text}, {Fin: true, RSV1: true}}, 1002},
		"RSV2 with compression":   {offer, []ws.Frame{{Fin: true, RSV1: true, RSV2: true, Opcode: frame.Text}}, 1002},
		"garbage":                 {offer, []ws.Frame{{Fin: true, RSV1: true, Opcode: frame.Binary, Payload: []byte("\x06")}}, 1007},
		"bad text inside":         {offer, []ws.Frame{{Fin: true, RSV1: true, Opcode: frame.Text, Payload: []byte("\x00\x01\x00\xfe\xff\xff\x00")}}, 1007},
		"distance without a past": {offer, []ws.Frame{{Fin: true, RSV1: true, Opcode: frame.Binary, Payload: []byte("\xf2\x00\x11\x00\x00")}}, 1007},
	} {
		for _, d := range drivers(t) {
			t.Run(rule+"/"+d.name, func(t *testing.T) {
				address := listen(t, d, &websocket.AcceptOptions{Compression: websocket.CompressionContextTakeover})
				peer, err := ws.ClientPeer(ws.Connect(t, address), row.extra)
				if err != nil {
					t.Fatal(err)
				}
				peer.Send(row.frames...)
				checkEnd(t, fails(row.want), peer)
				liveness(t, "ws://"+address)
			})
		}
	}
}

// VC-14, FL-01: a peer that asks and never reads is closed, and what waits for it
// stays small.
func TestPeerNeverReads(t *testing.T) {
	for _, side := range socketSides(t) {
		t.Run(side.name, func(t *testing.T) {
			s := side.open(t, websocket.AcceptOptions{WriteTimeout: 50 * time.Millisecond}, "")
			go func() {
				for wire := s.peer.Encode(binary(strings.Repeat("x", 64<<10))); ; {
					if _, err := s.peer.Line.Write(wire); err != nil {
						return
					}
				}
			}()
			checkEnded(t, s, websocket.StatusAbnormalClosure)
		})
	}
}

// FL-07: a peer that closes only its sending half has ended; what was written
// before still reaches it.
func TestHalfClose(t *testing.T) {
	for _, side := range socketSides(t) {
		t.Run(side.name, func(t *testing.T) {
			s := side.open(t, websocket.AcceptOptions{}, "")
			s.peer.Send(text("last words"))
			s.peer.Line.(*net.TCPConn).CloseWrite()
			checkEnded(t, s, websocket.StatusAbnormalClosure)
			if got, err := s.peer.Receive(); err != nil || !got.Equal(text("last words")) {
				t.Errorf("got %v, %v", got, err)
			}
			if _, err := s.peer.Receive(); err != io.EOF {
				t.Error(err)
			}
		})
	}
}

// VC-09, HS-07: a head that comes byte by byte is read once, within its time.
func TestSlowHead(t *testing.T) {
	for _, d := range drivers(t) {
		t.Run(d.name, func(t *testing.T) {
			line := ws.Connect(t, listen(t, d, nil))
			for _, c := range []byte(head + "X: " + strings.Repeat("x", 8000/slowness) + "\r\n\r\n") {
				if _, err := line.Write([]byte{c}); err != nil {
					t.Fatal(err)
				}
			}
			checkEnd(t, normal, readAs(t, line))
		})
	}
}
