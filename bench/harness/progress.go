package harness

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// barWidth is how many characters the bar of the progress has.
const barWidth = 24

// Progress shows how far a run is: a line that is written again on a terminal, a line for each cell elsewhere.
type Progress struct {
	Out      io.Writer
	Terminal bool

	began       time.Time
	all, passed time.Duration // as expected, not as they were
	last        string        // cell that was named last
}

func (p *Progress) expect(d time.Duration) { p.all += d }

// step says what is measured now.
func (p *Progress) step(cell, contender string, round, rounds int, expect time.Duration) {
	if p.began.IsZero() {
		p.began = time.Now()
	}
	part := min(1, float64(p.passed)/max(1, float64(p.all)))
	p.passed += expect
	elapsed := time.Since(p.began)
	left := ""
	if part > 0.02 {
		remaining := time.Duration(float64(elapsed) * (1 - part) / part)
		left = ", " + remaining.Round(time.Second).String() + " left"
	}
	full := int(part * barWidth)
	bar := strings.Repeat("█", full) + strings.Repeat("░", barWidth-full)
	text := fmt.Sprintf("%s %3.0f %% %6s%s  %s", bar, part*100, elapsed.Round(time.Second), left, cell)
	switch {
	case p.Terminal:
		fmt.Fprintf(p.Out, "\r\x1b[K%s  %s, round %d of %d", text, contender, round+1, rounds)
	case cell != p.last:
		fmt.Fprintln(p.Out, text)
	}
	p.last = cell
}

// say writes a line of its own.
// Finish says what has come of it.
func (p *Progress) Finish(format string, args ...any) { p.say(format, args...) }

func (p *Progress) say(format string, args ...any) {
	if p.Terminal {
		fmt.Fprint(p.Out, "\r\x1b[K")
	}
	fmt.Fprintf(p.Out, format+"\n", args...)
}
