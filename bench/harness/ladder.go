package harness

import (
	"fmt"
	"time"
)

// stepEstimate is how long a connection takes to open, for the progress alone.
const stepEstimate = 300 * time.Microsecond

// engineLadder reads the memory of an engine at several numbers of connections, each of which has echoed one message.
func engineLadder(size Size, engines []Contender) *family {
	top := size.ladder[len(size.ladder)-1]
	expect := time.Duration(top) * stepEstimate
	return &family{
		name: "engine/idle", setting: Free, contenders: engines,
		cells: []cell{{name: "engine/idle", expect: expect}}, // for the progress
		round: func(r *Runner, f *family, round int) {
			for _, contender := range f.contenders {
				r.Progress.step(f.name, contender.Name, round, r.Rounds, expect)
				c := r.climber(f, contender, round)
				for _, n := range size.ladder {
					c.step(n, func(p *pair) error {
						_, err := p.echo(128, 1, n, 0)
						return err
					})
				}
				c.done()
				r.stopAll()
			}
		},
	}
}

// serverLadder opens connections with one subscription each and reads memory on the way. In the end, and in the first round of a full run on each
// step, all contenders are left alone at the same time: so long that each connection is pinged.
func serverLadder(size Size, servers []Contender) *family {
	idles := size.idleRounds
	if size.idleRounds > 1 {
		idles += len(size.ladder) - 2
	}
	expect := time.Duration(size.ladder[len(size.ladder)-1])*stepEstimate + size.idle*time.Duration(idles)/time.Duration(5*len(servers))
	return &family{
		name: "server/lines", setting: Free, contenders: servers,
		cells: []cell{{name: "server/lines", expect: expect}},
		round: func(r *Runner, f *family, round int) {
			var climbers []*climber
			for turn := range f.contenders {
				climbers = append(climbers, r.climber(f, f.contenders[(turn+round)%len(f.contenders)], round))
			}
			for i, n := range size.ladder {
				for _, c := range climbers {
					r.Progress.step(fmt.Sprintf("%s/%d", f.name, n), c.contender.Name, round, r.Rounds, expect/time.Duration(len(size.ladder)))
					c.step(n, func(*pair) error { return nil })
				}
				if last := i == len(size.ladder)-1; last && round < size.idleRounds || i > 0 && round == 0 && size.idleRounds > 1 {
					r.idle(f, n, round, size.idle)
				}
			}
			for _, c := range climbers {
				c.done()
			}
		},
	}
}

// climber opens connections step by step, and reads what that costs. Each step is an observation, and so is the slope over all.
//
// It collects garbage at each step of even rounds only: memory as it sits is that of a server that nobody helps.
type climber struct {
	runner    *Runner
	family    *family
	contender Contender
	round     int
	collects  bool
	value     string // name of the memory that is read

	pair    *pair // nil: it has failed
	whole   Values
	conns   []float64
	bytes   []float64
	opening time.Duration // CPU time
}

// climber starts a contender.
func (r *Runner) climber(f *family, contender Contender, round int) *climber {
	c := &climber{runner: r, family: f, contender: contender, round: round, collects: round%2 == 0, value: "sits_bytes"}
	if c.collects {
		c.value = "free_bytes"
	}
	p, err := newPair(r.Programs, contender, f.setting)
	if err != nil {
		c.fail(err)
		return c
	}
	c.pair = p
	r.pairs[contender.Name] = p
	start, err := p.server.resident()
	if err != nil {
		c.fail(err)
	}
	c.whole = Values{"start_bytes": start}
	return c
}

func (c *climber) fail(err error) {
	c.runner.note(c.family.name, c.contender.Name, c.round, nil, err)
	if c.pair != nil {
		c.pair.stop()
	}
	c.pair = nil
	delete(c.runner.pairs, c.contender.Name)
}

// step opens connections until there are n.
func (c *climber) step(n int, settle func(*pair) error) {
	if c.pair == nil {
		return
	}
	values, err := c.climb(n, settle)
	if err != nil {
		c.fail(err)
		return
	}
	c.runner.note(fmt.Sprintf("%s/%d", c.family.name, n), c.contender.Name, c.round, values, nil)
}

func (c *climber) climb(n int, settle func(*pair) error) (Values, error) {
	opened := n - c.pair.subscribers
	before, err := c.pair.server.cpu()
	if err != nil {
		return nil, err
	}
	if err := c.pair.open(lines{subscribers: n}); err != nil {
		return nil, err
	}
	after, err := c.pair.server.cpu()
	if err != nil {
		return nil, err
	}
	c.opening += after - before
	values := Values{"cpu_ns": float64(after-before) / float64(opened)}
	if err := settle(c.pair); err != nil {
		return nil, err
	}
	if c.collects {
		if err := c.pair.server.free(); err != nil {
			return nil, err
		}
	}
	now, err := c.pair.server.resident()
	if err != nil {
		return nil, err
	}
	c.conns, c.bytes = append(c.conns, float64(n)), append(c.bytes, now)
	if last := len(c.conns) - 1; last > 0 {
		values[c.value] = (c.bytes[last] - c.bytes[last-1]) / (c.conns[last] - c.conns[last-1])
	}
	return values, nil
}

// done notes what holds for all steps together.
func (c *climber) done() {
	if c.pair == nil {
		return
	}
	c.whole["cpu_ns"] = float64(c.opening) / c.conns[len(c.conns)-1]
	c.whole[c.value] = slope(c.conns[1:], c.bytes[1:]) // the first step has what is made once, such as buffers
	c.runner.note(c.family.name, c.contender.Name, c.round, c.whole, nil)
}

// idle leaves all servers that are up, with n connections each, alone for a while and reads what they take meanwhile.
func (r *Runner) idle(f *family, n, round int, d time.Duration) {
	before := make(map[string]time.Duration)
	for name, p := range r.pairs {
		before[name], _ = p.server.cpu()
	}
	began := time.Now()
	time.Sleep(d)
	for _, contender := range f.contenders {
		p := r.pairs[contender.Name]
		if p == nil {
			continue
		}
		after, err := p.server.cpu()
		seconds := time.Since(began).Seconds()
		if _, ended := p.load.ask("spin 0"); err == nil {
			err = ended // the load ends when a connection does
		}
		spent := float64(after - before[contender.Name])
		r.note(fmt.Sprintf("server/idle/%d", n), contender.Name, round, Values{"idle_ns": spent / float64(n) / seconds}, err)
	}
}
