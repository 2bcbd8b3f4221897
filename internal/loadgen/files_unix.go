//go:build unix

package loadgen

import (
	"fmt"
	"syscall"
)

// filesSpare is what a process needs besides its lines.
const filesSpare = 32

// checkFiles says in words what would else be an error in the middle of a run. Go has raised the soft limit to the hard one.
func checkFiles(lines int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("reading the limit of open files: %w", err)
	}
	if need := uint64(lines + filesSpare); need > uint64(limit.Cur) {
		return fmt.Errorf("%d lines need %d open files, and this process may have %d: raise the limit (ulimit -n %d), "+
			"and for the server likewise", lines, need, limit.Cur, need)
	}
	return nil
}
