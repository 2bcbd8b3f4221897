package harness

import (
	"fmt"
	"slices"
	"time"
)

// Plan is what is measured.
type Plan struct {
	Contenders []string // without the floor
	Rounds     int
	Duration   time.Duration // of one echo run
	Echo       []EchoCell
	Fan        []FanCell
	Idle       []int // connections at which memory is read
	Progress   func(format string, args ...any)
}

// EchoCell is one load of echoes.
type EchoCell struct {
	Setting             Setting
	Conns, Size, Flight int
}

// String is its name in tables.
func (c EchoCell) String() string { return fmt.Sprintf("%d:%d:%d", c.Conns, c.Size, c.Flight) }

// FanCell is one fan-out: Count times K messages at once to Conns connections.
type FanCell struct {
	Conns, Size, K, Count int
	Every                 time.Duration
}

// String is its name in tables.
func (c FanCell) String() string { return fmt.Sprintf("%d:%d:%d", c.Conns, c.Size, c.K) }

// Figure is what came of one contender in one cell.
type Figure struct {
	CPU       float64 // ns a message; median
	Ratio     float64 // to the floor in the same round; median
	Spread    float64 // of the ratios: the middle half
	PerSecond float64 // median; echo only
	P50, P99  int     // µs; median; echo only
}

// Memory is what an idle connection takes.
type Memory struct {
	PerConn    float64 // bytes of the server after a collection: slope over the steps
	PerConnRaw float64 // as it sits
	Start      int64   // bytes of the server without connections, after a collection
}

// Results are those of a plan: by cell, by contender.
type Results struct {
	Echo []map[string]Figure
	Fan  []map[string]Figure
	Idle map[string]Memory
}

// Run measures everything.
func (plan *Plan) Run(programs *Programs) (*Results, error) {
	results := &Results{Idle: make(map[string]Memory)}
	names := append([]string{Floor}, plan.Contenders...)
	begin := 0
	for begin < len(plan.Echo) { // cells of one setting share their servers
		end := begin
		for end < len(plan.Echo) && plan.Echo[end].Setting == plan.Echo[begin].Setting {
			end++
		}
		figures, err := plan.echo(programs, names, plan.Echo[begin:end])
		if err != nil {
			return nil, err
		}
		results.Echo = append(results.Echo, figures...)
		begin = end
	}
	var err error
	if results.Fan, err = plan.fan(programs, names); err != nil {
		return nil, err
	}
	if len(plan.Idle) == 0 {
		return results, nil
	}
	for _, name := range names {
		plan.Progress("idle connections: %s", name)
		if results.Idle[name], err = idle(programs, name, plan.Idle); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// pairs starts a server and a load for each contender.
func pairs(programs *Programs, names []string, setting Setting) (all []*pair, stop func(), _ error) {
	stop = func() {
		for _, p := range all {
			p.stop()
		}
	}
	for _, name := range names {
		p, err := programs.pair(name, setting)
		if err != nil {
			stop()
			return nil, nil, err
		}
		all = append(all, p)
	}
	return all, stop, nil
}

func (plan *Plan) echo(programs *Programs, names []string, cells []EchoCell) ([]map[string]Figure, error) {
	all, stop, err := pairs(programs, names, cells[0].Setting)
	if err != nil {
		return nil, err
	}
	defer stop()
	var figures []map[string]Figure
	for i, cell := range cells {
		runs := make(map[string][]EchoResult)
		for round := range plan.Rounds {
			plan.Progress("echo, %s: cell %s (%d of %d), round %d of %d", cell.Setting.Name, cell, i+1, len(cells), round+1, plan.Rounds)
			for turn := range all {
				p := all[(turn+round)%len(all)]
				if err := p.connect(cell.Conns); err != nil {
					return nil, err
				}
				if round == 0 { // warm
					if _, err := p.echo(cell.Size, cell.Flight, cell.Conns, 20*time.Millisecond); err != nil {
						return nil, err
					}
				}
				result, err := p.echo(cell.Size, cell.Flight, cell.Conns, plan.Duration)
				if err != nil {
					return nil, err
				}
				runs[p.name] = append(runs[p.name], result)
			}
		}
		figures = append(figures, echoFigures(runs))
	}
	return figures, nil
}

func echoFigures(runs map[string][]EchoResult) map[string]Figure {
	figures := make(map[string]Figure)
	for name, results := range runs {
		cpu := make([]float64, len(results))
		floor := make([]float64, len(results))
		for i := range results {
			cpu[i] = results[i].CPUPerMessage
			floor[i] = runs[Floor][i].CPUPerMessage
		}
		figure := compare(cpu, floor)
		figure.PerSecond = median(column(results, func(r EchoResult) float64 { return r.PerSecond }))
		figure.P50 = int(median(column(results, func(r EchoResult) float64 { return float64(r.P50) })))
		figure.P99 = int(median(column(results, func(r EchoResult) float64 { return float64(r.P99) })))
		figures[name] = figure
	}
	return figures
}

func (plan *Plan) fan(programs *Programs, names []string) ([]map[string]Figure, error) {
	if len(plan.Fan) == 0 {
		return nil, nil
	}
	all, stop, err := pairs(programs, names, Setting{"pinned", true})
	if err != nil {
		return nil, err
	}
	defer stop()
	var figures []map[string]Figure
	var floor []float64 // of one message at a time, for the same number of connections
	for i, cell := range plan.Fan {
		cpu := make(map[string][]float64)
		for round := range plan.Rounds {
			plan.Progress("fan-out: cell %s (%d of %d), round %d of %d", cell, i+1, len(plan.Fan), round+1, plan.Rounds)
			for turn := range all {
				p := all[(turn+round)%len(all)]
				if err := p.connect(cell.Conns); err != nil {
					return nil, err
				}
				ns, err := p.fan(cell.Size, cell.K, cell.Count, cell.Every)
				if err != nil {
					return nil, err
				}
				cpu[p.name] = append(cpu[p.name], ns)
			}
		}
		if cell.K == 1 {
			floor = cpu[Floor]
		}
		row := make(map[string]Figure)
		for name := range cpu {
			row[name] = compare(cpu[name], floor)
		}
		figures = append(figures, row)
	}
	return figures, nil
}

// idle reads the memory of a server at several numbers of connections, each of which
// has echoed one message.
func idle(programs *Programs, name string, steps []int) (memory Memory, _ error) {
	p, err := programs.pair(name, Setting{"free", false})
	if err != nil {
		return memory, err
	}
	defer p.stop()
	if _, err := p.server.ask("gc"); err != nil {
		return memory, err
	}
	if memory.Start, err = p.server.resident(); err != nil {
		return memory, err
	}
	var conns, raw, collected []float64
	for _, n := range steps {
		if err := p.connect(n); err != nil {
			return memory, err
		}
		if _, err := p.echo(128, 1, n, 0); err != nil {
			return memory, err
		}
		asItSits, err := p.server.resident()
		if err != nil {
			return memory, err
		}
		if _, err := p.server.ask("gc"); err != nil {
			return memory, err
		}
		after, err := p.server.resident()
		if err != nil {
			return memory, err
		}
		conns, raw, collected = append(conns, float64(n)), append(raw, float64(asItSits)), append(collected, float64(after))
	}
	memory.PerConn, memory.PerConnRaw = slope(conns, collected), slope(conns, raw)
	return memory, nil
}

// compare holds runs against those of the floor in the same rounds.
func compare(cpu, floor []float64) Figure {
	ratios := make([]float64, len(cpu))
	for i := range cpu {
		ratios[i] = cpu[i] / floor[i]
	}
	slices.Sort(ratios)
	return Figure{CPU: median(cpu), Ratio: median(ratios), Spread: ratios[len(ratios)*3/4] - ratios[len(ratios)/4]}
}

func column(results []EchoResult, of func(EchoResult) float64) (values []float64) {
	for _, r := range results {
		values = append(values, of(r))
	}
	return values
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// slope is that of the line with the least squared distance.
func slope(x, y []float64) float64 {
	var sumX, sumY, sumXY, sumXX float64
	for i := range x {
		sumX += x[i]
		sumY += y[i]
		sumXY += x[i] * y[i]
		sumXX += x[i] * x[i]
	}
	n := float64(len(x))
	return (n*sumXY - sumX*sumY) / (n*sumXX - sumX*sumX)
}
