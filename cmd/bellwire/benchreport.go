package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/bellwire/bellwire/internal/loadgen"
	"github.com/bellwire/bellwire/internal/safego"
)

// Progress is redrawn on a terminal; a log gets a line now and then.
const (
	benchRedrawInterval = 200 * time.Millisecond
	benchLineInterval   = 2 * time.Second
)

// benchProgress shows how far a workload is.
type benchProgress struct {
	out      io.Writer
	quiet    bool
	redraw   bool
	interval time.Duration

	group safego.Group
	stop  chan struct{}
	once  sync.Once
}

func newBenchProgress(out io.Writer, quiet bool) *benchProgress {
	p := &benchProgress{out: out, quiet: quiet, redraw: isTerminal(out), interval: benchLineInterval, stop: make(chan struct{})}
	if p.redraw {
		p.interval = benchRedrawInterval
	}
	return p
}

// say writes a line before the progress begins.
func (p *benchProgress) say(text string) {
	if !p.quiet {
		fmt.Fprintln(p.out, "bellwire:", text)
	}
}

func (p *benchProgress) begin(g *loadgen.Generator) {
	if p.quiet {
		return
	}
	p.group.Go("progress", func() {
		ticker := time.NewTicker(p.interval)
		defer ticker.Stop()
		last := loadgen.Progress{}
		for {
			select {
			case <-ticker.C:
				now := g.Progress()
				p.show(progressLine(last, now))
				last = now
			case <-p.stop:
				return
			}
		}
	}, nil)
}

func (p *benchProgress) show(text string) {
	if p.redraw {
		const eraseToEnd = "\x1b[K"
		fmt.Fprint(p.out, "\r", text, eraseToEnd)
		return
	}
	fmt.Fprintln(p.out, text)
}

// end stops it and leaves the terminal with an empty line.
func (p *benchProgress) end() {
	p.once.Do(func() {
		close(p.stop)
		_ = p.group.Wait(context.Background())
		if p.redraw && !p.quiet {
			p.show("")
			fmt.Fprint(p.out, "\r")
		}
	})
}

// progressLine says what is now, with rates since the last look.
func progressLine(last, now loadgen.Progress) string {
	seconds := (now.Elapsed - last.Elapsed).Seconds()
	perSecond := func(before, after uint64) float64 {
		if seconds <= 0 || after < before {
			return 0
		}
		return float64(after-before) / seconds
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%5.1fs %s: %d lines", now.Elapsed.Seconds(), now.Phase, now.Connected)
	if now.Ended > 0 {
		fmt.Fprintf(&text, " (%d ended)", now.Ended)
	}
	if now.Published > 0 {
		fmt.Fprintf(&text, ", published %d (%.0f/s)", now.Published, perSecond(last.Published, now.Published))
	}
	if now.Delivered > 0 {
		fmt.Fprintf(&text, ", delivered %d (%.0f/s)", now.Delivered, perSecond(last.Delivered, now.Delivered))
	}
	if now.Lost+now.Duplicates > 0 {
		fmt.Fprintf(&text, ", lost %d, twice %d", now.Lost, now.Duplicates)
	}
	if now.P50 > 0 {
		fmt.Fprintf(&text, ", p50 %s p99 %s", formatMicros(micros(now.P50)), formatMicros(micros(now.P99)))
	}
	return text.String()
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func writeBenchJSON(out io.Writer, report *loadgen.Report) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}

// writeBenchTable prints what a person wants to know.
func writeBenchTable(out io.Writer, report *loadgen.Report) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, arguments ...any) {
		fmt.Fprintf(table, "%s\t"+format+"\n", append([]any{name}, arguments...)...)
	}
	row("workload", "%s, %.1f s", report.Workload, report.Seconds)
	row("connections", "%d on %s", report.Connections, plural(report.Channels, "channel"))
	switch report.Workload {
	case "connect":
		row("connects", "%.0f/s", float64(report.Connections)/report.Seconds)
	case "idle":
	default:
		row("subscribers", "%d", report.Subscribers)
		row("publishers", "%d, payload %d B", report.Publishers, report.PayloadBytes)
		row("published", "%d, %.0f/s", report.Published, float64(report.Published)/report.Seconds)
		row("delivered", "%d, %.0f/s", report.Delivered, float64(report.Delivered)/report.Seconds)
		row("lost, twice", "%d, %d", report.Lost, report.Duplicates)
	}
	if text := counts(report.Failures); text != "" {
		row("refused", "%s", text)
	}
	if text := counts(report.Ended); text != "" {
		row("lines ended", "%s; they missed %d", text, report.CutOff)
	}
	costRows(row, report)
	if err := table.Flush(); err != nil {
		return err
	}
	return latencyTable(out, report)
}

func costRows(row func(name, format string, arguments ...any), report *loadgen.Report) {
	if s := report.Server; s != nil {
		row("server", "process %d, CPU %.2f s, RSS %s", s.PID, s.CPUSeconds, formatBytes(float64(s.RSSBytes)))
		for _, each := range []struct {
			name  string
			value *float64
		}{
			{"CPU per connect", s.CPUPerConnect}, {"CPU per publication", s.CPUPerPublication}, {"CPU per delivery", s.CPUPerDelivery},
			{"CPU per idle second", s.CPUPerIdleSecond},
		} {
			if each.value != nil {
				row(each.name, "%s", formatMicros(*each.value))
			}
		}
		if s.RSSPerConnection != nil {
			row("RSS per connection", "%s (%d: %s, %d: %s)", formatBytes(*s.RSSPerConnection), s.ConnectionsFewer,
				formatBytes(float64(s.RSSBytesFewer)), report.Connections, formatBytes(float64(s.RSSBytes)))
		}
	}
	if own := report.Generator; own != nil {
		row("this generator", "CPU %.2f s, RSS %s", own.CPUSeconds, formatBytes(float64(own.RSSBytes)))
	}
}

func latencyTable(out io.Writer, report *loadgen.Report) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "latency\tcount\tp50\tp90\tp99\tp99.9\tmax\t\n")
	rows := 0
	for _, each := range []struct {
		name    string
		latency *loadgen.Latency
	}{{"connect", report.Connect}, {"answer", report.Answer}, {"delivery", report.Delivery}} {
		if l := each.latency; l != nil {
			rows++
			fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t\n", each.name, l.Count, formatMicros(l.P50), formatMicros(l.P90),
				formatMicros(l.P99), formatMicros(l.P999), formatMicros(l.Max))
		}
	}
	if rows == 0 {
		return nil
	}
	fmt.Fprintln(out)
	return table.Flush()
}

func plural(count int, noun string) string {
	if count == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", count, noun)
}

// counts lists a map in the order of its keys.
func counts(of map[string]uint64) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(of)) {
		parts = append(parts, fmt.Sprintf("%s %d", key, of[key]))
	}
	return strings.Join(parts, ", ")
}

// formatMicros writes microseconds with three digits that count.
func formatMicros(us float64) string {
	switch {
	case us < 999.5:
		return fmt.Sprintf("%.3g µs", us)
	case us < 999.5e3:
		return fmt.Sprintf("%.3g ms", us/1e3)
	}
	return fmt.Sprintf("%.3g s", us/1e6)
}

func formatBytes(n float64) string {
	switch {
	case n < 10<<10:
		return fmt.Sprintf("%.0f B", n)
	case n < 10<<20:
		return fmt.Sprintf("%.1f KiB", n/(1<<10))
	}
	return fmt.Sprintf("%.1f MiB", n/(1<<20))
}
