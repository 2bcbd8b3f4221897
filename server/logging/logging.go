package logging

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	linesPerSecond = 10
	kindsMax       = 1000 // beyond, all new kinds share one allowance
)

// New returns a logger that writes to out. format is text, json or auto.
func New(out io.Writer, level slog.Level, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	var inner slog.Handler = slog.NewJSONHandler(out, options)
	if format == "text" || format == "auto" && isTerminal(out) {
		inner = slog.NewTextHandler(out, options)
	}
	return slog.New(Limit(inner, time.Now))
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Limit returns a handler that hands inner at most ten records a second of each kind.
func Limit(inner slog.Handler, now func() time.Time) slog.Handler {
	return &limiter{inner: inner, shared: &shared{now: now, kinds: make(map[kind]*allowance)}}
}

type limiter struct {
	inner  slog.Handler
	shared *shared
}

// shared is one for all handlers that came from one by WithAttrs and WithGroup.
type shared struct {
	now func() time.Time

	mu    sync.Mutex
	kinds map[kind]*allowance // guarded by mu; at most kindsMax
	rest  allowance           // guarded by mu; of kinds beyond kindsMax
}

type kind struct {
	level   slog.Level
	message string
}

// allowance is what one kind may still write in the present second.
type allowance struct {
	began   time.Time
	written int
	omitted int
}

func (l *limiter) Enabled(ctx context.Context, level slog.Level) bool {
	return l.inner.Enabled(ctx, level)
}

func (l *limiter) Handle(ctx context.Context, record slog.Record) error {
	omitted, allowed := l.shared.take(kind{record.Level, record.Message})
	if !allowed {
		return nil
	}
	if omitted > 0 {
		record = record.Clone()
		record.AddAttrs(slog.Int("lines_omitted", omitted))
	}
	return l.inner.Handle(ctx, record)
}

// take reports whether a line may be written, and how many of its kind were left out since the last one.
func (s *shared) take(k kind) (omitted int, allowed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, found := s.kinds[k]
	switch {
	case !found && len(s.kinds) < kindsMax:
		a = &allowance{}
		s.kinds[k] = a
	case !found:
		a = &s.rest
	}
	if now := s.now(); now.Sub(a.began) >= time.Second {
		a.began, a.written = now, 0
	}
	if a.written >= linesPerSecond {
		a.omitted++
		return 0, false
	}
	a.written++
	omitted, a.omitted = a.omitted, 0
	return omitted, true
}

func (l *limiter) WithAttrs(attributes []slog.Attr) slog.Handler {
	return &limiter{inner: l.inner.WithAttrs(attributes), shared: l.shared}
}

func (l *limiter) WithGroup(name string) slog.Handler {
	return &limiter{inner: l.inner.WithGroup(name), shared: l.shared}
}
