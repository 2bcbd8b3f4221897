package hub_test

import (
	"fmt"
	"testing"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
)

// sink is a subscriber that does as little as one can.
type sink struct{ bytes int }

func (s *sink) DeliverPublication(d hub.Delivery) bool { s.bytes += len(d.Encoded); return false }
func (s *sink) DeliverPresence(d hub.PresenceDelivery) { s.bytes += len(d.Encoded) }

// ready is an encoder that costs nothing.
type ready struct{}

var encoded = []byte("encoded")

func (ready) Name() string                                   { return "ready" }
func (ready) Framing() hub.Framing                           { return hub.FramingText }
func (ready) EncodePublication(*realtime.Publication) []byte { return encoded }
func (ready) EncodePresence(*realtime.PresenceChange) []byte { return encoded }

func crowd(tb testing.TB, subscribers, patterns int) *hub.Hub {
	h := hub.New(hub.Config{Clock: &manualClock{}})
	for i := range subscribers {
		if _, err := h.Join(new(sink), "n:a", hub.Options{Encoder: ready{}, Connection: fmt.Sprint("c", i)}); err != nil {
			tb.Fatal(err)
		}
	}
	for i := range patterns {
		if _, err := h.Join(new(sink), fmt.Sprint("m:", i, "*"), hub.Options{Encoder: ready{}, Connection: fmt.Sprint("c", i)}); err != nil {
			tb.Fatal(err)
		}
	}
	return h
}

func TestDeliveryAllocatesNothing(t *testing.T) {
	h := crowd(t, 1000, 100)
	for name, p := range map[string]*realtime.Publication{
		"to 1000 subscribers": publication("n:a", 1),
		"to nobody":           publication("n:b", 1),
	} {
		if n := testing.AllocsPerRun(100, func() { h.DeliverPublication(ns, p) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkFanOut(b *testing.B) {
	for _, subscribers := range []int{0, 1, 100, 10_000} {
		b.Run(fmt.Sprint(subscribers), func(b *testing.B) {
			h, p := crowd(b, subscribers, 0), publication("n:a", 1)
			b.ReportAllocs()
			for b.Loop() {
				h.DeliverPublication(ns, p)
			}
			if subscribers > 0 {
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(subscribers), "ns/delivery")
			}
		})
	}
}

func BenchmarkNobodyAmongPatterns(b *testing.B) {
	h, p := crowd(b, 0, 1000), publication("n:some/channel", 1)
	b.ReportAllocs()
	for b.Loop() {
		h.DeliverPublication(ns, p)
	}
}

func BenchmarkJoinLeave(b *testing.B) {
	h := crowd(b, 10_000, 0)
	b.ReportAllocs()
	for b.Loop() {
		s, err := h.Join(new(sink), "n:a", hub.Options{Encoder: ready{}, Connection: "c"})
		if err != nil {
			b.Fatal(err)
		}
		h.Leave(s)
	}
}
