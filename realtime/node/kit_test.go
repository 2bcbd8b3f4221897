package node

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/backend/memory"
	"github.com/bellwire/bellwire/internal/leak"
	"github.com/bellwire/bellwire/protocol/native"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/authority"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/session"
)

// How the tests of this run are done.
var (
	carried bool // a carrier serves the lines
	waits   bool // the backend may wait, so that nothing is asked of it on a carrier
)

// TestMain runs all tests with lines of goroutines, and again with lines of a carrier, with both kinds of backend.
func TestMain(m *testing.M) {
	for _, waits = range []bool{false, true} {
		if code := m.Run(); code != 0 {
			os.Exit(code)
		}
		carried = true
	}
	waits = false
	leak.Main(m)
}

// waitingBackend is one that does not say that it never waits.
type waitingBackend struct{ broker.Backend }

// patience is only for a test that hangs: nothing waits that long when all is well.
const patience = 30 * time.Second

// clock stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.UnixMilli(1_790_000_000_000)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// counting is a source of ids that differ and are the same in every run.
type counting struct {
	mu sync.Mutex
	n  int
}

func (c *counting) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(b)
	b[len(b)-2], b[len(b)-1] = byte(c.n>>4), byte(c.n<<4)
	c.n++
	return len(b), nil
}

// tokens verifies tokens that say what they are: "user alice", "expired", "channel alice chat:vip".
type tokens struct{ clock *clock }

func (v tokens) VerifyConnection(token string, now time.Time) (authority.Claims, error) {
	kind, rest, _ := strings.Cut(token, " ")
	switch kind {
	case "user":
		return authority.Claims{User: rest, Info: []byte(`{"name":"` + rest + `"}`)}, nil
	case "hour":
		return authority.Claims{User: rest, Expires: now.Add(time.Hour)}, nil
	case "grant":
		user, channel, _ := strings.Cut(rest, " ")
		return authority.Claims{User: user, Grants: []authority.Grant{{Channels: []string{channel}, Actions: realtime.Actions}}}, nil
	case "expired":
		return authority.Claims{}, authority.ErrExpired
	}
	return authority.Claims{}, errors.New("the signature is wrong")
}

func (v tokens) VerifySubscription(token string, now time.Time) (authority.SubscriptionClaims, error) {
	parts := strings.Fields(token)
	switch {
	case len(parts) == 3 && parts[0] == "channel":
		return authority.SubscriptionClaims{
			User: parts[1], Channel: parts[2], Expires: now.Add(time.Minute),
			Actions: []realtime.Action{realtime.ActionSubscribe, realtime.ActionHistory, realtime.ActionState, realtime.ActionPresence},
		}, nil
	case token == "expired":
		return authority.SubscriptionClaims{}, authority.ErrExpired
	}
	return authority.SubscriptionClaims{}, errors.New("the signature is wrong")
}

func open(all realtime.Who) map[realtime.Action]realtime.Who {
	allow := make(map[realtime.Action]realtime.Who)
	for _, action := range realtime.Actions {
		allow[action] = all
	}
	return allow
}

// namespaces of the tests, by name.
func namespaces() map[string]*realtime.Namespace {
	full := realtime.Namespace{
		Name: "chat", History: true, HistoryEntriesMax: 10, HistoryAgeMax: 5 * time.Minute, HistoryBytesMax: 1 << 20,
		IdempotencyAgeMax: 5 * time.Minute, IdempotencyCountMax: 1000, State: true, StateKeysMax: 100, StateBytesMax: 1 << 16,
		Presence: true, PresenceMembersMax: 100, PayloadBytesMax: 1 << 10, Allow: open(realtime.Anyone),
	}
	volatile := realtime.Namespace{Name: "cursor", PayloadBytesMax: 1 << 10, Slow: realtime.SlowNewest, Allow: open(realtime.Anyone)}
	vip, poll, feed, big := full, full, full, full
	vip.Name, vip.Allow = "vip", nil
	poll.Name, poll.OwnKeys = "poll", true
	feed.Name, feed.Slow, feed.State, feed.Presence = "feed", realtime.SlowDrop, false, false
	big.Name, big.HistoryEntriesMax, big.HistoryBytesMax, big.PayloadBytesMax = "big", 1000, 4<<20, 16<<10
	return map[string]*realtime.Namespace{
		"chat": &full, "cursor": &volatile, "vip": &vip, "poll": &poll, "feed": &feed, "big": &big,
	}
}

// fixture is a node on the memory backend.
type fixture struct {
	t     testing.TB
	node  *Node
	clock *clock
	log   *syncBuffer
	loop  *loop // nil: lines of goroutines
}

type syncBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (s *syncBuffer) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newFixture(t testing.TB, change func(*Config)) *fixture {
	t.Helper()
	f := &fixture{t: t, clock: newClock(), log: new(syncBuffer)}
	table := namespaces()
	config := Config{
		Name: "n1", Version: "0.1.0", AllowAnonymous: true, Call: realtime.Anyone, Everywhere: realtime.Nobody,
		Verifier: tokens{f.clock}, Clock: f.clock, Rand: new(counting),
		Namespaces: func(name string) (*realtime.Namespace, bool) { ns, ok := table[name]; return ns, ok },
		Backend: func(sink broker.Sink) (broker.Backend, error) {
			backend, err := memory.New(memory.Config{Sink: sink, Clock: f.clock, Rand: new(counting)})
			if waits {
				return waitingBackend{backend}, err
			}
			return backend, err
		},
		Logger: slog.New(slog.NewTextHandler(f.log, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	if change != nil {
		change(&config)
	}
	n, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	f.node = n
	if carried {
		f.loop = newLoop()
	}
	t.Cleanup(func() {
		if f.loop != nil {
			defer f.loop.stop()
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		if strings.Contains(f.log.String(), "panic") {
			t.Error(f.log.String())
		}
	})
	return f
}

// line is a transport in memory: what is written can be read by the test, and the test can stop reading.
type line struct {
	t          testing.TB
	connection *Connection
	carried    *carriedLine // nil: goroutines serve it
	binary     bool
	lines      chan string   // JSON: one message each
	closed     chan struct{} // closed by Close
	code       realtime.Code
	reason     string
	once       sync.Once

	gateMu sync.Mutex
	gate   chan struct{} // nil: writes go through; otherwise they wait until it is closed
}

func (l *line) Name() string { return "memory" }

func (l *line) Write(messages [][]byte) error {
	l.gateMu.Lock()
	gate := l.gate
	l.gateMu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-l.closed:
			return io.ErrClosedPipe
		}
	}
	for _, m := range messages {
		select {
		case l.lines <- strings.TrimSuffix(string(m), "\n"):
		case <-l.closed:
			return io.ErrClosedPipe
		}
	}
	return nil
}

func (l *line) Close(code realtime.Code, reason string) {
	l.once.Do(func() {
		l.code, l.reason = code, reason
		close(l.closed)
	})
}

// stall makes the client stop reading, until the returned function is called.
func (l *line) stall() (resume func()) {
	gate := make(chan struct{})
	l.setGate(gate)
	return func() {
		l.setGate(nil)
		close(gate)
		if l.carried != nil {
			l.carried.resume()
		}
	}
}

func (l *line) setGate(gate chan struct{}) {
	l.gateMu.Lock()
	defer l.gateMu.Unlock()
	l.gate = gate
}

// say sends one message of the client, whose commands have been carried out when it returns.
func (l *line) say(messages ...string) {
	l.t.Helper()
	if err := l.receive([]byte(strings.Join(messages, "\n"))); err != nil {
		l.t.Logf("receive: %v", err)
	}
}

// next is the next message of the server.
func (l *line) next() string {
	l.t.Helper()
	select {
	case m := <-l.lines:
		return m
	default:
	}
	select {
	case m := <-l.lines:
		return m
	case <-time.After(patience):
		l.t.Fatal("no message came")
		return ""
	}
}

// want compares the next messages of the server, in order.
func (l *line) want(messages ...string) {
	l.t.Helper()
	for _, want := range messages {
		if got := l.next(); got != want {
			l.t.Fatalf("the server says\n%s\nwant\n%s", got, want)
		}
	}
}

// wantClosed waits until the line is closed with a code, and reads nothing but the disconnect before it.
func (l *line) wantClosed(code realtime.Code) {
	l.t.Helper()
	select {
	case <-l.closed:
	case <-time.After(patience):
		l.t.Fatal("the line was not closed")
	}
	if l.code != code {
		l.t.Fatalf("closed with %d (%s), want %d", l.code, l.reason, code)
	}
}

// quiet makes sure that nothing more was said before the answer to a ping.
func (l *line) quiet() {
	l.t.Helper()
	l.say(`{"id":4000000000,"ping":{}}`)
	l.want(fmt.Sprintf(`{"id":4000000000,"ping":{"time_ms":%d}}`, l.connection.node.config.Clock.Now().UnixMilli()))
}

// bare opens a line that says nothing.
func (f *fixture) bare() *line { return f.openWith(native.JSON, Hello{}) }

func (f *fixture) openWith(p session.Protocol, hello Hello) *line {
	f.t.Helper()
	l := &line{t: f.t, lines: make(chan string, 1<<14), closed: make(chan struct{})}
	var transport session.Transport = l
	if f.loop != nil {
		l.carried = &carriedLine{line: l, loop: f.loop}
		transport = l.carried
	}
	c, err := f.node.Open(transport, p, hello)
	if err != nil {
		f.t.Fatal(err)
	}
	l.connection = c
	if l.carried != nil {
		l.carried.open()
	}
	f.t.Cleanup(func() { l.Close(0, ""); c.Closed(nil) })
	return l
}

// connect opens a line and connects, as a user or, with "", anonymously.
func (f *fixture) connect(user string) *line {
	f.t.Helper()
	l := f.bare()
	if user == "" {
		l.say(`{"id":1,"connect":{}}`)
	} else {
		l.say(`{"id":1,"connect":{"token":"user ` + user + `"}}`)
	}
	if m := l.next(); !strings.HasPrefix(m, `{"id":1,"connect":{"connection":`) {
		f.t.Fatalf("connect was answered with %s", m)
	}
	return l
}
