package channel_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/channel"
)

func draft(data string) *broker.Draft {
	return &broker.Draft{Channel: "n:a", Payload: realtime.JSON([]byte(data))}
}

// I18: the same commands at the same times make the same machine and the same answers, whoever runs them.
func TestTheMachineIsDeterministic(t *testing.T) {
	trace := func() (lines []string) {
		m, ns := channel.New("n:a", "e"), settings()
		for i := range 500 {
			now := start.Add(time.Duration(i) * 700 * time.Millisecond)
			d := draft(fmt.Sprint(i * 7 % 13))
			d.ID = []string{"", "x", "y", "z"}[i*5%4]
			published, entry, err := m.Publish(ns, d, now)
			lines = append(lines, fmt.Sprint(published, err))
			if entry != nil {
				lines = append(lines, fmt.Sprint(*entry))
			}
			u := broker.Update{Channel: "n:a", Op: broker.Op(1 + i%5), Key: fmt.Sprint(i % 4), Value: realtime.JSON([]byte(fmt.Sprint(i % 9))), By: 1}
			updated, _, err := m.Update(ns, &u, now)
			lines = append(lines, fmt.Sprint(updated, err, m.Top(), m.Bytes()))
		}
		return lines
	}
	a, b := trace(), trace()
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("line %d differs:\n%s\n%s", i, a[i], b[i])
		}
	}
}

// RS-08: an owner whose memory is short drops the oldest entries, and the log says so.
func TestSUB5DroppedForMemoryIsToldAsMissed(t *testing.T) {
	m, ns := channel.New("n:a", "e"), settings()
	for i := range 5 {
		if _, _, err := m.Publish(ns, draft(fmt.Sprint(i)), start); err != nil {
			t.Fatal(err)
		}
	}
	before := m.Bytes()
	m.DropOldest()
	m.DropOldest()
	if m.Bytes() >= before || m.Entries() != 3 || m.Top() != 5 {
		t.Errorf("%d bytes of %d, %d entries, top %d", m.Bytes(), before, m.Entries(), m.Top())
	}
	since := realtime.Position{Epoch: "e", Offset: 1}
	r := m.Resume(ns, broker.ResumeQuery{Since: &since}, start)
	if r.Recovered || r.Missed == nil || *r.Missed != (realtime.Missed{From: 2, To: 2}) || len(r.Publications) != 3 {
		t.Errorf("resumption %+v, missed %v", r, r.Missed)
	}
}

func TestPOS1TheLargestOffsetIsNotPassed(t *testing.T) {
	m, ns := channel.New("n:a", "e"), settings()
	m.SetTopForTest(realtime.OffsetMax - 1)
	if published, _, err := m.Publish(ns, draft("1"), start); err != nil || published.Position.Offset != realtime.OffsetMax {
		t.Errorf("%+v, %v", published, err)
	}
	if _, _, err := m.Publish(ns, draft("1"), start); realtime.CodeOf(err) != realtime.CodeLimitExceeded {
		t.Errorf("error %v", err)
	}
	u := broker.Update{Channel: "n:a", Op: broker.OpSet, Key: "k", Value: realtime.JSON([]byte("1"))}
	if _, _, err := m.Update(ns, &u, start); realtime.CodeOf(err) != realtime.CodeLimitExceeded || m.Keys() != 0 {
		t.Errorf("error %v, %d keys", err, m.Keys())
	}
}

func BenchmarkPublish(b *testing.B) {
	ns := &realtime.Namespace{
		History: true, HistoryEntriesMax: 1000, HistoryAgeMax: time.Minute, HistoryBytesMax: 1 << 20,
		IdempotencyAgeMax: time.Minute, IdempotencyCountMax: 10_000,
	}
	b.Run("without id", func(b *testing.B) {
		m, d := channel.New("n:a", "e"), draft(`{"text":"hi"}`)
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := m.Publish(ns, d, start); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("with id", func(b *testing.B) {
		m, d := channel.New("n:a", "e"), draft(`{"text":"hi"}`)
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			d.ID = fmt.Sprint(i)
			if _, _, err := m.Publish(ns, d, start); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkResume(b *testing.B) {
	ns := &realtime.Namespace{History: true, HistoryEntriesMax: 1000, HistoryAgeMax: time.Minute, HistoryBytesMax: 1 << 20}
	m := channel.New("n:a", "e")
	for range 1000 {
		if _, _, err := m.Publish(ns, draft(`{"text":"hi"}`), start); err != nil {
			b.Fatal(err)
		}
	}
	for _, missed := range []uint64{0, 10, 1000} {
		since := realtime.Position{Epoch: "e", Offset: 1000 - missed}
		b.Run(fmt.Sprint(missed, " missed"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if r := m.Resume(ns, broker.ResumeQuery{Since: &since}, start); !r.Recovered {
					b.Fatal("not recovered")
				}
			}
		})
	}
}

// A publication without id allocates its entry and nothing else.
func TestPublishAllocatesOneEntry(t *testing.T) {
	ns := settings()
	m, d := channel.New("n:a", "e"), draft("1")
	if n := testing.AllocsPerRun(1000, func() { _, _, _ = m.Publish(ns, d, start) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
