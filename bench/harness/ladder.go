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
	return &family{
		name: "engine/idle", setting: Free, contenders: engines,
		cells: []cell{{name: "engine/idle", expect: time.Duration(top) * stepEstimate}}, // for the progress
		round: func(r *Runner, f *family, round int) {
			for _, contender := range f.contenders {
				r.Progress.step(f.name, contender.Name, round, r.Rounds, f.cells[0].expect)
				r.climb(f, contender, round, size.ladder, func(p *pair, n int) error {
					_, err := p.echo(128, 1, n, 0)
					return err
				})
				r.stopAll()
			}
		},
	}
}

// serverLadder opens connections with one subscription each, reads memory on the way, and lets all contenders be idle
// at the same time in the end: so long that each connection is pinged.
func serverLadder(size Size, servers []Contender) *family {
	top := size.ladder[len(size.ladder)-1]
	expect := time.Duration(top)*stepEstimate + size.idle/time.Duration(len(servers))
	return &family{
		name: "server/lines", setting: Free, contenders: servers,
		cells: []cell{{name: "server/lines", expect: expect}},
		round: func(r *Runner, f *family, round int) {
			for turn := range f.contenders {
				contender := f.contenders[(turn+round)%len(f.contenders)]
				r.Progress.step(f.name, contender.Name, round, r.Rounds, expect)
				r.climb(f, contender, round, size.ladder, func(*pair, int) error { return nil })
			}
			r.idle(f, round, size.idle)
		},
	}
}

// climb starts a contender and opens connections step by step. Each step is an observation, and so is the slope over all.
func (r *Runner) climb(f *family, contender Contender, round int, steps []int, settle func(*pair, int) error) {
	p, err := newPair(r.Programs, contender, f.setting)
	if err != nil {
		r.note(f.name, contender.Name, round, nil, err)
		return
	}
	r.pairs[contender.Name] = p
	whole, err := r.climbAll(f, p, round, steps, settle)
	r.note(f.name, contender.Name, round, whole, err)
	if err != nil {
		p.stop()
		delete(r.pairs, contender.Name)
	}
}

// climbAll collects garbage at each step of even rounds only: memory as it sits is that of a server that nobody helps.
func (r *Runner) climbAll(f *family, p *pair, round int, steps []int, settle func(*pair, int) error) (Values, error) {
	start, err := p.server.resident()
	if err != nil {
		return nil, err
	}
	whole := Values{"start_bytes": start}
	name, collects := "sits_bytes", round%2 == 0
	if collects {
		name = "free_bytes"
	}
	var conns, bytes []float64
	first, err := p.server.cpu()
	if err != nil {
		return nil, err
	}
	opening := time.Duration(0)
	for before := first; ; {
		n := steps[len(conns)]
		opened := n - p.subscribers
		if err := p.open(lines{subscribers: n}); err != nil {
			return nil, err
		}
		after, err := p.server.cpu()
		if err != nil {
			return nil, err
		}
		opening += after - before
		step := Values{"cpu_ns": float64(after-before) / float64(opened)}
		if err := settle(p, n); err != nil {
			return nil, err
		}
		now, err := p.memory(collects)
		if err != nil {
			return nil, err
		}
		conns, bytes = append(conns, float64(n)), append(bytes, now)
		if last := len(conns) - 1; last > 0 {
			step[name] = (bytes[last] - bytes[last-1]) / (conns[last] - conns[last-1])
		}
		r.note(fmt.Sprintf("%s/%d", f.name, n), p.contender.Name, round, step, nil)
		if len(conns) == len(steps) {
			break
		}
		if before, err = p.server.cpu(); err != nil {
			return nil, err
		}
	}
	whole["cpu_ns"] = float64(opening) / conns[len(conns)-1]
	whole[name] = slope(conns, bytes)
	return whole, nil
}

// memory reads what a server has in memory, after a collection if that is wanted.
func (p *pair) memory(collects bool) (float64, error) {
	if collects {
		if err := p.server.free(); err != nil {
			return 0, err
		}
	}
	return p.server.resident()
}

// idle leaves all servers that are up alone for a while and reads what they take meanwhile.
func (r *Runner) idle(f *family, round int, d time.Duration) {
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
		if _, pumped := p.load.ask("spin 0"); err == nil {
			err = pumped // the load ends when a connection does
		}
		spent := float64(after - before[contender.Name])
		r.note(f.name+"/idle", contender.Name, round, Values{"idle_ns": spent / float64(p.subscribers) / seconds}, err)
	}
}
