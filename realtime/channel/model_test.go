package channel_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/seed"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/channel"
)

// The oracle keeps everything that ever happened in slices and maps, and works out from it what is held and known at a
// moment. It shares no code and no structure with the machine.

var start = time.UnixMilli(1_790_000_000_000)

// settings are narrow, so that short inputs meet every limit.
func settings() *realtime.Namespace {
	return &realtime.Namespace{
		History: true, HistoryEntriesMax: 6, HistoryAgeMax: 20 * time.Second, HistoryBytesMax: 24,
		State: true, StateKeysMax: 3, StateBytesMax: 16,
		IdempotencyAgeMax: 30 * time.Second, IdempotencyCountMax: 4,
	}
}

type happened struct {
	time    time.Time
	payload string // of a publication
	key     string // of a change
	value   string
	removed bool
}

func (h happened) bytes() int { return len(h.payload) + len(h.key) + len(h.value) }

type command struct {
	id, content, answer string
	time                time.Time
}

type model struct {
	ns       *realtime.Namespace
	entries  []happened // every one there ever was; offset i+1
	commands []command  // every one with an id
}

// base is the offset of the oldest entry held: the longest row of newest entries within all limits.
func (m *model) base(now time.Time) int {
	bytes := 0
	for i := len(m.entries); i > 0; i-- {
		bytes += m.entries[i-1].bytes()
		if len(m.entries)-i+1 > m.ns.HistoryEntriesMax || bytes > m.ns.HistoryBytesMax || now.Sub(m.entries[i-1].time) >= m.ns.HistoryAgeMax {
			return i + 1
		}
	}
	return 1
}

func (m *model) known(id string, now time.Time) *command {
	for i := range m.commands {
		c := &m.commands[i]
		if c.id == id && i >= len(m.commands)-m.ns.IdempotencyCountMax && now.Sub(c.time) < m.ns.IdempotencyAgeMax {
			return c
		}
	}
	return nil
}

// state replays every change there ever was: key → value and version.
func (m *model) state() map[string]realtime.Entry {
	state := make(map[string]realtime.Entry)
	for i, h := range m.entries {
		switch {
		case h.key == "":
		case h.removed:
			delete(state, h.key)
		default:
			state[h.key] = realtime.Entry{Key: h.key, Value: realtime.JSON([]byte(h.value)), Version: uint64(i + 1)}
		}
	}
	return state
}

// step carries out one command and returns its answer as text.
func (m *model) step(id, content string, now time.Time, do func() string) string {
	if id != "" {
		if c := m.known(id, now); c != nil {
			if c.content != content {
				return "conflict"
			}
			return c.answer + " duplicate"
		}
	}
	answer := do()
	if id != "" && answer != "limit_exceeded" && answer != "bad_request" {
		m.commands = append(m.commands, command{id, content, answer, now})
	}
	return answer
}

func (m *model) publish(id, payload string, now time.Time) string {
	return m.step(id, "publish "+payload, now, func() string {
		m.entries = append(m.entries, happened{time: now, payload: payload})
		return fmt.Sprint("at ", len(m.entries))
	})
}

func (m *model) update(u *broker.Update, now time.Time) string {
	content := fmt.Sprint(u.Op, u.Key, string(u.Value.Bytes), u.By, u.Version)
	return m.step(u.ID, content, now, func() string { return m.change(u, now) })
}

func (m *model) change(u *broker.Update, now time.Time) string {
	state := m.state()
	present, found := state[u.Key]
	number, isNumber := 0.0, !found
	if found {
		var err error
		number, err = strconv.ParseFloat(string(present.Value.Bytes), 64)
		isNumber = err == nil
	}
	value, store := string(u.Value.Bytes), false
	switch u.Op {
	case broker.OpSet:
		store = true
	case broker.OpSetIf:
		store = u.Version == present.Version
	case broker.OpIncrement:
		if !isNumber {
			return "bad_request"
		}
		value, store = strconv.FormatFloat(number+u.By, 'f', -1, 64), true
	case broker.OpSetGreater:
		given, err := strconv.ParseFloat(value, 64)
		if err != nil || !isNumber {
			return "bad_request"
		}
		store = !found || given > number
	case broker.OpRemove:
		if found {
			m.entries = append(m.entries, happened{time: now, key: u.Key, removed: true})
		}
		return fmt.Sprint(found, " ", "", 0, " at ", len(m.entries))
	}
	if !store {
		return fmt.Sprint(false, " ", string(present.Value.Bytes), present.Version, " at ", len(m.entries))
	}
	total, grows := 0, len(value)-len(present.Value.Bytes)
	for key, e := range state {
		total += len(key) + len(e.Value.Bytes)
	}
	if !found {
		grows += len(u.Key)
	}
	if !found && len(state) >= m.ns.StateKeysMax || grows > 0 && total+grows > m.ns.StateBytesMax {
		return "limit_exceeded"
	}
	m.entries = append(m.entries, happened{time: now, key: u.Key, value: value})
	return fmt.Sprint(true, " ", value, len(m.entries), " at ", len(m.entries))
}

// resume says position, missed and what is replayed.
func (m *model) resume(epoch string, since int, now time.Time) string {
	top, base := len(m.entries), m.base(now)
	switch {
	case epoch != "e" || since > top:
		return fmt.Sprintf("at %d missed %d- replay %d-%d", base-1, since+1, base, top)
	case since >= base-1:
		return fmt.Sprintf("at %d recovered replay %d-%d", since, since+1, top)
	}
	return fmt.Sprintf("at %d missed %d-%d replay %d-%d", base-1, since+1, base-1, base, top)
}

// script runs a machine and the model side by side over commands read from bytes.
type script struct {
	*testing.T
	machine *channel.Machine
	model   *model
	now     time.Time
	input   *bytes.Reader
	lives   map[uint64]*realtime.Publication // every entry the machine made
}

func run(t *testing.T, input []byte) {
	ns := settings()
	s := &script{
		T: t, machine: channel.New("n:a", "e"), model: &model{ns: ns}, now: start,
		input: bytes.NewReader(input), lives: make(map[uint64]*realtime.Publication),
	}
	for s.input.Len() > 0 {
		switch s.next(8) {
		case 0, 1:
			s.publish()
		case 2, 3, 4:
			s.update()
		case 5:
			s.now = s.now.Add(time.Duration(s.next(12)) * time.Second)
		case 6:
			s.resume()
		case 7:
			s.history()
		}
		s.check()
	}
}

func (s *script) next(n int) int {
	b, err := s.input.ReadByte()
	if err != nil {
		return 0
	}
	return int(b) % n
}

func (s *script) id() string { return []string{"", "", "a", "b", "c", "d", "e", "f"}[s.next(8)] }

func (s *script) payload() string {
	return []string{"0", "1", "-2", "0.5", "10", `"x"`, `"longer text"`, `"a text that is too long"`}[s.next(8)]
}

func (s *script) same(what, got, want string) {
	s.Helper()
	if got != want {
		s.Fatalf("%s: machine %q, model %q", what, got, want)
	}
}

func refusal(err error) string { return realtime.AsError(err).Code.Name() }

func (s *script) publish() {
	draft := broker.Draft{Channel: "n:a", ID: s.id(), Payload: realtime.JSON([]byte(s.payload()))}
	published, entry, err := s.machine.Publish(s.model.ns, &draft, s.now)
	got := fmt.Sprint("at ", published.Position.Offset)
	if err != nil {
		got = refusal(err)
	}
	if published.Duplicate {
		got += " duplicate"
	}
	s.same("publish", got, s.model.publish(draft.ID, string(draft.Payload.Bytes), s.now))
	s.keep(entry, err == nil && !published.Duplicate)
}

func (s *script) update() {
	u := broker.Update{
		Channel: "n:a", ID: s.id(), Op: broker.Op(1 + s.next(5)), Key: []string{"k", "l", "m", "nn"}[s.next(4)],
		Value: realtime.JSON([]byte(s.payload())), By: float64(s.next(7) - 3), Version: uint64(s.next(6)),
	}
	updated, entry, err := s.machine.Update(s.model.ns, &u, s.now)
	got := fmt.Sprint(updated.Applied, " ", string(updated.Value.Bytes), updated.Version, " at ", updated.Position.Offset)
	if err != nil {
		got = refusal(err)
	}
	if updated.Duplicate {
		got += " duplicate"
	}
	s.same(fmt.Sprintf("update %+v", u), got, s.model.update(&u, s.now))
	s.keep(entry, err == nil && updated.Applied && !updated.Duplicate)
}

// keep checks the entry that is delivered: there is one exactly when something was stored.
func (s *script) keep(entry *realtime.Publication, stored bool) {
	if (entry != nil) != stored {
		s.Fatalf("stored %t, entry %+v", stored, entry)
	}
	if entry == nil {
		return
	}
	if entry.Offset != uint64(len(s.model.entries)) || entry.Prev != entry.Offset-1 || entry.Epoch != "e" {
		s.Fatalf("entry %+v, top %d", entry, len(s.model.entries))
	}
	s.lives[entry.Offset] = entry
}

func (s *script) resume() {
	epoch, since := []string{"e", "e", "e", "f"}[s.next(4)], s.next(20)
	position := realtime.Position{Epoch: epoch, Offset: uint64(since)}
	r := s.machine.Resume(s.model.ns, broker.ResumeQuery{Since: &position, Snapshot: true}, s.now)
	got := fmt.Sprintf("at %d", r.Position.Offset)
	switch {
	case r.Recovered:
		got += " recovered"
	case r.Missed.To == 0:
		got += fmt.Sprintf(" missed %d-", r.Missed.From)
	default:
		got += fmt.Sprintf(" missed %d-%d", r.Missed.From, r.Missed.To)
	}
	got += fmt.Sprintf(" replay %d-%d", r.Position.Offset+1, r.Position.Offset+uint64(len(r.Publications)))
	s.same("resume", got, s.model.resume(epoch, since, s.now))
	s.lived(r.Publications, r.Position.Offset+1, 1)
	if r.Recovered != (r.Snapshot == nil) {
		s.Fatalf("recovered %t, snapshot %v", r.Recovered, r.Snapshot)
	}
}

// lived checks that what is read is what was delivered, from first on.
func (s *script) lived(read []*realtime.Publication, first uint64, step int) {
	for i, p := range read {
		if p != s.lives[first+uint64(i*step)] {
			s.Fatalf("read %+v where offset %d was expected", p, first+uint64(i*step))
		}
	}
}

func (s *script) history() {
	limit, reverse := 1+s.next(8), s.next(2) == 1
	top, base := len(s.model.entries), s.model.base(s.now)
	since := s.next(20)
	page := s.machine.History(s.model.ns, broker.HistoryQuery{Since: realtime.Position{Epoch: "e", Offset: uint64(since)}, Limit: limit, Reverse: reverse}, s.now)
	first, step, available := max(since+1, base), 1, 0
	if reverse {
		first, step, available = since-1, -1, max(0, since-base)
		if since > top {
			first, available = top, top-base+1
		}
	} else {
		if since > top {
			first = base
		}
		available = max(0, top-first+1)
	}
	if want := min(available, limit); len(page.Publications) != want || page.More != (want < available) {
		s.Fatalf("history since %d limit %d reverse %t: %d of %d, more %t", since, limit, reverse, len(page.Publications), available, page.More)
	}
	s.lived(page.Publications, uint64(first), step)
}

// check compares everything that can be seen after every step, and counts memory anew.
func (s *script) check() {
	s.machine.Trim(s.model.ns, s.now)
	top, base := len(s.model.entries), s.model.base(s.now)
	if s.machine.Top() != uint64(top) || s.machine.Entries() != top-base+1 {
		s.Fatalf("top %d, %d entries; model %d, %d", s.machine.Top(), s.machine.Entries(), top, top-base+1)
	}
	state := s.model.state()
	page := s.machine.State(broker.StateQuery{Limit: 1000})
	if len(page.Entries) != len(state) || page.AsOf != uint64(top) {
		s.Fatalf("state %v, model %v", page, state)
	}
	for _, e := range page.Entries {
		if m := state[e.Key]; string(m.Value.Bytes) != string(e.Value.Bytes) || m.Version != e.Version {
			s.Fatalf("key %s: %+v, model %+v", e.Key, e, m)
		}
	}
	if !slices.IsSortedFunc(page.Entries, func(a, b realtime.Entry) int { return bytes.Compare([]byte(a.Key), []byte(b.Key)) }) {
		s.Fatalf("keys are not in order: %v", page.Entries)
	}
	if deadline, ok := s.machine.Deadline(s.model.ns); ok && !deadline.After(s.now) {
		s.Fatalf("deadline %v at %v after a trim", deadline, s.now)
	}
	if s.machine.Entries()+s.machine.Keys()+s.machine.IDs() == 0 && s.machine.Bytes() != 0 {
		s.Fatalf("%d bytes of nothing", s.machine.Bytes())
	}
}

// FuzzMachine runs commands on a machine and on the model: POS-1 to POS-7, SUB-4 to SUB-8, HIS-1, HIS-2, STA-1 to STA-6.
func FuzzMachine(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 2, 0, 0, 2, 0, 0, 2, 1})                         // an id twice, then with other content
	f.Add([]byte{0, 0, 7, 0, 0, 1, 6, 0, 0, 5, 11, 5, 11, 6, 0, 1})  // too large to hold, then aged away
	f.Add([]byte{2, 0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 0, 5, 0, 6, 3, 4}) // set, increment, resume in another epoch
	f.Add([]byte{2, 2, 2, 0, 0, 4, 0, 2, 2, 2, 0, 0, 4, 0, 7, 3, 1, 9})
	const bytesMax = 300 // the oracle's time grows with the square
	f.Fuzz(func(t *testing.T, input []byte) { run(t, input[:min(len(input), bytesMax)]) })
}

func TestTheMachineAgreesWithTheModel(t *testing.T) {
	r := seed.Rand(t)
	for range 200 {
		input := make([]byte, 400)
		for i := range input {
			input[i] = byte(r.Uint32())
		}
		run(t, input)
	}
}
