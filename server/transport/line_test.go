package transport

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/internal/leak"
	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/websocket"
)

func TestMain(m *testing.M) { leak.Main(m) }

// pair is a line and the client at its other end.
func pair(t *testing.T, frameBytesMax int) (*line, *websocket.Conn) {
	t.Helper()
	group := &safego.Group{}
	accepted := make(chan *websocket.Conn, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
		}
		accepted <- conn
	}))
	client, _, err := websocket.Dial(t.Context(), strings.Replace(server.URL, "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{kind: websocket.TextMessage, frameBytesMax: frameBytesMax, group: group, opened: make(chan struct{})}
	conn := <-accepted
	t.Cleanup(func() {
		_ = client.CloseNow()
		_ = conn.CloseNow()
		_ = group.Wait(t.Context())
		server.Close()
	})
	l.open(conn)
	return l, client
}

func messagesOf(texts ...string) [][]byte {
	messages := make([][]byte, len(texts))
	for i, text := range texts {
		messages[i] = []byte(text)
	}
	return messages
}

// CON-3: how messages are grouped carries no meaning; they are joined up to the limit of a frame, in order.
func TestCON3MessagesAreJoinedUpToTheFrameLimit(t *testing.T) {
	tests := []struct {
		messages, want []string
	}{
		{[]string{"aaaa"}, []string{"aaaa"}},
		{[]string{"aaaa", "bbbb"}, []string{"aaaabbbb"}},
		{[]string{"aaaa", "bbbbb", "c"}, []string{"aaaa", "bbbbbc"}},
		{[]string{"a", "bbbbbbbbbbbbbbbb", "c"}, []string{"a", "bbbbbbbbbbbbbbbb", "c"}},
		{[]string{"aaaaaaaa", "bbbbbbbb"}, []string{"aaaaaaaa", "bbbbbbbb"}},
	}
	for _, test := range tests {
		l, client := pair(t, 8)
		if err := l.Write(messagesOf(test.messages...)); err != nil {
			t.Fatal(err)
		}
		for _, want := range test.want {
			kind, got, err := client.Read(t.Context())
			if err != nil || kind != websocket.TextMessage || string(got) != want {
				t.Errorf("%q: got %q %v, want %q", test.messages, got, err, want)
			}
		}
	}
}

// SRV-7: what was written goes out before the Close frame, which has the code.
func TestSRV7CloseComesAfterWhatWasWritten(t *testing.T) {
	l, client := pair(t, 100)
	if err := l.Write(messagesOf("last")); err != nil {
		t.Fatal(err)
	}
	l.Close(realtime.CodeRestart, "restart")
	l.Close(realtime.CodeSlow, "slow") // only the first counts
	if _, got, err := client.Read(t.Context()); err != nil || string(got) != "last" {
		t.Errorf("%q %v", got, err)
	}
	_, _, err := client.Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusCode(realtime.CodeRestart) {
		t.Errorf("closed with %v", err)
	}
	if err := l.Write(messagesOf("after")); err == nil {
		t.Error("a closed line takes messages")
	}
}

// The node may write and close before the handshake is done.
func TestALineThatIsNotOpenYet(t *testing.T) {
	l, client := pair(t, 100)
	early := &line{kind: l.kind, frameBytesMax: 100, group: l.group, opened: make(chan struct{})}
	written := make(chan error, 1)
	go func() { written <- early.Write(messagesOf("early")) }()
	early.Close(realtime.CodeOverloaded, "")
	early.open(l.conn)
	if err := <-written; err != nil && !strings.Contains(fmt.Sprint(err), "closed") {
		t.Error(err)
	}
	for {
		_, got, err := client.Read(t.Context())
		if err == nil {
			if string(got) != "early" {
				t.Errorf("got %q", got)
			}
			continue
		}
		if websocket.CloseStatus(err) != websocket.StatusCode(realtime.CodeOverloaded) {
			t.Errorf("closed with %v", err)
		}
		break
	}
	never := &line{group: l.group, opened: make(chan struct{})}
	never.fail()
	if err := never.Write(messagesOf("x")); err == nil {
		t.Error("a line without a handshake takes messages")
	}
	never.Close(realtime.CodeRestart, "")
}

func TestBuffersThatGrewAreNotKept(t *testing.T) {
	large := make([]byte, 0, bufferBytesMax+1)
	giveBuffer(&large)
	small := takeBuffer()
	defer giveBuffer(small)
	if cap(*small) > bufferBytesMax || len(*small) != 0 {
		t.Errorf("a buffer of %d bytes, %d used", cap(*small), len(*small))
	}
}
