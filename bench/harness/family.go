package harness

import (
	"regexp"
	"strconv"
	"time"
)

// family is cells that share servers and connections.
type family struct {
	name       string
	setting    Setting
	contenders []Contender
	cells      []cell

	// round replaces the walk through the cells: it measures all contenders once.
	round func(r *Runner, f *family, round int)
}

// cell is one thing that is measured.
type cell struct {
	name    string
	lines   lines
	expect  time.Duration // that one measurement takes, for the progress
	measure func(p *pair) (Values, error)
}

// failuresMax is how often in a row a contender may fail in one cell before the other rounds leave it out.
const failuresMax = 2

// Runner carries out families.
type Runner struct {
	Programs *Programs
	Rounds   int
	Results  *Results
	Progress *Progress
	Written  func() // called after each family, so that what was found is not lost

	// Of the family that runs.
	pairs    map[string]*pair
	failures map[failing]int // in a row
}

// Run measures what a plan says. Contenders that fail are in the results.
func (r *Runner) Run(plan *Plan) {
	for _, f := range plan.families {
		r.Progress.expect(f.cost() * time.Duration(r.Rounds))
	}
	for _, f := range plan.families {
		r.pairs = make(map[string]*pair)
		r.failures = make(map[failing]int)
		for round := range r.Rounds {
			if f.round != nil {
				f.round(r, f, round)
			} else {
				for _, c := range f.cells {
					r.cell(f, c, round)
				}
			}
			r.stopAll()
		}
		r.Written()
	}
}

// failing is who fails, and where.
type failing struct{ cell, contender string }

func (r *Runner) stopAll() {
	for name, p := range r.pairs {
		p.stop()
		delete(r.pairs, name)
	}
}

// cell measures all contenders in turn, in each round beginning with another one. All processes are new in each round: where
// the system has put the memory of one makes up to a seventh of what it takes, as long as it lives.
func (r *Runner) cell(f *family, c cell, round int) {
	for turn := range f.contenders {
		contender := f.contenders[(turn+round)%len(f.contenders)]
		r.Progress.step(c.name, contender.Name, round, r.Rounds, c.expect)
		which := failing{c.name, contender.Name}
		if r.failures[which] >= failuresMax {
			continue
		}
		values, err := r.measure(f, c, contender)
		r.note(c.name, contender.Name, round, values, err)
		if err != nil {
			r.failures[which]++
			continue
		}
		r.failures[which] = 0
	}
}

// note adds an observation.
func (r *Runner) note(cell, contender string, round int, values Values, err error) {
	for name, value := range values {
		values[name], _ = strconv.ParseFloat(strconv.FormatFloat(value, 'g', 5, 64), 64) // more digits mean nothing
	}
	o := Observation{Cell: cell, Contender: contender, Round: round, Values: values}
	if err != nil {
		o.Values, o.Error = nil, err.Error()
		r.Progress.say("%s: %s: %s", cell, contender, err)
	}
	r.Results.Observations = append(r.Results.Observations, o)
}

// measure brings a contender to where the cell begins, which may take a new process, and measures it.
func (r *Runner) measure(f *family, c cell, contender Contender) (Values, error) {
	p := r.pairs[contender.Name]
	if p != nil && !p.fits(c.lines) {
		p.stop()
		p = nil
	}
	var err error
	if p == nil {
		delete(r.pairs, contender.Name)
		if p, err = newPair(r.Programs, contender, f.setting); err != nil {
			return nil, err
		}
		r.pairs[contender.Name] = p
	}
	var values Values
	if err = p.open(c.lines); err == nil {
		values, err = c.measure(p)
	}
	if err != nil {
		p.stop()
		delete(r.pairs, contender.Name)
	}
	return values, err
}

func (f *family) cost() (all time.Duration) {
	for _, c := range f.cells {
		all += c.expect * time.Duration(len(f.contenders))
	}
	return all
}

// Plan is what is measured.
type Plan struct{ families []*family }

// Keep leaves the cells that match.
func (p *Plan) Keep(cells *regexp.Regexp) {
	var kept []*family
	for _, f := range p.families {
		if f.round != nil {
			if cells.MatchString(f.name) {
				kept = append(kept, f)
			}
			continue
		}
		var matching []cell
		for _, c := range f.cells {
			if cells.MatchString(c.name) {
				matching = append(matching, c)
			}
		}
		if f.cells = matching; len(matching) > 0 {
			kept = append(kept, f)
		}
	}
	p.families = kept
}

// Half leaves those of one half, engine or server.
func (p *Plan) Half(half string) { p.Keep(regexp.MustCompile("^" + regexp.QuoteMeta(half) + "/")) }
