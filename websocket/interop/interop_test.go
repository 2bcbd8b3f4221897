package interop

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/websocket"
)

func TestGorilla(t *testing.T) { agree(t, gorillaPeer, roles...) }
func TestCoder(t *testing.T)   { agree(t, coderPeer, roles...) }
func TestGWS(t *testing.T)     { agree(t, gwsPeer, roles...) }
func TestNode(t *testing.T)    { agree(t, nodeProcess.peer(t, "ws", allModes), roles...) }
func TestPython(t *testing.T)  { agree(t, pythonProcess.peer(t, "websockets", allModes), roles...) }

// TestNodeHTTP2 is our client against streams of Node.js's HTTP/2, which is nghttp2. Its ws agrees on no compression there.
func TestNodeHTTP2(t *testing.T) {
	p := nodeProcess.peer(t, "ws", []mode{off, unwanted})
	p.serve = nodeProcess.serveHTTP2
	agree(t, p, role{"client", openHTTP2})
}

// agree holds the peer and us against each other, in every mode and each of the roles.
func agree(t *testing.T, p peer, in ...role) {
	for _, r := range in {
		for _, m := range p.modes {
			t.Run(r.name+"/"+m.name, func(t *testing.T) {
				t.Run("messages come back as they were", func(t *testing.T) { exchange(t, p, r, m) })
				t.Run("fragments and pings of the peer", func(t *testing.T) { takeFragments(t, p, r, m) })
				if r.name != "reactor" { // it sends whole messages, and pings lines that are silent
					t.Run("fragments and pings of ours", func(t *testing.T) { giveFragments(t, p, r, m) })
				}
			})
		}
		t.Run(r.name+"/close codes", func(t *testing.T) { endings(t, p, r) })
	}
}

// connect opens a connection, and checks that both sides agree on what was agreed.
func connect(t *testing.T, p peer, r role, m mode) (line, *witness) {
	w := newWitness()
	conn, ours := r.open(t, p, m, w)
	theirs := await(t, "the peer's handshake", w.opened)
	for _, subprotocol := range []string{ours.subprotocol, theirs.subprotocol} {
		if subprotocol != subprotocolOurs {
			t.Errorf("subprotocol %q", subprotocol)
		}
	}
	agreed := ours.extensions + theirs.extensions // one of them is the client's
	if strings.Contains(agreed, "permessage-deflate") != m.agreed {
		t.Errorf("compression: %q", agreed)
	}
	if m.theirs == "no-takeover" && !strings.Contains(agreed, "server_no_context_takeover") {
		t.Errorf("takeover: %q", agreed)
	}
	if asked := fmt.Sprintf("server_max_window_bits=%d", windowBits); m.theirs == "window" && !strings.Contains(agreed, asked) {
		t.Errorf("window: %q", agreed)
	}
	return conn, w
}

// sizes are on both sides of where the form of a length changes. The largest are for the modes that
// differ in what happens to them, and not for the race detector, which makes all sides many times slower.
func sizes(m mode) []int {
	all := []int{0, 1, 125, 126, 65535, 65536}
	switch {
	case raceDetector:
		return all
	case m.name == off.name, m.name == noTakeover.name, m.name == takeover.name:
		return append(all, 1<<20, 16<<20)
	}
	return append(all, 300_000)
}

// phrase is not ASCII alone.
const phrase = "Bell wire \u260e, "

// exchange sends text that compresses and bytes that hardly do, three times where
// it is cheap, so that one message may refer to another.
func exchange(t *testing.T, p peer, r role, m mode) {
	conn, _ := connect(t, p, r, m)
	for _, size := range sizes(m) {
		text := []byte(strings.Repeat(phrase, size/len(phrase)) + strings.Repeat("x", size%len(phrase)))
		for range repeats(size) {
			echo(t, conn, websocket.TextMessage, text)
			echo(t, conn, websocket.BinaryMessage, noise(size))
		}
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}

func repeats(size int) int {
	if size <= 65536 {
		return 3
	}
	return 1
}

// noise makes bytes of which each has six random bits.
func noise(size int) []byte {
	b := make([]byte, size)
	state := uint32(size) + 1
	for i := range b {
		state = state*1664525 + 1013904223
		b[i] = byte(state>>26) | 0x80
	}
	return b
}

func echo(t *testing.T, conn line, kind websocket.MessageType, sent []byte) {
	t.Helper()
	if err := conn.Write(t.Context(), kind, sent); err != nil {
		t.Fatalf("writing %d bytes: %v", len(sent), err)
	}
	expect(t, conn, kind, sent)
}

func expect(t *testing.T, conn line, kind websocket.MessageType, want []byte) {
	t.Helper()
	gotKind, got, err := conn.Read(t.Context())
	switch {
	case err != nil:
		t.Fatalf("reading %d bytes: %v", len(want), err)
	case gotKind != kind || !bytes.Equal(got, want):
		t.Fatalf("%v of %d bytes came back as %v of %d", kind, len(want), gotKind, len(got))
	}
}

func ask(t *testing.T, conn line, format string, args ...any) {
	t.Helper()
	if err := conn.Write(t.Context(), websocket.TextMessage, fmt.Appendf(nil, "do:"+format, args...)); err != nil {
		t.Fatal(err)
	}
}

// takeFragments has the peer cut messages, some with a ping inside, and ping.
func takeFragments(t *testing.T, p peer, r role, m mode) {
	conn, _ := connect(t, p, r, m)
	for _, count := range []int{2, 3, 7, 50} {
		ask(t, conn, "fragments %d", count)
		expect(t, conn, websocket.TextMessage, alphabet(fragmentedBytes))
	}
	for _, payload := range []string{"p", strings.Repeat("p", 125)} {
		ask(t, conn, "ping %s", payload)
		expect(t, conn, websocket.TextMessage, []byte("pong "+payload))
	}
	echo(t, conn, websocket.TextMessage, []byte("still in step"))
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}

// giveFragments sends messages in parts, and a ping.
func giveFragments(t *testing.T, p peer, r role, m mode) {
	l, _ := connect(t, p, r, m)
	conn := l.(*websocket.Conn)
	whole := alphabet(fragmentedBytes)
	for _, count := range []int{2, 7, 50} {
		message, err := conn.Writer(t.Context(), websocket.TextMessage)
		if err != nil {
			t.Fatal(err)
		}
		for _, fragment := range cut(whole, count) {
			if _, err := message.Write(fragment); err != nil {
				t.Fatal(err)
			}
		}
		if err := message.Close(); err != nil {
			t.Fatal(err)
		}
		expect(t, conn, websocket.TextMessage, whole)
	}
	pinged := make(chan error, 1)
	go func() {
		err := conn.Ping(t.Context())
		pinged <- errors.Join(err, conn.Write(t.Context(), websocket.TextMessage, []byte("pinged")))
	}()
	expect(t, conn, websocket.TextMessage, []byte("pinged"))
	if err := <-pinged; err != nil {
		t.Error(err)
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}

// endings closes with every kind of code, from either side.
func endings(t *testing.T, p peer, r role) {
	for _, e := range []ending{
		{1000, ""}, {1000, "bye"}, {1001, "away"}, {1003, "not text"}, {1007, "not UTF-8"}, {1008, "policy"}, {1009, "too big"},
		{1011, "broken"}, {3000, "library"}, {4000, "application"}, {4999, strings.Repeat("\u20ac", 41)},
	} {
		t.Run(fmt.Sprintf("%d by us", e.code), func(t *testing.T) {
			conn, w := connect(t, p, r, off)
			if err := conn.Close(websocket.StatusCode(e.code), e.reason); err != nil {
				t.Error(err)
			}
			if seen := await(t, "our close frame", w.closed); seen != e {
				t.Errorf("the peer saw %v", seen)
			}
		})
		t.Run(fmt.Sprintf("%d by the peer", e.code), func(t *testing.T) {
			conn, _ := connect(t, p, r, off)
			ask(t, conn, "close %d %s", e.code, e.reason)
			_, _, err := conn.Read(t.Context())
			var closed *websocket.CloseError
			if !errors.As(err, &closed) || int(closed.Code) != e.code || closed.Reason != e.reason {
				t.Errorf("we saw %v", err)
			}
		})
	}
	t.Run("no code by us", func(t *testing.T) {
		conn, w := connect(t, p, r, off)
		if err := conn.Close(websocket.StatusNoStatusReceived, ""); err != nil {
			t.Error(err)
		}
		if seen := await(t, "our close frame", w.closed); seen.code != 1005 && seen.code != 0 { // gws says 0
			t.Errorf("the peer saw %v", seen)
		}
	})
}

// TestPreparedBetweenMessages sends shared messages between others: with takeover they are in the peer's context and
// not in that of the compressor, which has to start anew.
func TestPreparedBetweenMessages(t *testing.T) {
	first := []byte(strings.Repeat("what was said before, ", 20))
	shared, err := websocket.NewPreparedMessage(websocket.TextMessage, alphabet(700))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []peer{coderPeer, gwsPeer} {
		t.Run(p.name, func(t *testing.T) {
			l, _ := connect(t, p, role{"server", openServer}, takeover)
			conn := l.(*websocket.Conn)
			for range 3 {
				echo(t, conn, websocket.TextMessage, first)
				if err := conn.WritePrepared(t.Context(), shared); err != nil {
					t.Fatal(err)
				}
				expect(t, conn, websocket.TextMessage, alphabet(700))
			}
			if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
				t.Error(err)
			}
		})
	}
}
