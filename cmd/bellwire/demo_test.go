package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/hostmetrics"
	"github.com/bellwire/bellwire/internal/leak"
)

// feederAt returns a feeder of a fixed machine against handler, and the pauses it made. It ends after so many pauses.
func feederAt(t *testing.T, handler http.HandlerFunc, pauses int) (*feeder, *[]time.Duration, *bytes.Buffer) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	var log bytes.Buffer
	f, err := newFeeder(server.URL+"/", "the-key", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	var made []time.Duration
	f.sample = func(context.Context) (hostmetrics.Sample, error) {
		return hostmetrics.Sample{TimeMS: 7, CPU: 12.5}, nil
	}
	f.random = func() float64 { return 0.5 }
	f.now = func() time.Time { return time.UnixMilli(0) }
	f.sleep = func(_ context.Context, d time.Duration) error {
		made = append(made, d)
		if len(made) == pauses {
			return context.Canceled
		}
		return nil
	}
	return f, &made, &log
}

func TestFeederPublishesThroughThePublicAPI(t *testing.T) {
	leak.Check(t)
	var got *http.Request
	var body []byte
	f, pauses, log := feederAt(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, `{"epoch":"kf3","offset":1}`)
	}, 1)
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got.Method != "POST" || got.URL.Path != "/api/v1/publish" || got.Header.Get("Authorization") != "Bearer the-key" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("request %s %s %v", got.Method, got.URL, got.Header)
	}
	const want = `{"channel":"metrics:host","data":{"time_ms":7,"cpu":12.5,"load":[0,0,0],"memory":{"used":0,"total":0},"network":{"rx_bytes_per_s":0,"tx_bytes_per_s":0},"host":{}}}`
	if string(body) != want {
		t.Errorf("body %s\nwant %s", body, want)
	}
	if (*pauses)[0] != time.Second || log.Len() > 0 {
		t.Errorf("pauses %v, log %q", *pauses, log)
	}
}

func TestFeederBacksOffWhileTheServerIsAwayAndSaysSoOnce(t *testing.T) {
	leak.Check(t)
	asked := 0
	f, pauses, log := feederAt(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		if asked <= 3 {
			http.Error(w, "down", http.StatusServiceUnavailable)
		}
	}, 4)
	if err := f.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []time.Duration{1500 * time.Millisecond, 2 * time.Second, 3 * time.Second, time.Second}
	for i := range want {
		if (*pauses)[i] != want[i] {
			t.Errorf("pauses %v, want %v", *pauses, want)
			break
		}
	}
	if strings.Count(log.String(), "waits for the server") != 1 || strings.Count(log.String(), "publishes again") != 1 {
		t.Errorf("log %q", log)
	}
}

func TestFeederStopsWhenGoingOnHasNoSense(t *testing.T) {
	rows := []struct {
		rule   string
		status int
		body   string
		want   string
	}{
		{"a key that is not valid", 401, `{"detail":"the key\nis not valid"}`, "the server answered 401 Unauthorized: the key is not valid"},
		{"an address that is no Bellwire", 404, `<html>`, "the server answered 404 Not Found"},
		{"a redirect is not followed", 302, ``, "the server answered 302 Found"},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			leak.Check(t)
			f, pauses, _ := feederAt(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://127.0.0.1:1/")
				w.WriteHeader(row.status)
				_, _ = io.WriteString(w, row.body)
			}, 1)
			if err := f.run(t.Context()); err == nil || err.Error() != row.want || len(*pauses) != 0 {
				t.Errorf("error %v, want %q; pauses %v", err, row.want, *pauses)
			}
		})
	}
}

func TestFeedPause(t *testing.T) {
	rows := []struct {
		rule     string
		elapsed  time.Duration
		failures int
		random   float64
		want     time.Duration
	}{
		{"what is left of the second", 300 * time.Millisecond, 0, 0.9, 700 * time.Millisecond},
		{"a slow answer is followed at once", 3 * time.Second, 0, 0.9, 0},
		{"LIV-3: jitter begins at a second", 0, 1, 0.25, 1250 * time.Millisecond},
		{"LIV-3: and doubles", 0, 3, 0.25, 2 * time.Second},
		{"LIV-3: to at most 30 s", 0, 1000, 1, 31 * time.Second},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			if got := feedPause(row.elapsed, row.failures, row.random); got != row.want {
				t.Errorf("got %v, want %v", got, row.want)
			}
		})
	}
}

func TestFeederRefusesAnAddressThatIsNone(t *testing.T) {
	for _, address := range []string{"", "127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http://%zz"} {
		if _, err := newFeeder(address, "k", slog.Default()); err == nil {
			t.Errorf("%q was taken", address)
		}
	}
}

func TestFeederEndsWithItsContextWhileTheServerHangs(t *testing.T) {
	leak.Check(t)
	asked := make(chan struct{})
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(asked)
		<-release
	}))
	defer server.Close()
	defer close(release)
	ctx, cancel := context.WithCancelCause(t.Context())
	wait := startDemoFeeder(ctx, server.URL, "k", slog.New(slog.DiscardHandler))
	<-asked
	cancel(errors.New("the test ends it"))
	wait()
}
