package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/bellwire/bellwire/bench/harness"
)

// options are what the command line says.
type options struct {
	quick, smoke           bool
	half, only, cells, out string
	note, render           string
	rounds                 int
}

func main() {
	var o options
	flag.BoolVar(&o.quick, "quick", false, "fewer cells and rounds: a few minutes")
	flag.BoolVar(&o.smoke, "smoke", false, "very few of everything, only to see that it works; a contender that fails ends it with an error")
	flag.StringVar(&o.half, "half", "", "engine or server; both when empty")
	flag.StringVar(&o.only, "only", "", "contenders besides the floor, with commas between; all when empty")
	flag.StringVar(&o.cells, "cells", "", "regular expression of the cells, such as server/fan")
	flag.StringVar(&o.out, "out", "results", "directory of the report")
	flag.StringVar(&o.note, "note", "", "a sentence on the circumstances, for the report")
	flag.StringVar(&o.render, "render", "", "measure nothing: write the report of this directory again from its results.json")
	flag.IntVar(&o.rounds, "rounds", 0, "rounds; 5, with -quick 3, with -smoke 2 when 0")
	flag.Parse()
	if err := run(&o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(o *options) error {
	if o.render != "" {
		results, err := harness.Load(filepath.Join(o.render, "results.json"))
		if err != nil {
			return err
		}
		return (&harness.Report{Results: results, Dir: o.render}).Write()
	}
	plan, rounds, err := newPlan(o)
	if err != nil {
		return err
	}
	if err := raiseOpenFiles(); err != nil {
		return err
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, unix.SIGTERM)
	go func() {
		<-interrupted
		os.RemoveAll(dir)
		os.Exit(130) // the children die with their parent
	}()
	fmt.Println("building")
	programs, err := harness.Build(".", dir)
	if err != nil {
		return err
	}
	return measure(o, programs, plan, rounds)
}

func newPlan(o *options) (*harness.Plan, int, error) {
	size, rounds := harness.Full, 5
	switch {
	case o.smoke:
		size, rounds = harness.Smoke, 2
	case o.quick:
		size, rounds = harness.Quick, 3
	}
	if o.rounds > 0 {
		rounds = o.rounds
	}
	var names []string
	if o.only != "" {
		names = strings.Split(o.only, ",")
	}
	plan := harness.NewPlan(size, harness.Select(harness.Engines(), names), harness.Select(harness.Servers(), names))
	if o.half != "" {
		if o.half != "engine" && o.half != "server" {
			return nil, 0, fmt.Errorf("-half is %q, and must be engine or server", o.half)
		}
		plan.Half(o.half)
	}
	cells, err := regexp.Compile(o.cells)
	if err != nil {
		return nil, 0, fmt.Errorf("-cells: %w", err)
	}
	plan.Keep(cells)
	return plan, rounds, nil
}

func measure(o *options, programs *harness.Programs, plan *harness.Plan, rounds int) error {
	results := &harness.Results{
		Began: time.Now(), Note: o.note, Rounds: rounds, Machine: harness.Machine(), Modules: programs.Modules(),
		Load: [2]string{harness.LoadAverage(), ""},
	}
	report := &harness.Report{Results: results, Dir: o.out}
	var failed error
	write := func() {
		results.Load[1] = harness.LoadAverage()
		results.Seconds = time.Since(results.Began).Seconds()
		failed = results.Save(filepath.Join(o.out, "results.json"))
		if err := report.Write(); failed == nil {
			failed = err
		}
	}
	runner := &harness.Runner{
		Programs: programs, Rounds: rounds, Results: results, Written: write,
		Progress: &harness.Progress{Out: os.Stdout, Terminal: isTerminal(os.Stdout)},
	}
	runner.Run(plan)
	results.Complete = o.cells == "" && o.only == "" && o.half == ""
	write()
	if failed != nil {
		return failed
	}
	runner.Progress.Finish("%.0f s; the report is %s", results.Seconds, filepath.Join(o.out, "README.md"))
	if o.smoke {
		return results.Failure()
	}
	return nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
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
