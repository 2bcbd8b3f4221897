package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotest:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func run(args []string) (exitCode int, err error) {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...)
	cmd.Stderr = os.Stderr
	events, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	var s summary
	if err := s.read(events, os.Stdout); err != nil {
		return 0, err
	}
	if err := cmd.Wait(); err != nil {
		exitCode = 1
	}
	fmt.Println(s.line())
	return exitCode, nil
}

// An event is one line of `go test -json`, as described by `go doc test2json`.
type event struct {
	Action     string
	Package    string
	ImportPath string // of build output
	Test       string
	Output     string
	Elapsed    float64 // seconds
}

// key names a test, or a package when test is empty.
type key struct{ pkg, test string }

// A summary condenses events. The zero value is ready.
type summary struct {
	passed, failed, skipped  int // tests and subtests
	packages, packagesFailed int
	output                   map[key][]string // of what has not ended yet
}

func (s *summary) read(events io.Reader, out io.Writer) error {
	s.output = make(map[key][]string)
	lines := bufio.NewReader(events)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var e event
			if json.Unmarshal(line, &e) == nil {
				s.take(e, out)
			} else {
				out.Write(line) // go test itself had something to say
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *summary) take(e event, out io.Writer) {
	switch {
	case e.Action == "build-output":
		io.WriteString(out, e.Output)
	case e.Action == "output":
		k := key{e.Package, e.Test}
		s.output[k] = append(s.output[k], e.Output)
	case e.Test == "":
		s.endPackage(e, out)
	default:
		s.endTest(e, out)
	}
}

func (s *summary) endTest(e event, out io.Writer) {
	k := key{e.Package, e.Test}
	switch e.Action {
	case "pass":
		s.passed++
	case "skip":
		s.skipped++
	case "fail":
		s.failed++
		for _, line := range s.output[k] {
			io.WriteString(out, line)
		}
	default:
		return // run, pause, cont, bench
	}
	delete(s.output, k)
}

func (s *summary) endPackage(e event, out io.Writer) {
	k := key{e.Package, ""}
	switch e.Action {
	case "pass":
		s.packages++
		fmt.Fprintf(out, "ok    %s %.1f s\n", e.Package, e.Elapsed)
	case "fail":
		s.packages++
		s.packagesFailed++
		s.printUnfinished(e.Package, out)
		for _, line := range s.output[k] {
			io.WriteString(out, line)
		}
	case "skip":
		// No tests: nothing to say.
	default:
		return // start
	}
	delete(s.output, k)
}

// printUnfinished prints the tests that were running when the package's process ended, such as by a panic.
func (s *summary) printUnfinished(pkg string, out io.Writer) {
	for k, lines := range s.output {
		if k.pkg != pkg || k.test == "" {
			continue
		}
		for _, line := range lines {
			io.WriteString(out, line)
		}
		delete(s.output, k)
	}
}

func (s *summary) line() string {
	return fmt.Sprintf("go test: %d passed, %d failed, %d skipped; %d packages, %d failed",
		s.passed, s.failed, s.skipped, s.packages, s.packagesFailed)
}
