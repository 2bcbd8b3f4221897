package websocket_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// The conformance suite's sections 12 and 13: compression. The peer has a
// compressor of its own, straight from compress/flate.

// suiteBytes bounds what a case moves; with BELLWIRE_AUTOBAHN=full each case sends
// its 1,000 messages as the suite does.
const suiteBytes = 192 << 10 / slowness

func suiteMessages(size int) int {
	if os.Getenv("BELLWIRE_AUTOBAHN") == "full" {
		return 1000
	}
	return max(2, min(1000, suiteBytes/size))
}

// suiteRow is one of the 18 ways to send a data set.
type suiteRow struct{ size, fragment int }

func suiteRows() (rows []suiteRow) {
	for _, size := range []int{16, 64, 256, 1 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10} {
		rows = append(rows, suiteRow{size, 0})
	}
	for _, size := range []int{8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10} {
		rows = append(rows, suiteRow{size, 256})
	}
	for _, fragment := range []int{1 << 10, 4 << 10, 32 << 10} {
		rows = append(rows, suiteRow{128 << 10, fragment})
	}
	return rows
}

// dataSet stands for one of the suite's five files: the same size and kind.
type dataSet struct {
	name   string
	opcode frame.Opcode
	data   []byte
}

func dataSets() []dataSet {
	return []dataSet{
		{"JSON", frame.Text, repeatTo(194056, func(r *rand.Rand) string {
			return fmt.Sprintf(`{"id":%d,"name":"user %x","tags":["a","b%d"],"on":%v},`, r.IntN(1e6), r.Uint32(), r.IntN(9), r.IntN(2) == 0)
		})},
		{"bitmap", frame.Binary, repeatTo(263222, func(r *rand.Rand) string { return strings.Repeat(string([]byte{byte(r.IntN(8) * 32)}), r.IntN(40)) })},
		{"verse", frame.Binary, repeatTo(222218, func(r *rand.Rand) string {
			return []string{"Habe nun, ach! ", "Philosophie, ", "Juristerei ", "und Medizin, ", "durchaus studiert, ", "mit heißem Bemühn. "}[r.IntN(6)]
		})},
		{"HTML", frame.Text, repeatTo(263647, func(r *rand.Rand) string {
			return fmt.Sprintf("<tr class=\"r%d\"><td>%d</td><td>%s</td></tr>\n", r.IntN(2), r.IntN(1000), []string{"bell", "wire", "line"}[r.IntN(3)])
		})},
		{"PDF", frame.Binary, repeatTo(1042328, func(r *rand.Rand) string {
			noise := make([]byte, 200)
			for i := range noise {
				noise[i] = byte(r.Uint32())
			}
			return fmt.Sprintf("%d 0 obj << /Length 200 >> stream\n%s\nendstream endobj\n", r.IntN(500), noise)
		})},
	}
}

// repeatTo makes data of a size from pieces, the same in each run.
func repeatTo(size int, piece func(*rand.Rand) string) []byte {
	r := rand.New(rand.NewPCG(12, 13))
	var b bytes.Buffer
	for b.Len() < size {
		b.WriteString(piece(r))
	}
	return b.Bytes()[:size]
}

// window returns the nth message: a window sliding over the data.
func (d dataSet) window(n, size int) []byte {
	start := n * size % (len(d.data) - size)
	message := bytes.Clone(d.data[start : start+size])
	if d.opcode == frame.Text {
		for i, c := range message { // the text sets are ASCII, and stay so
			message[i] = c & 0x7f
		}
	}
	return message
}

// codec is the peer's half of permessage-deflate.
type codec struct {
	compressor *flate.Writer
	compressed bytes.Buffer
	fresh      bool // each message on its own
	freshIn    bool // each message of the other side on its own
	window     []byte
}

// codecs keeps compressors from one case to the next: each is about a megabyte.
var codecs = sync.Pool{New: func() any {
	c := new(codec)
	c.compressor, _ = flate.NewWriter(&c.compressed, flate.DefaultCompression)
	return c
}}

// newCodec returns a codec that the test gives back when it ends.
func newCodec(t *testing.T, fresh, freshIn bool) *codec {
	c := codecs.Get().(*codec)
	c.fresh, c.freshIn, c.window = fresh, freshIn, nil
	c.compressor.Reset(&c.compressed)
	t.Cleanup(func() { codecs.Put(c) })
	return c
}

func (c *codec) compress(message []byte) []byte {
	c.compressed.Reset()
	if c.fresh {
		c.compressor.Reset(&c.compressed)
	}
	c.compressor.Write(message)
	c.compressor.Flush()
	return bytes.Clone(bytes.TrimSuffix(c.compressed.Bytes(), []byte("\x00\x00\xff\xff")))
}

func (c *codec) inflate(payload []byte) ([]byte, error) {
	r := flate.NewReaderDict(strings.NewReader(string(payload)+"\x00\x00\xff\xff\x01\x00\x00\xff\xff"), c.window)
	message, err := io.ReadAll(r)
	if !c.freshIn {
		c.window = append(c.window, message...)
		c.window = c.window[max(0, len(c.window)-32768):]
	}
	return message, err
}

// exchange sends messages and wants each one back.
func exchange(t *testing.T, peer *ws.Peer, engine *websocket.Conn, c *codec, d dataSet, row suiteRow) {
	t.Helper()
	echoed := make(chan error, 1)
	go func() { echoed <- echo(t.Context(), engine) }()
	for n := range suiteMessages(row.size) {
		message := d.window(n, row.size)
		whole := ws.Frame{Fin: true, RSV1: true, Opcode: d.opcode, Payload: c.compress(message)}
		frames := []ws.Frame{whole}
		if row.fragment > 0 {
			frames = fragments(whole, row.fragment)
		}
		if err := peer.Send(frames...); err != nil {
			t.Fatal(err)
		}
		got, err := peer.Receive()
		if err != nil {
			t.Fatal(err)
		}
		payload := got.Payload
		if got.RSV1 {
			if payload, err = c.inflate(payload); err != nil {
				t.Fatalf("message %d: %v", n, err)
			}
		}
		if got.Opcode != d.opcode || !bytes.Equal(payload, message) {
			t.Fatalf("message %d: the echo differs", n)
		}
	}
	checkEnd(t, normal, peer)
	if err := <-echoed; websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Error(err)
	}
	engine.CloseNow()
}

// TestAutobahnDeflate plays section 12 (the five data sets) and section 13 (seven
// settings on JSON) in both roles, without and with context takeover.
func TestAutobahnDeflate(t *testing.T) {
	sets := dataSets()
	for _, mode := range []websocket.CompressionMode{websocket.CompressionNoContextTakeover, websocket.CompressionContextTakeover} {
		for i, d := range sets {
			for n, row := range suiteRows() {
				id := fmt.Sprintf("mode %d/12.%d.%d", mode, i+1, n+1)
				playDeflate(t, id, mode, "", "", d, row)
			}
		}
		for i, s := range []struct{ offer, answer string }{
			{"", ""},
			{"; server_no_context_takeover", "; client_no_context_takeover"},
			{"; server_max_window_bits=9", "; client_max_window_bits=9"},
			{"; server_max_window_bits=15", "; client_max_window_bits=15"},
			{"; server_no_context_takeover; server_max_window_bits=9", "; client_no_context_takeover; client_max_window_bits=9"},
			{"; server_no_context_takeover; server_max_window_bits=15", "; client_no_context_takeover; client_max_window_bits=15"},
			{"; server_no_context_takeover; server_max_window_bits=9, permessage-deflate; server_no_context_takeover, permessage-deflate", ""},
		} {
			for n, row := range suiteRows() {
				id := fmt.Sprintf("mode %d/13.%d.%d", mode, i+1, n+1)
				playDeflate(t, id, mode, s.offer, s.answer, sets[0], row)
			}
		}
	}
}

func playDeflate(t *testing.T, id string, mode websocket.CompressionMode, offer, answer string, d dataSet, row suiteRow) {
	const base = "Sec-WebSocket-Extensions: permessage-deflate"
	none := mode == websocket.CompressionNoContextTakeover
	t.Run("server/"+id, func(t *testing.T) {
		t.Parallel()
		peer, engine := asServer(t, &websocket.AcceptOptions{Compression: mode},
			base+"; client_no_context_takeover; client_max_window_bits"+offer+"\r\n")
		got := peer.Answer.Header.Get("Sec-Websocket-Extensions")
		first, _, _ := strings.Cut(offer, ",")
		for want := range strings.SplitSeq(strings.TrimPrefix(first, "; "), "; ") {
			if !strings.Contains(got, want) {
				t.Errorf("answered %q to an offer with %q", got, want)
			}
		}
		exchange(t, peer, engine, newCodec(t, true, none || strings.Contains(got, "server_no")), d, row)
	})
	t.Run("client/"+id, func(t *testing.T) {
		t.Parallel()
		if none {
			answer = "; server_no_context_takeover" + answer
		}
		peer, engine := asClient(t, &websocket.DialOptions{Compression: mode}, base+answer+"\r\n")
		exchange(t, peer, engine, newCodec(t, none, none || strings.Contains(answer, "client_no")), d, row)
	})
}
