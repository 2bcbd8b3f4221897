package loadgen

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// procRoot is where Linux tells about processes. Elsewhere it is not there, and the cost of the server stays unknown.
const procRoot = "/proc"

// Process is one on this machine.
type Process struct {
	Root string // of the proc file system
	PID  int
}

// Usage is what a process has needed so far.
type Usage struct {
	CPU time.Duration // user and system, of all its threads; to 10 ms
	RSS uint64        // bytes in memory now
}

// clockTick is the unit of times in /proc, which Linux has fixed at 100 a second for programs.
const clockTick = 10 * time.Millisecond

// Read asks the system.
func (p *Process) Read() (Usage, error) {
	folder := filepath.Join(p.Root, strconv.Itoa(p.PID))
	stat, err := os.ReadFile(filepath.Join(folder, "stat"))
	if err != nil {
		return Usage{}, err
	}
	status, err := os.ReadFile(filepath.Join(folder, "status"))
	if err != nil {
		return Usage{}, err
	}
	cpu, err := cpuOf(stat)
	if err != nil {
		return Usage{}, err
	}
	rss, err := rssOf(status)
	return Usage{CPU: cpu, RSS: rss}, err
}

// cpuOf reads fields 14 and 15 of stat. Field 2, the program's name in parentheses, may hold anything.
func cpuOf(stat []byte) (time.Duration, error) {
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const user, system = 14 - 3, 15 - 3
	if len(fields) <= system {
		return 0, errors.New("/proc: stat is too short")
	}
	ticks := int64(0)
	for _, text := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc: stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

func rssOf(status []byte) (uint64, error) {
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("/proc: status has no VmRSS")
}

// FindListener returns the id of the process that listens on a TCP port of this machine, where that can be read.
func FindListener(port int) (pid int, err error) { return findListener(procRoot, port) }

func findListener(root string, port int) (pid int, err error) {
	var inodes []string
	for _, name := range []string{"tcp", "tcp6"} {
		table, err := os.ReadFile(filepath.Join(root, "net", name))
		if err == nil {
			inodes = append(inodes, listenersOf(table, port)...)
		}
	}
	if len(inodes) == 0 {
		return 0, fmt.Errorf("nothing on this machine is seen to listen on port %d", port)
	}
	links, err := filepath.Glob(filepath.Join(root, "[0-9]*", "fd", "*"))
	if err != nil {
		return 0, err
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err == nil && slices.Contains(inodes, target) {
			return strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(link))))
		}
	}
	return 0, fmt.Errorf("the process that listens on port %d is not readable for this user", port)
}

// listenersOf returns what the descriptors of sockets that listen on the port link to.
func listenersOf(table []byte, port int) []string {
	const localAddress, state, inode, listening = 1, 3, 9, "0A"
	var found []string
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) > inode && fields[state] == listening && strings.HasSuffix(fields[localAddress], suffix) {
			found = append(found, "socket:["+fields[inode]+"]")
		}
	}
	return found
}

// reading is a look at both processes.
type reading struct {
	at        time.Time
	server    *Usage // nil: unknown
	generator *Usage
}

func (g *Generator) measure() reading {
	now := reading{at: time.Now()}
	if g.process != nil {
		if usage, err := g.process.Read(); err == nil {
			now.server = &usage
		}
	}
	own := Process{Root: procRoot, PID: os.Getpid()}
	if usage, err := own.Read(); err == nil {
		now.generator = &usage
	}
	return now
}
