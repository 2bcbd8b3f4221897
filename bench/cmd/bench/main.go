package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bellwire/bellwire/bench/harness"
)

func main() {
	quick := flag.Bool("quick", false, "fewer cells and rounds: about two minutes")
	out := flag.String("out", "results", "directory of the report")
	only := flag.String("only", "bellwire-reactor,bellwire,gws,gorilla,fasthttp,coder,gobwas", "contenders, with commas between")
	parts := flag.String("parts", "echo,free,fan,idle", "what is measured, with commas between")
	note := flag.String("note", "", "a sentence on the circumstances, for the report")
	cells := flag.String("echo", "", "echo cells instead of the plan's, as 100:128:1, with commas between")
	rounds := flag.Int("rounds", 0, "rounds instead of the plan's")
	flag.Parse()
	plan, err := newPlan(*quick, strings.Split(*only, ","), strings.Split(*parts, ","), *cells)
	if *rounds > 0 && err == nil {
		plan.Rounds = *rounds
	}
	if err == nil {
		err = run(plan, *out, *note)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(plan *harness.Plan, out, note string) error {
	if err := raiseOpenFiles(); err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	fmt.Println("building")
	programs, err := harness.Build(".", dir)
	if err != nil {
		return err
	}
	report := harness.Report{Plan: plan, Note: note, Began: time.Now()}
	report.Load[0] = harness.LoadAverage()
	plan.Progress = func(format string, args ...any) {
		fmt.Printf("%5.0f s  %s\n", time.Since(report.Began).Seconds(), fmt.Sprintf(format, args...))
	}
	if report.Results, err = plan.Run(programs); err != nil {
		return err
	}
	report.Load[1] = harness.LoadAverage()
	if err := report.Write(out, filepath.Join(dir, "engine")); err != nil {
		return err
	}
	fmt.Printf("%5.0f s  written to %s\n", time.Since(report.Began).Seconds(), filepath.Join(out, "engine.md"))
	return nil
}

// newPlan says what is measured. cells replace those of the echo.
func newPlan(quick bool, contenders, parts []string, cells string) (*harness.Plan, error) {
	plan := &harness.Plan{Contenders: contenders, Rounds: 5, Duration: 400 * time.Millisecond}
	sizes, lines, fans := []int{16, 128, 4096}, []int{100, 1000}, []int{1000, 10000}
	steps := []int{2000, 5000, 10000}
	if quick {
		plan.Rounds, plan.Duration = 3, 200*time.Millisecond
		sizes, lines, fans = []int{128, 4096}, []int{100}, []int{1000}
		steps = []int{1000, 2000, 4000}
	}
	pinned, free := harness.Setting{Name: "pinned", Pinned: true}, harness.Setting{Name: "free"}
	for _, part := range parts {
		switch part {
		case "echo":
			plan.Echo = append(plan.Echo, echoCells(pinned, sizes, lines)...)
		case "free": // both processors, and the scheduler's choice
			plan.Echo = append(plan.Echo, echoCells(free, []int{128}, lines)...)
		case "fan":
			for _, conns := range fans {
				for _, k := range []int{1, 4, 16} {
					every := time.Duration(conns) * 25 * time.Microsecond
					plan.Fan = append(plan.Fan, harness.FanCell{Conns: conns, Size: 128, K: k, Count: max(10000/conns, 2), Every: every})
				}
			}
		case "idle":
			plan.Idle = steps
		}
	}
	if cells == "" || len(plan.Echo) == 0 {
		return plan, nil
	}
	setting := plan.Echo[0].Setting
	plan.Echo = nil
	for name := range strings.SplitSeq(cells, ",") {
		cell := harness.EchoCell{Setting: setting}
		if _, err := fmt.Sscanf(name, "%d:%d:%d", &cell.Conns, &cell.Size, &cell.Flight); err != nil {
			return nil, fmt.Errorf("echo cell %q: want CONNECTIONS:BYTES:FLIGHT", name)
		}
		plan.Echo = append(plan.Echo, cell)
	}
	return plan, nil
}

func echoCells(setting harness.Setting, sizes, lines []int) (cells []harness.EchoCell) {
	for _, flight := range []int{1, 16} {
		for _, conns := range lines {
			for _, size := range sizes {
				cells = append(cells, harness.EchoCell{Setting: setting, Conns: conns, Size: size, Flight: flight})
			}
		}
	}
	return cells
}

// raiseOpenFiles lets this process and its children open as many files as they may.
func raiseOpenFiles() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}
