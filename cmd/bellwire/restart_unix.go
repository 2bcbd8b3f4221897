//go:build unix

package main

import (
	"fmt"
	"os"
	"syscall"
)

const canRestart = true

// restart runs this program again in this process, with the same arguments and another environment. The number of the
// process stays, so that whoever started it notices nothing.
func restart(environ []string) error {
	program, err := os.Executable()
	if err == nil {
		err = syscall.Exec(program, os.Args, environ)
	}
	return fmt.Errorf("starting again with another environment: %w", err)
}
