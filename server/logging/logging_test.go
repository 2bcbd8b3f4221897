package logging

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// clock is moved by the test.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func newLimited(t *testing.T) (*slog.Logger, *bytes.Buffer, *clock) {
	t.Helper()
	var out bytes.Buffer
	c := &clock{now: time.Unix(1_790_000_000, 0)}
	return slog.New(Limit(slog.NewTextHandler(&out, nil), c.read)), &out, c
}

// RS-13
func TestAFloodOfOneKindIsTenLinesASecond(t *testing.T) {
	logger, out, c := newLimited(t)
	derived := logger.With("part", "auth").WithGroup("g")
	for i := range 100_000 {
		logger.Warn("token refused", "n", i)
		derived.Warn("token refused", "n", i)
	}
	logger.Error("token refused")
	logger.Warn("something else")
	if got := strings.Count(out.String(), "level=WARN msg=\"token refused\""); got != 10 {
		t.Errorf("%d lines", got)
	}
	if !strings.Contains(out.String(), "level=ERROR") || !strings.Contains(out.String(), "something else") {
		t.Error("one kind silenced another")
	}
	c.now = c.now.Add(time.Second)
	out.Reset()
	logger.Warn("token refused", "n", 1)
	logger.Warn("token refused", "n", 2)
	if got := out.String(); strings.Count(got, "lines_omitted=199990") != 1 || strings.Count(got, "\n") != 2 {
		t.Errorf("after a second: %s", got)
	}
}

func TestTheNumberOfKindsIsBounded(t *testing.T) {
	logger, out, _ := newLimited(t)
	for i := range 10 * kindsMax {
		logger.Info(strings.Repeat("x", i%100) + strings.Repeat("y", i/100))
	}
	if got := strings.Count(out.String(), "\n"); got != kindsMax+linesPerSecond {
		t.Errorf("%d lines", got)
	}
}

func TestTheFormatFollowsTheConfiguration(t *testing.T) {
	for format, want := range map[string]string{"text": "level=INFO msg=started", "json": `"msg":"started"`, "auto": `"msg":"started"`} {
		var out bytes.Buffer
		logger := New(&out, slog.LevelInfo, format)
		logger.Info("started", "name", "a\nb")
		logger.Debug("hidden")
		if got := out.String(); !strings.Contains(got, want) || strings.Contains(got, "hidden") || strings.Count(got, "\n") != 1 {
			t.Errorf("%s: %s", format, got)
		}
	}
}
