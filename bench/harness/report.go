package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Report writes what was found into a directory: README.md and its plots.
type Report struct {
	Results *Results
	Dir     string

	text strings.Builder
}

// section is a table of cells by contender, and its plot.
type section struct {
	title, about string
	cells        string // a regular expression; what it catches first heads the column
	contenders   []Contender
	value        string
	floor        string   // cell of the floor, $1 is what was caught; empty: absolute
	scale        float64  // of an absolute value
	unit         string   // of it
	columns      []column // instead of cells, value, floor and scale
	plotted      int      // the one that is drawn
	plot         string   // name of the file; empty: none
	curve        string   // what the columns count; the plot shows how the value grows with it
}

// column is one value of one cell.
type column struct {
	head, cell, value string
	scale             float64
}

// Write makes everything anew.
func (r *Report) Write() error {
	r.text.Reset()
	r.writeHead()
	r.Results.writeTargets(&r.text)
	r.writeMachine()
	for _, s := range sections() {
		if err := r.writeSection(&s); err != nil {
			return err
		}
	}
	r.writeFailures()
	r.writeHow()
	return os.WriteFile(filepath.Join(r.Dir, "README.md"), []byte(r.text.String()), 0o644)
}

func (r *Report) printf(format string, args ...any) { fmt.Fprintf(&r.text, format, args...) }

func (r *Report) writeHead() {
	r.printf("# Bellwire beside its peers\n\nMeasured on %s", r.Results.Began.UTC().Format("2006-01-02"))
	if !r.Results.Complete {
		r.printf("; **the run has not ended, or was cut short**")
	}
	r.printf(". %s\n\n", r.Results.Note)
	r.printf("The main figure is the CPU time that the system accounts to the **server's process** for each message, mostly as a ratio to the *floor* in the same "+
		"round: an epoll loop in C that moves as many bytes and does nothing else. All contenders take turns in each of %d rounds; what is shown is the median. "+
		"The load is one thread in C that checks what comes.\n\n", r.Results.Rounds)
}

func (r *Report) writeMachine() {
	r.printf("<details><summary>The machine, and the versions of the peers</summary>\n\n| | |\n|---|---|\n")
	for _, fact := range r.Results.Machine {
		r.printf("| %s | %s |\n", fact[0], fact[1])
	}
	r.printf("| load average before, after | %s; %s |\n| time of the whole run | %.0f s |\n", r.Results.Load[0], r.Results.Load[1], r.Results.Seconds)
	for _, module := range r.Results.Modules {
		r.printf("| %s | %s |\n", module[0], module[1])
	}
	r.printf("\n</details>\n\n")
}

func (r *Report) writeSection(s *section) error {
	t := r.table(s)
	if len(t.rows) == 0 {
		return nil
	}
	r.printf("## %s\n\n%s\n\n| | %s |\n|---|%s\n", s.title, s.about, strings.Join(t.columns, " | "), strings.Repeat("---:|", len(t.columns)))
	for _, row := range t.rows {
		r.printf("| %s |", bold(row.name))
		for _, f := range row.figures {
			r.printf(" %s |", f.text())
		}
		r.printf("\n")
	}
	r.printf("\n")
	if s.plot == "" {
		return nil
	}
	r.printf("![%s](%s.svg)\n\n", s.title, s.plot)
	return t.draw(filepath.Join(r.Dir, s.plot+".svg"), s)
}

// table is what a section shows.
type table struct {
	columns []string
	rows    []row
}

type row struct {
	name    string
	figures []Figure
}

func (r *Report) table(s *section) *table {
	t := new(table)
	names := r.Results.names(s.contenders)
	if s.columns != nil {
		for _, c := range s.columns {
			t.columns = append(t.columns, c.head)
		}
		t.fill(names, func(column int, contender string) Figure {
			c := s.columns[column]
			c.cell = r.Results.top(c.cell)
			return r.Results.figure(c.cell, contender, c.value).times(c.scale)
		})
		return t
	}
	pattern := regexp.MustCompile("^" + s.cells + "$")
	cells := r.Results.cells(pattern)
	for _, cell := range cells {
		t.columns = append(t.columns, pattern.FindStringSubmatch(cell)[1])
	}
	if s.floor != "" { // what the ratios are to
		t.fill([]string{floorRow}, func(column int, _ string) Figure {
			return r.Results.figure(pattern.ReplaceAllString(cells[column], s.floor), Floor, s.value).times(1e-3)
		})
	}
	t.fill(names, func(column int, contender string) Figure {
		cell := cells[column]
		if s.floor == "" {
			return r.Results.figure(cell, contender, s.value).times(s.scale)
		}
		return r.Results.ratio(cell, contender, s.value, pattern.ReplaceAllString(cell, s.floor), Floor)
	})
	t.dropEmpty()
	return t
}

// dropEmpty removes columns in which nobody has a figure.
func (t *table) dropEmpty() {
	for column := len(t.columns) - 1; column >= 0; column-- {
		if slices.ContainsFunc(t.rows, func(r row) bool { return r.figures[column].Rounds > 0 }) {
			continue
		}
		t.columns = slices.Delete(t.columns, column, column+1)
		for i := range t.rows {
			t.rows[i].figures = slices.Delete(t.rows[i].figures, column, column+1)
		}
	}
}

// floorRow names the only row that is no ratio.
const floorRow = "floor, µs"

// top replaces TOP at the end of a cell's name by the largest number there is.
func (r *Results) top(cell string) string {
	prefix, found := strings.CutSuffix(cell, "TOP")
	if !found {
		return cell
	}
	largest := 0
	for _, name := range r.cells(regexp.MustCompile("^" + prefix + `\d+$`)) {
		n, _ := strconv.Atoi(strings.TrimPrefix(name, prefix))
		largest = max(largest, n)
	}
	return prefix + strconv.Itoa(largest)
}

// fill adds a row for each contender that has a figure.
func (t *table) fill(names []string, of func(column int, contender string) Figure) {
	for _, name := range names {
		current := row{name: name}
		found := false
		for column := range t.columns {
			f := of(column, name)
			found = found || f.Rounds > 0
			current.figures = append(current.figures, f)
		}
		if found {
			t.rows = append(t.rows, current)
		}
	}
}

func (f Figure) times(scale float64) Figure {
	return Figure{Median: f.Median * scale, Spread: f.Spread * scale, Rounds: f.Rounds}
}

func (f Figure) text() string {
	if f.Rounds == 0 {
		return "–"
	}
	if f.Rounds == 1 {
		return number(f.Median)
	}
	return number(f.Median) + " ±" + number(f.Spread)
}

// writeFailures tells what could not be measured, once for each contender and kind of cell.
func (r *Report) writeFailures() {
	told := make(map[string]bool)
	for _, o := range r.Results.Observations {
		if o.Error == "" || told[o.Cell+o.Contender] {
			continue
		}
		if len(told) == 0 {
			r.printf("## What failed\n\n| cell | contender | what it said |\n|---|---|---|\n")
		}
		told[o.Cell+o.Contender] = true
		r.printf("| %s | %s | %s |\n", o.Cell, o.Contender, strings.ReplaceAll(o.Error, "|", "\\|"))
	}
	if len(told) > 0 {
		r.printf("\n")
	}
}

func (r *Report) writeHow() {
	r.printf("## How to repeat it\n\n```sh\nmake bench              # everything, about forty minutes on two processors that do nothing else\n" +
		"make -C bench quick     # a part, in a few minutes\n```\n\nEvery single observation is in [results.json](results.json); " +
		"[bench/README.md](../README.md) says how it works and what its traps are. ± is half the width of the middle half of the rounds. " +
		"Connections are on the loopback device of one machine, so that the kernel's receiving half is accounted to the sender.\n")
}

func isOurs(name string) bool { return strings.HasPrefix(name, "bellwire") }

// bold marks our own.
func bold(name string) string {
	if isOurs(name) {
		return "**" + name + "**"
	}
	return name
}

// number has as many digits as mean something.
func number(x float64) string {
	switch {
	case x >= 100 || x <= -100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10 || x <= -10:
		return fmt.Sprintf("%.1f", x)
	case x < 0.1 && x > -0.1:
		return fmt.Sprintf("%.3f", x)
	}
	return fmt.Sprintf("%.2f", x)
}
