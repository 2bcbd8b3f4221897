package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/protocol/native"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/session"
	"github.com/bellwire/bellwire/server/document"
)

// silent counts nothing but panics.
type silent struct{ panics int }

func (*silent) APIRequest(string, int, time.Duration) {}
func (*silent) APIKeyFailed(string)                   {}
func (s *silent) APIPanicked()                        { s.panics++ }

func testAPI(log *bytes.Buffer) (*API, *silent) {
	metrics := &silent{}
	return New(Config{Logger: slog.New(slog.NewTextHandler(log, nil)), Metrics: metrics, Now: time.Now, FailuresPerMinute: 1}), metrics
}

// What is not meant for the caller goes to the log and becomes a constant text.
func TestErrorsBecomeProblems(t *testing.T) {
	var log bytes.Buffer
	a, _ := testAPI(&log)
	tests := []struct {
		name   string
		err    error
		status int
		code   realtime.Code
		detail string
		logged bool
	}{
		{"a refusal", realtime.NewError(realtime.CodeBadChannel, "say it otherwise"), 400, realtime.CodeBadChannel, "say it otherwise", false},
		{"a wrapped refusal", fmt.Errorf("storing: %w", realtime.NewError(realtime.CodeTooLarge, "too much")), 413, realtime.CodeTooLarge, "too much", false},
		{"time is over", fmt.Errorf("asking: %w", context.DeadlineExceeded), 504, realtime.CodeTimeout, realtime.CodeTimeout.Meaning(), false},
		{"given up", context.Canceled, 503, realtime.CodeUnavailable, "the request was given up", false},
		{"a failure", errors.New("disk canary"), 500, realtime.CodeInternal, realtime.CodeInternal.Meaning(), true},
		{"a code that is no HTTP answer", realtime.NewError(realtime.CodeSlow, "canary"), 500, realtime.CodeInternal, realtime.CodeInternal.Meaning(), true},
	}
	for _, test := range tests {
		log.Reset()
		p := a.problemOf(test.err, "publish")
		recorder := httptest.NewRecorder()
		p.write(recorder)
		var got problemDocument
		if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		want := problemDocument{"urn:bellwire:problem:" + test.code.Name(), test.code.Meaning(), test.status, test.detail, test.code, test.code.Name()}
		if recorder.Code != test.status || got != want || recorder.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %+v", test.name, recorder.Code, got)
		}
		if strings.Contains(log.String(), "canary") != test.logged {
			t.Errorf("%s: log %q", test.name, log.String())
		}
	}
}

func TestAPanicIsAnAnswerAndALine(t *testing.T) {
	var log bytes.Buffer
	a, metrics := testAPI(&log)
	_, err := a.call(t.Context(), method{name: "publish", call: func(*API, context.Context, *document.Object) ([]byte, error) { panic("canary") }}, document.Parse([]byte("{}"), 1))
	if realtime.CodeOf(err) != realtime.CodeInternal || strings.Contains(err.Error(), "canary") || !strings.Contains(log.String(), "canary") || metrics.panics != 1 {
		t.Errorf("%v %d %s", err, metrics.panics, log.String())
	}
}

// A stream words a position as the protocol's reply does.
func TestPublishedIsWordedAsTheProtocolDoes(t *testing.T) {
	a, _ := testAPI(&bytes.Buffer{})
	a.config.Protocol = native.JSON
	for _, published := range []broker.Published{
		{}, {Duplicate: true}, {Position: realtime.Position{Epoch: "e\"1", Offset: 1 << 50}}, {Position: realtime.Position{Epoch: "e", Offset: 7}, Duplicate: true},
	} {
		want, err := a.reply(&session.Published{Published: published})
		if got := appendPublished(nil, published); err != nil || string(got) != string(want) {
			t.Errorf("%s, want %s, %v", got, want, err)
		}
	}
}
