package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// actAsBellwire makes the test binary be the program itself, for tests that need a process. Its value is the folder of the
// sandbox. It stays in the environment, since serve may start itself again.
const actAsBellwire = "ACT_AS_BELLWIRE"

// lifelineNumber is the descriptor of the lifeline in every process of a sandbox: the first of exec.Cmd.ExtraFiles.
const lifelineNumber = 3

// A test's process may be killed, or end by its timeout, and then no cleanup runs. What it started holds one end of a pipe whose
// other end only it has, and so learns of its death, whatever the cause.
var lifeline = sync.OnceValues(func() (forOthers *os.File, err error) {
	forOthers, lifelineHeld, err = os.Pipe()
	return forOthers, err
})

// lifelineHeld is the end that is open as long as this process lives. Immutable after lifeline.
var lifelineHeld *os.File

// followTest ends this process when that of the test ends, and takes the sandbox with it.
func followTest(folder string) {
	_, _ = io.Copy(io.Discard, os.NewFile(lifelineNumber, "lifeline"))
	_ = os.RemoveAll(folder)
	os.Exit(1)
}

// A test that is killed leaves neither its servers nor its folder behind.
func TestAKilledTestLeavesNothing(t *testing.T) {
	const toBeKilled = "TO_BE_KILLED"
	if os.Getenv(toBeKilled) != "" {
		s := newSandbox(t)
		server := s.command(context.Background(), "exec bellwire serve --dev --no-demo")
		server.Stdout, server.Stderr = os.Stdout, os.Stdout // so that the other side sees that it has ended
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
		s.awaitStatus("/readyz", 200)
		os.Stdout.WriteString(toBeKilled + "\n")
		t.Fatal(server.Wait())
	}
	newSandbox(t) // or skip
	scratch := t.TempDir()
	test := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	test.Env = append(os.Environ(), toBeKilled+"=1", "TMPDIR="+scratch)
	output, err := test.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := test.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() && lines.Text() != toBeKilled {
	}
	if before, err := os.ReadDir(scratch); err != nil || len(before) == 0 {
		t.Errorf("no sandbox in %s: %v", scratch, err)
	}
	if err := test.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() { // until nobody has the pipe any more
	}
	_ = test.Wait()
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
