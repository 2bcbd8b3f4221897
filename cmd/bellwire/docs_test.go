package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// docsPatience ends a command that would hang.
const docsPatience = 30 * time.Second

// commandBlock is a block of shell commands in a page, with what is to be done with it: start (it serves until the end),
// run (it ends with exit code 0) or show (it needs a file of the reader's).
type commandBlock struct {
	action, text string
}

var blockPattern = regexp.MustCompile("(?s)(?:<!-- test: (\\w+) -->\n)?```sh\n(.*?)```")

func commandBlocks(t *testing.T, page string) []commandBlock {
	t.Helper()
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []commandBlock
	for _, found := range blockPattern.FindAllStringSubmatch(string(content), -1) {
		blocks = append(blocks, commandBlock{found[1], found[2]})
	}
	return blocks
}

// sandbox is a shell in which bellwire is this very program.
type sandbox struct {
	t      *testing.T
	folder string
	port   string
}

func newSandbox(t *testing.T) *sandbox {
	t.Helper()
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "bellwire-sandbox")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	})
	script := fmt.Sprintf("#!/bin/sh\n%s='%s' exec '%s' \"$@\"\n", actAsBellwire, folder, program)
	if err := os.WriteFile(filepath.Join(folder, "bellwire"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	_, port, _ := net.SplitHostPort(free.Addr().String())
	return &sandbox{t: t, folder: folder, port: port}
}

// command prepares a block; the port of the page becomes the sandbox's.
func (s *sandbox) command(ctx context.Context, text string) *exec.Cmd {
	s.t.Helper()
	forOthers, err := lifeline()
	if err != nil {
		s.t.Fatal(err)
	}
	text = strings.ReplaceAll(text, "127.0.0.1:8000", "127.0.0.1:"+s.port)
	command := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", text)
	command.Dir = s.folder
	command.ExtraFiles = []*os.File{forOthers}
	command.Env = append(os.Environ(), "PATH="+s.folder+":"+os.Getenv("PATH"),
		"BELLWIRE_LISTEN=127.0.0.1:"+s.port, "BELLWIRE_URL=ws://127.0.0.1:"+s.port+"/ws")
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGTERM) }
	command.WaitDelay = docsPatience
	return command
}

// start runs a server until the test ends, and then checks that it ended well.
func (s *sandbox) start(text string) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var output bytes.Buffer
	server := s.command(ctx, strings.TrimRight(text, "\n"))
	server.Stdout, server.Stderr = &output, &output
	if err := server.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		cancel()
		_ = server.Wait()
		if !strings.Contains(output.String(), "stopped") || server.ProcessState.ExitCode() > 0 {
			s.t.Errorf("the server ended with %v:\n%s", server.ProcessState, output.String())
		}
	})
	client := http.Client{Timeout: docsPatience, Transport: &http.Transport{DisableKeepAlives: true}}
	deadline := time.Now().Add(docsPatience)
	for {
		response, err := client.Get("http://127.0.0.1:" + s.port + "/readyz")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the server does not come up: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// runPage does what a page shows, and reports whether that starts a server.
func (s *sandbox) runPage(page string) (started bool) {
	s.t.Helper()
	for _, block := range commandBlocks(s.t, page) {
		switch block.action {
		case "start":
			s.start(block.text)
			started = true
		case "run":
			ctx, cancel := context.WithTimeout(context.Background(), docsPatience)
			output, err := s.command(ctx, block.text).CombinedOutput()
			cancel()
			if err != nil {
				s.t.Errorf("%v\n%s\n%s", err, block.text, output)
			}
		case "show":
		default:
			s.t.Errorf("a block that no test knows:\n%s", block.text)
		}
	}
	return started
}

// Commands shown in the documentation do what it says.
func TestTheCommandsOfTheDocumentationWork(t *testing.T) {
	s := newSandbox(t)
	started := s.runPage("../../docs/OPERATING.md")
	if !started {
		t.Error("the page starts no server")
	}
}

// The three things to try that serve --dev prints are right.
func TestTheBannersCommandsWork(t *testing.T) {
	s := newSandbox(t)
	var banner bytes.Buffer
	printBanner(&banner, "http://127.0.0.1:8000", "http://127.0.0.1:8000")
	text := banner.String()
	for _, want := range []string{"http://127.0.0.1:8000/\n", "/readyz", "/metrics", "development mode"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	program := programName(os.Args[0])
	_, commands, _ := strings.Cut(text, "another terminal:\n")
	commands, _, _ = strings.Cut(commands, "  Ctrl-C")
	commands = strings.ReplaceAll(commands, program+" ", "bellwire ")
	subscribe, publish, found := strings.Cut(commands, "bellwire pub")
	if !found || !strings.Contains(subscribe, "bellwire sub 'demo:*'") {
		t.Fatalf("not the three commands: %s", commands)
	}
	s.start("bellwire serve --dev --no-demo")
	ctx, cancel := context.WithTimeout(context.Background(), docsPatience)
	defer cancel()
	var received bytes.Buffer
	subscriber := s.command(ctx, strings.TrimSpace(subscribe)+" --count 2")
	subscriber.Stdout = &received
	if err := subscriber.Start(); err != nil {
		t.Fatal(err)
	}
	s.awaitSubscriptions(ctx, 1)
	if output, err := s.command(ctx, "bellwire pub"+publish).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s\n%s", err, publish, output)
	}
	if err := subscriber.Wait(); err != nil || strings.Count(received.String(), `"demo:hello"`) != 2 {
		t.Errorf("%v\n%s", err, received.String())
	}
}

// awaitSubscriptions asks the server until there are so many.
func (s *sandbox) awaitSubscriptions(ctx context.Context, count int) {
	s.t.Helper()
	ask := "curl -sf -H 'Authorization: Bearer dev' -X POST http://127.0.0.1:8000/api/v1/info"
	for {
		answer, err := s.command(ctx, ask).Output()
		if err != nil {
			s.t.Fatal(err)
		}
		if bytes.Contains(answer, fmt.Appendf(nil, `"subscriptions":%d,`, count)) {
			return
		}
	}
}
