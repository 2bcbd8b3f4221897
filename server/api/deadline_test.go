package api

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

type contextKey struct{}

func TestADeadlineIsAContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithCancel(context.WithValue(t.Context(), contextKey{}, "value"))
		ctx := until(parent, time.Now().Add(time.Second))
		if at, ok := ctx.Deadline(); !ok || time.Until(at) != time.Second || ctx.Err() != nil || ctx.Value(contextKey{}) != "value" {
			t.Errorf("at first: %v %v", at, ctx.Err())
		}
		time.Sleep(time.Second)
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.Errorf("nobody waits, and the time is over: %v", ctx.Err())
		}
		ctx = until(parent, time.Now().Add(time.Second))
		child, stop := context.WithCancel(ctx)
		defer stop()
		<-child.Done()
		if !errors.Is(child.Err(), context.DeadlineExceeded) || !errors.Is(ctx.Err(), context.DeadlineExceeded) || ctx.Value(contextKey{}) != "value" {
			t.Errorf("after waiting: %v %v", child.Err(), ctx.Err())
		}
		ctx = until(parent, time.Now().Add(time.Hour))
		done := ctx.Done()
		ctx.end()
		<-done
		ctx = until(parent, time.Now().Add(time.Hour))
		ctx.end()
		if err := ctx.Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("ended: %v", err)
		}
		<-ctx.Done()
		ctx = until(parent, time.Now().Add(time.Hour))
		cancel()
		if err := ctx.Err(); !errors.Is(err, context.Canceled) {
			t.Errorf("the parent has ended: %v", err)
		}
		<-ctx.Done()
		ctx.end()
	})
}
