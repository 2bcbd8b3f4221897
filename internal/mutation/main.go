package mutation

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Main is the command of a bank. Root is where its files and packages are, from the root of the module. The command's arguments
// are part of the class, file or fault of the mutants that are wanted; none: all.
func Main(root string, bank []Mutant) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, root, bank, strings.Join(os.Args[1:], " "), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// run tests the mutants that have wanted in their row.
func run(ctx context.Context, root string, bank []Mutant, wanted string, out io.Writer) error {
	directory, err := moduleDirectory(ctx)
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(slices.Clone(bank), func(m Mutant) bool {
		return !strings.Contains(strings.Join([]string{m.Class, m.Fault, m.File}, " "), wanted)
	})
	if len(chosen) == 0 {
		return fmt.Errorf("no mutant has %q in its row", wanted)
	}
	scratch, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch) // what tests and go leave when they are interrupted or killed too
	l := &laboratory{directory, root, scratch}
	if err := l.checkUnchanged(ctx, chosen); err != nil {
		return err
	}
	begin := time.Now()
	counts := make(map[verdict]int)
	for _, m := range chosen {
		started := time.Now()
		verdict, by := l.test(ctx, m)
		counts[verdict]++
		fmt.Fprintf(out, "%-9s %4.0fs  %-16s %-24s %s%s\n", verdict, time.Since(started).Seconds(), m.Class, m.File, m.Fault, by)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "\n%d mutants: %d killed, %d survived, %d broken, in %.0f s\n",
		len(chosen), counts[killed], counts[survived], counts[broken], time.Since(begin).Seconds())
	if counts[killed] != len(chosen) {
		return fmt.Errorf("%d mutants were not killed by a test", len(chosen)-counts[killed])
	}
	return nil
}
