package deflate

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sides makes both ends of a connection.
func sides(agreed Params) (server, client *Conn) {
	pool := NewPool(0, 0)
	return New(agreed, true, pool), New(agreed, false, pool)
}

// Inflate inflates a message, in one step.
func (c *Conn) Inflate(dst, message []byte, limit int64) ([]byte, error) {
	return c.inflateInSteps(dst, message, limit, math.MaxInt)
}

// inflateInSteps inflates a message behind dst, in steps of a size.
func (c *Conn) inflateInSteps(dst, message []byte, limit int64, step int) ([]byte, error) {
	c.BeginInflate(message)
	out := dst[len(dst):]
	for {
		before := len(out)
		got, done, err := c.AppendInflated(out, step, limit)
		if done || err != nil {
			return append(dst, got...), err
		}
		if out = got; len(out)-before != step {
			return append(dst, out...), fmt.Errorf("%d bytes in a step of %d that was not the last", len(out)-before, step)
		}
	}
}

// RFC 7692 7.2.3: the examples, and what is not DEFLATE data.
func TestInflate(t *testing.T) {
	rows := []struct {
		rule string
		wire string
		want string
		err  error
	}{
		{"7.2.3.1 one block", "f2 48 cd c9 c9 07 00", "Hello", nil},
		{"7.2.3.3 block without compression", "00 05 00 fa ff 48 65 6c 6c 6f 00", "Hello", nil},
		{"7.2.3.4 block marked as the last", "f3 48 cd c9 c9 07 00 00", "Hello", nil},
		{"7.2.3.5 two blocks", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "Hello", nil},
		{"7.2.3.6 empty message", "00", "", nil},
		{"CP-05 no block at all", "", "", nil},
		{"two last blocks", "f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00 00", "HelloHello", nil},
		{"CP-03 last block, then no empty one", "f3 48 cd c9 c9 07 00", "", ErrData},
		{"CP-03 block of reserved type", "06", "", ErrData},
		{"CP-03 bad Huffman lengths", "04 ff ff ff ff ff ff", "", ErrData},
		{"CP-03 distance beyond the window", "f2 00 11 00 00", "", ErrData},
		{"CP-03 cut inside a block", "f2 48 cd", "", ErrData},
		{"CP-03 stored length does not match", "00 05 00 fa fe 48 65 6c 6c 6f 00", "", ErrData},
		{"CP-03 garbage after the last block", "f3 48 cd c9 c9 07 00 ff ff ff", "", ErrData},
		{"CP-03 many last blocks", strings.Repeat("03 00 ", finalBlocksMax) + "00", "", ErrData},
		{"as many last blocks as may be", strings.Repeat("03 00 ", finalBlocksMax-1) + "00", "", nil},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			for _, step := range []int{1, 3, 1 << 20} {
				server, _ := sides(Params{})
				got, err := server.inflateInSteps([]byte("before "), unhex(t, row.wire), 1<<20, step)
				if err != row.err || err == nil && string(got) != "before "+row.want {
					t.Errorf("in steps of %d: got %q, %v", step, got, err)
				}
			}
		})
	}
}

func TestInflateContext(t *testing.T) {
	// RFC 7692 7.2.3.2: the second message refers to the first.
	server, _ := sides(Params{})
	for _, wire := range []string{"f2 48 cd c9 c9 07 00", "f2 00 11 00 00"} {
		got, err := server.Inflate(nil, unhex(t, wire), 5)
		if err != nil || string(got) != "Hello" {
			t.Errorf("% s: got %q, %v", wire, got, err)
		}
	}
	server, _ = sides(Params{ClientNoContextTakeover: true})
	server.Inflate(nil, unhex(t, "f2 48 cd c9 c9 07 00"), 5)
	if _, err := server.Inflate(nil, unhex(t, "f2 00 11 00 00"), 5); err != ErrData {
		t.Errorf("without takeover: got %v", err)
	}
	if server.window != nil {
		t.Error("a window is kept without takeover")
	}
}

// VC-05, CP-01: inflating stops at the limit and one byte, not at the end.
func TestInflateLimit(t *testing.T) {
	bomb, ok := NewPool(0, 0).Alone(make([]byte, 64<<20))
	if !ok {
		t.Fatal("zeros do not compress")
	}
	server, _ := sides(Params{})
	for _, limit := range []int64{0, 1, 1000, 64 << 10, 1 << 20} {
		got, err := server.Inflate(nil, bomb, limit)
		if err != ErrSize || int64(len(got)) != limit+1 || int64(cap(got)) > 2*limit+4096 {
			t.Errorf("limit %d: %d bytes in %d, %v", limit, len(got), cap(got), err)
		}
	}
	for size := range 300 {
		message := bytes.Repeat([]byte("a"), size)
		wire, _ := NewPool(0, 0).Alone(message)
		for limit := max(0, size-2); limit < size+2; limit++ {
			got, err := server.Inflate(nil, wire, int64(limit))
			if want := size <= limit; (err == nil) != want || want && len(got) != size {
				t.Fatalf("%d bytes, limit %d: %v", size, limit, err)
			}
		}
	}
}

// CP-08: a limit met in one message does not spoil the decompressor.
func TestInflateAfterError(t *testing.T) {
	pool := NewPool(0, 0)
	for range 20 {
		New(Params{}, true, pool).Inflate(nil, unhex(t, "00 05 00 fa ff 48 65 6c 6c 6f 00"), 3)
		New(Params{}, true, pool).Inflate(nil, unhex(t, "06"), 3)
		got, err := New(Params{}, true, pool).Inflate(nil, unhex(t, "f2 48 cd c9 c9 07 00"), 5)
		if err != nil || string(got) != "Hello" {
			t.Fatalf("got %q, %v", got, err)
		}
	}
}

// messages are of all kinds: alike, random, long, empty.
func messages(seed uint64) [][]byte {
	r := rand.New(rand.NewPCG(seed, 0))
	all := [][]byte{nil, []byte("Hello"), []byte("Hello"), bytes.Repeat([]byte("abcdefgh"), 5000)}
	for n := range 40 {
		noise := make([]byte, r.IntN(3000))
		for i := range noise {
			noise[i] = byte(r.IntN(1 + n*6))
		}
		all = append(all, noise, []byte(fmt.Sprintf(`{"channel":"chat:%d","offset":%d,"data":%q}`, n%3, n, noise[:min(len(noise), 200)])))
	}
	return all
}

// CP-06: all flags and windows, both directions, whole and in parts. What is sent
// keeps to the window that was agreed, as a second decompressor tells.
func TestEveryAgreement(t *testing.T) {
	for flags := range 4 {
		for _, bits := range []int{0, 8, 9, 10, 12, 14, 15} {
			agreed := Params{
				ServerNoContextTakeover: flags&1 != 0, ClientNoContextTakeover: flags&2 != 0,
				ServerMaxWindowBits: bits, ClientMaxWindowBits: bits,
			}
			t.Run(agreed.String(), func(t *testing.T) {
				t.Parallel()
				server, client := sides(agreed)
				converse(t, server, client, !agreed.ServerNoContextTakeover, bits)
				converse(t, client, server, !agreed.ClientNoContextTakeover, bits)
			})
		}
	}
}

// converse sends messages one way.
func converse(t *testing.T, from, to *Conn, takeover bool, bits int) {
	var window []byte
	for i, message := range messages(uint64(bits)) {
		var wire []byte
		if i%3 == 2 {
			wire = stream(t, from, message)
		} else {
			var worth bool
			if wire, worth = from.Compress(nil, message); !worth {
				continue
			}
		}
		reference, r, err := inflateReference(append(bytes.Clone(wire), flushBytes...), window)
		if err != nil || !bytes.Equal(reference, message) {
			t.Fatalf("message %d: the reference differs: %v", i, err)
		}
		if limit := 1 << max(bits, 8); bits != 0 && r.distance > limit {
			t.Fatalf("message %d: distance %d in a window of %d", i, r.distance, limit)
		}
		if takeover {
			window = tail(append(window, message...))
		}
		to.BeginInflate(wire) // and is given up, or just begun
		to.AppendInflated(nil, i, 1<<20)
		if i%2 == 0 {
			to.DropInflate()
		}
		got, err := to.inflateInSteps(nil, wire, int64(len(message)), 1+i*i*i)
		if err != nil || !bytes.Equal(got, message) {
			t.Fatalf("message %d of %d bytes: got %d, %v", i, len(message), len(got), err)
		}
	}
}

// stream compresses a message in parts.
func stream(t *testing.T, c *Conn, message []byte) (wire []byte) {
	if !c.BeginStream() {
		t.Fatal("no compressor is free")
	}
	for len(message) > 700 {
		wire = c.AppendStream(wire, message[:700], false)
		message = message[700:]
	}
	return c.AppendStream(wire, message, true)
}

// A message that is sent as it is, or shared, is not in the peer's context.
func TestContextAfterOthers(t *testing.T) {
	server, client := sides(Params{})
	check := func(wire []byte, want string) {
		t.Helper()
		if got, err := client.Inflate(nil, wire, 1<<20); err != nil || string(got) != want {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	text := strings.Repeat("the same words again, ", 20)
	send := func() {
		t.Helper()
		wire, ok := server.Compress(nil, []byte(text))
		if !ok {
			t.Fatal("does not compress")
		}
		check(wire, text)
	}
	send()
	noise := []byte("\x91\x07\xfe\x3c\xa5\x5a\x00\x77") // does not pay: goes out as it is
	if _, ok := server.Compress(nil, noise); ok {
		t.Fatal("noise compresses")
	}
	send()
	shared, _ := server.Pool().Alone([]byte(text + text))
	if !server.TakesAlone(len(text) * 2) {
		t.Fatal("a shared message is refused")
	}
	check(shared, text+text)
	send()
}

func TestTakesAlone(t *testing.T) {
	for _, row := range []struct {
		bits, size int
		want       bool
	}{{0, 1 << 20, true}, {15, 1 << 20, true}, {9, 512, true}, {9, 513, false}} {
		server, _ := sides(Params{ServerMaxWindowBits: row.bits})
		if got := server.TakesAlone(row.size); got != row.want {
			t.Errorf("%d bytes in a window of 2^%d: %v", row.size, row.bits, got)
		}
	}
}

// CP-07: the number of compressors is bounded, and no connection needs one.
func TestPoolBounds(t *testing.T) {
	pool := NewPool(1, 1)
	text := bytes.Repeat([]byte("bellwire "), 100)
	first, second, third := New(Params{}, true, pool), New(Params{}, true, pool), New(Params{}, true, pool)
	if _, ok := first.Compress(nil, text); !ok || first.kept == nil {
		t.Fatal("the first connection keeps no context")
	}
	if !second.BeginStream() || second.kept != nil {
		t.Fatal("the second connection has a context, or nothing")
	}
	if _, ok := third.Compress(nil, text); ok {
		t.Fatal("a third compressor is in use")
	}
	if third.BeginStream() {
		t.Fatal("a third compressor is in use for a stream")
	}
	if _, ok := pool.Alone(text); ok {
		t.Fatal("a third compressor is in use for a shared message")
	}
	second.Release()
	if _, ok := third.Compress(nil, text); !ok {
		t.Fatal("the compressor has not come back")
	}
	first.Release()
	if _, ok := third.Compress(nil, text); !ok || third.kept == nil {
		t.Fatal("the context's compressor has not come back")
	}
	third.BeginStream()
	third.Release()
	if pool.inUse.Load() != 0 || pool.kept.Load() != 0 {
		t.Fatalf("%d and %d in use at the end", pool.inUse.Load(), pool.kept.Load())
	}
}

// FuzzInflate holds the decompressor against the reference, under a limit.
func FuzzInflate(f *testing.F) {
	for _, wire := range []string{"f2 48 cd c9 c9 07 00", "00 05 00 fa ff 48 65 6c 6c 6f 00", "f3 48 cd c9 c9 07 00 00", "00", "06", "03 00 03 00 00"} {
		f.Add(unhex(f, wire), []byte("window"), uint16(100))
	}
	pool := NewPool(0, 0)
	f.Fuzz(func(t *testing.T, wire, window []byte, limit uint16) {
		if len(wire) > 400 {
			return
		}
		c := New(Params{}, true, pool)
		c.remember(window)
		got, err := c.Inflate(nil, wire, int64(limit))
		if len(got) > int(limit)+1 {
			t.Fatalf("%d bytes under a limit of %d", len(got), limit)
		}
		stepwise := New(Params{}, true, pool)
		stepwise.remember(window)
		again, errAgain := stepwise.inflateInSteps(nil, wire, int64(limit), 1+int(limit)%17)
		if errAgain != err || !bytes.Equal(again, got) || !bytes.Equal(stepwise.window, c.window) {
			t.Fatalf("in steps: %q, %v; at once: %q, %v", again, errAgain, got, err)
		}
		if len(wire) == 0 {
			return
		}
		want, r, refErr := inflateReference(append(bytes.Clone(wire), flushBytes...), tail(window))
		switch {
		case errors.Is(err, ErrSize):
			// The reference need not agree: the rest was not looked at.
		case refErr == nil && r.finals < finalBlocksMax && err != nil:
			t.Fatalf("refused what the reference reads as %q", want)
		case err == nil && refErr != nil:
			t.Fatalf("got %q of what the reference refuses", got)
		case err == nil && !bytes.Equal(got, want):
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}

func BenchmarkCompress(b *testing.B) {
	server, client := sides(Params{ServerNoContextTakeover: true})
	message := []byte(strings.Repeat(`{"channel":"chat:1","offset":42,"data":"hello"}`, 20))
	wire, _ := server.Compress(nil, message)
	b.Run("compress", func(b *testing.B) {
		b.SetBytes(int64(len(message)))
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			dst, _ = server.Compress(dst[:0], message)
		}
	})
	b.Run("inflate", func(b *testing.B) {
		b.SetBytes(int64(len(message)))
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			dst, _ = client.Inflate(dst[:0], wire, 1<<20)
		}
	})
}
