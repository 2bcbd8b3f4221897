package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/loadgen"
)

func TestBenchMistakes(t *testing.T) {
	for _, test := range []struct {
		rule      string
		arguments []string
		want      string
	}{
		{"a server elsewhere needs consent", []string{"connect", "--url", "ws://192.0.2.1:8000/ws"}, "--yes"},
		{"an API elsewhere needs consent", []string{"publish-http", "--api", "http://192.0.2.1:8000"}, "--yes"},
		{"no such framing", []string{"fanout", "--format", "xml"}, "json or proto"},
		{"no such workload", []string{"everything"}, "everything"},
		{"no such process", []string{"connect", "--pid", "1073741824"}, "the server's process"},
		{"a payload without room for the time", []string{"publish", "--payload", "3"}, "26 bytes"},
		{"nothing to open", []string{"connect", "--connections", "0"}, "at least 1"},
		{"nobody listens", []string{"connect", "--url", "ws://127.0.0.1:1/ws"}, "refused"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			code, out, errOut := invoke(t, append([]string{"bench"}, test.arguments...)...)
			if code != 1 || out != "" || !strings.Contains(errOut, test.want) {
				t.Errorf("%d, %q, want %q", code, errOut, test.want)
			}
		})
	}
}

func TestBenchHelpShowsNoSecret(t *testing.T) {
	t.Setenv(environmentDemoKey, "a-secret-key")
	t.Setenv(environmentLineToken, "a-secret-token")
	for _, workload := range []string{"connect", "fanout", "publish", "publish-http", "publish-stream", "idle"} {
		code, out, _ := invoke(t, "bench", workload, "--help")
		if code != 0 || !strings.Contains(out, "--connect-rate") || strings.Contains(out, "a-secret") {
			t.Errorf("%s: %d %s", workload, code, out)
		}
	}
}

func TestBenchPublishers(t *testing.T) {
	for _, test := range []struct {
		rule    string
		traffic loadgen.Traffic
		want    int
	}{
		{"a slow rate needs one", loadgen.Traffic{Channels: 1, Rate: 10}, 1},
		{"the rate of one line", loadgen.Traffic{Channels: 1, Rate: 44}, 1},
		{"beyond it two", loadgen.Traffic{Channels: 1, Rate: 46}, 2},
		{"one for each channel", loadgen.Traffic{Channels: 7, Rate: 10}, 7},
		{"flat out a few", loadgen.Traffic{Channels: 1, FlatOut: true}, 4},
	} {
		if got := publishersFor(&test.traffic); got != test.want {
			t.Errorf("%s: %d, want %d", test.rule, got, test.want)
		}
	}
}

func TestBenchAPIAddress(t *testing.T) {
	for address, want := range map[string]string{
		"ws://127.0.0.1:8000/ws": "http://127.0.0.1:8000", "wss://live.example.com/ws": "https://live.example.com", "http://[::1]:1/ws": "http://[::1]:1",
	} {
		if got, err := apiAddress(address); got != want || err != nil {
			t.Errorf("%s: %s, %v", address, got, err)
		}
	}
}

func TestBenchNumbers(t *testing.T) {
	for us, want := range map[float64]string{
		0: "0 µs", 1.234: "1.23 µs", 999.4: "999 µs", 999.6: "1 ms", 12345: "12.3 ms", 999_600: "1 s", 2.5e6: "2.5 s",
	} {
		if got := formatMicros(us); got != want {
			t.Errorf("%v: %s, want %s", us, got, want)
		}
	}
	for n, want := range map[float64]string{0: "0 B", 10135: "10135 B", 10240: "10.0 KiB", 20 << 20: "20.0 MiB"} {
		if got := formatBytes(n); got != want {
			t.Errorf("%v: %s, want %s", n, got, want)
		}
	}
}

func TestBenchProgressLine(t *testing.T) {
	last := loadgen.Progress{Elapsed: time.Second, Published: 10, Delivered: 1000}
	now := loadgen.Progress{
		Phase: "publishing", Elapsed: 3 * time.Second, Connected: 100, Published: 30, Delivered: 3000,
		P50: 300 * time.Microsecond, P99: 2 * time.Millisecond,
	}
	const want = "  3.0s publishing: 100 lines, published 30 (10/s), delivered 3000 (1000/s), p50 300 µs p99 2 ms"
	if got := progressLine(last, now); got != want {
		t.Errorf("%q", got)
	}
	now.Ended, now.Lost, now.Duplicates = 2, 3, 4
	for _, part := range []string{" (2 ended)", "lost 3, twice 4"} {
		if got := progressLine(now, now); !strings.Contains(got, part) {
			t.Errorf("%q is not in %q", part, got)
		}
	}
	if got := progressLine(loadgen.Progress{}, loadgen.Progress{Phase: "connecting"}); got != "  0.0s connecting: 0 lines" {
		t.Errorf("%q", got)
	}
}

func TestBenchProgressOnATerminalIsOneLine(t *testing.T) {
	var out bytes.Buffer
	p := newBenchProgress(&out, false)
	p.redraw = true
	p.show("first")
	p.end()
	if got := out.String(); got != "\rfirst\x1b[K\r\x1b[K\r" {
		t.Errorf("%q", got)
	}
	p.end() // may be called again
}

func TestBenchTable(t *testing.T) {
	delivery := 12.5
	report := &loadgen.Report{
		Workload: "fanout", Connections: 101, Channels: 1, Subscribers: 100, Publishers: 1, PayloadBytes: 128, Seconds: 10,
		Published: 100, Delivered: 9990, Lost: 3, CutOff: 7, Ended: map[string]uint64{"slow": 1, "line lost": 2},
		Delivery:  &loadgen.Latency{Count: 9990, P50: 300, P90: 400, P99: 1500, P999: 2000, Max: 2_500_000},
		Server:    &loadgen.Cost{PID: 42, CPUSeconds: 1.25, RSSBytes: 20 << 20, CPUPerDelivery: &delivery},
		Generator: &loadgen.Cost{CPUSeconds: 2, RSSBytes: 30 << 20},
	}
	const want = `workload          fanout, 10.0 s
connections       101 on 1 channel
subscribers       100
publishers        1, payload 128 B
published         100, 10/s
delivered         9990, 999/s
lost, twice       3, 0
lines ended       line lost 2, slow 1; they missed 7
server            process 42, CPU 1.25 s, RSS 20.0 MiB
CPU per delivery  12.5 µs
this generator    CPU 2.00 s, RSS 30.0 MiB

   latency  count     p50     p90     p99  p99.9    max
  delivery   9990  300 µs  400 µs  1.5 ms   2 ms  2.5 s
`
	var out bytes.Buffer
	if err := writeBenchTable(&out, report); err != nil || out.String() != want {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// The page about measuring shows commands that work, and its tables name flags and settings that exist.
func TestTheCommandsOfTheBenchmarkPageWork(t *testing.T) {
	const page = "../../docs/BENCHMARKING.md"
	newSandbox(t).runPage(page)
	content, err := os.ReadFile(filepath.FromSlash(page))
	if err != nil {
		t.Fatal(err)
	}
	checkFlagsExist(t, string(content))
	reference, err := os.ReadFile("../../docs/OPERATING.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`BELLWIRE_LIMITS_[A-Z_]+`).FindAllString(string(content), -1) {
		key := "limits." + strings.ToLower(strings.TrimPrefix(name, "BELLWIRE_LIMITS_"))
		if !bytes.Contains(reference, []byte("`"+key+"`")) {
			t.Errorf("%s is no setting", name)
		}
	}
}

// otherFlags belong to other programs or commands.
var otherFlags = []string{"--dev", "--no-demo"}

func checkFlagsExist(t *testing.T, content string) {
	t.Helper()
	command := benchCommand()
	for _, name := range regexp.MustCompile(`--[a-z][a-z-]*`).FindAllString(content, -1) {
		found := strings.Contains(strings.Join(otherFlags, " ")+" ", name+" ")
		for _, workload := range command.Commands() {
			found = found || workload.Flags().Lookup(strings.TrimPrefix(name, "--")) != nil
		}
		if !found {
			t.Errorf("%s is no flag", name)
		}
	}
}

func TestBenchFindsTheServersProcess(t *testing.T) {
	if _, err := os.Stat("/proc/net/tcp"); err != nil {
		t.Skip("processes cannot be read here")
	}
	s := newSandbox(t)
	server := s.process("bellwire serve --dev --no-demo")
	s.awaitStatus("/readyz", 200)
	code, out, errOut := invoke(t, "bench", "fanout", "--url", "ws://127.0.0.1:"+s.port, "--subscribers", "3", "--duration", "300ms", "--json", "--quiet")
	var report loadgen.Report
	if err := json.Unmarshal([]byte(out), &report); code != 0 || err != nil || errOut != "" {
		t.Fatalf("%d, %v, %s", code, err, errOut)
	}
	if report.Server == nil || report.Server.PID != server.Process.Pid || report.Delivered != 3*report.Published || report.Delivery == nil {
		t.Errorf("%s", out)
	}
	if err := server.Process.Kill(); err != nil {
		t.Error(err)
	}
	<-server.ended
}
