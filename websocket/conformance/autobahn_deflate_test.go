package conformance_test

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// The conformance suite's sections 12 and 13: compression. The peer has a
// compressor of its own, straight from compress/flate.

// suiteBytes bounds what a case moves in `go test`. BELLWIRE_AUTOBAHN asks for more: with "turns", as in
// `make test`, cases with messages of at most 4 KiB send their 1,000 messages as the suite does against each side in
// each mode, and those of at most 32 KiB against one of them in turn. With "full", as
// in `make conformance SUITE=full`, every case sends 1,000 messages against every side in each mode.
const suiteBytes = 192 << 10 / slowness

// suiteMessages is how many messages a case sends; turn says that it is this side's and mode's turn.
func suiteMessages(size int, turn bool) int {
	whole := false
	switch os.Getenv("BELLWIRE_AUTOBAHN") {
	case "full":
		whole = true
	case "turns":
		whole = size <= 4<<10 || turn && size <= 32<<10
	}
	if whole {
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
	inflater   io.ReadCloser
	inflated   bytes.Buffer
	window     []byte
}

// codecs keeps compressors from one case to the next: each is about a megabyte.
var codecs = sync.Pool{New: func() any {
	c := new(codec)
	c.compressor, _ = flate.NewWriter(&c.compressed, flate.BestSpeed)
	return c
}}

// newCodec returns a codec that the test gives back when it ends.
func newCodec(t *testing.T, fresh, freshIn bool) *codec {
	c := codecs.Get().(*codec)
	c.fresh, c.freshIn, c.window = fresh, freshIn, c.window[:0]
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

// inflate returns a message, valid until the next.
func (c *codec) inflate(payload []byte) ([]byte, error) {
	r := io.MultiReader(bytes.NewReader(payload), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff"))
	if c.inflater == nil {
		c.inflater = flate.NewReader(r)
	}
	if err := c.inflater.(flate.Resetter).Reset(r, c.window); err != nil {
		return nil, err
	}
	c.inflated.Reset()
	_, err := c.inflated.ReadFrom(c.inflater)
	message := c.inflated.Bytes()
	if !c.freshIn {
		c.window = append(c.window, message[max(0, len(message)-32768):]...)
		c.window = append(c.window[:0], c.window[max(0, len(c.window)-32768):]...)
	}
	return message, err
}

// exchange sends messages and wants each one back.
func exchange(t *testing.T, s *subject, c *codec, of suiteCase, turn bool) {
	t.Helper()
	d, row := of.data, of.row
	peer := s.peer
	peer.Line.SetDeadline(time.Now().Add(5 * time.Minute)) // a bound for a hang
	for n := range suiteMessages(row.size, turn) {
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
	checkEnded(t, s, websocket.StatusNormalClosure)
}

// deflateSides are both roles and both drivers once: what carries the bytes is of no matter here.
func deflateSides(t *testing.T) []side {
	chosen := []string{"server", "serving client over TCP", "reactor server over TCP"}
	return slices.DeleteFunc(sides(t), func(s side) bool { return !slices.Contains(chosen, s.name) })
}

// suiteCase is one of the 216 cases.
type suiteCase struct {
	id            string
	data          dataSet
	row           suiteRow
	offer, answer string // the parameters that a client adds to its offer, and those that a server adds to its answer
}

// suiteCases are section 12 (the five data sets) and section 13 (seven settings on JSON).
func suiteCases() (cases []suiteCase) {
	sets := dataSets()
	add := func(group string, d dataSet, offer, answer string) {
		for n, row := range suiteRows() {
			cases = append(cases, suiteCase{fmt.Sprintf("%s.%d", group, n+1), d, row, offer, answer})
		}
	}
	for i, d := range sets {
		add(fmt.Sprintf("12.%d", i+1), d, "", "")
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
		add(fmt.Sprintf("13.%d", i+1), sets[0], s.offer, s.answer)
	}
	return cases
}

// TestAutobahnDeflate plays sections 12 and 13 against both roles and both drivers, without and with context takeover.
func TestAutobahnDeflate(t *testing.T) {
	cases, all := suiteCases(), deflateSides(t)
	if len(cases) != 216 {
		t.Errorf("%d cases", len(cases))
	}
	ways := 0
	for _, mode := range []websocket.CompressionMode{websocket.CompressionNoContextTakeover, websocket.CompressionContextTakeover} {
		for _, side := range all {
			for i, c := range cases {
				if slowness > 1 && (i+ways)%2 == 0 {
					continue // half of them, in turn: the race detector looks at how things are shared, not at what is sent
				}
				turn := (i+i/len(suiteRows()))%(2*len(all)) == ways // a row goes round from set to set
				t.Run(fmt.Sprintf("%s/%s/%s", side.name, mode, c.id), func(t *testing.T) {
					t.Parallel()
					playDeflate(t, side, mode, c, turn)
				})
			}
			ways++
		}
	}
}

// playDeflate plays one case. The peer compresses and inflates with what was agreed.
func playDeflate(t *testing.T, side side, mode websocket.CompressionMode, c suiteCase, turn bool) {
	const base = "Sec-WebSocket-Extensions: permessage-deflate"
	none := mode == websocket.CompressionNoContextTakeover
	opts := websocket.AcceptOptions{Compression: mode}
	if side.client {
		answer := c.answer
		if none {
			answer = "; server_no_context_takeover" + answer
		}
		s := side.open(t, opts, base+answer+"\r\n")
		exchange(t, s, newCodec(t, none, none || strings.Contains(answer, "client_no")), c, turn)
		return
	}
	s := side.open(t, opts, base+"; client_max_window_bits"+c.offer+"\r\n")
	got := s.peer.Answer.Header.Get("Sec-Websocket-Extensions")
	first, _, _ := strings.Cut(c.offer, ",")
	for want := range strings.SplitSeq(strings.TrimPrefix(first, "; "), "; ") {
		if !strings.Contains(got, want) {
			t.Errorf("answered %q to an offer with %q", got, want)
		}
	}
	exchange(t, s, newCodec(t, strings.Contains(got, "client_no"), strings.Contains(got, "server_no")), c, turn)
}
