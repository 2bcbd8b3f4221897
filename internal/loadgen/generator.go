package loadgen

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/protocol/native/wire"
)

// Target is the server that is put under load.
type Target struct {
	URL    string // of the WebSocket
	API    string // base of the HTTP API, without /api; for workloads that use it
	Key    string // of the API
	Token  string // connection token of all lines; "" for anonymous ones
	Binary bool   // the protobuf framing instead of the JSON one
	Prefix string // of the channels' names; default "bench:"
	PID    int    // of the server's process on this machine, whose cost is measured; 0: unknown
}

func (t *Target) format() wire.Format {
	if t.Binary {
		return wire.Proto
	}
	return wire.JSON
}

// Options are what a Generator is made of.
type Options struct {
	Target Target
	Pace   Pace
}

// Generator runs workloads, one at a time.
type Generator struct {
	target  Target
	pace    Pace
	process *Process // nil: unknown
	current atomic.Pointer[run]
}

// PrefixDefault is where the channels of a load are unless its Target says otherwise.
const PrefixDefault = "bench:"

// New checks the options. It opens nothing.
func New(options Options) (*Generator, error) {
	g := &Generator{target: options.Target, pace: options.Pace}
	if g.target.Prefix == "" {
		g.target.Prefix = PrefixDefault
	}
	g.pace.setDefaults()
	if g.pace.ConnectsPerSecond < 1 || g.pace.Connecting < 1 || g.pace.ConnectTimeout < 0 {
		return nil, errors.New("the pace of connecting must be positive")
	}
	if _, err := url.Parse(g.target.URL); err != nil {
		return nil, err
	}
	if g.target.PID != 0 {
		g.process = &Process{Root: procRoot, PID: g.target.PID}
		if _, err := g.process.Read(); err != nil {
			return nil, fmt.Errorf("the server's process: %w", err)
		}
	}
	return g, nil
}

// IsLoopback reports whether an address can only be on this machine.
func IsLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// Progress is how far a workload has come.
type Progress struct {
	Phase                                  string
	Elapsed                                time.Duration
	Connected, Ended                       int64
	Published, Delivered, Lost, Duplicates uint64
	P50, P99                               time.Duration // of deliveries; of answers where there are none
}

// Progress returns the present state of the running workload, or of the last one.
func (g *Generator) Progress() Progress {
	r := g.current.Load()
	if r == nil {
		return Progress{Phase: "starting"}
	}
	p := Progress{
		Phase: *r.phase.Load(), Elapsed: r.now(), Connected: r.connected.Load(), Ended: r.ended.Load(),
		Published: r.published.Load(), Delivered: r.delivered.Load(), Lost: r.lost.Load(), Duplicates: r.duplicates.Load(),
	}
	latency := &r.delivery
	if p.Delivered == 0 {
		latency = &r.answer
	}
	if p.Delivered == 0 && p.Published == 0 {
		latency = &r.connect
	}
	p.P50, p.P99 = latency.Percentile(50), latency.Percentile(99)
	return p
}

// start begins a run.
func (g *Generator) start() *run {
	r := newRun(g.target, g.pace)
	g.current.Store(r)
	return r
}

// Connect is a workload that opens lines, each with one subscription.
type Connect struct {
	Connections int
	Channels    int // that the lines are spread over
}

// Connect opens the lines and measures how long each takes, from the first packet to the confirmed subscription.
func (g *Generator) Connect(ctx context.Context, w Connect) (*Report, error) {
	if err := checkCounts(w.Connections, w.Channels); err != nil {
		return nil, err
	}
	if err := checkFiles(w.Connections); err != nil {
		return nil, err
	}
	r := g.start()
	defer r.end()
	channels := makeChannels(g.target.Prefix, w.Channels)
	r.enter("connecting")
	meter := g.measure()
	begin := r.now()
	if err := r.crowd(ctx, w.Connections, spread(channels)); err != nil {
		return nil, err
	}
	report := r.report("connect", r.now()-begin)
	report.Connections, report.Channels = w.Connections, w.Channels
	report.cost(meter, g.measure())
	if report.Server != nil {
		report.Server.CPUPerConnect = report.Server.each(uint64(w.Connections))
	}
	return report, nil
}

// Idle is a workload that holds lines on which nothing happens, first a few, then many.
type Idle struct {
	From, To int
	Channels int           // that the lines are spread over
	Settle   time.Duration // how long the server gets to come to rest before it is looked at
	Duration time.Duration // how long each of the two numbers is watched
}

// Idle measures what one more idle line with one subscription costs: the slope between two numbers of
// lines, so that what the server needs anyway does not count.
func (g *Generator) Idle(ctx context.Context, w Idle) (*Report, error) {
	if err := checkCounts(w.From, w.To, w.Channels); err != nil {
		return nil, err
	}
	if w.To <= w.From || w.Duration <= 0 || w.Settle < 0 {
		return nil, errors.New("idle needs a larger second number of connections and a duration")
	}
	if err := checkFiles(w.To); err != nil {
		return nil, err
	}
	if g.process == nil {
		return nil, errors.New("idle needs the server's process: run on its machine, and give its id where it is not found")
	}
	r := g.start()
	defer r.end()
	channels := makeChannels(g.target.Prefix, w.Channels)
	var levels []idleLevel
	present := 0
	for _, count := range []int{w.From, w.To} {
		r.enter("connecting")
		already := present
		of := spread(channels)
		if err := r.crowd(ctx, count-present, func(i int) *channel { return of(already + i) }); err != nil {
			return nil, err
		}
		present = count
		level, err := g.watch(ctx, r, count, w)
		if err != nil {
			return nil, err
		}
		levels = append(levels, level)
	}
	report := r.report("idle", w.Duration)
	report.Connections, report.Channels = w.To, w.Channels
	report.idle(levels[0], levels[1])
	return report, nil
}

// idleLevel is what the server's process needed for so many idle lines.
type idleLevel struct {
	connections  int
	rss          uint64
	cpuPerSecond float64
}

func (g *Generator) watch(ctx context.Context, r *run, count int, w Idle) (idleLevel, error) {
	r.enter("settling")
	if err := pause(ctx, w.Settle); err != nil {
		return idleLevel{}, err
	}
	r.enter("watching")
	before := g.measure()
	if err := pause(ctx, w.Duration); err != nil {
		return idleLevel{}, err
	}
	after := g.measure()
	if after.server == nil || before.server == nil {
		return idleLevel{}, errors.New("the server's process cannot be read any more")
	}
	seconds := after.at.Sub(before.at).Seconds()
	return idleLevel{count, after.server.RSS, (after.server.CPU - before.server.CPU).Seconds() / seconds}, nil
}

func checkCounts(counts ...int) error {
	if slices.Min(counts) < 1 {
		return errors.New("all numbers must be at least 1")
	}
	return nil
}
