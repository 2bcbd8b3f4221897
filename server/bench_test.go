package server

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/server/config"
)

// BenchmarkPublishHTTP is a publication by the API from the handler to the answer, without net/http's own part.
func BenchmarkPublishHTTP(b *testing.B) {
	cfg, err := config.Load(config.Sources{Flags: map[string]any{"dev": true, "listen": "127.0.0.1:0"}})
	if err != nil {
		b.Fatal(err)
	}
	s, err := New(Options{Config: cfg, Version: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	body := `{"channel":"bench:0","data":{"t":1234567890,"pad":"` + strings.Repeat("x", 100) + `"}}`
	reader := strings.NewReader(body)
	request := httptest.NewRequest(http.MethodPost, "/api/v1/publish", io.NopCloser(reader))
	request.ContentLength = int64(len(body))
	request.Header = http.Header{"Authorization": {"Bearer " + cfg.API.Keys[0]}, "Content-Type": {"application/json"}}
	request.RemoteAddr, request.Host = "127.0.0.1:1", "127.0.0.1:8000"
	answer := &discardAnswer{header: make(http.Header)}
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		clear(answer.header)
		answer.status = http.StatusOK
		s.public.Handler.ServeHTTP(answer, request)
		if answer.status != http.StatusOK {
			b.Fatal(answer.status)
		}
	}
}

// discardAnswer forgets what it is told but the status.
type discardAnswer struct {
	header http.Header
	status int
}

func (a *discardAnswer) Header() http.Header         { return a.header }
func (a *discardAnswer) Write(p []byte) (int, error) { return len(p), nil }
func (a *discardAnswer) WriteHeader(status int)      { a.status = status }
