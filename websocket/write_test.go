package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// countedLine counts writes, each of which would be a system call.
type countedLine struct {
	*ws.Line
	writes atomic.Int32
	room   atomic.Int32 // that the last read had
}

func (l *countedLine) Read(p []byte) (int, error) {
	l.room.Store(int32(len(p)))
	return l.Line.Read(p)
}

func (l *countedLine) Write(p []byte) (int, error) {
	l.writes.Add(1)
	return l.Line.Write(p)
}

func counted(t *testing.T, opts *websocket.AcceptOptions, extra string) (*ws.Peer, *websocket.Conn, *countedLine) {
	t.Helper()
	serverLine, clientLine := ws.Lines(lineBytes)
	line := &countedLine{Line: serverLine}
	peer, engine := joinServer(t, line, clientLine, opts, extra)
	t.Cleanup(func() { engine.CloseNow() })
	line.writes.Store(0)
	return peer, engine, line
}

func TestWriteBatchIsOneWrite(t *testing.T) {
	peer, engine, line := counted(t, nil, "")
	payloads := [][]byte{[]byte("a"), nil, []byte("ccc")}
	if err := engine.WriteBatch(t.Context(), websocket.TextMessage, payloads...); err != nil {
		t.Fatal(err)
	}
	prepared, err := websocket.NewPreparedMessage(websocket.BinaryMessage, []byte("shared"))
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.WritePrepared(t.Context(), prepared, prepared); err != nil {
		t.Fatal(err)
	}
	if n := line.writes.Load(); n != 2 {
		t.Errorf("%d writes for two calls", n)
	}
	for _, want := range []ws.Frame{text("a"), text(""), text("ccc"), {Fin: true, Opcode: frame.Binary, Payload: []byte("shared")}} {
		if got, err := peer.Receive(); err != nil || !got.Equal(want) {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
	}
	if err := engine.WriteBatch(t.Context(), websocket.TextMessage); err != nil {
		t.Error(err)
	}
}

// The echo of what came in one packet may go out message by message, but pongs
// that nobody waits for go together.
func TestPongsAreGathered(t *testing.T) {
	peer, engine, line := counted(t, nil, "")
	go engine.Read(t.Context())
	var pings []ws.Frame
	for i := range 10 {
		pings = append(pings, ping(fmt.Sprint(i)))
	}
	peer.Send(pings...)
	for i := range 10 {
		if got, err := peer.Receive(); err != nil || !got.Equal(pong(fmt.Sprint(i))) {
			t.Fatalf("got %v, %v", got, err)
		}
	}
	if n := line.writes.Load(); n != 1 {
		t.Errorf("%d writes", n)
	}
}

// Concurrent writers: whole messages, each writer's in order.
func TestConcurrentWriters(t *testing.T) {
	const writers, messages = 8, 200
	server, client := ws.Pipe(t, nil, nil)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range messages {
				payload := []byte{byte(w), byte(n >> 8), byte(n)}
				payload = append(payload, bytes.Repeat([]byte{byte(w)}, n*n%20000)...)
				if err := server.Write(t.Context(), websocket.BinaryMessage, payload); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var next [writers]int
	for range writers * messages {
		_, message, err := client.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w, n := message[0], int(message[1])<<8|int(message[2])
		if n != next[w] || slices.ContainsFunc(message[3:], func(c byte) bool { return c != w }) {
			t.Fatalf("writer %d: message %d after %d, or mixed with another", w, n, next[w])
		}
		next[w]++
	}
	wg.Wait()
}

// What gathers while the line is busy goes out together.
func TestWritersGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serverLine, clientLine := ws.Lines(256)
		line := &countedLine{Line: serverLine}
		peer, engine := joinServer(t, line, clientLine, nil, "")
		line.writes.Store(0)
		var wg sync.WaitGroup
		wg.Go(func() { engine.Write(context.Background(), websocket.BinaryMessage, make([]byte, 1000)) })
		synctest.Wait() // the first write is under way, and cannot end before it is read
		const others = 50
		for range others {
			wg.Go(func() { engine.Write(context.Background(), websocket.BinaryMessage, []byte("x")) })
		}
		synctest.Wait()
		for range others + 1 {
			if _, err := peer.Receive(); err != nil {
				t.Fatal(err)
			}
		}
		wg.Wait()
		if n := line.writes.Load(); n != 2 {
			t.Errorf("%d writes for %d messages", n, others+1)
		}
		engine.CloseNow()
		peer.Line.Close()
	})
}

// A large message that waits for its turn does not hold up a message in parts
// that began meanwhile, nor that one the large message for ever.
func TestLargeWaitsForWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		serverLine, clientLine := ws.Lines(256)
		peer, engine := joinServer(t, serverLine, clientLine, nil, "")
		ctx, start := context.Background(), time.Now()
		var wg sync.WaitGroup
		wg.Go(func() { engine.Write(ctx, websocket.BinaryMessage, make([]byte, 1000)) }) // the line is full
		synctest.Wait()
		wg.Go(func() { engine.Write(ctx, websocket.BinaryMessage, make([]byte, 20000)) }) // waits for the turn
		synctest.Wait()
		w, err := engine.Writer(ctx, websocket.BinaryMessage)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			w.Write(make([]byte, 5000))
			w.Close()
		})
		for _, want := range []int{1000, 5000, 0, 20000} {
			if got, err := peer.Receive(); err != nil || len(got.Payload) != want {
				t.Errorf("got %v, %v, want %d bytes", got, err, want)
			}
		}
		wg.Wait()
		if took := time.Since(start); took != 0 {
			t.Errorf("it took %v", took)
		}
		engine.CloseNow()
		peer.Line.Close()
	})
}

func TestWriteLarge(t *testing.T) {
	for _, mode := range []websocket.CompressionMode{websocket.CompressionOff, websocket.CompressionNoContextTakeover} {
		limits := websocket.Limits{MessageBytes: 4 << 20}
		server, client := ws.Pipe(t, &websocket.AcceptOptions{Compression: mode}, &websocket.DialOptions{Compression: mode, Limits: limits})
		payload := make([]byte, 3<<20)
		for i := range payload {
			payload[i] = byte(i * i >> 7)
		}
		kept := bytes.Clone(payload)
		go server.Write(t.Context(), websocket.BinaryMessage, payload)
		_, got, err := client.Read(t.Context())
		if err != nil || !bytes.Equal(got, kept) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		if !bytes.Equal(payload, kept) {
			t.Error("the caller's memory was changed")
		}
	}
}

// A client masks a copy: the caller's memory stays as it is.
func TestMaskingCopies(t *testing.T) {
	server, client := ws.Pipe(t, nil, nil)
	payload := bytes.Repeat([]byte("keep me "), 4000)
	kept := bytes.Clone(payload)
	go client.Write(t.Context(), websocket.TextMessage, payload)
	if _, got, err := server.Read(t.Context()); err != nil || !bytes.Equal(got, kept) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if !bytes.Equal(payload, kept) {
		t.Error("the caller's memory was masked")
	}
}

// What cannot be sent is an error of the call, and the connection lives on.
func TestWriteMistakes(t *testing.T) {
	peer, engine, _ := counted(t, nil, "")
	for name, err := range map[string]error{
		"bad text":     engine.Write(t.Context(), websocket.TextMessage, []byte{0xff}),
		"bad type":     engine.Write(t.Context(), 7, nil),
		"bad large":    engine.Write(t.Context(), websocket.TextMessage, bytes.Repeat([]byte{0xff}, 100000)),
		"bad code":     engine.Close(1006, ""),
		"bad in batch": engine.WriteBatch(t.Context(), websocket.TextMessage, []byte("good"), []byte{0xff}, []byte("never")),
	} {
		if err == nil || websocket.CloseStatus(err) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := websocket.NewPreparedMessage(websocket.TextMessage, []byte{0xff}); err == nil {
		t.Error("bad text is prepared")
	}
	if _, err := engine.Writer(t.Context(), 9); err == nil {
		t.Error("a ping is a message")
	}
	if err := engine.Write(t.Context(), websocket.TextMessage, []byte("alive")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"good", "alive"} {
		if got, err := peer.Receive(); err != nil || !got.Equal(text(want)) {
			t.Fatalf("got %v, %v, want %q", got, err, want)
		}
	}
}

// A context that has ended sends nothing and harms nothing.
func TestWriteAfterContext(t *testing.T) {
	peer, engine, _ := counted(t, nil, "")
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("cause")
	cancel(cause)
	if err := engine.Write(ctx, websocket.TextMessage, []byte("never")); !errors.Is(err, cause) {
		t.Error(err)
	}
	engine.Write(t.Context(), websocket.TextMessage, []byte("alive"))
	if got, err := peer.Receive(); err != nil || !got.Equal(text("alive")) {
		t.Fatalf("got %v, %v", got, err)
	}
}

// A context that ends while bytes are on their way ends the connection.
func TestWriteContextEnds(t *testing.T) {
	serverLine, clientLine := ws.Lines(1024)
	_, engine := joinServer(t, serverLine, clientLine, nil, "")
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 2)
	for range 2 {
		go func() { failed <- engine.Write(ctx, websocket.BinaryMessage, make([]byte, 5000)) }()
	}
	cancel()
	for range 2 {
		if err := <-failed; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	engine.CloseNow()
}

func TestWriter(t *testing.T) {
	for _, mode := range []websocket.CompressionMode{websocket.CompressionOff, websocket.CompressionContextTakeover} {
		server, client := ws.Pipe(t, &websocket.AcceptOptions{Compression: mode}, &websocket.DialOptions{Compression: mode})
		var want strings.Builder
		go func() {
			w, err := client.Writer(t.Context(), websocket.TextMessage)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range 3000 {
				if _, err := fmt.Fprintf(w, "line %d with é\n", i); err != nil {
					t.Error(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			if _, err := w.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
			client.Write(t.Context(), websocket.TextMessage, []byte("next"))
		}()
		for i := range 3000 {
			fmt.Fprintf(&want, "line %d with é\n", i)
		}
		if _, got, err := server.Read(t.Context()); err != nil || string(got) != want.String() {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		if _, got, err := server.Read(t.Context()); err != nil || string(got) != "next" {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

// While a message goes out in parts others wait, and pongs do not.
func TestWriterExcludesMessages(t *testing.T) {
	peer, engine, _ := counted(t, nil, "")
	go engine.Read(t.Context())
	w, err := engine.Writer(t.Context(), websocket.BinaryMessage)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(make([]byte, 5000))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := engine.Write(ended, websocket.TextMessage, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	other := make(chan error, 1)
	go func() { other <- engine.Write(t.Context(), websocket.TextMessage, []byte("other")) }()
	peer.Send(ping("p"))
	if got, err := peer.Receive(); err != nil || got.Opcode != frame.Binary || got.Fin {
		t.Fatalf("got %v, %v", got, err)
	}
	if got, err := peer.Receive(); err != nil || !got.Equal(pong("p")) {
		t.Fatalf("got %v, %v", got, err)
	}
	w.Close()
	if err := <-other; err != nil {
		t.Error(err)
	}
	for _, want := range []ws.Frame{finish(""), text("other")} {
		if got, err := peer.Receive(); err != nil || !got.Equal(want) {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
	}
}

// Text that goes wrong on the way cannot be taken back: the connection ends.
func TestWriterBadText(t *testing.T) {
	for name, parts := range map[string][]string{"inside": {"good", "\xff"}, "at the end": {"good\xc3"}} {
		_, engine, _ := counted(t, nil, "")
		w, err := engine.Writer(t.Context(), websocket.TextMessage)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range parts {
			_, err = w.Write([]byte(part))
		}
		if closing := w.Close(); err == nil && closing == nil {
			t.Errorf("%s: accepted", name)
		}
		if err := engine.Write(t.Context(), websocket.TextMessage, nil); websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
			t.Errorf("%s: the connection lives: %v", name, err)
		}
	}
}

func TestPing(t *testing.T) {
	server, client := ws.Pipe(t, nil, nil)
	go client.Read(t.Context())
	go server.Read(t.Context())
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if err := client.Ping(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := client.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	server.CloseNow()
	if err := client.Ping(t.Context()); err == nil {
		t.Error("a ping after the end")
	}
}

// A peer may answer the newest of several pings only, and with nonsense.
func TestPingAnswers(t *testing.T) {
	peer, engine, _ := counted(t, nil, "")
	go engine.Read(t.Context())
	answered := make(chan error, 2)
	var payloads []string
	for range 2 {
		go func() { answered <- engine.Ping(t.Context()) }()
		got, err := peer.Receive()
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, string(got.Payload))
	}
	peer.Send(pong(""), pong("nonsense"), pong(strings.Repeat("x", 8)), pong(payloads[1]))
	for range 2 {
		if err := <-answered; err != nil {
			t.Error(err)
		}
	}
	waits := make(chan error, 1)
	go func() { waits <- engine.Ping(t.Context()) }()
	peer.Receive()
	engine.CloseNow()
	if err := <-waits; !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}
