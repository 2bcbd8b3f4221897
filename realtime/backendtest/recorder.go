package backendtest

import (
	"sync"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

var (
	_ broker.Sink    = (*Recorder)(nil)
	_ broker.Counter = (*Recorder)(nil)
)

// Recorder is a Sink that keeps what it is given, and hands it to streams as a hub would. It can tell who is subscribed.
type Recorder struct {
	mu sync.Mutex
	// Guarded by mu.
	publications map[string][]*realtime.Publication
	presence     map[string][]*realtime.PresenceChange
	streams      map[string]map[*Stream]bool
}

// NewRecorder returns an empty one.
func NewRecorder() *Recorder {
	return &Recorder{
		publications: make(map[string][]*realtime.Publication),
		presence:     make(map[string][]*realtime.PresenceChange),
		streams:      make(map[string]map[*Stream]bool),
	}
}

// DeliverPublication implements broker.Sink.
func (r *Recorder) DeliverPublication(_ *realtime.Namespace, publication *realtime.Publication) {
	r.mu.Lock()
	defer r.mu.Unlock()
	channel := publication.Channel
	r.publications[channel] = append(r.publications[channel], publication)
	for stream := range r.streams[channel] {
		stream.push(publication)
	}
}

// DeliverPresence implements broker.Sink.
func (r *Recorder) DeliverPresence(_ *realtime.Namespace, change *realtime.PresenceChange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.presence[change.Channel] = append(r.presence[change.Channel], change)
}

// Publications is what was delivered to a channel, in order.
func (r *Recorder) Publications(channel string) []*realtime.Publication {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*realtime.Publication(nil), r.publications[channel]...)
}

// Presence is what was delivered of a channel's presence, in order.
func (r *Recorder) Presence(channel string) []*realtime.PresenceChange {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*realtime.PresenceChange(nil), r.presence[channel]...)
}

// Subscribers implements broker.Counter: how many streams a channel has.
func (r *Recorder) Subscribers(channel string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.streams[channel])
}

// Join begins a stream of what is delivered to a channel from now on.
func (r *Recorder) Join(channel string) *Stream {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.streams[channel] == nil {
		r.streams[channel] = make(map[*Stream]bool)
	}
	s := &Stream{arrived: make(chan struct{}, 1)}
	r.streams[channel][s] = true
	return s
}

// Leave ends a stream.
func (r *Recorder) Leave(channel string, s *Stream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.streams[channel], s)
}

// Stream is a subscriber's unbounded queue.
type Stream struct {
	arrived chan struct{} // capacity 1: items is not empty

	mu    sync.Mutex
	items []*realtime.Publication // guarded by mu
}

func (s *Stream) push(publication *realtime.Publication) {
	s.mu.Lock()
	s.items = append(s.items, publication)
	s.mu.Unlock()
	select {
	case s.arrived <- struct{}{}:
	default:
	}
}

// Take returns what has arrived and waits until there is something, or until done is closed.
func (s *Stream) Take(done <-chan struct{}) []*realtime.Publication {
	for {
		s.mu.Lock()
		items := s.items
		s.items = nil
		s.mu.Unlock()
		if len(items) > 0 {
			return items
		}
		select {
		case <-s.arrived:
		case <-done:
			return nil
		}
	}
}
