package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
)

func main() {
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	if err := run(name); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run(name string) error {
	var err error
	switch name {
	case "centrifuge":
		err = serveCentrifuge(false)
	case "centrifuge-tuned":
		err = serveCentrifuge(true)
	case "nats":
		err = serveNATS()
	default:
		err = fmt.Errorf("unknown server %q", name)
	}
	if err != nil {
		return err
	}
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		if commands.Text() == "gc" {
			debug.FreeOSMemory()
		}
		fmt.Println("ok")
	}
	return commands.Err()
}
