package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program for these arguments; it returns the exit code.
func run(arguments []string, in io.Reader, out, errOut io.Writer) int {
	root := &cobra.Command{
		Use:               "bellwire",
		Short:             "A live line to every browser, phone, device and service",
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.AddCommand(commands()...)
	root.SetArgs(arguments)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	if err := root.ExecuteContext(context.Background()); err != nil {
		fmt.Fprintln(errOut, "bellwire:", err)
		return 1
	}
	return 0
}
