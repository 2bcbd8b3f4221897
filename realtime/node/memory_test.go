package node

import (
	"encoding/base64"
	"fmt"
	"runtime"
	"testing"

	"github.com/bellwire/bellwire/protocol/native"
	"github.com/bellwire/bellwire/realtime"
)

// deaf takes everything and keeps nothing.
type deaf struct{}

func (deaf) Write([][]byte) error        { return nil }
func (deaf) Close(realtime.Code, string) {}
func (deaf) Name() string                { return "deaf" }

// TestAnIdleConnectionIsSmall: with one subscription it has at most 2 kB, transport apart.
func TestAnIdleConnectionIsSmall(t *testing.T) {
	const count = 4000
	f := newFixture(t, func(c *Config) { c.Limits.AdmissionRate, c.Limits.AdmissionBurst = 1e9, 1e9 })
	before := heapBytes()
	connections := make([]*Connection, count)
	for i := range connections {
		c, err := f.node.Open(deaf{}, native.JSON, Hello{})
		if err != nil {
			t.Fatal(err)
		}
		message := fmt.Sprintf(`{"id":1,"connect":{"token":"user u%d","subscribe":[{"channel":"chat:a"}]}}`, i)
		if err := c.Receive([]byte(message), false); err != nil {
			t.Fatal(err)
		}
		connections[i] = c
	}
	for f.node.group.Running() > 1 { // the keeper stays
		runtime.Gosched()
	}
	each := (heapBytes() - before) / count
	t.Logf("%d bytes for each of %d idle connections", each, count)
	if each > 2048 {
		t.Errorf("an idle connection has %d bytes", each)
	}
	for _, c := range connections {
		c.Closed(nil)
	}
}

func heapBytes() int {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestConnectionIDsAreDrawnFrom128Bits(t *testing.T) { // NAM-6
	f := newFixture(t, func(c *Config) { c.Rand = nil })
	seen := map[string]bool{}
	for range 100 {
		id := f.bare().connection.ID()
		if b, err := base64.RawURLEncoding.DecodeString(id); err != nil || len(b) != 16 || seen[id] {
			t.Fatalf("the id %q", id)
		}
		seen[id] = true
	}
}

func BenchmarkPublishToOneSubscriber(b *testing.B) {
	f := newFixture(b, func(c *Config) {
		c.Limits.CommandRate, c.Limits.CommandBurst = 1e9, 1e9
		c.Limits.QueueMessagesMax, c.Limits.QueueBytesMax = 1<<20, 1<<30
	})
	connect := func(message string) *Connection {
		c, err := f.node.Open(deaf{}, native.JSON, Hello{})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Receive([]byte(message), false); err != nil {
			b.Fatal(err)
		}
		return c
	}
	connect(`{"id":1,"connect":{"subscribe":[{"channel":"chat:a"}]}}`)
	publisher := connect(`{"id":1,"connect":{}}`)
	message := []byte(`{"id":2,"publish":{"channel":"chat:a","data":{"text":"hello, how are you today?"}}}`)
	b.ReportAllocs()
	for b.Loop() {
		f.clock.move(1e6)
		if err := publisher.Receive(message, false); err != nil {
			b.Fatal(err)
		}
	}
}
