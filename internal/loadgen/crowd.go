package loadgen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/bellwire/bellwire/realtime"
)

// Pace says how lines are opened.
type Pace struct {
	ConnectsPerSecond int           // default 450: below what a server admits by default
	Connecting        int           // lines that are being opened at once; default 32
	ConnectTimeout    time.Duration // of one line; default 10 s
}

const (
	connectsPerSecondDefault = 450
	connectingDefault        = 32
	connectTimeoutDefault    = 10 * time.Second
)

func (p *Pace) setDefaults() {
	if p.ConnectsPerSecond == 0 {
		p.ConnectsPerSecond = connectsPerSecondDefault
	}
	if p.Connecting == 0 {
		p.Connecting = connectingDefault
	}
	if p.ConnectTimeout == 0 {
		p.ConnectTimeout = connectTimeoutDefault
	}
}

// crowd opens count lines, each on the channel that its index gives, and returns when all are there or one was refused.
func (r *run) crowd(ctx context.Context, count int, channelOf func(index int) *channel) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	begin := time.Now()
	done := make(chan struct{}, r.pace.Connecting)
	for range r.pace.Connecting {
		r.group.Go("connecting", func() {
			defer func() { done <- struct{}{} }()
			for {
				index := int(next.Add(1)) - 1
				if index >= count {
					return
				}
				due := begin.Add(time.Duration(index) * time.Second / time.Duration(r.pace.ConnectsPerSecond))
				if pause(ctx, time.Until(due)) != nil {
					return
				}
				if err := r.open(ctx, channelOf(index)); err != nil {
					cancel(err)
					return
				}
			}
		}, nil)
	}
	for range r.pace.Connecting {
		<-done
	}
	if ctx.Err() != nil {
		return r.advise(context.Cause(ctx))
	}
	return nil
}

// open opens one line and keeps it.
func (r *run) open(ctx context.Context, on *channel) error {
	ctx, cancel := context.WithTimeout(ctx, r.pace.ConnectTimeout)
	defer cancel()
	begin := r.now()
	l, err := r.openLine(ctx, on)
	if err != nil {
		return err
	}
	r.connect.Record(r.now() - begin)
	r.keep(l)
	return nil
}

// advise adds to an error what to do about it.
func (r *run) advise(err error) error {
	var refused *ConnectError
	if !errors.As(err, &refused) {
		return err
	}
	after := r.connected.Load()
	switch {
	case refused.Status == http.StatusServiceUnavailable || refused.Code == realtime.CodeOverloaded:
		return fmt.Errorf("after %d lines the server admits no more: lower the connect rate (now %d a second), or start the server with more "+
			"BELLWIRE_LIMITS_ADMISSION_PER_SECOND (500 by default) or BELLWIRE_LIMITS_CONNECTIONS: %w", after, r.pace.ConnectsPerSecond, err)
	case refused.Status == http.StatusTooManyRequests, refused.Status == 0 && refused.Code == 0 && isCut(err):
		return fmt.Errorf("after %d lines the server closes new ones: open fewer at once (now %d), or start the server with more "+
			"BELLWIRE_LIMITS_UNAUTHENTICATED_PER_IP (64 by default): %w", after, r.pace.Connecting, err)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return fmt.Errorf("after %d lines this process may open no more files: raise its limit (ulimit -n): %w", after, err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("after %d lines this machine has no local ports left for that address: %w", after, err)
	case refused.Status == http.StatusUnauthorized || refused.Code == realtime.CodeInvalidToken || realtime.CodeOf(err) == realtime.CodeUnauthorized:
		return fmt.Errorf("the server wants a token: %w", err)
	}
	return fmt.Errorf("after %d lines: %w", after, err)
}

// isCut reports whether the peer ended the connection without a word.
func isCut(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)
}

// pause waits, and returns the context's error when it ends first.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
