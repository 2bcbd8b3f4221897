package loadgen

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync/atomic"
)

// channel is one that the load publishes to.
type channel struct {
	name      string
	top       atomic.Uint64 // the highest offset that was answered; 0 in a channel without positions
	published atomic.Uint64
}

// makeChannels names channels that nobody else has: what others publish would count as lost or be measured.
func makeChannels(prefix string, count int) []*channel {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	id := hex.EncodeToString(random[:])
	channels := make([]*channel, count)
	for i := range channels {
		channels[i] = &channel{name: fmt.Sprintf("%s%s-%d", prefix, id, i)}
	}
	return channels
}

// spread deals channels out in turn.
func spread(channels []*channel) func(index int) *channel {
	return func(index int) *channel { return channels[index%len(channels)] }
}

// answered takes the answer to one publication.
func (c *channel) answered(offset uint64) {
	c.published.Add(1)
	for {
		known := c.top.Load()
		if offset <= known || c.top.CompareAndSwap(known, offset) {
			return
		}
	}
}

// missing is how many of the channel's publications a subscriber that received so many, the newest at that offset, has
// not got. What lies before its newest has been counted as it came.
func (c *channel) missing(received, newest uint64) uint64 {
	if top := c.top.Load(); top > 0 {
		return top - min(top, newest)
	}
	published := c.published.Load()
	return published - min(published, received)
}
