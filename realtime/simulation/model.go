package simulation

import (
	"bytes"
	"fmt"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/hub"
)

// model is what really happened: every entry that the backend ever delivered, of every life.
type model struct {
	logs       map[string][]*realtime.Publication // by channel and epoch; entry n has offset n+1
	payloads   map[string]int                     // by epoch, channel and payload: how often it was stored
	published  int
	published0 int // before the present life of the server
	broken     error
}

func newModel() *model {
	return &model{logs: make(map[string][]*realtime.Publication), payloads: make(map[string]int)}
}

func logKey(channel, epoch string) string { return channel + " " + epoch }

// record takes what the backend delivers to its sink.
func (m *model) record(p *realtime.Publication) {
	m.published++
	if p.Offset == 0 {
		m.payloads[logKey(p.Channel, "")+string(p.Payload.Bytes)]++
		return
	}
	key := logKey(p.Channel, p.Epoch)
	if want := uint64(len(m.logs[key]) + 1); p.Offset != want {
		m.fail("I1: %s gets offset %d after %d", key, p.Offset, want-1)
	}
	m.logs[key] = append(m.logs[key], p)
	if p.State != nil {
		return
	}
	once := key + string(p.Payload.Bytes)
	if m.payloads[once]++; m.payloads[once] > 1 {
		m.fail("I8: %s is stored twice in %s", p.Payload.Bytes, key)
	}
}

func (m *model) fail(format string, args ...any) {
	if m.broken == nil {
		m.broken = fmt.Errorf(format, args...)
	}
}

// entry is what stands at a position, nil when nothing ever did.
func (m *model) entry(channel, epoch string, offset uint64) *realtime.Publication {
	log := m.logs[logKey(channel, epoch)]
	if offset == 0 || offset > uint64(len(log)) {
		return nil
	}
	return log[offset-1]
}

func (m *model) checkDelivered(who, channel, epoch string, offset uint64, payload realtime.Payload) {
	e := m.entry(channel, epoch, offset)
	switch {
	case e == nil:
		m.fail("I6: %s got %s %s/%d, which was never published", who, channel, epoch, offset)
	case !bytes.Equal(e.Payload.Bytes, payload.Bytes):
		m.fail("I9: %s got %s at %s %s/%d, which is %s", who, payload.Bytes, channel, epoch, offset, e.Payload.Bytes)
	}
}

// sink records on the way to the hub, in the step in which the backend delivers.
type sink struct {
	*hub.Hub
	model *model
}

func (s sink) DeliverPublication(ns *realtime.Namespace, p *realtime.Publication) {
	s.model.record(p)
	s.Hub.DeliverPublication(ns, p)
}
