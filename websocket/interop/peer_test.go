package interop

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
)

// A peer is another implementation. Its functions start one server or one client that echoes; the test ends it.
type peer struct {
	name  string
	modes []mode
	serve func(t *testing.T, m mode, w *witness) (url string)
	dial  func(t *testing.T, url string, m mode, w *witness)
}

// A mode is what both sides are told about compression.
type mode struct {
	name   string
	ours   websocket.CompressionMode
	theirs string // off, no-takeover, takeover, or window: takeover with windows of 2^windowBits
	agreed bool
}

// windowBits is the smallest window that zlib can do.
const windowBits = 9

var (
	off         = mode{"off", websocket.CompressionOff, "off", false}
	declined    = mode{"declined by us", websocket.CompressionOff, "takeover", false}
	unwanted    = mode{"declined by the peer", websocket.CompressionContextTakeover, "off", false}
	noTakeover  = mode{"no takeover", websocket.CompressionNoContextTakeover, "no-takeover", true}
	takeover    = mode{"takeover", websocket.CompressionContextTakeover, "takeover", true}
	smallWindow = mode{"small window", websocket.CompressionContextTakeover, "window", true}
	ourWish     = mode{"takeover against none", websocket.CompressionContextTakeover, "no-takeover", true}
	theirWish   = mode{"none against takeover", websocket.CompressionNoContextTakeover, "takeover", true}
	allModes    = []mode{off, declined, unwanted, noTakeover, takeover, smallWindow, ourWish, theirWish}
)

// The subprotocols: the client offers both, the server knows the second.
const (
	subprotocolOther = "other.interop"
	subprotocolOurs  = "bellwire.interop"
)

// messageMax is what both sides accept.
const messageMax = 32 << 20

// patience is for what hangs.
const patience = 60 * time.Second

// A witness hears what the peer saw. Each channel takes one value, of the one connection of a test.
type witness struct {
	opened chan opening
	closed chan ending
}

func newWitness() *witness {
	return &witness{opened: make(chan opening, 1), closed: make(chan ending, 1)}
}

// opening is what the peer agreed on. Extensions is as in the response; only clients know it.
type opening struct{ subprotocol, extensions string }

// ending is the close frame that the peer received.
type ending struct {
	code   int
	reason string
}

func await[T any](t *testing.T, what string, values <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-values:
	case <-time.After(patience):
		t.Fatalf("%s: nothing came", what)
	}
	return value
}

// foreign is a connection of a peer written in Go.
type foreign interface {
	send(text bool, message []byte) error
	sendFragments(text bool, fragments [][]byte) error
	ping(payload string) error // answered, when the pong has come, by "pong " and the payload
	end(code int, reason string) error
}

// answer does what a message asks for, or sends it back.
func answer(c foreign, text bool, message []byte) error {
	if !text || !strings.HasPrefix(string(message[:min(3, len(message))]), "do:") {
		return c.send(text, message)
	}
	verb, rest, _ := strings.Cut(string(message[3:]), " ")
	first, second, _ := strings.Cut(rest, " ")
	number, _ := strconv.Atoi(first)
	switch verb {
	case "fragments":
		return c.sendFragments(true, cut(alphabet(fragmentedBytes), number))
	case "ping":
		return c.ping(rest)
	case "close":
		return c.end(number, second)
	}
	return fmt.Errorf("peer: unknown request %q", message)
}

// fragmentedBytes is larger than the buffers by which some peers cut messages.
const fragmentedBytes = 300_000

// alphabet is text whose characters have one to four bytes, ten together.
func alphabet(size int) []byte { return []byte(strings.Repeat("x\u00e9\u20ac\U0001f514", size/10)) }

// cut makes n fragments of a message, most borders inside a character, the first one empty.
func cut(message []byte, n int) [][]byte {
	fragments := [][]byte{nil}
	for i := range n - 1 {
		from, to := len(message)*i/(n-1), len(message)*(i+1)/(n-1)
		fragments = append(fragments, message[from:to])
	}
	return fragments
}

// offered is the client's offer of subprotocols.
var offered = []string{subprotocolOther, subprotocolOurs}

// extensionsOf is the agreed extension of a response.
func extensionsOf(response *http.Response) string {
	return response.Header.Get("Sec-Websocket-Extensions")
}

// within bounds what a Go peer waits for.
func within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}
