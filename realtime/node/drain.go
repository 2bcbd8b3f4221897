package node

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/realtime"
)

// Drain takes no new connections and disconnects the present ones in paced order over the window (LIV-5). It returns when
// all are gone, or when ctx ends.
func (n *Node) Drain(ctx context.Context, window time.Duration) error {
	n.draining.Store(true)
	n.hub.Settle(ctx) // what was published before reaches the clients before their end does
	connections := n.index.all()
	if len(connections) > 0 {
		if err := n.disconnectPaced(ctx, connections, window); err != nil {
			return err
		}
	}
	select {
	case <-n.index.empty():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// disconnectPaced gives every connection an equal part of the window. Many connections are taken in groups, as timers
// are not finer than a millisecond or so.
func (n *Node) disconnectPaced(ctx context.Context, connections []*Connection, window time.Duration) error {
	const pause = 2 * time.Millisecond
	steps := min(len(connections), int(window/pause)+1)
	for step := range steps {
		from, to := len(connections)*step/steps, len(connections)*(step+1)/steps
		for _, c := range connections[from:to] {
			c.end(realtime.CodeRestart, "")
		}
		if step == steps-1 {
			break
		}
		if err := rest(ctx, window/time.Duration(steps)); err != nil {
			return err
		}
	}
	return nil
}
