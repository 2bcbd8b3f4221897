package client

import (
	"context"
	"iter"
	"sync"
)

// A stream is a bounded queue of the events of one channel, filled by the loop and taken by one reader.
type stream struct {
	max     int
	wake    chan struct{} // has one value when there may be something to take
	unwatch func() bool   // the reader's: forgets the reader's context

	mu sync.Mutex
	// Guarded by mu.
	events []Event
	err    error // what comes after the events; nil while the stream goes on
}

func newStream(max int) *stream { return &stream{max: max, wake: make(chan struct{}, 1)} }

// push never blocks. It reports whether the stream goes on: one whose reader is too slow ends.
func (s *stream) push(event Event) (goesOn bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return false
	}
	if len(s.events) >= s.max {
		s.err = &SlowReaderError{BufferMax: s.max}
	} else {
		s.events = append(s.events, event)
	}
	s.signal()
	return s.err == nil
}

// end lets the reader take what is there, and then err.
func (s *stream) end(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	s.signal()
}

func (s *stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns all events that are there, or why there will be none.
func (s *stream) take() ([]Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.events) == 0 {
		return nil, s.err
	}
	events := s.events
	s.events = nil
	return events, nil
}

// next waits for events, the end of the stream or that of ctx.
func (s *stream) next(ctx context.Context) ([]Event, error) {
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		events, err := s.take()
		if len(events) > 0 || err != nil {
			return events, err
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
		}
	}
}

// Events is a stream of everything that happens in the channel, which is subscribed if it is not (see the package's
// comment on streams). The last pair has the error that ended it: that of ctx, ErrClosed, or a *realtime.Error. The
// stream also ends when the loop over it does; it can be looped over once.
func (ch *Channel) Events(ctx context.Context) iter.Seq2[Event, error] {
	s, err := ch.open(ctx)
	return func(yield func(Event, error) bool) {
		if err != nil {
			yield(nil, err)
			return
		}
		defer ch.release(s)
		for {
			events, err := s.next(ctx)
			for _, event := range events {
				if !yield(event, nil) {
					return
				}
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// Publications is Events without all that is no publication. What is gone for good is told with a *MissedError, after
// which the stream goes on.
func (ch *Channel) Publications(ctx context.Context) iter.Seq2[*Publication, error] {
	events := ch.Events(ctx)
	return func(yield func(*Publication, error) bool) {
		for event, err := range events {
			goesOn := true
			switch event := event.(type) {
			case nil:
				goesOn = yield(nil, err)
			case *Publication:
				goesOn = yield(event, nil)
			case *Missed:
				goesOn = yield(nil, &MissedError{Channel: ch.name, Missed: *event})
			}
			if !goesOn {
				return
			}
		}
	}
}

// open begins a stream and subscribes. It ends with ctx even when nobody reads it.
func (ch *Channel) open(ctx context.Context) (*stream, error) {
	options, err := ch.coreOptions()
	if err != nil {
		return nil, err
	}
	s := newStream(ch.bufferMax())
	if !ch.client.do(func(now int64) {
		w := ch.client.watch(ch)
		w.streams = append(w.streams, s)
		ch.subscribe(now, w, options)
	}) {
		return nil, ErrClosed
	}
	s.unwatch = context.AfterFunc(ctx, func() { ch.forget(s) })
	return s, nil
}

// release ends a stream; the channel stays subscribed.
func (ch *Channel) release(s *stream) {
	s.unwatch()
	ch.forget(s)
}

// Handler is the callbacks for what happens in a channel; any may be nil. They are called one after another on a goroutine of
// their own.
type Handler struct {
	Publication     func(*Publication)
	Started         func(*Started)
	Missed          func(*Missed)
	Stopped         func(*Stopped)
	StateChanged    func(*StateChanged)
	PresenceChanged func(*PresenceChanged)

	// Ended is called last, with the error that ended the stream; not after stop.
	Ended func(error)
}

// Handle calls h for what happens in the channel, which is subscribed if it is not. stop ends that and does not wait for a
// callback that is running.
func (ch *Channel) Handle(h Handler) (stop func()) {
	ctx, cancel := context.WithCancel(ch.client.context)
	events := ch.Events(ctx)
	ch.client.group.Go("handler", func() {
		for event, err := range events {
			switch {
			case event != nil:
				ch.client.guard("handler", func() { h.call(event) })
			case ctx.Err() == nil || ch.client.context.Err() != nil:
				ch.client.guard("handler", func() { h.ended(err) })
			}
		}
	}, cancel)
	return cancel
}

func (h *Handler) ended(err error) {
	if h.Ended != nil {
		h.Ended(err)
	}
}

func (h *Handler) call(event Event) {
	switch event := event.(type) {
	case *Publication:
		callWith(h.Publication, event)
	case *Started:
		callWith(h.Started, event)
	case *Missed:
		callWith(h.Missed, event)
	case *Stopped:
		callWith(h.Stopped, event)
	case *StateChanged:
		callWith(h.StateChanged, event)
	case *PresenceChanged:
		callWith(h.PresenceChanged, event)
	}
}

func callWith[E any](callback func(E), event E) {
	if callback != nil {
		callback(event)
	}
}
