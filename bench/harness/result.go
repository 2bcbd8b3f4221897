package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Values are what was measured at once, by name. Names end in their unit:
// cpu_ns (per message, connection or publication), rate (per second), p50_us, p99_us, start_bytes, bytes (per connection), idle_ns.
type Values map[string]float64

// Observation is one contender in one cell in one round.
type Observation struct {
	Cell      string `json:"cell"`
	Contender string `json:"contender"`
	Round     int    `json:"round"`
	Values    Values `json:"values,omitempty"`
	Error     string `json:"error,omitempty"`
}

// Results are what a run found, and where.
type Results struct {
	Began        time.Time     `json:"began"`
	Seconds      float64       `json:"seconds"` // of the whole run so far
	Complete     bool          `json:"complete"`
	Note         string        `json:"note,omitempty"` // what the reader should know of the circumstances
	Rounds       int           `json:"rounds"`
	Machine      [][2]string   `json:"machine"`
	Modules      [][2]string   `json:"modules"`
	Load         [2]string     `json:"load"` // average of the machine, before and after
	Observations []Observation `json:"observations"`
}

// Save writes the results, one observation on a line, so that a report can be made of them later.
func (r *Results) Save(path string) error {
	head := *r
	head.Observations = []Observation{}
	text, err := json.MarshalIndent(head, "", " ")
	if err != nil {
		return err
	}
	text = bytes.TrimSuffix(text, []byte("[]\n}"))
	text = append(text, "[\n"...)
	for i, o := range r.Observations {
		line, err := json.Marshal(o)
		if err != nil {
			return err
		}
		text = append(text, line...)
		if i < len(r.Observations)-1 {
			text = append(text, ',')
		}
		text = append(text, '\n')
	}
	return os.WriteFile(path, append(text, "]}\n"...), 0o644)
}

// Load reads what Save has written.
func Load(path string) (*Results, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(Results)
	return r, json.Unmarshal(text, r)
}

// of returns a value by round.
func (r *Results) of(cell, contender, value string) map[int]float64 {
	found := make(map[int]float64)
	for _, o := range r.Observations {
		if o.Cell != cell || o.Contender != contender {
			continue
		}
		if v, measured := o.Values[value]; measured {
			found[o.Round] = v
		}
	}
	return found
}

// Figure is the median of the rounds, and half the width of their middle half.
type Figure struct {
	Median, Spread float64
	Rounds         int // 0: nothing was measured
}

func (r *Results) figure(cell, contender, value string) Figure {
	var all []float64
	for _, v := range r.of(cell, contender, value) {
		all = append(all, v)
	}
	return figure(all)
}

// ratio holds a value against one of the floor in the same rounds.
func (r *Results) ratio(cell, contender, value, floorCell, floor string) Figure {
	floors := r.of(floorCell, floor, value)
	var all []float64
	for round, v := range r.of(cell, contender, value) {
		if floors[round] > 0 {
			all = append(all, v/floors[round])
		}
	}
	return figure(all)
}

// names returns those of contenders, each followed by its earlier builds that were measured.
func (r *Results) names(contenders []Contender) (names []string) {
	for _, c := range contenders {
		names = append(names, c.Name)
		for _, o := range r.Observations {
			if strings.HasPrefix(o.Contender, c.Name+"@") && !slices.Contains(names, o.Contender) {
				names = append(names, o.Contender)
			}
		}
	}
	return names
}

func figure(all []float64) Figure {
	if len(all) == 0 {
		return Figure{}
	}
	slices.Sort(all)
	n := len(all)
	return Figure{Median: (all[(n-1)/2] + all[n/2]) / 2, Spread: (all[n*3/4] - all[n/4]) / 2, Rounds: n}
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

// Failure returns an error if any contender failed in any cell, or nothing was measured at all.
func (r *Results) Failure() error {
	for _, o := range r.Observations {
		if o.Error != "" {
			return fmt.Errorf("%s: %s: %s", o.Cell, o.Contender, o.Error)
		}
	}
	if len(r.Observations) == 0 {
		return errors.New("nothing was measured")
	}
	return nil
}
