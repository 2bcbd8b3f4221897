package simulation

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/bellwire/bellwire/client/core"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/hub"
)

// Options of a run. Only Seed and Steps have no default.
type Options struct {
	Seed    uint64
	Steps   int
	Clients int // 6
}

// Report says what a run has met, so that a run that met little can be told from a good one.
type Report struct {
	Published int            // entries and publications of the backend
	Delivered int            // publications handed to applications
	Lines     int            // that the server accepted
	Met       map[string]int // faults, and rare situations
	Hash      uint64         // of everything that clients have read: the same for the same seed
}

// epochStart is the simulated time at the start.
var epochStart = time.UnixMilli(1_790_000_000_000)

var channels = []string{"room:a", "feed:a", "feed:b", "wire:a"}

// world is a run.
type world struct {
	random      *rand.Rand
	elapsed     time.Duration
	model       *model
	server      *server
	lives       lives
	clients     []*client
	lines       []*line
	connections int
	delivered   int
	serial      int
	delayMax    int // milliseconds
	faults      bool
	situations  map[string]int
	hash        uint64
	trace       []string // the latest steps
}

// Run simulates a system under faults, lets it settle, and returns the first invariant that was broken:
//
//	I1, I2, I3  what an application is handed rises by one from where its subscription began
//	I4, I5      recovered is true only when nothing is missing, otherwise what is missing is told
//	I6, I9      everything handed over was published there, and is the same for everybody
//	I7, I8      what was acknowledged stands where the answer says, once
//	I11         presence becomes the clients that are there
//	I12         no session's queue is ever larger than its limits
//	I13         when the faults stop, everybody is subscribed to what it wants and has reached the top
//	I14         when everybody has gone, nothing is left
//	I16         the hub was given what was published, no more and no less
func Run(o Options) (Report, error) {
	w := &world{
		random: rand.New(rand.NewPCG(o.Seed, 0x6265_6c6c)), model: newModel(), situations: make(map[string]int), faults: true,
	}
	w.delayMax = 1 + w.random.IntN(60)
	w.server = newServer(w)
	clients := o.Clients
	if clients <= 0 {
		clients = 6
	}
	for n := range clients {
		c := newClient(w, n)
		w.clients = append(w.clients, c)
		c.core.Connect(w.ms())
		c.drain()
	}
	for step := 0; step < o.Steps && w.model.broken == nil; step++ {
		w.step()
		w.check()
	}
	w.settle()
	report := Report{Published: w.model.published, Delivered: w.delivered, Lines: w.connections, Met: w.situations, Hash: w.hash}
	if w.model.broken != nil {
		return report, fmt.Errorf("seed %d: %w\n%s", o.Seed, w.model.broken, strings.Join(w.trace, "\n"))
	}
	return report, nil
}

// Now makes the world a clock.
func (w *world) Now() time.Time { return epochStart.Add(w.elapsed) }

func (w *world) ms() int64 { return w.elapsed.Milliseconds() }

func (w *world) met(what string) { w.situations[what]++ }

// faulty reports true once in so many times, and counts it.
func (w *world) faulty(what string, once int) bool {
	if !w.faults || w.random.IntN(once) != 0 {
		return false
	}
	w.met(what)
	w.note("fault: %s", what)
	return true
}

func (w *world) note(format string, args ...any) {
	text := fmt.Sprintf("%8d ", w.ms()) + strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ")
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", w.hash, text)
	w.hash = h.Sum64()
	const kept = 50
	w.trace = append(w.trace, text[:min(len(text), 200)])
	if len(w.trace) > 2*kept {
		w.trace = slices.Clone(w.trace[kept:])
	}
}

// step lets one thing happen.
func (w *world) step() {
	switch n := w.random.IntN(100); {
	case n < 62:
		w.stepLine()
	case n < 74:
		w.pass(time.Duration(1+w.random.IntN(40)) * time.Millisecond)
	case n < 84:
		w.publish()
	case n < 94:
		w.act(w.clients[w.random.IntN(len(w.clients))])
	default:
		w.fault()
	}
	w.tidy()
}

// stepLine lets a line that can do something do it.
func (w *world) stepLine() {
	if len(w.lines) == 0 {
		return
	}
	first := w.random.IntN(len(w.lines))
	for i := range w.lines {
		l := w.lines[(first+i)%len(w.lines)]
		if l.step() {
			l.client.drain()
			return
		}
	}
}

// pass lets time pass, and does what is due then.
func (w *world) pass(d time.Duration) {
	w.elapsed += d
	w.server.tick(w.Now())
	for _, c := range w.clients {
		if deadline, ok := c.core.Deadline(); ok && deadline <= w.ms() {
			c.core.Tick(w.ms())
			c.drain()
		}
	}
}

// publish is by the application's backend.
func (w *world) publish() {
	channel := channels[w.random.IntN(len(channels))]
	for range 1 + w.random.IntN(3) {
		w.serial++
		text := fmt.Sprintf(`"app-%d%s"`, w.serial, strings.Repeat(".", w.random.IntN(200)))
		draft := broker.Draft{Channel: channel, Payload: realtime.JSON([]byte(text))}
		if _, err := w.server.backend.Publish(context.Background(), w.server.namespace(channel), draft); err != nil {
			w.model.fail("publishing: %v", err)
		}
	}
}

// act is something that a client's application does.
func (w *world) act(c *client) {
	channel := channels[w.random.IntN(len(channels))]
	switch n := w.random.IntN(10); {
	case n < 3:
		c.toggle(channel)
	case n < 5:
		c.want(channels[w.random.IntN(len(channels))])
	case n < 8:
		c.publish(channel)
	default:
		c.update("room:a")
	}
	c.drain()
}

// fault breaks something, or mends it.
func (w *world) fault() {
	switch w.random.IntN(6) {
	case 0:
		if w.faulty("restart", 40) {
			w.restart()
		}
	case 1:
		if c := w.clients[w.random.IntN(len(w.clients))]; w.faulty("network switch", 8) {
			c.core.Network(w.ms(), false)
			c.drain()
			c.core.Network(w.ms(), true)
			c.drain()
		}
	default:
		w.faultOfLine()
	}
}

func (w *world) faultOfLine() {
	if len(w.lines) == 0 {
		return
	}
	l := w.lines[w.random.IntN(len(w.lines))]
	switch {
	case l.stalled:
		l.stalled = false
	case w.faulty("slow reader", 3):
		l.stalled = true
	case w.faulty("cut", 6):
		l.breakOff()
	case w.faulty("half-open", 20):
		l.lost = true
	case w.faulty("duplicate connect", 20):
		l.client.core.Close(w.ms())
		l.client.drain()
		l.client.core.Connect(w.ms())
		l.client.drain()
	}
}

// restart begins a new life of server and backend: all logs are gone, all lines break.
func (w *world) restart() {
	for _, l := range w.lines {
		l.breakOff()
		if l.conn != nil {
			l.conn.lose()
		}
	}
	w.checkHub()
	w.server = newServer(w)
	w.model.published0 = w.model.published
}

// tidy forgets lines that are over on both sides.
func (w *world) tidy() {
	w.lines = slices.DeleteFunc(w.lines, func(l *line) bool {
		return (l.told || l.broken && l.client.core.State() == core.Closed) && (l.conn == nil || l.conn.gone)
	})
}

// check is after every step.
func (w *world) check() {
	for _, c := range w.server.conns {
		bytes, messages := c.core.QueueLoad()
		// Live, asked for and being written, and the largest single answer of these namespaces.
		if bytes > queueBytesMax+queueBytesMax/4+batchBytesMax+32<<10 || messages > 3*queueMessagesMax {
			w.model.fail("I12: %s has %d bytes in %d messages", c.user, bytes, messages)
		}
	}
}

// settle stops the faults and lets everybody come to rest.
func (w *world) settle() {
	w.faults, w.delayMax = false, 2
	for _, l := range w.lines {
		l.stalled = false
	}
	for range 3 * 60 * 50 { // three minutes: half-open lines are found after 33 s, retries come within 30 s
		if w.model.broken != nil {
			return
		}
		w.pass(20 * time.Millisecond)
		w.drainLines()
	}
	w.checkSettled()
	for _, c := range w.clients {
		c.core.Close(w.ms())
		c.drain()
	}
	w.drainLines()
	w.checkHub()
	w.checkEmpty()
}

// drainLines lets everything happen that can without time passing.
func (w *world) drainLines() {
	for moved := true; moved && w.model.broken == nil; {
		moved = false
		for _, l := range slices.Clone(w.lines) {
			for l.step() {
				l.client.drain()
				moved = true
			}
		}
		w.tidy()
	}
	w.check()
}

// checkSettled holds I11 and I13.
func (w *world) checkSettled() {
	present := map[string]bool{}
	for _, c := range w.clients {
		if c.core.State() != core.Connected {
			w.model.fail("I13: %s is %s", c.name, c.core.State())
			return
		}
		if len(c.asked) > 0 {
			w.model.fail("I13: %s has %d requests without an answer", c.name, len(c.asked))
		}
		if c.wanted["room:a"] {
			present[c.name] = true
		}
		for channel := range c.wanted {
			w.checkReached(c, channel)
		}
	}
	for _, c := range w.clients {
		view := c.core.Subscription("room:a")
		if c.wanted["room:a"] && (len(view.Members) != len(present) || view.Count != uint64(len(present))) {
			w.model.fail("I11: %s sees %d members (count %d) in room:a, %d are there", c.name, len(view.Members), view.Count, len(present))
		}
		w.checkState(c, view)
	}
}

func (w *world) checkReached(c *client, channel string) {
	view := c.core.Subscription(channel)
	if view.State != core.Subscribed {
		w.model.fail("I13: %s is %s to %s", c.name, view.State, channel)
		return
	}
	ns := w.server.namespace(channel)
	if !ns.HasLog() {
		return
	}
	r, err := w.server.backend.Resume(context.Background(), ns, channel, broker.ResumeQuery{})
	if err != nil || view.Position != r.Position {
		w.model.fail("I13: %s is at %v of %s, the top is %v (%v)", c.name, view.Position, channel, r.Position, err)
	}
	c.at(channel).settle(c, w.model)
}

// checkState: a snapshot and all entries after it are the present state (POS-7).
func (w *world) checkState(c *client, view core.SubscriptionView) {
	if !c.wanted["room:a"] {
		return
	}
	page, err := w.server.backend.State(context.Background(), w.server.namespace("room:a"), "room:a", broker.StateQuery{Limit: 1000})
	if err != nil || len(page.Entries) != len(view.Entries) {
		w.model.fail("I13: %s holds %d keys of room:a, there are %d (%v)", c.name, len(view.Entries), len(page.Entries), err)
	}
	for _, e := range page.Entries {
		if held := view.Entries[e.Key]; held.Version != e.Version || string(held.Value.Bytes) != string(e.Value.Bytes) {
			w.model.fail("I13: %s holds %s=%s of version %d, it is %s of %d", c.name, e.Key, held.Value.Bytes, held.Version, e.Value.Bytes, e.Version)
		}
	}
}

// checkHub holds I16 for the present life of the server.
func (w *world) checkHub() {
	if got, want := w.server.hub.Stats().Publications, int64(w.model.published-w.model.published0); got != want {
		w.model.fail("I16: the hub was given %d publications, %d were published", got, want)
	}
}

// checkEmpty holds I14.
func (w *world) checkEmpty() {
	stats := w.server.hub.Stats()
	page, err := w.server.backend.Presence(context.Background(), w.server.namespace("room:a"), "room:a", broker.PresenceQuery{Limit: 1000})
	if stats.Subscriptions != 0 || len(w.server.conns) != 0 || len(w.lines) != 0 || page.Count != 0 || err != nil {
		w.model.fail("I14: left are %d subscriptions, %d connections, %d lines, %d members (%v)",
			stats.Subscriptions, len(w.server.conns), len(w.lines), page.Count, err)
	}
}

var _ hub.Clock = (*world)(nil)
