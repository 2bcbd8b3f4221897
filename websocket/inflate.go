package websocket

import (
	"context"
	"runtime"

	"github.com/bellwire/bellwire/websocket/endpoint"
)

// inflaters are taken by those who inflate a message that takes longer than endpoint.InflateStepBytes: two a processor,
// so that neither memory nor how long others wait follows the number of bombs.
var inflaters = make(chan struct{}, 2*runtime.GOMAXPROCS(0))

// inflateLocked goes on with a message that takes longer, and returns the event that follows. In between, others have their
// turns: with the connection, and with the processor. When ctx ends first, the message is as it was. The caller has the turn to read.
func (c *Conn) inflateLocked(ctx context.Context, parts bool) (endpoint.Event, error) {
	taken, err := c.takeInflaterLocked(ctx)
	if err != nil {
		return endpoint.Event{}, err
	}
	if taken {
		defer func() { <-inflaters }()
	}
	for {
		event := c.endpointNextLocked(parts)
		if event.Kind != endpoint.Inflating {
			return event, nil
		}
		c.mu.Unlock()
		runtime.Gosched()
		c.mu.Lock()
	}
}

// takeInflaterLocked reports whether one was taken: not where the connection ended first.
func (c *Conn) takeInflaterLocked(ctx context.Context) (bool, error) {
	select {
	case inflaters <- struct{}{}:
		return true, nil
	default:
	}
	c.endpoint.Hold() // waits without a buffer to read into
	c.source.release()
	over := c.overLocked()
	c.mu.Unlock()
	defer c.mu.Lock()
	select {
	case inflaters <- struct{}{}:
		return true, nil
	case <-over:
		return false, nil
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}
