package memory_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/bellwire/bellwire/backend/memory"
	"github.com/bellwire/bellwire/internal/seed"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/hub"
)

// visitor is a subscriber of the hub that holds what comes until it has read the log, as a session does.
type visitor struct {
	mu       sync.Mutex
	position realtime.Position
	joining  bool
	held     []*realtime.Publication
	marks    int
	wrong    string
}

func (v *visitor) DeliverPublication(d hub.Delivery) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.joining {
		v.held = append(v.held, d.Publication)
		return false
	}
	v.receive(d.Publication)
	return false
}

func (v *visitor) DeliverPresence(hub.PresenceDelivery) {}

func (v *visitor) receive(p *realtime.Publication) {
	switch {
	case p.Offset <= v.position.Offset: // replayed before
	case p.Prev != v.position.Offset:
		v.wrong = fmt.Sprintf("offset %d with prev %d after %d", p.Offset, p.Prev, v.position.Offset)
	default:
		v.position.Offset = p.Offset
		if p.IsMark() {
			v.marks++
		}
	}
}

// visit subscribes once: join, read, merge.
func (v *visitor) visit(h *hub.Hub, b *memory.Backend, ns *realtime.Namespace, connection string) (*hub.Subscription, error) {
	v.mu.Lock()
	v.joining, v.held = true, nil
	position := v.position
	v.mu.Unlock()
	s, err := h.Join(v, "n:a", hub.Options{Encoder: ready{}, Connection: connection})
	if err != nil {
		return nil, err
	}
	r, err := b.Resume(context.Background(), ns, "n:a", broker.ResumeQuery{Since: &position})
	if err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if !r.Recovered {
		v.wrong = fmt.Sprintf("at %v: %+v", position, r)
	}
	for _, p := range append(r.Publications, v.held...) {
		v.receive(p)
	}
	v.joining = false
	return s, nil
}

// I1 to I4 through the real hub: whoever comes and goes gets everything once, in order, or its mark.
func TestThroughTheHubEverythingComesOnceInOrder(t *testing.T) {
	h := hub.New(hub.Config{Clock: systemClock{}})
	b, err := memory.New(memory.Config{Sink: h, Clock: systemClock{}, Rand: &counting{}})
	if err != nil {
		t.Fatal(err)
	}
	const publishers, publications = 4, 500
	ns := namespace()
	ns.HistoryEntriesMax = publishers * publications
	start, err := b.Resume(t.Context(), ns, "n:a", broker.ResumeQuery{})
	if err != nil {
		t.Fatal(err)
	}
	chance := seed.Rand(t)
	visitors := make([]*visitor, 6)
	var writing, reading sync.WaitGroup
	done := make(chan struct{})
	for i := range visitors {
		v := &visitor{position: start.Position}
		visitors[i] = v
		random := rand.New(rand.NewPCG(chance.Uint64(), uint64(i)))
		reading.Go(func() {
			for last := false; !last; {
				select {
				case <-done:
					last = true
				default:
				}
				s, err := v.visit(h, b, ns, fmt.Sprint("c", i))
				if err != nil {
					t.Error(err)
					return
				}
				for range random.IntN(3) {
					if _, err := b.Channels(t.Context(), broker.ChannelsQuery{Pattern: "*", Limit: 1}); err != nil {
						t.Error(err)
					}
				}
				h.Leave(s)
			}
		})
	}
	for i := range publishers {
		writing.Go(func() {
			for range publications {
				draft := broker.Draft{Channel: "n:a", Payload: realtime.JSON([]byte("1")), SkipConnection: fmt.Sprint("c", i)}
				if _, err := b.Publish(t.Context(), ns, draft); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
	for i, v := range visitors {
		if v.wrong != "" || v.position.Offset != publishers*publications {
			t.Errorf("visitor %d ended at %d with %d marks: %s", i, v.position.Offset, v.marks, v.wrong)
		}
	}
	if s := h.Stats(); s.Channels != 0 || s.Subscriptions != 0 {
		t.Errorf("the hub keeps %+v", s)
	}
}
