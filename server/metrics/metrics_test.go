package metrics

import (
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/node"
)

var update = flag.Bool("update", false, "write the table of docs/OPERATING.md")

const operating = "../../docs/OPERATING.md"

// newWatching is metrics with every collector that a server registers.
func newWatching() *Metrics {
	m := New()
	m.Watch(func() node.Info { return node.Info{Connections: 3, Draining: true, Window: 2 * time.Second} })
	m.WatchHeld(func() Held { return Held{Channels: 7, Bytes: 800, Evicted: 9} })
	m.WatchAdmission(func() uint64 { return 5 })
	return m
}

var description = regexp.MustCompile(`fqName: "(bellwire_[^"]*)", help: "([^"]*)", unit: "[^"]*", constLabels: \{\}, variableLabels: \{([^}]*)\}`)

func table(m *Metrics) string {
	descriptions := make(chan *prometheus.Desc, 200)
	m.registry.Describe(descriptions)
	close(descriptions)
	rows := map[string]string{}
	var names []string
	for d := range descriptions {
		found := description.FindStringSubmatch(d.String())
		if found == nil {
			continue
		}
		rows[found[1]] = fmt.Sprintf("| `%s` | %s | %s |\n", found[1], strings.ReplaceAll(found[3], ",", ", "), found[2])
		names = append(names, found[1])
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("| metric | labels | what it is |\n|---|---|---|\n")
	for _, name := range names {
		b.WriteString(rows[name])
	}
	return b.String()
}

// The table in the documentation is made of the metrics: `go test ./server/metrics -update` writes it.
func TestTheDocumentationListsEveryMetric(t *testing.T) {
	content, err := os.ReadFile(operating)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- metrics:begin -->\n", "<!-- metrics:end -->"
	before, rest, found := strings.Cut(string(content), begin)
	old, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the table", operating)
	}
	want := table(newWatching())
	if *update {
		if err := os.WriteFile(operating, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old != want {
		t.Errorf("the table of %s is not the code's: run go test ./server/metrics -update", operating)
	}
}

func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	m.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	if recorder.Code != 200 {
		t.Fatalf("status %d", recorder.Code)
	}
	return recorder.Body.String()
}

func TestWhatIsCountedIsServed(t *testing.T) {
	m := newWatching()
	m.ConnectionOpened("websocket", "bellwire.v1.json")
	m.ConnectionClosed("websocket", "bellwire.v1.json", realtime.CodeSlow)
	m.ConnectionClosed("websocket", "bellwire.v1.json", 0)
	m.ConnectionClosed("websocket", "bellwire.v1.json", 1001)
	m.ConnectionClosed("websocket", "bellwire.v1.json", 3456)
	m.ConnectionRefused(realtime.CodeOverloaded)
	m.CommandDone("publish", 0, time.Millisecond)
	m.CommandDone("publish", realtime.CodePermissionDenied, time.Millisecond)
	m.CommandDone("what a peer says", realtime.CodeUnknownCommand, 0)
	m.MessagesSent(2, 100)
	m.MessagesDropped("slow", 3)
	m.Transport().Received(10)
	m.Transport().Refused(403)
	m.Transport().Panicked("websocket")
	m.TokenFailed("signature")
	m.APIKeyFailed("wrong")
	m.APIRequest("publish", 200, time.Millisecond)
	m.APIPanicked()
	m.Panicked()
	got := scrape(t, m)
	for _, want := range []string{
		`bellwire_connections_opened_total{protocol="bellwire.v1.json",transport="websocket"} 1`,
		`bellwire_connections_closed_total{code="slow",protocol="bellwire.v1.json",transport="websocket"} 1`,
		`bellwire_connections_closed_total{code="line_lost",protocol="bellwire.v1.json",transport="websocket"} 1`,
		`bellwire_connections_closed_total{code="1001",protocol="bellwire.v1.json",transport="websocket"} 1`,
		`bellwire_connections_closed_total{code="other",protocol="bellwire.v1.json",transport="websocket"} 1`,
		`bellwire_connections_refused_total{code="overloaded"} 1`,
		`bellwire_command_duration_seconds_count{command="publish"} 2`,
		`bellwire_command_errors_total{code="permission_denied",command="publish"} 1`,
		`bellwire_command_errors_total{code="unknown_command",command="other"} 1`,
		`bellwire_messages_sent_total 2`, `bellwire_sent_bytes_total 100`, `bellwire_messages_dropped_total{reason="slow"} 3`,
		`bellwire_messages_received_total 1`, `bellwire_received_bytes_total 10`, `bellwire_http_refused_total{status="403"} 1`,
		`bellwire_panics_total{where="transport"} 1`, `bellwire_panics_total{where="api"} 1`, `bellwire_panics_total{where="node"} 1`,
		`bellwire_token_failures_total{check="signature"} 1`, `bellwire_token_failures_total{check="expired"} 0`,
		`bellwire_api_key_failures_total{reason="wrong"} 1`, `bellwire_api_request_duration_seconds_count{method="publish",status="200"} 1`,
		`bellwire_connections 3`, `bellwire_draining 1`, `bellwire_reconnect_window_seconds 2`, `bellwire_connections_dropped_at_accept_total 5`,
		`bellwire_held_channels 7`, `bellwire_held_bytes 800`, `bellwire_evicted_entries_total 9`,
		`go_goroutines`, `process_open_fds`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if strings.Contains(got, "what a peer says") {
		t.Error("a peer's word is a label")
	}
}
