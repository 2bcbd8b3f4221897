package loadgen

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/server"
	"github.com/bellwire/bellwire/server/config"
)

// patience ends a test that would hang; nothing passes because of it.
const patience = 30 * time.Second

// startServer runs a server in development mode until the test ends.
func startServer(t *testing.T, settings map[string]any) (target Target) {
	t.Helper()
	flags := map[string]any{"dev": true, "listen": "127.0.0.1:0", "name": "test"}
	for key, value := range settings {
		flags[key] = value
	}
	cfg, err := config.Load(config.Sources{Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	cfg.Drain = 0
	s, err := server.New(server.Options{Config: cfg, Version: "test", Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	target = Target{URL: strings.Replace(s.URL(), "http", "ws", 1) + "/ws", API: s.APIURL(), Key: config.DevAPIKey}
	if runtime.GOOS == "linux" {
		target.PID = os.Getpid()
	}
	return target
}

func newGenerator(t *testing.T, target Target) (*Generator, context.Context) {
	t.Helper()
	g, err := New(Options{Target: target})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return g, ctx
}

func TestConnect(t *testing.T) {
	g, ctx := newGenerator(t, startServer(t, nil))
	report, err := g.Connect(ctx, Connect{Connections: 20, Channels: 3})
	if err != nil {
		t.Fatal(err)
	}
	if report.Connect.Count != 20 || report.Connections != 20 || len(report.Ended) > 0 {
		t.Errorf("%+v", report)
	}
	if runtime.GOOS == "linux" && (report.Server == nil || report.Server.CPUPerConnect == nil || report.Server.RSSBytes == 0) {
		t.Errorf("the cost is missing: %+v", report.Server)
	}
	if p := g.Progress(); p.Connected != 20 || p.Phase != "closing" {
		t.Errorf("%+v", p)
	}
}

func TestTraffic(t *testing.T) {
	target := startServer(t, nil)
	for _, test := range []struct {
		rule                    string
		prefix                  string
		binary                  bool
		traffic                 Traffic
		published, perPublished uint64 // 0 published: any number
	}{
		{"fan-out to two channels", "bench:", false,
			Traffic{Channels: 2, Subscribers: 10, Publishers: 2, InFlight: 4, Rate: 40, Payload: 128}, 20, 5},
		{"in the protobuf framing", "bench:", true,
			Traffic{Channels: 1, Subscribers: 10, Publishers: 1, InFlight: 4, Rate: 40, Payload: 26}, 20, 10},
		{"a channel without positions", "volatile:", false,
			Traffic{Channels: 1, Subscribers: 3, Publishers: 1, InFlight: 4, Rate: 40, Payload: 128}, 20, 3},
		{"by HTTP", "bench:", false,
			Traffic{HTTP: true, Channels: 2, Subscribers: 2, Publishers: 2, InFlight: 1, Rate: 40, Payload: 1000}, 20, 1},
		{"by streams", "bench:", false,
			Traffic{HTTP: true, Stream: true, Channels: 2, Subscribers: 2, Publishers: 2, InFlight: 4, Rate: 40, Payload: 1000}, 20, 1},
		{"by streams flat out", "bench:", false,
			Traffic{HTTP: true, Stream: true, Channels: 1, Subscribers: 1, Publishers: 2, InFlight: 64, FlatOut: true, Payload: 128}, 0, 1},
		{"by HTTP flat out", "bench:", false,
			Traffic{HTTP: true, Channels: 1, Subscribers: 1, Publishers: 2, InFlight: 1, FlatOut: true, Payload: 128}, 0, 1},
		{"nobody listens", "bench:", false,
			Traffic{Channels: 1, Publishers: 1, InFlight: 4, Rate: 40, Payload: 128}, 20, 0},
	} {
		t.Run(test.rule, func(t *testing.T) {
			target.Prefix, target.Binary = test.prefix, test.binary
			g, ctx := newGenerator(t, target)
			test.traffic.Duration = 500 * time.Millisecond
			report, err := g.Traffic(ctx, test.traffic)
			if err != nil {
				t.Fatal(err)
			}
			// A machine that is late leaves publications out; what was published must be delivered.
			if report.Published == 0 || test.published > 0 && report.Published > test.published {
				t.Errorf("published %d, want %d", report.Published, test.published)
			}
			if report.Delivered != report.Published*test.perPublished {
				t.Errorf("delivered %d of %d", report.Delivered, report.Published)
			}
			if report.Lost != 0 || report.Duplicates != 0 || len(report.Failures) > 0 || len(report.Ended) > 0 {
				t.Errorf("%+v", report)
			}
			if report.Answer.Count != report.Published || test.perPublished > 0 && report.Delivery.Count != report.Delivered {
				t.Errorf("latencies: %+v, %+v", report.Answer, report.Delivery)
			}
		})
	}
}

func TestIdle(t *testing.T) {
	target := startServer(t, nil)
	g, ctx := newGenerator(t, target)
	report, err := g.Idle(ctx, Idle{From: 5, To: 15, Channels: 15, Duration: 10 * time.Millisecond})
	if target.PID == 0 {
		if err == nil || !strings.Contains(err.Error(), "process") {
			t.Errorf("%v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if report.Connect.Count != 15 || report.Server.RSSPerConnection == nil || report.Server.ConnectionsFewer != 5 {
		t.Errorf("%+v", report)
	}
}

func TestWhatTheServerRefusesIsSaidWithTheWayOut(t *testing.T) {
	for _, test := range []struct {
		rule     string
		settings map[string]any
		change   func(*Target)
		run      func(context.Context, *Generator) error
		want     string
	}{
		{"admission", map[string]any{"limits.admission_per_second": "1"}, nil, connectTen, "BELLWIRE_LIMITS_ADMISSION_PER_SECOND"},
		{"connections", map[string]any{"limits.connections": "3"}, nil, connectTen, "BELLWIRE_LIMITS_CONNECTIONS"},
		{"commands", map[string]any{"limits.commands_burst": "5", "limits.commands_per_second": "1"}, nil, publishFlatOut, "BELLWIRE_LIMITS_COMMANDS_PER_SECOND"},
		{"token", nil, func(t *Target) { t.Token = "nonsense" }, connectTen, "token"},
		{"namespace", nil, func(t *Target) { t.Prefix = "not a name " }, connectTen, "channel"},
		{"API key", nil, func(t *Target) { t.Key = "wrong" }, publishByHTTP, "401"},
		{"nobody listens", nil, func(t *Target) { t.URL = "ws://127.0.0.1:1/ws" }, connectTen, "refused"},
	} {
		t.Run(test.rule, func(t *testing.T) {
			target := startServer(t, test.settings)
			if test.change != nil {
				test.change(&target)
			}
			g, ctx := newGenerator(t, target)
			if err := test.run(ctx, g); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func connectTen(ctx context.Context, g *Generator) error {
	_, err := g.Connect(ctx, Connect{Connections: 10, Channels: 1})
	return err
}

func publishFlatOut(ctx context.Context, g *Generator) error {
	_, err := g.Traffic(ctx, Traffic{Channels: 1, Publishers: 1, InFlight: 4, FlatOut: true, Payload: 128, Duration: patience})
	return err
}

func publishByHTTP(ctx context.Context, g *Generator) error {
	_, err := g.Traffic(ctx, Traffic{HTTP: true, Channels: 1, Publishers: 1, InFlight: 1, Rate: 10, Payload: 128, Duration: patience})
	return err
}

func TestAdvice(t *testing.T) {
	for _, test := range []struct {
		rule string
		err  error
		want string
	}{
		{"503", &ConnectError{Status: 503, Err: errors.New("x")}, "ADMISSION_PER_SECOND"},
		{"overloaded", &ConnectError{Code: realtime.CodeOverloaded, Err: errors.New("x")}, "ADMISSION_PER_SECOND"},
		{"429", &ConnectError{Status: 429, Err: errors.New("x")}, "UNAUTHENTICATED_PER_IP"},
		{"closed at once", &ConnectError{Err: io.ErrUnexpectedEOF}, "UNAUTHENTICATED_PER_IP"},
		{"reset at once", &ConnectError{Err: syscall.ECONNRESET}, "UNAUTHENTICATED_PER_IP"},
		{"no descriptors", &ConnectError{Err: syscall.EMFILE}, "ulimit -n"},
		{"no ports", &ConnectError{Err: syscall.EADDRNOTAVAIL}, "local ports"},
		{"something else", &ConnectError{Status: 404, Err: errors.New("x")}, "after 0 lines: "},
		{"no refusal", io.EOF, "EOF"},
	} {
		g := Generator{}
		g.pace.setDefaults()
		r := newRun(g.target, g.pace)
		err := r.advise(test.err)
		if !strings.Contains(err.Error(), test.want) || !errors.Is(err, test.err) {
			t.Errorf("%s: %v", test.rule, err)
		}
	}
}

func TestMistakes(t *testing.T) {
	g, ctx := newGenerator(t, Target{URL: "ws://127.0.0.1:1/ws"})
	traffic := Traffic{Channels: 1, Subscribers: 1, Publishers: 1, InFlight: 1, Payload: 128, Rate: 1, Duration: time.Second}
	for _, test := range []struct {
		want   string
		change func(*Traffic)
	}{
		{"at least 1", func(w *Traffic) { w.Channels = 0 }},
		{"at least 1", func(w *Traffic) { w.Publishers = 0 }},
		{"at least 1", func(w *Traffic) { w.InFlight = 0 }},
		{"negative", func(w *Traffic) { w.Subscribers = -1 }},
		{"duration", func(w *Traffic) { w.Duration = 0 }},
		{"rate", func(w *Traffic) { w.Rate = 0 }},
		{"26 bytes", func(w *Traffic) { w.Payload = 25 }},
		{"a stream is a request", func(w *Traffic) { w.Stream = true }},
		{"one publication", func(w *Traffic) { w.HTTP, w.InFlight = true, 2 }},
	} {
		w := traffic
		test.change(&w)
		if _, err := g.Traffic(ctx, w); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want %q", err, test.want)
		}
	}
	for _, w := range []Idle{{From: 0, To: 1, Channels: 1}, {From: 5, To: 5, Channels: 1, Duration: 1}, {From: 1, To: 2, Channels: 1, Duration: 1}} {
		if _, err := g.Idle(ctx, w); err == nil {
			t.Errorf("%+v was taken", w)
		}
	}
	if runtime.GOOS == "linux" {
		if _, err := g.Connect(ctx, Connect{Connections: 1 << 40, Channels: 1}); err == nil || !strings.Contains(err.Error(), "ulimit -n") {
			t.Errorf("open files: %v", err)
		}
	}
	if _, err := New(Options{Target: Target{PID: 1 << 30}}); err == nil {
		t.Error("a process that is not there was taken")
	}
	if _, err := New(Options{Pace: Pace{Connecting: -1}}); err == nil {
		t.Error("a negative pace was taken")
	}
}

func TestIsLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"ws://127.0.0.1:8000/ws": true, "ws://127.9.9.9/ws": true, "ws://[::1]:8000/ws": true, "http://localhost:8000": true,
		"ws://10.0.0.1/ws": false, "wss://live.example.com/ws": false, "ws://localhost.example.com/ws": false, "": false, "ws://[::": false,
	} {
		if IsLoopback(address) != want {
			t.Errorf("%q: %v", address, !want)
		}
	}
}
