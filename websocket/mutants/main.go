package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, strings.Join(os.Args[1:], " ")); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// run tests the mutants that have wanted in their row.
func run(ctx context.Context, wanted string) error {
	directory, err := moduleDirectory(ctx)
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(bank(), func(m mutant) bool {
		return !strings.Contains(strings.Join([]string{m.class, m.fault, m.file}, " "), wanted)
	})
	if len(chosen) == 0 {
		return fmt.Errorf("no mutant has %q in its row", wanted)
	}
	l := &laboratory{directory: directory}
	if err := l.checkUnchanged(ctx, chosen); err != nil {
		return err
	}
	begin := time.Now()
	counts := make(map[verdict]int)
	for _, m := range chosen {
		started := time.Now()
		verdict, by := l.test(ctx, m)
		counts[verdict]++
		fmt.Printf("%-9s %4.0fs  %-16s %-24s %s%s\n", verdict, time.Since(started).Seconds(), m.class, m.file, m.fault, by)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	fmt.Printf("\n%d mutants: %d killed, %d survived, %d broken, in %.0f s\n",
		len(chosen), counts[killed], counts[survived], counts[broken], time.Since(begin).Seconds())
	if counts[killed] != len(chosen) {
		return fmt.Errorf("%d mutants were not killed by a test", len(chosen)-counts[killed])
	}
	return nil
}
