package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// streamServer takes lines as the API does, keeps each id once, and stumbles where it is told to.
type streamServer struct {
	t       *testing.T
	stumble func(request, line int) string // what it does instead of answering; "": nothing

	mu sync.Mutex
	// Guarded by mu.
	requests int
	stored   []string // the data, in order
	ids      map[string]bool
}

func (s *streamServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	if s.stumble(s.requests, 0) == "busy" {
		refuse(w, http.StatusServiceUnavailable)
		return
	}
	controller := http.NewResponseController(w)
	_ = controller.EnableFullDuplex()
	w.WriteHeader(http.StatusOK)
	_ = controller.Flush()
	lines := bufio.NewScanner(r.Body)
	for n := 1; lines.Scan(); n++ {
		var line struct {
			Channel, ID, Data64 string
			Data                json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil || line.Channel != "chat:a" || line.ID == "" {
			s.t.Errorf("%s: %v", lines.Bytes(), err)
		}
		switch s.stumble(s.requests, n) {
		case "cut": // stored, and never answered
			s.storeLocked(line.ID, string(line.Data)+line.Data64)
			_ = controller.SetReadDeadline(time.Unix(1, 0)) // net/http would read on before it closes
			panic(http.ErrAbortHandler)
		case "unavailable":
			fmt.Fprintln(w, `{"error":{"code":151,"detail":"not now"}}`)
			_ = controller.Flush()
			return
		case "drain":
			fmt.Fprintln(w, `{"end":{"published":0,"failed":0,"error":{"code":151,"detail":"going down"}}}`)
			return
		case "refuse":
			fmt.Fprintln(w, `{"error":{"code":110,"detail":"too large"}}`)
		default:
			s.storeLocked(line.ID, string(line.Data)+line.Data64)
			fmt.Fprintln(w, `{"epoch":"e","offset":1}`)
		}
		_ = controller.Flush()
	}
	fmt.Fprintln(w, `{"end":{"published":0,"failed":0}}`)
}

// refuse answers before the body has come, as the API does.
func refuse(w http.ResponseWriter, status int) {
	w.Header().Set("Connection", "close")
	http.Error(w, "{}", status)
}

func (s *streamServer) storeLocked(id, data string) {
	if !s.ids[id] {
		s.ids[id] = true
		s.stored = append(s.stored, data)
	}
}

func TestPubStreamsItsLines(t *testing.T) {
	once := func(request, line int, what string) func(int, int) string {
		return func(r, l int) string {
			if r == request && l == line {
				return what
			}
			return ""
		}
	}
	never := once(0, 0, "")
	tests := []struct {
		rule     string
		stumble  func(request, line int) string
		failed   int
		requests int
	}{
		{"all is well", never, 0, 1},
		{"a server that is busy is asked again", once(1, 0, "busy"), 0, 2},
		{"a connection that breaks: what has no answer is sent again, and stored once", once(1, 7, "cut"), 0, 2},
		{"a drain", once(1, 7, "drain"), 0, 2},
		{"a line that is refused for now", once(1, 7, "unavailable"), 0, 2},
		{"a line that is refused", once(1, 1000, "refuse"), 1, 1},
		{"one trouble after the other", func(r, l int) string {
			return map[[2]int]string{{1, 5}: "cut", {2, 0}: "busy", {3, 1}: "drain", {4, 900}: "unavailable", {5, 3}: "cut"}[[2]int{r, l}]
		}, 0, 6},
	}
	const lines = 5000 // more than may be on their way
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			handler := &streamServer{t: t, stumble: test.stumble, ids: map[string]bool{}}
			server := httptest.NewServer(handler)
			defer server.Close()
			var input, output bytes.Buffer
			for i := range lines {
				fmt.Fprintln(&input, i)
			}
			p := publisher{payload: jsonPayload, timeout: time.Minute, retryPause: time.Millisecond, status: status{out: &output}}
			err := p.stream(t.Context(), &input, "chat:a", server.URL, "key")
			if (err != nil) != (test.failed > 0) {
				t.Errorf("%v", err)
			}
			if want := fmt.Sprintf("%d published, %d failed", lines-test.failed, test.failed); !strings.Contains(output.String(), want) {
				t.Errorf("%q, want %s", output.String(), want)
			}
			handler.mu.Lock()
			defer handler.mu.Unlock()
			if handler.requests != test.requests || len(handler.stored) != lines-test.failed {
				t.Errorf("%d requests, %d stored", handler.requests, len(handler.stored))
			}
			last := -1
			for _, data := range handler.stored {
				var number int
				if _, err := fmt.Sscan(data, &number); err != nil || number <= last {
					t.Fatalf("%s after %d", data, last)
				}
				last = number
			}
		})
	}
}

func TestPubStreamsBytes(t *testing.T) {
	handler := &streamServer{t: t, stumble: func(int, int) string { return "" }, ids: map[string]bool{}}
	server := httptest.NewServer(handler)
	defer server.Close()
	p := publisher{payload: binaryPayload, timeout: time.Minute, retryPause: time.Millisecond, status: status{quiet: true}}
	if err := p.stream(t.Context(), strings.NewReader("\x00\xff\n"), "chat:a", server.URL, "key"); err != nil || handler.stored[0] != "AP8=" {
		t.Errorf("%v %q", err, handler.stored)
	}
}

func TestPubStreamGivesUp(t *testing.T) {
	deaf := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		controller := http.NewResponseController(w)
		_ = controller.EnableFullDuplex()
		w.WriteHeader(http.StatusOK)
		_ = controller.Flush()
		_, _ = io.Copy(io.Discard, r.Body)
	})
	tests := []struct {
		rule    string
		handler http.Handler
		timeout time.Duration
		want    string
	}{
		{"a wrong key", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusUnauthorized) }), time.Minute, "401"},
		{"a server that answers nothing", deaf, 20 * time.Millisecond, "did not answer in time"},
	}
	for _, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			server := httptest.NewServer(test.handler)
			defer server.Close()
			p := publisher{payload: jsonPayload, timeout: test.timeout, retryPause: time.Millisecond, status: status{quiet: true, out: &bytes.Buffer{}}}
			if err := p.stream(context.Background(), strings.NewReader("1\n"), "chat:a", server.URL, "key"); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}
