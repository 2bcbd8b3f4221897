package harness

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Report is what is written down.
type Report struct {
	Plan    *Plan
	Results *Results
	Note    string // what the reader should know of the circumstances
	Load    [2]string
	Began   time.Time
}

// Write puts engine.md and its plots into a directory.
func (r *Report) Write(dir, engine string) error {
	var b bytes.Buffer
	r.writeHead(&b, engine)
	if err := r.writeEcho(&b, dir); err != nil {
		return err
	}
	if err := r.writeFan(&b, dir); err != nil {
		return err
	}
	if err := r.writeIdle(&b, dir); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "engine.md"), b.Bytes(), 0o644)
}

func (r *Report) writeHead(b *bytes.Buffer, engine string) {
	fmt.Fprintf(b, "# WebSocket engines side by side\n\n")
	fmt.Fprintf(b, "Written by `make -C bench run` on %s. %s\n\n", r.Began.UTC().Format("2006-01-02"), r.Note)
	fmt.Fprintf(b, "The main figure is the CPU time that the system accounts to the **server** process, per message, as a ratio to the *floor* in the "+
		"same round: an epoll loop in C that moves as many bytes and does no WebSocket work. Median of %d rounds in which all contenders take turns; "+
		"every first echo is compared byte for byte. Smaller is better.\n\n", r.Plan.Rounds)
	fmt.Fprintf(b, "| machine | |\n|---|---|\n")
	for _, fact := range machine() {
		fmt.Fprintf(b, "| %s | %s |\n", fact[0], fact[1])
	}
	fmt.Fprintf(b, "| load average before, after | %s; %s |\n", r.Load[0], r.Load[1])
	for _, module := range modules(engine) {
		fmt.Fprintf(b, "| %s | %s |\n", module[0], module[1])
	}
	fmt.Fprintln(b)
}

func (r *Report) writeEcho(b *bytes.Buffer, dir string) error {
	for _, setting := range r.settings() {
		fmt.Fprintf(b, "## Echo, %s\n\n", setting.Name)
		if setting.Pinned {
			fmt.Fprintf(b, "Server on one processor, load on another. ")
		}
		fmt.Fprintf(b, "Columns are connections : bytes : messages in flight on each.\n\n")
		var columns []string
		var figures []map[string]Figure
		for i, cell := range r.Plan.Echo {
			if cell.Setting == setting {
				columns = append(columns, cell.String())
				figures = append(figures, r.Results.Echo[i])
			}
		}
		r.writeTable(b, columns, figures)
		r.writeRates(b, columns, figures)
		for _, flight := range []int{1, 16} {
			file := fmt.Sprintf("echo-%s-%d.svg", setting.Name, flight)
			title := fmt.Sprintf("Echo, %s, %d in flight: CPU per message, ratio to the floor", setting.Name, flight)
			if err := r.plotEcho(filepath.Join(dir, file), title, setting, flight); err != nil {
				return err
			}
			fmt.Fprintf(b, "![%s](%s)\n\n", title, file)
		}
	}
	return nil
}

func (r *Report) settings() (all []Setting) {
	for _, cell := range r.Plan.Echo {
		if !slices.Contains(all, cell.Setting) {
			all = append(all, cell.Setting)
		}
	}
	return all
}

// writeTable writes ratios, and nanoseconds for the floor.
func (r *Report) writeTable(b *bytes.Buffer, columns []string, figures []map[string]Figure) {
	fmt.Fprintf(b, "| server | %s |\n|---|%s\n| floor, ns |", strings.Join(columns, " | "), strings.Repeat("---:|", len(columns)))
	for _, row := range figures {
		fmt.Fprintf(b, " %.0f |", row[Floor].CPU)
	}
	for _, name := range r.Plan.Contenders {
		fmt.Fprintf(b, "\n| %s |", bold(name))
		for _, row := range figures {
			fmt.Fprintf(b, " %s ±%s |", number(row[name].Ratio), number(row[name].Spread/2))
		}
	}
	fmt.Fprintf(b, "\n\n± is half the width of the middle half of the rounds.\n\n")
}

// writeRates writes what a client saw. It depends on the machine and its load more than the ratios do.
func (r *Report) writeRates(b *bytes.Buffer, columns []string, figures []map[string]Figure) {
	fmt.Fprintf(b, "<details><summary>Thousand messages a second; p50 and p99 of a burst in µs</summary>\n\n")
	fmt.Fprintf(b, "| server | %s |\n|---|%s\n", strings.Join(columns, " | "), strings.Repeat("---:|", len(columns)))
	for _, name := range append([]string{Floor}, r.Plan.Contenders...) {
		fmt.Fprintf(b, "| %s |", bold(name))
		for _, row := range figures {
			f := row[name]
			fmt.Fprintf(b, " %.0f; %d, %d |", f.PerSecond/1000, f.P50, f.P99)
		}
		fmt.Fprintln(b)
	}
	fmt.Fprintf(b, "\n</details>\n\n")
}

func (r *Report) writeFan(b *bytes.Buffer, dir string) error {
	if len(r.Plan.Fan) == 0 {
		return nil
	}
	fmt.Fprintf(b, "## Fan-out, paced\n\nColumns are connections : bytes : messages published at once. CPU of the server for each message delivered, as a ratio to "+
		"the floor at one message at a time, which is one `write` for each.\n\n")
	var columns []string
	for _, cell := range r.Plan.Fan {
		columns = append(columns, cell.String())
	}
	r.writeTable(b, columns, r.Results.Fan)
	title := "Fan-out: CPU per delivered message, ratio to one write"
	if err := r.plotFan(filepath.Join(dir, "fan-out.svg"), title, columns); err != nil {
		return err
	}
	fmt.Fprintf(b, "![%s](fan-out.svg)\n\n", title)
	return nil
}

func (r *Report) writeIdle(b *bytes.Buffer, dir string) error {
	if len(r.Results.Idle) == 0 {
		return nil
	}
	fmt.Fprintf(b, "## Idle connections\n\nMemory of the server process for each connection: the slope over %s connections, each of which has echoed one "+
		"message. The kernel takes about 4.8 kB more at each end, for all alike.\n\n", join(r.Plan.Idle))
	fmt.Fprintf(b, "| server | bytes after a collection | bytes as it sits | MB without connections |\n|---|---:|---:|---:|\n")
	for _, name := range append([]string{Floor}, r.Plan.Contenders...) {
		m := r.Results.Idle[name]
		fmt.Fprintf(b, "| %s | %.0f | %.0f | %.1f |\n", bold(name), m.PerConn, m.PerConnRaw, float64(m.Start)/1e6)
	}
	title := "Memory of an idle connection, bytes"
	fmt.Fprintf(b, "\n![%s](idle.svg)\n", title)
	return r.plotIdle(filepath.Join(dir, "idle.svg"), title)
}

// bold marks our own.
func bold(name string) string {
	if strings.HasPrefix(name, "bellwire") {
		return "**" + name + "**"
	}
	return name
}

// number has as many digits as mean something.
func number(x float64) string {
	switch {
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	case x < 0.1:
		return fmt.Sprintf("%.3f", x)
	}
	return fmt.Sprintf("%.2f", x)
}

func join(numbers []int) string {
	var words []string
	for _, n := range numbers {
		words = append(words, fmt.Sprint(n))
	}
	return strings.Join(words, ", ")
}

// machine says where this runs.
func machine() [][2]string {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return [][2]string{
		{"processor", fmt.Sprintf("%s, %d visible", procValue("/proc/cpuinfo", "model name"), runtime.NumCPU())},
		{"memory", procValue("/proc/meminfo", "MemTotal")},
		{"system", "Linux " + strings.TrimSpace(string(kernel)) + ", " + runtime.GOARCH},
		{"Go", runtime.Version()},
	}
}

func procValue(path, name string) string {
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// LoadAverage reads how busy the machine is.
func LoadAverage() string {
	text, _ := os.ReadFile("/proc/loadavg")
	words := strings.Fields(string(text))
	return strings.Join(words[:min(3, len(words))], " ")
}
