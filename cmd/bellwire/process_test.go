package main

import (
	"bytes"
	"context"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// process is a server in a process of its own.
type process struct {
	*exec.Cmd
	output bytes.Buffer
	ended  chan error
}

func (s *sandbox) process(text string) *process {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), docsPatience)
	s.t.Cleanup(cancel)
	p := &process{Cmd: s.command(ctx, "exec "+text), ended: make(chan error, 1)}
	p.Stdout, p.Stderr = &p.output, &p.output
	if err := p.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() { p.ended <- p.Wait() }()
	return p
}

// awaitStatus asks a path until it answers with the status.
func (s *sandbox) awaitStatus(path string, want int) {
	s.t.Helper()
	client := http.Client{Timeout: docsPatience, Transport: &http.Transport{DisableKeepAlives: true}}
	deadline := time.Now().Add(docsPatience)
	for {
		response, err := client.Get("http://127.0.0.1:" + s.port + path)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == want {
				return
			}
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s does not answer with %d: %v", path, want, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// FL-11: one signal drains and ends with exit code 0.
func TestFL11ASignalEndsTheServerGently(t *testing.T) {
	s := newSandbox(t)
	server := s.process("bellwire serve --dev --no-demo")
	s.awaitStatus("/readyz", http.StatusOK)
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-server.ended; err != nil {
		t.Errorf("%v\n%s", err, server.output.String())
	}
	for _, want := range []string{"draining", "stopped"} {
		if !strings.Contains(server.output.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, server.output.String())
		}
	}
}

// FL-11: a second signal ends a long drain at once.
func TestFL11ASecondSignalEndsTheServerAtOnce(t *testing.T) {
	s := newSandbox(t)
	server := s.process("bellwire serve --dev --no-demo --drain 10m")
	s.awaitStatus("/readyz", http.StatusOK)
	for range 3 {
		s.process("bellwire sub 'demo:*'")
	}
	ctx, cancel := context.WithTimeout(context.Background(), docsPatience)
	defer cancel()
	s.awaitSubscriptions(ctx, 3)
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.awaitStatus("/readyz", http.StatusServiceUnavailable)
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-server.ended; err == nil || strings.Contains(server.output.String(), "stopped") {
		t.Errorf("the drain went to its end: %v\n%s", err, server.output.String())
	}
}
