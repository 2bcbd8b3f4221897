package main

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestTheHeapHasAFloor looks at how far the heap of a server may grow, once it has been collected three times: for who says
// nothing far, and otherwise as far as the environment says.
func TestTheHeapHasAFloor(t *testing.T) {
	for environment, right := range map[string]func(percent float64) bool{
		"env -u GOGC ":  func(percent float64) bool { return percent > 150 },
		"env GOGC=150 ": func(percent float64) bool { return percent == 150 },
	} {
		t.Run(environment, func(t *testing.T) {
			s := newSandbox(t)
			s.process(environment + "bellwire serve --dev --no-demo")
			s.awaitStatus("/readyz", http.StatusOK)
			deadline := time.Now().Add(docsPatience / 2) // the server itself has no longer than docsPatience
			for {
				figures := s.metrics() // which makes garbage
				collections, percent := figures["go_gc_duration_seconds_count"], figures["go_gc_gogc_percent"]
				if collections >= 3 && right(percent) {
					return
				}
				if time.Now().After(deadline) {
					t.Fatalf("%v percent after %v collections", percent, collections)
				}
			}
		})
	}
}

// metrics returns the metrics of the server that have no labels.
func (s *sandbox) metrics() map[string]float64 {
	s.t.Helper()
	response, err := http.Get("http://127.0.0.1:" + s.port + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	figures := make(map[string]float64)
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if figure, err := strconv.ParseFloat(value, 64); err == nil {
			figures[name] = figure
		}
	}
	return figures
}
