package hub_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/bellwire/bellwire/realtime/hub"
)

// held is a carrier that does nothing until it is told to.
type held struct {
	loop
	todo chan func()
}

func (h *held) Carry(task *hub.Cohort, with any, _ int) bool {
	h.todo <- func() { task.Run(with) }
	return true
}

func (h *held) CarryUrgent(task *hub.Cohort, with any) { h.Carry(task, with, 0) }

// Who settles waits for what was handed to every carrier before, and no longer than its context.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := hub.New(hub.Config{Clock: systemClock{}})
		carriers := []*held{{todo: make(chan func(), 9)}, {todo: make(chan func(), 9)}}
		inboxes := []*inbox{{}, {}}
		for i, c := range carriers {
			if _, err := h.Join(inboxes[i], "n:a", hub.Options{Encoder: newEncoder("j"), Carrier: c}); err != nil {
				t.Fatal(err)
			}
		}
		h.DeliverPublication(ns, publication("n:a", 1))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		h.Settle(ctx)
		settled := make(chan struct{})
		go func() {
			defer close(settled)
			h.Settle(t.Context())
		}()
		for i, c := range carriers {
			synctest.Wait()
			select {
			case <-settled:
				t.Fatalf("settled before carrier %d had delivered", i)
			default:
			}
			for done := false; !done; {
				select {
				case f := <-c.todo:
					f()
				default:
					done = true
				}
			}
			if got := inboxes[i].take(); got != "j n:a/1 1" {
				t.Errorf("carrier %d: %q", i, got)
			}
		}
		<-settled
	})
}
