package memory_test

import (
	"fmt"
	"testing"

	"github.com/bellwire/bellwire/backend/memory"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/hub"
)

// quiet is a subscriber that does nothing.
type quiet struct{}

func (quiet) DeliverPublication(hub.Delivery) bool { return false }
func (quiet) DeliverPresence(hub.PresenceDelivery) {}

// ready is an encoder that costs nothing.
type ready struct{}

func (ready) Name() string                                   { return "ready" }
func (ready) Framing() hub.Framing                           { return hub.FramingText }
func (ready) EncodePublication(*realtime.Publication) []byte { return []byte{1} }
func (ready) EncodePresence(*realtime.PresenceChange) []byte { return []byte{1} }

func benchBackend(b *testing.B, subscribers int) *memory.Backend {
	h := hub.New(hub.Config{Clock: systemClock{}})
	for i := range subscribers {
		if _, err := h.Join(quiet{}, "n:a", hub.Options{Encoder: ready{}, Connection: fmt.Sprint("c", i)}); err != nil {
			b.Fatal(err)
		}
	}
	backend, err := memory.New(memory.Config{Sink: h, Clock: systemClock{}, Rand: &counting{}})
	if err != nil {
		b.Fatal(err)
	}
	return backend
}

// A publication from the backend's door to every subscriber's, on a channel with history.
func BenchmarkPublish(b *testing.B) {
	for _, subscribers := range []int{0, 1, 10_000} {
		b.Run(fmt.Sprint("to ", subscribers), func(b *testing.B) {
			backend, ns := benchBackend(b, subscribers), namespace()
			draft := broker.Draft{Channel: "n:a", Payload: realtime.JSON([]byte(`{"text":"hi"}`))}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := backend.Publish(b.Context(), ns, draft); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("without log", func(b *testing.B) {
		backend, ns := benchBackend(b, 0), namespace()
		ns.History, ns.State = false, false
		draft := broker.Draft{Channel: "n:a", Payload: realtime.JSON([]byte(`{"x":1}`))}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := backend.Publish(b.Context(), ns, draft); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkPublishToManyChannelsAtOnce(b *testing.B) {
	backend, ns := benchBackend(b, 0), namespace()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			draft := broker.Draft{Channel: channelNames[i%len(channelNames)], Payload: realtime.JSON([]byte(`{"text":"hi"}`))}
			if _, err := backend.Publish(b.Context(), ns, draft); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

var channelNames = func() (names []string) {
	for i := range 1000 {
		names = append(names, fmt.Sprint("n:", i))
	}
	return names
}()

// One client of ten thousand that come back after an interruption.
func BenchmarkResume(b *testing.B) {
	backend, ns := benchBackend(b, 10_000), namespace()
	var top realtime.Position
	for range 1000 {
		published, err := backend.Publish(b.Context(), ns, broker.Draft{Channel: "n:a", Payload: realtime.JSON([]byte(`{"text":"hi"}`))})
		if err != nil {
			b.Fatal(err)
		}
		top = published.Position
	}
	since := realtime.Position{Epoch: top.Epoch, Offset: top.Offset - 20}
	b.ReportAllocs()
	for b.Loop() {
		if r, err := backend.Resume(b.Context(), ns, "n:a", broker.ResumeQuery{Since: &since}); err != nil || !r.Recovered {
			b.Fatal(r, err)
		}
	}
}

// What an idle channel with one subscriber costs in the backend.
func BenchmarkIdleChannel(b *testing.B) {
	backend, ns := benchBackend(b, 0), namespace()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := backend.Resume(b.Context(), ns, fmt.Sprint("n:", i%100_000), broker.ResumeQuery{}); err != nil {
			b.Fatal(err)
		}
	}
}
