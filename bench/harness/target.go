package harness

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
)

// target is what Bellwire set out to reach.
type target struct {
	what      string
	goal      string // as it is told
	limit     float64
	contender string
	peers     []string
	cells     *regexp.Regexp
	value     string
	scale     float64 // from the value's unit to that of goal; 0: a ratio to the floor
	unit      string
	floorCell string // of a ratio; empty: the same cell. $1 is what cells has caught
}

var (
	enginePeers = []string{"gws", "gorilla", "fasthttp", "nbio", "coder", "gobwas"}
	serverPeers = []string{"centrifuge", "centrifuge-tuned", "nats", "ws-node"}
)

// targets are the figures of the plan, in the order in which they are told.
func targets() []target {
	engine := func(what, goal string, limit float64, contender, cells string) target {
		return target{what: what, goal: goal, limit: limit, contender: contender, peers: enginePeers, cells: regexp.MustCompile("^" + cells + "$"), value: "cpu_ns"}
	}
	server := func(what, goal string, limit float64, cells, value string, scale float64, unit string) target {
		return target{what: what, goal: goal, limit: limit, contender: "bellwire", peers: serverPeers, cells: regexp.MustCompile("^" + cells + "$"),
			value: value, scale: scale, unit: unit}
	}
	idle := engine("engine: memory of an idle connection", "≤ 250 B", 250, "bellwire-reactor", `engine/idle`)
	idle.value, idle.scale, idle.unit = "free_bytes", 1, " B"
	flat := server("server: fan-out flat out, CPU of a delivered message", "≤ 0.20 × one write", 0.20, `server/flat/(10*):128:16`, "cpu_ns", 0, "")
	flat.floorCell = "server/fan/$1:128"
	stream := func(what, goal string, limit float64, value string) target {
		t := server(what, goal, limit, `server/lines`, value, 1e-3, " kB")
		t.contender, t.peers = "bellwire-sse", []string{"centrifuge-sse"}
		return t
	}
	return []target{
		engine("engine: echo, one in flight, epoll driver", "≤ 1.10 × floor", 1.10, "bellwire-reactor", `engine/echo/pinned/10*:\d+:1`),
		engine("engine: echo, one in flight, goroutine driver", "≤ 1.25 × floor", 1.25, "bellwire", `engine/echo/pinned/10*:\d+:1`),
		engine("engine: echo, 16 in flight, 16 and 128 B", "≤ 1.20 × floor", 1.20, "bellwire-reactor", `engine/echo/pinned/\d+:(16|128):16`),
		engine("engine: echo, 16 in flight, 4 KiB", "≤ 1.45 × floor", 1.45, "bellwire-reactor", `engine/echo/pinned/\d+:4096:16`),
		engine("engine: fan-out, one message at a time", "≤ 1.02 × one write", 1.02, "bellwire-reactor", `engine/fan/10*:\d+:1`),
		idle,
		server("server: fan-out paced, CPU of a delivery", "≤ 1.20 × one write", 1.20, `server/fan/10*:\d+`, "cpu_ns", 0, ""),
		flat,
		server("server: p99 of a delivery to 1,000, paced", "≤ 1.20 × floor's", 1.20, `server/fan/1000:128`, "p99_us", 0, ""),
		server("server: connect and subscribe, CPU", "≤ 50 µs", 50, `server/lines`, "cpu_ns", 1e-3, " µs"),
		server("server: memory of a connection with a subscription, collected", "≤ 2.0 kB", 2.0, `server/lines`, "free_bytes", 1e-3, " kB"),
		server("server: the same as it sits", "≤ 3.0 kB", 3.0, `server/lines`, "sits_bytes", 1e-3, " kB"),
		stream("server: memory of a line of Server-Sent Events with a subscription, collected", "≤ 2.0 kB", 2.0, "free_bytes"),
		stream("server: the same as it sits", "≤ 3.0 kB", 3.0, "sits_bytes"),
		server("server: idle connection, CPU a second", "≤ 0.5 µs", 0.5, `server/idle/\d+`, "idle_ns", 1e-3, " µs"),
		server("server: memory at start", "≤ 15 MB", 15, `server/lines`, "start_bytes", 1e-6, " MB"),
		server("server: publish over WebSocket, one unanswered on each line, CPU", "≤ 8 µs", 8, `server/publish/websocket/\d+`, "cpu_ns", 1e-3, " µs"),
		server("server: the same, 16 unanswered", "≤ 8 µs", 8, `server/publish/websocket/\d+, 16 at once`, "cpu_ns", 1e-3, " µs"),
		server("server: publish over HTTP, CPU", "≤ 25 µs", 25, `server/publish/http/\d+`, "cpu_ns", 1e-3, " µs"),
	}
}

// span is the smallest and the largest median over the cells of a target.
type span struct {
	least, most float64
	cells       int
}

func (t *target) reached(r *Results, contender string) span {
	s := span{least: math.Inf(1), most: math.Inf(-1)}
	for _, cell := range r.cells(t.cells) {
		f := r.ratio(cell, contender, t.value, t.cells.ReplaceAllString(cell, t.floor(cell)), Floor)
		if t.scale != 0 {
			f = r.figure(cell, contender, t.value)
			f.Median *= t.scale
		}
		if f.Rounds > 0 {
			s.least, s.most, s.cells = min(s.least, f.Median), max(s.most, f.Median), s.cells+1
		}
	}
	return s
}

func (t *target) floor(cell string) string {
	if t.floorCell != "" {
		return t.floorCell
	}
	return cell
}

func (s span) text(unit string) string {
	least, most := number(s.least), number(s.most)
	if least == most {
		return most + unit
	}
	return least + " to " + most + unit
}

// verdict says in a word what became of a target.
func (t *target) verdict(s span) string {
	switch {
	case s.cells == 0:
		return "not measured"
	case s.most <= t.limit:
		return "**met**"
	case s.least <= t.limit:
		return "in part"
	}
	return "not met"
}

// best returns the peer that is best where it is worst.
func (t *target) best(r *Results) string {
	best, text := math.Inf(1), "–"
	for _, peer := range t.peers {
		if s := t.reached(r, peer); s.cells > 0 && s.most < best {
			best, text = s.most, peer+" "+s.text(t.unit)
		}
	}
	return text
}

// cells returns the names of cells that match, each once, in the order in which they were measured.
func (r *Results) cells(pattern *regexp.Regexp) (names []string) {
	for _, o := range r.Observations {
		if pattern.MatchString(o.Cell) && !slices.Contains(names, o.Cell) {
			names = append(names, o.Cell)
		}
	}
	return names
}

func (r *Results) writeTargets(b *strings.Builder) {
	var rows strings.Builder
	met, measured := 0, 0
	for _, t := range targets() {
		s := t.reached(r, t.contender)
		text := "–"
		if s.cells > 0 {
			text = s.text(t.unit)
			measured++
		}
		verdict := t.verdict(s)
		if s.cells > 0 && s.most <= t.limit {
			met++
		}
		fmt.Fprintf(&rows, "| %s | %s | %s | %s | %s |\n", t.what, t.goal, text, verdict, t.best(r))
	}
	fmt.Fprintf(b, "## What was to be reached, and what was\n\n%d of %d targets are met. Smaller is better everywhere. A span is over payloads and numbers of "+
		"connections; a target is met when its worst cell meets it.\n\n", met, measured)
	fmt.Fprintf(b, "| figure | target | Bellwire | | best peer |\n|---|---|---:|---|---:|\n%s\n", rows.String())
}
