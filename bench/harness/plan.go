package harness

import (
	"fmt"
	"slices"
	"time"
)

// Size says how thorough a plan is.
type Size struct {
	sizes      []int // payloads in bytes
	echoConns  []int
	echoGrowth []int         // 1x, 2x, 4x, 8x of connections, besides
	echo       time.Duration // of one run
	fans       []int         // subscribers, from the fewest
	deliveries int           // of one paced run
	flat       int           // deliveries of one run flat out
	growth     []int         // 1x, 2x, 4x, 8x of subscribers
	channels   []int         // 1x, 2x, 4x, 8x
	publishers []int         // 1x, 2x, 4x, 8x
	published  int           // publications of one run
	ladder     []int         // connections at which memory is read: a first step that is left out, then 1x, 2x, 4x, 8x
	idle       time.Duration // how long connections are left alone: Bellwire and Centrifuge ping each of theirs once in 25 s
	idleRounds int           // in how many rounds
}

// The sizes of a plan: Full is what a report is made of, Quick a part of it, Smoke shows that everything works and no more.
var (
	Full = Size{
		sizes: []int{16, 128, 4096}, echoConns: []int{100, 1000}, echoGrowth: []int{200, 400, 800}, echo: 250 * time.Millisecond,
		fans: []int{1000, 10000}, deliveries: 20_000, flat: 100_000,
		growth: []int{1000, 2000, 4000, 8000}, channels: []int{100, 200, 400, 800}, publishers: []int{16, 32, 64, 128}, published: 5000,
		ladder: []int{1000, 2000, 4000, 8000, 15000}, idle: 25 * time.Second, idleRounds: 5,
	}
	Quick = Size{
		sizes: []int{128, 4096}, echoConns: []int{100}, echoGrowth: []int{200, 400}, echo: 150 * time.Millisecond,
		fans: []int{1000}, deliveries: 10_000, flat: 50_000,
		growth: []int{500, 1000, 2000}, channels: []int{50, 100, 200}, publishers: []int{16, 32}, published: 2000,
		ladder: []int{500, 1000, 2000, 4000}, idle: 25 * time.Second, idleRounds: 1,
	}
	Smoke = Size{
		sizes: []int{128}, echoConns: []int{10}, echoGrowth: []int{20}, echo: 20 * time.Millisecond,
		fans: []int{100}, deliveries: 400, flat: 2000,
		growth: []int{50, 100}, channels: []int{5, 10}, publishers: []int{4}, published: 50,
		ladder: []int{25, 50, 100}, idle: 100 * time.Millisecond, idleRounds: 1,
	}
)

// NewPlan says what is measured of which contenders.
func NewPlan(size Size, engines, servers []Contender) *Plan {
	pinned := &family{name: "engine/echo/pinned", setting: Pinned, contenders: engines, cells: echoCells(size, Pinned, size.sizes)}
	free := &family{name: "engine/echo/free", setting: Free, contenders: engines, cells: echoCells(size, Free, []int{128})}
	fan := &family{name: "engine/fan", setting: Pinned, contenders: engines, cells: broadcastCells(size)}
	sockets := with(servers, func(c Contender) bool { return !c.streams() }) // for what is the same, however subscribers come
	return &Plan{families: []*family{
		pinned, free, fan, engineLadder(size, engines), serverLadder(size, servers),
		{name: "server/fan", setting: Pinned, contenders: servers, cells: fanCells(size)},
		{name: "server/free", setting: Free, contenders: sockets, cells: freeCells(size)},
		{name: "server/channels", setting: Pinned, contenders: with(sockets, func(c Contender) bool { return c.channels }), cells: channelCells(size)},
		{name: "server/publish/websocket", setting: Pinned, contenders: sockets, cells: publishCells(size)},
		{name: "server/publish/http", setting: Pinned, contenders: with(sockets, func(c Contender) bool { return c.script.http != "" }), cells: httpCells(size)},
	}}
}

func with(all []Contender, wanted func(Contender) bool) []Contender {
	return slices.DeleteFunc(slices.Clone(all), func(c Contender) bool { return !wanted(c) })
}

func echoCells(size Size, setting Setting, sizes []int) (cells []cell) {
	add := func(conns, bytes, flight int) {
		warm := make(map[*pair]bool)
		cells = append(cells, cell{
			name: fmt.Sprintf("engine/echo/%s/%d:%d:%d", setting.Name, conns, bytes, flight), lines: lines{subscribers: conns}, expect: size.echo + 30*time.Millisecond,
			measure: func(p *pair) (Values, error) {
				if !warm[p] {
					warm[p] = true
					if _, err := p.echo(bytes, flight, conns, 20*time.Millisecond); err != nil {
						return nil, err
					}
				}
				return p.echo(bytes, flight, conns, size.echo)
			},
		})
	}
	for _, flight := range []int{1, 16} {
		for _, conns := range size.echoConns {
			for _, bytes := range sizes {
				add(conns, bytes, flight)
			}
		}
	}
	if setting.Pinned {
		for _, conns := range size.echoGrowth {
			add(conns, 128, 1)
		}
	}
	return ascending(cells)
}

// pace is how long there is between publications to so many subscribers: enough for any contender.
func pace(subscribers int) time.Duration { return time.Duration(subscribers) * 20 * time.Microsecond }

func broadcastCells(size Size) (cells []cell) {
	add := func(conns, bytes, k int) {
		count := max(size.deliveries/conns, 2)
		cells = append(cells, cell{
			name: fmt.Sprintf("engine/fan/%d:%d:%d", conns, bytes, k), lines: lines{subscribers: conns}, expect: pace(conns) * time.Duration(count),
			measure: func(p *pair) (Values, error) { return p.broadcast(bytes, k, count, pace(conns)) },
		})
	}
	for _, conns := range size.fans {
		for _, bytes := range size.sizes {
			add(conns, bytes, 1)
		}
		add(conns, 128, 4)
		add(conns, 128, 16)
	}
	for _, conns := range size.growth {
		if !slices.Contains(size.fans, conns) {
			add(conns, 128, 1)
		}
	}
	return ascending(cells)
}

func fanCells(size Size) (cells []cell) {
	fan := func(conns, bytes int) {
		count := max(size.deliveries/conns, 3)
		cells = append(cells, cell{
			name: fmt.Sprintf("server/fan/%d:%d", conns, bytes), lines: lines{subscribers: conns, publishers: 1}, expect: pace(conns) * time.Duration(count),
			measure: func(p *pair) (Values, error) {
				return p.measured("fan %d 1 %d %d 1", bytes, count, pace(conns).Microseconds())
			},
		})
	}
	flat := func(conns, flight int) {
		count := max(size.flat/conns, 2*flight)
		cells = append(cells, cell{
			name: fmt.Sprintf("server/flat/%d:128:%d", conns, flight), lines: lines{subscribers: conns, publishers: 1},
			expect:  time.Duration(count*conns) * 5 * time.Microsecond,
			measure: func(p *pair) (Values, error) { return p.measured("flat 128 %d %d 1", flight, count) },
		})
	}
	for _, conns := range size.fans {
		for _, bytes := range size.sizes {
			fan(conns, bytes)
		}
		for _, flight := range []int{1, 4, 16} {
			flat(conns, flight)
		}
	}
	for _, conns := range size.growth {
		if !slices.Contains(size.fans, conns) {
			fan(conns, 128)
			flat(conns, 16)
		}
	}
	return ascending(cells)
}

// ascending puts cells into an order in which connections are only added.
func ascending(cells []cell) []cell {
	slices.SortStableFunc(cells, func(a, b cell) int { return a.lines.subscribers - b.lines.subscribers })
	return cells
}

func freeCells(size Size) []cell {
	conns := size.fans[0]
	count := max(size.deliveries/conns, 3)
	open := lines{subscribers: conns, publishers: 1}
	return []cell{
		{
			name: fmt.Sprintf("server/free/fan/%d:128", conns), lines: open, expect: pace(conns) * time.Duration(count),
			measure: func(p *pair) (Values, error) {
				return p.measured("fan 128 1 %d %d 1", count, pace(conns).Microseconds())
			},
		},
		{
			name: fmt.Sprintf("server/free/flat/%d:128:16", conns), lines: open, expect: time.Duration(size.flat) * 5 * time.Microsecond,
			measure: func(p *pair) (Values, error) {
				return p.measured("flat 128 16 %d 1", max(size.flat/conns, 48))
			},
		},
	}
}

// subscribersPerChannel is how many each channel has while their number grows.
const subscribersPerChannel = 10

func channelCells(size Size) (cells []cell) {
	for _, channels := range size.channels {
		cells = append(cells, cell{
			name:   fmt.Sprintf("server/channels/%d", channels),
			lines:  lines{subscribers: channels * subscribersPerChannel, channels: channels, publishers: 1},
			expect: time.Duration(size.published)*20*time.Microsecond + 200*time.Millisecond,
			measure: func(p *pair) (Values, error) {
				return p.measured("flat 128 16 %d %d", max(size.published/4, channels), channels)
			},
		})
	}
	return cells
}

func publishCells(size Size) (cells []cell) {
	for _, publishers := range size.publishers {
		cells = append(cells, cell{
			name: fmt.Sprintf("server/publish/websocket/%d", publishers), lines: lines{publishers: publishers}, expect: 200 * time.Millisecond,
			measure: func(p *pair) (Values, error) { return p.measured("publish 128 1 %d 1", size.published) },
		})
	}
	last := size.publishers[len(size.publishers)-1]
	return append(cells, cell{ // many at once on each line
		name: fmt.Sprintf("server/publish/websocket/%d, 16 at once", last), lines: lines{publishers: last}, expect: 200 * time.Millisecond,
		measure: func(p *pair) (Values, error) { return p.measured("publish 128 16 %d 1", 4*size.published) },
	})
}

func httpCells(size Size) (cells []cell) {
	for _, publishers := range size.publishers {
		cells = append(cells, cell{
			name: fmt.Sprintf("server/publish/http/%d", publishers), lines: lines{plain: publishers}, expect: 300 * time.Millisecond,
			measure: func(p *pair) (Values, error) { return p.measured("publish 128 1 %d 1", size.published) },
		})
	}
	return cells
}
