package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/websocket"
)

// caseServer is a server of three cases: each sends a message and wants it back.
type caseServer struct {
	mu   sync.Mutex
	seen []string
}

func (s *caseServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close(websocket.StatusNormalClosure, "")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, r.RequestURI)
	switch r.URL.Path {
	case "/getCaseCount":
		conn.Write(r.Context(), websocket.TextMessage, []byte("3"))
	case "/runCase", "/once":
		message := r.FormValue("case")
		conn.Write(r.Context(), websocket.BinaryMessage, []byte(message))
		if kind, got, err := conn.Read(r.Context()); err != nil || kind != websocket.BinaryMessage || string(got) != message {
			s.seen = append(s.seen, "no echo")
		}
	}
}

// requests returns what was asked for so far.
func (s *caseServer) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

func TestCases(t *testing.T) {
	cases := new(caseServer)
	server := httptest.NewServer(cases)
	defer server.Close()
	o, err := parse([]string{"--cases", "--agent", "a b", server.URL + "/"})
	if err != nil {
		t.Fatal(err)
	}
	if err := runCases(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	want := []string{"/getCaseCount", "/runCase?case=1&agent=a+b", "/runCase?case=2&agent=a+b", "/runCase?case=3&agent=a+b", "/updateReports?agent=a+b"}
	if seen := cases.requests(); !slices.Equal(seen, want) {
		t.Errorf("the server saw %q", seen)
	}
}

func TestOnce(t *testing.T) {
	cases := new(caseServer)
	server := httptest.NewServer(cases)
	defer server.Close()
	o, err := parse([]string{server.URL + "/once?case=7"})
	if err != nil {
		t.Fatal(err)
	}
	if err := runOnce(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if seen := cases.requests(); len(seen) != 1 {
		t.Errorf("the server saw %q", seen)
	}
	o.url = "http://127.0.0.1:0"
	if runOnce(t.Context(), o) == nil || runCases(t.Context(), o) == nil {
		t.Error("a server that is not there is no error")
	}
}

func TestFlags(t *testing.T) {
	for _, arguments := range [][]string{{}, {"a", "b"}, {"--compression", "much", "a"}} {
		if _, err := parse(arguments); err == nil {
			t.Errorf("%q is taken", arguments)
		}
	}
}
