package core

import (
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// receivePublication takes one publication: to the subscription of its channel, or to the patterns that match (SUB-10).
func (c *Core) receivePublication(publication *wire.Publication) {
	if publication.Pattern {
		c.handToPatterns(publication)
		return
	}
	s := c.subscriptions[publication.Channel]
	if s == nil || !s.live || s.gap {
		return // Unsubscribe crossed it, or an answer is awaited (CLI-5).
	}
	if publication.Offset != 0 && !s.position.IsZero() {
		if publication.Offset <= s.position.Offset {
			return // CLI-5: a duplicate
		}
		if publication.Prev > s.position.Offset {
			// CLI-5: a gap. Nothing is taken until the answer to the subscribe that goes out now, or is awaited.
			s.gap = true
			if s.retryAt == never && c.line.servedFor(s.channel).awaited == 0 {
				s.becomeDue()
			}
			return
		}
		s.position.Offset = publication.Offset
	}
	switch {
	case publication.Skipped:
	case publication.State != nil:
		c.receiveStateChange(s, publication)
	default:
		c.put(&Publication{
			Subscription: s.channel,
			Publication:  publication,
			Epoch:        s.position.Epoch,
			Replayed:     s.isReplayed(publication),
		})
	}
}

// isReplayed: an entry up to the top of the last answer was there before it (SUB-7).
func (s *subscription) isReplayed(publication *wire.Publication) bool {
	return !s.position.IsZero() && publication.Offset <= s.top
}

func (c *Core) handToPatterns(publication *wire.Publication) {
	if publication.Skipped {
		return
	}
	for _, s := range c.order {
		if s.matches(publication.Channel) {
			c.put(&Publication{Subscription: s.channel, Publication: publication})
		}
	}
}

// receiveStateChange takes a change of one key (POS-7).
func (c *Core) receiveStateChange(s *subscription, publication *wire.Publication) {
	change := publication.State
	if s.options.State && !s.entries.apply(publication.Offset, change) {
		return
	}
	output := &ChannelState{
		Channel:  s.channel,
		Position: realtime.Position{Epoch: s.position.Epoch, Offset: publication.Offset},
		From:     publication.From,
		TimeMS:   publication.TimeMS,
		Replayed: s.isReplayed(publication),
	}
	if change.Removed {
		output.Removed = []string{change.Key}
	} else {
		output.Set = []realtime.Entry{{Key: change.Key, Value: change.Value, Version: publication.Offset}}
	}
	c.put(output)
	c.withinLimits(s)
}

// withinLimits ends a subscription that holds more than it may.
func (c *Core) withinLimits(s *subscription) bool {
	if s.entries.size() <= c.options.EntriesMax && s.presence.size() <= c.options.EntriesMax {
		return true
	}
	c.endByClient(s, realtime.CodeLimitExceeded)
	return false
}
