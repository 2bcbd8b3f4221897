//go:build linux

package reactor_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	"github.com/bellwire/bellwire/websocket/reactor"
)

// errand is a task made of a function.
type errand func(l *reactor.Loop)

func (e errand) Run(l *reactor.Loop, with any) { e(l) }

// crew serves connections and tells the test of each that opens.
func crew(t testing.TB, config reactor.Config, opts *websocket.AcceptOptions) (opened chan reactor.Conn, url string) {
	opened = make(chan reactor.Conn, 16)
	config.Handler.Open = func(t *reactor.Turn) { opened <- t.Conn() }
	if config.Handler.Message == nil {
		config.Handler.Message = echo
	}
	_, url = serve(t, config, opts)
	return opened, url
}

func carry(t testing.TB, loop *reactor.Loop, f func(l *reactor.Loop)) {
	t.Helper()
	done := make(chan struct{})
	err := loop.Carry(errand(func(l *reactor.Loop) {
		defer close(done)
		f(l)
	}), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	<-done
}

func TestWhatATaskPassesAndSendsArrivesInOrder(t *testing.T) {
	for name, mode := range map[string]websocket.CompressionMode{
		"plain": websocket.CompressionOff, "no takeover": websocket.CompressionNoContextTakeover,
	} {
		t.Run(name, func(t *testing.T) {
			opened, url := crew(t, reactor.Config{Loops: 1}, &websocket.AcceptOptions{Compression: mode})
			var clients []*websocket.Conn
			var conns []reactor.Conn
			for range 3 {
				clients = append(clients, dial(t, url, &websocket.DialOptions{Compression: mode}))
				conns = append(conns, <-opened)
			}
			long := strings.Repeat("long ", 1000)
			carry(t, conns[0].Loop(), func(l *reactor.Loop) {
				a, b := l.Frame(websocket.TextMessage, []byte("a")), l.Frame(websocket.BinaryMessage, []byte(long))
				for _, c := range conns[:2] {
					l.Pass(c, a)
					l.Pass(c, b) // follows a: one run
				}
				l.Pass(conns[2], b)
				l.Pass(conns[2], a) // does not follow b: copied
				l.Send(conns[2], websocket.TextMessage, []byte("sent"))
				l.Pass(conns[2], b)
				l.Flush(conns[2])
				l.Pass(conns[2], a)
			})
			want := [][]string{{"a", long}, {"a", long}, {long, "a", "sent", long, "a"}}
			for i, client := range clients {
				for n, want := range want[i] {
					_, got, err := client.Read(t.Context())
					if err != nil || string(got) != want {
						t.Fatalf("client %d, message %d: %.20q %v, want %.20q", i, n, got, err, want)
					}
				}
			}
		})
	}
}

func TestTasksAreRunInOrderAndAfterAPanicToo(t *testing.T) {
	opened, url := crew(t, reactor.Config{Loops: 1, Logger: textLogger(io.Discard)}, nil)
	client := dial(t, url, nil)
	conn := <-opened
	for i := range 5 {
		task := errand(func(l *reactor.Loop) {
			l.Send(conn, websocket.TextMessage, fmt.Append(nil, i))
			if i == 2 {
				panic("a task fails")
			}
		})
		carry := conn.Loop().Carry
		if i == 3 {
			carry = func(task reactor.Task, with any, _ int) error { return conn.Loop().CarryUrgent(task, with) }
		}
		if err := carry(task, nil, 0); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 5 {
		_, got, err := client.Read(t.Context())
		if err != nil || string(got) != fmt.Sprint(i) {
			t.Fatalf("message %d: %q %v", i, got, err)
		}
	}
}

func TestALoopThatIsBehindTakesOnlyWhatIsUrgent(t *testing.T) {
	opened, url := crew(t, reactor.Config{Loops: 1, InboxMax: 2, InboxBytesMax: 100}, nil)
	dial(t, url, nil)
	loop := (<-opened).Loop()
	held, release := make(chan struct{}), make(chan struct{})
	loop.Carry(errand(func(*reactor.Loop) { close(held); <-release }), nil, 0)
	<-held
	var ran atomic.Int32
	count := errand(func(*reactor.Loop) { ran.Add(1) })
	for i, row := range []struct {
		bytes int
		want  error
	}{{90, nil}, {20, reactor.ErrBusy}, {10, nil}, {0, reactor.ErrBusy}} {
		if err := loop.Carry(count, nil, row.bytes); !errors.Is(err, row.want) {
			t.Errorf("call %d: %v, want %v", i, err, row.want)
		}
	}
	if err := loop.CarryUrgent(count, nil); err != nil {
		t.Error(err)
	}
	if loop.Behind() != nil {
		t.Error("three calls are no backlog")
	}
	for range 2000 {
		loop.CarryUrgent(count, nil)
	}
	behind := loop.Behind()
	if behind == nil {
		t.Fatal("2,003 calls wait and nobody is behind")
	}
	close(release)
	<-behind
	carryWhenFree(t, loop)
	if got := ran.Load(); got != 2003 {
		t.Errorf("%d tasks ran, want 2003", got)
	}
}

// carryWhenFree returns when all that was carried before has run.
func carryWhenFree(t testing.TB, loop *reactor.Loop) {
	t.Helper()
	done := make(chan struct{})
	if err := loop.CarryUrgent(errand(func(*reactor.Loop) { close(done) }), nil); err != nil {
		t.Fatal(err)
	}
	<-done
}

func TestAPeerThatReadsNothingBlocksItsLineAlone(t *testing.T) {
	drained := make(chan reactor.Conn, 1)
	config := reactor.Config{Loops: 1, QueueBytesMax: 64 << 20}
	config.Handler.Drained = func(t *reactor.Turn) { drained <- t.Conn() }
	opened, url := crew(t, config, nil)
	slow := peer(t, url, "")
	slowConn := <-opened
	quick := dial(t, url, nil)
	quickConn := <-opened
	big := make([]byte, 1<<20)
	blocked, sent := false, 0
	for !blocked { // until the buffers of the system are full
		carry(t, slowConn.Loop(), func(l *reactor.Loop) {
			l.Send(slowConn, websocket.BinaryMessage, big)
			l.Flush(slowConn)
			sent++
			if blocked = l.Blocked(slowConn); blocked && (l.Ready(slowConn) || !l.Ready(quickConn)) {
				t.Error("the blocked line is ready, or the other is not")
			}
			l.Send(quickConn, websocket.TextMessage, []byte("quick"))
		})
		if _, got, err := quick.Read(t.Context()); err != nil || string(got) != "quick" {
			t.Fatalf("%q %v", got, err)
		}
	}
	for range sent {
		if _, err := slow.Receive(); err != nil {
			t.Fatal(err)
		}
	}
	if conn := <-drained; conn != slowConn {
		t.Error("another line was drained")
	}
	carry(t, slowConn.Loop(), func(l *reactor.Loop) {
		if l.Blocked(slowConn) || !l.Ready(slowConn) {
			t.Error("the line is still blocked")
		}
	})
}

func TestALineThatWasPassedMuchIsNotReadyUntilItIsSent(t *testing.T) {
	opened, url := crew(t, reactor.Config{Loops: 1}, nil)
	client := dial(t, url, &websocket.DialOptions{Limits: websocket.Limits{MessageBytes: 1 << 20}})
	conn := <-opened
	carry(t, conn.Loop(), func(l *reactor.Loop) {
		l.Pass(conn, l.Frame(websocket.BinaryMessage, make([]byte, 100<<10)))
		if l.Ready(conn) || l.Blocked(conn) {
			t.Error("ready, or blocked")
		}
	})
	if _, got, err := client.Read(t.Context()); err != nil || len(got) != 100<<10 {
		t.Fatal(len(got), err)
	}
	carry(t, conn.Loop(), func(l *reactor.Loop) {
		if !l.Ready(conn) {
			t.Error("not ready")
		}
	})
}

func TestAWakeIsATurnOfTheConnection(t *testing.T) {
	config := reactor.Config{Handler: reactor.Handler{
		Woken: func(t *reactor.Turn) { t.Send(websocket.TextMessage, []byte(t.Data().(string))) },
	}}
	opened, url := crew(t, config, nil)
	client := dial(t, url+"/woken", nil)
	conn := <-opened
	if err := conn.Wake(); err != nil {
		t.Fatal(err)
	}
	if _, got, err := client.Read(t.Context()); err != nil || string(got) != "/woken" {
		t.Fatalf("%q %v", got, err)
	}
}

func TestWhatIsDoneToAConnectionThatHasGoneDoesNothing(t *testing.T) {
	closed := make(chan struct{}, 2) // both connections end
	config := reactor.Config{Loops: 1, Handler: reactor.Handler{
		Closed: func(*reactor.Turn, error) { closed <- struct{}{} },
		Woken:  func(*reactor.Turn) { t.Error("woken") },
	}}
	opened, url := crew(t, config, nil)
	client := dial(t, url, nil)
	gone := <-opened
	client.CloseNow()
	<-closed
	next := dial(t, url, nil)
	<-opened
	carry(t, gone.Loop(), func(l *reactor.Loop) {
		l.Pass(gone, l.Frame(websocket.TextMessage, []byte("to nobody")))
		l.Flush(gone)
		if err := l.Send(gone, websocket.TextMessage, []byte("to nobody")); !errors.Is(err, websocket.ErrClosed) {
			t.Error(err)
		}
		if l.Ready(gone) || l.Blocked(gone) {
			t.Error("it is there")
		}
	})
	gone.Wake()
	if err := next.Write(t.Context(), websocket.TextMessage, []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := next.Read(t.Context()); err != nil || string(got) != "still here" {
		t.Fatalf("%q %v", got, err)
	}
}

// Lines that are passed parts of the palette which do not follow each other get them in order, however many they are.
func TestManyLinesWithPartsThatDoNotFollowEachOther(t *testing.T) {
	opened, url := crew(t, reactor.Config{Loops: 1}, nil)
	var clients []*websocket.Conn
	var conns []reactor.Conn
	for range 100 {
		clients = append(clients, dial(t, url, nil))
		conns = append(conns, <-opened)
	}
	carry(t, conns[0].Loop(), func(l *reactor.Loop) {
		frames := []reactor.Frame{
			l.Frame(websocket.TextMessage, []byte("first")), l.Frame(websocket.TextMessage, []byte("left out")), l.Frame(websocket.TextMessage, []byte("second")),
		}
		for _, c := range conns {
			l.Pass(c, frames[0])
			l.Pass(c, frames[2])
			l.Pass(c, frames[0])
		}
	})
	for i, client := range clients {
		for _, want := range []string{"first", "second", "first"} {
			if _, got, err := client.Read(t.Context()); err != nil || string(got) != want {
				t.Fatalf("client %d: %q %v, want %s", i, got, err, want)
			}
		}
	}
}

// A frame that is passed keeps its type, and goes out compressed where that was agreed.
func TestAFrameIsOfItsType(t *testing.T) {
	text := []byte(strings.Repeat("text ", 1000))
	for mode, extra := range map[websocket.CompressionMode]string{
		websocket.CompressionOff:               "",
		websocket.CompressionNoContextTakeover: "Sec-WebSocket-Extensions: permessage-deflate\r\n",
	} {
		opened, url := crew(t, reactor.Config{Loops: 1}, &websocket.AcceptOptions{Compression: mode})
		p := peer(t, url, extra)
		conn := <-opened
		carry(t, conn.Loop(), func(l *reactor.Loop) {
			l.Pass(conn, l.Frame(websocket.BinaryMessage, text))
			l.Pass(conn, l.Frame(websocket.TextMessage, text))
		})
		for _, want := range []frame.Opcode{frame.Binary, frame.Text} {
			if got, err := p.Receive(); err != nil || got.Opcode != want || got.RSV1 != (extra != "") {
				t.Errorf("%v: %v, %v, want opcode %d", mode, got, err, want)
			}
		}
	}
}
