package core_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/bellwire/bellwire/client/core"
	"github.com/bellwire/bellwire/client/internal/modelserver"
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// TestSimulation runs a client against a model server over lines that are late, cut and lost, from a seed. A failure
// names its seed; SIMULATION_SEED=n runs that one alone,
// SIMULATION_SEEDS=n the first n, and SIMULATION_TRACE=1 prints what the core puts out.
func TestSimulation(t *testing.T) {
	seeds, first := uint64(400), uint64(1)
	if testing.Short() {
		seeds = 40
	}
	if text := os.Getenv("SIMULATION_SEEDS"); text != "" {
		seeds, _ = strconv.ParseUint(text, 10, 64)
	}
	if text := os.Getenv("SIMULATION_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		first, seeds = seed, 1
	}
	rare := make(map[string]int)
	for seed := first; seed < first+seeds; seed++ {
		s := newSimulation(t, seed)
		s.run()
		for name, count := range s.seen {
			rare[name] += count
		}
		if t.Failed() {
			return
		}
	}
	if seeds < 100 {
		return
	}
	// A simulation that never gets there proves nothing.
	for _, name := range []string{"cut", "restart", "refused line", "recovered", "missed", "gone epoch", "duplicate reply", "sent again",
		"in flight failed", "gap", "state page", "unsubscribed later", "offline", "late line", "slept"} {
		if rare[name] == 0 {
			t.Errorf("no seed reached: %s", name)
		}
	}
	t.Logf("%d seeds: %v", seeds, rare)
}

// simulation is one run. Everything happens at a time, in the order of times, on one goroutine.
type simulation struct {
	t      *testing.T
	seed   uint64
	random *rand.Rand
	now    int64
	faults bool
	trace  bool

	core   *core.Core
	server *modelserver.Server
	line   map[int]*simulatedLine
	seen   map[string]int

	wanted   map[string]*intent
	sent     map[string]bool // ids of publications
	requests map[int64]*simulatedRequest
	newest   int64
	value    int
}

// intent is what the application asked of a channel last, and what it was handed since.
type intent struct {
	options   core.SubscribeOptions
	position  realtime.Position // of the newest that was handed over, or that the answer named
	mayJump   bool              // the answer said that something is missed, or is the first
	entries   map[string]string // as told by state changes
	members   map[string]bool   // as told by presence changes
	delivered map[string]int    // payloads, by epoch and text
}

type simulatedRequest struct {
	channel  string
	payload  string // of a publish
	answered int
}

// simulatedLine carries messages both ways, late but in order.
type simulatedLine struct {
	number  int
	conn    *modelserver.Conn // nil: not accepted yet
	open    bool              // the client believes so
	toOpen  int64             // when the attempt succeeds or fails
	refused bool
	up      []delayed[wire.ClientMessage]
	down    []delayed[wire.ServerMessage]
	cutAt   int64 // when the client learns of the end
}

type delayed[M any] struct {
	at      int64
	message M
}

const notYet = int64(1) << 62

func newSimulation(t *testing.T, seed uint64) *simulation {
	s := &simulation{
		t: t, seed: seed, random: rand.New(rand.NewPCG(seed, 1)), faults: true, trace: os.Getenv("SIMULATION_TRACE") != "", server: modelserver.New(),
		line: make(map[int]*simulatedLine), seen: make(map[string]int), wanted: make(map[string]*intent), sent: make(map[string]bool), requests: make(map[int64]*simulatedRequest),
	}
	s.server.HistoryMax = 1 + s.random.IntN(1<<s.random.IntN(7))
	s.server.PageMax = 1 + s.random.IntN(4)
	s.server.Session.MessageBytes = uint64(200 + s.random.IntN(65_000))
	s.server.Volatile = func(name string) bool { return name == "volatile:a" }
	s.core = core.New(core.Options{URLs: []string{"ws://a/ws", "ws://b/ws"}, Client: "simulation/1", Random: s.random.Float64})
	return s
}

func (s *simulation) fail(format string, arguments ...any) {
	s.t.Helper()
	s.t.Fatalf("seed %d at %d ms: %s", s.seed, s.now, fmt.Sprintf(format, arguments...))
}

func (s *simulation) run() {
	s.core.Connect(s.now)
	s.drain()
	for range 600 {
		s.step()
	}
	// No more faults: everything that is wanted must come true.
	s.faults = false
	s.core.Network(s.now, true)
	for _, channel := range []string{"log:a", "log:b", "state:a"} {
		s.server.Publish(channel, realtime.JSON([]byte(`"the last"`))) // A publication that was lost shows by the next.
	}
	s.drain()
	for range 4000 {
		s.step()
	}
	s.checkEnd()
	s.core.Close(s.now)
	s.drain()
	if _, ok := s.core.Deadline(); ok {
		s.fail("CLI-1: a deadline in closed")
	}
	for number, request := range s.requests {
		if request.answered != 1 {
			s.fail("request %d has %d answers", number, request.answered)
		}
	}
}

// step lets the next thing happen: what is due first, or what the application or fate does at that time.
func (s *simulation) step() {
	next := notYet
	if at, ok := s.core.Deadline(); ok {
		next = at
	}
	for _, line := range s.line {
		next = min(next, line.next())
	}
	idle := s.now + 1 + s.random.Int64N(400)
	if next > idle {
		s.now = idle
		if s.faults {
			s.act()
		}
		s.drain()
		return
	}
	s.now = max(s.now, next)
	for _, number := range slices.Sorted(maps.Keys(s.line)) {
		if line := s.line[number]; line != nil && line.next() <= s.now {
			s.advance(line)
		}
	}
	if at, ok := s.core.Deadline(); ok && at <= s.now {
		s.core.Tick(s.now)
		if after, ok := s.core.Deadline(); ok && after <= s.now {
			s.fail("after its tick the deadline is still %d", after)
		}
	}
	s.drain()
}

func (l *simulatedLine) next() int64 {
	next := min(l.toOpen, l.cutAt)
	if len(l.up) > 0 {
		next = min(next, l.up[0].at)
	}
	if len(l.down) > 0 && l.open {
		next = min(next, l.down[0].at)
	}
	return next
}

// advance lets one thing happen on a line.
func (s *simulation) advance(l *simulatedLine) {
	switch {
	case l.toOpen <= s.now:
		l.toOpen = notYet
		if l.refused {
			s.seen["refused line"]++
			delete(s.line, l.number)
			s.core.LineClosed(s.now, l.number, 1006, "")
			return
		}
		l.conn, l.open = s.server.Open(), true
		s.core.LineOpened(s.now, l.number)
	case len(l.down) > 0 && l.open && l.down[0].at <= s.now:
		message := l.down[0].message
		l.down = l.down[1:]
		s.core.Received(s.now, l.number, &message)
	case len(l.up) > 0 && l.up[0].at <= s.now:
		message := l.up[0].message
		l.up = l.up[1:]
		if l.conn != nil {
			l.conn.Receive(&message)
		}
	case l.cutAt <= s.now:
		if l.conn != nil {
			l.conn.Close()
		}
		delete(s.line, l.number)
		s.core.LineClosed(s.now, l.number, 1006, "")
	}
	s.collect()
}

// collect puts what the server says on its lines.
func (s *simulation) collect() {
	for _, number := range slices.Sorted(maps.Keys(s.line)) {
		l := s.line[number]
		if l.conn == nil {
			continue
		}
		for _, message := range l.conn.Take() {
			l.down = append(l.down, delayed[wire.ServerMessage]{s.later(l.down), message})
		}
	}
}

func (s *simulation) later(queue []delayed[wire.ServerMessage]) int64 {
	at := s.now + s.random.Int64N(30)
	if len(queue) > 0 {
		at = max(at, queue[len(queue)-1].at)
	}
	return at
}

// cut breaks a line: what is on its way is lost, and the client learns of it later, or only by silence.
func (s *simulation) cut(l *simulatedLine) {
	s.seen["cut"]++
	if l.conn != nil {
		l.conn.Close()
	}
	l.up = nil
	l.down = l.down[:s.random.IntN(len(l.down)+1)]
	l.cutAt = s.now + s.random.Int64N(2000)
	if s.random.IntN(4) == 0 {
		l.cutAt = notYet
	}
	l.conn = nil
}

// act is what the application, other people and fate do.
func (s *simulation) act() {
	channels := []string{"log:a", "log:b", "state:a", "volatile:a", "log:*"}
	channel := channels[s.random.IntN(len(channels))]
	switch s.random.IntN(20) {
	case 0, 1, 2:
		s.subscribe(channel)
	case 3:
		delete(s.wanted, channel)
		s.core.Unsubscribe(s.now, channel)
	case 4, 5, 6:
		s.publish(channels[s.random.IntN(2)])
	case 7, 8:
		s.value++
		s.server.Publish(channels[s.random.IntN(4)], realtime.JSON(fmt.Appendf(nil, `"server %d"`, s.value)))
	case 9, 10:
		s.changeState()
	case 11:
		s.request(&wire.History{Channel: "log:a"}, "log:a", "")
	case 12:
		s.server.Enter("state:a", realtime.Member{User: fmt.Sprint("user", s.random.IntN(6))})
	case 13:
		s.server.Leave("state:a", fmt.Sprint("user", s.random.IntN(6)))
	default:
		s.strike()
	}
	s.collect()
}

// strike is one fault.
func (s *simulation) strike() {
	var live *simulatedLine
	for _, number := range slices.Sorted(maps.Keys(s.line)) {
		if l := s.line[number]; l.conn != nil && !l.conn.Closed() {
			live = l
		}
	}
	switch s.random.IntN(24) {
	case 0, 1, 2, 3:
		if live != nil {
			s.cut(live)
		}
	case 4:
		if s.random.IntN(3) == 0 {
			s.seen["restart"]++
			for _, l := range s.line {
				s.cut(l)
			}
			s.server.Restart()
		}
	case 5:
		if live != nil && len(live.conn.Subscriptions()) > 0 {
			names := live.conn.Subscriptions()
			s.seen["unsubscribed later"]++
			live.conn.Unsubscribe(names[s.random.IntN(len(names))], realtime.CodeInsufficient, "")
		}
	case 6:
		if live != nil {
			live.conn.Disconnect(realtime.CodeRestart, "", 500)
			live.cutAt = s.now + 100
		}
	case 7:
		s.seen["offline"]++
		s.core.Network(s.now, false)
	case 8, 9:
		s.core.Network(s.now, true)
	case 10:
		if live != nil { // A server that loses a publication: a gap.
			at := slices.IndexFunc(live.down, hasOffset)
			if at >= 0 {
				s.seen["gap"]++
				live.down = slices.Delete(live.down, at, at+1)
			}
		}
	case 11:
		if live != nil { // A server that says something twice.
			if at := slices.IndexFunc(live.down, hasOffset); at >= 0 {
				live.down = slices.Insert(live.down, at, live.down[at])
			}
		}
	case 12:
		if live != nil {
			s.seen["slept"]++
			s.now += 60_000
			s.core.Woke(s.now)
		}
	}
}

func hasOffset(d delayed[wire.ServerMessage]) bool {
	p, ok := d.message.Body.(*wire.Publication)
	return ok && p.Offset != 0
}

func (s *simulation) subscribe(channel string) {
	var options core.SubscribeOptions
	if !realtime.IsPattern(channel) {
		options.State = channel == "state:a"
		if channel == "state:a" {
			options.Presence = wire.PresenceMembers
		}
		options.Rewind = uint32(s.random.IntN(3))
	}
	given := &options
	if s.wanted[channel] == nil {
		s.wanted[channel] = &intent{options: options, mayJump: true, entries: make(map[string]string), members: make(map[string]bool), delivered: make(map[string]int)}
	} else if s.random.IntN(2) == 0 {
		given = nil
	}
	s.core.Subscribe(s.now, channel, given)
}

func (s *simulation) publish(channel string) {
	s.value++
	payload := fmt.Sprintf(`"client %d"`, s.value)
	s.request(&wire.Publish{Channel: channel, Payload: realtime.JSON([]byte(payload))}, channel, payload)
}

func (s *simulation) changeState() {
	key := fmt.Sprint("key", s.random.IntN(8))
	if s.random.IntN(3) > 0 {
		s.request(&wire.Update{Channel: "state:a", Op: wire.OpIncrement, Key: key, By: 1}, "state:a", "")
		return
	}
	value := realtime.Payload{}
	if s.random.IntN(2) == 0 {
		value = realtime.JSON(fmt.Append(nil, s.random.IntN(100)))
	}
	s.server.Change("state:a", key, value)
}

func (s *simulation) request(command wire.Command, channel, payload string) {
	s.newest++
	s.requests[s.newest] = &simulatedRequest{channel: channel, payload: payload}
	s.core.Request(s.now, s.newest, command, true)
}
