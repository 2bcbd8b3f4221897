package hub

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/bellwire/bellwire/realtime"
)

// patterns is who listens to which pattern (NAM-4).
//
// The patterns that match one channel are prefixes of it, so of two of them the shorter matches everything that the
// longer does. That gives both of SUB-10's rules without work per delivery: a subscription that a shorter pattern of
// its own connection covers is in no array at all, so a connection gets a publication once for all its patterns.
type patterns struct {
	max int // immutable: different patterns, covered ones too

	prefixes atomic.Int64 // len(byPrefix), read without the lock: most nodes have no pattern

	mu sync.RWMutex
	// Guarded by mu.
	joined       map[string]int             // subscriptions of each pattern; no count is 0
	byPrefix     map[string]*members        // by the pattern without its star; none is empty
	lengths      []prefixLength             // of all prefixes, ascending, none with count 0
	byConnection map[string][]*Subscription // all pattern subscriptions of a connection, covered ones too
}

type prefixLength struct{ length, count int }

func (p *patterns) join(s *Subscription) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.joined[s.name] == 0 && len(p.joined) >= p.max {
		return realtime.NewError(realtime.CodeLimitExceeded, "the server has no room for another pattern; subscribe to a broader one that is in use, or to channels")
	}
	s.joined = true
	p.joined[s.name]++
	if s.connection != "" {
		p.byConnection[s.connection] = append(p.byConnection[s.connection], s)
	}
	p.arrange(s.connection, s)
	return nil
}

func (p *patterns) leave(s *Subscription) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !s.joined {
		return false
	}
	s.joined = false
	if p.joined[s.name]--; p.joined[s.name] == 0 {
		delete(p.joined, s.name)
	}
	if s.in != nil {
		p.remove(s)
	}
	if s.connection == "" {
		return true
	}
	own := p.byConnection[s.connection]
	if i := slices.Index(own, s); i >= 0 {
		own = slices.Delete(own, i, i+1)
	}
	if len(own) == 0 {
		delete(p.byConnection, s.connection)
	} else {
		p.byConnection[s.connection] = own
		p.arrange(s.connection, nil)
	}
	return true
}

// arrange puts every uncovered subscription of a connection into its array, and takes every covered one out.
// A subscription without a connection (alone) stands for itself.
func (p *patterns) arrange(connection string, alone *Subscription) {
	own := p.byConnection[connection]
	if connection == "" {
		own = []*Subscription{alone}
	}
	for _, s := range own {
		switch covered := isCovered(s, own); {
		case covered && s.in != nil:
			p.remove(s)
		case !covered && s.in == nil:
			p.add(s)
		}
	}
}

// isCovered reports whether another of own gets everything that s would: a shorter prefix, or the same one earlier.
func isCovered(s *Subscription, own []*Subscription) bool {
	for i, other := range own {
		if other == s {
			continue
		}
		if other.name == s.name {
			if i < slices.Index(own, s) {
				return true
			}
			continue
		}
		if strings.HasPrefix(s.prefix(), other.prefix()) {
			return true
		}
	}
	return false
}

func (p *patterns) add(s *Subscription) {
	prefix := s.prefix()
	m := p.byPrefix[prefix]
	if m == nil {
		m = new(members)
		p.byPrefix[prefix] = m
		p.prefixes.Store(int64(len(p.byPrefix)))
		p.countLength(len(prefix), 1)
	}
	m.add(s)
}

func (p *patterns) remove(s *Subscription) {
	prefix := s.prefix()
	m := s.in
	m.remove(s)
	if m.isEmpty() {
		delete(p.byPrefix, prefix)
		p.prefixes.Store(int64(len(p.byPrefix)))
		p.countLength(len(prefix), -1)
	}
}

func (p *patterns) countLength(length, by int) {
	i, found := slices.BinarySearchFunc(p.lengths, length, func(l prefixLength, length int) int { return l.length - length })
	if !found {
		p.lengths = slices.Insert(p.lengths, i, prefixLength{length: length})
	}
	p.lengths[i].count += by
	if p.lengths[i].count == 0 {
		p.lengths = slices.Delete(p.lengths, i, i+1)
	}
}

func (s *Subscription) prefix() string { return s.name[:len(s.name)-1] }
