package channel

import (
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/history"
	"github.com/bellwire/bellwire/realtime/state"
)

// PageBytesMax is the most payload in one page of history, state or presence (HIS-3). A single larger item comes alone.
const PageBytesMax = 512 << 10

// Machine is the data of one channel. Settings come with every call and may change between calls.
type Machine struct {
	name  string // immutable
	epoch string // immutable

	// log.Top() never decreases, and every version in state is the offset of an entry up to it (POS-7).
	log   history.Log
	state state.State

	// ids has what the latest commands with an id were answered; it outlives the entries they made (POS-6).
	ids history.IDs[answer]
}

// answer is what an idempotent command was answered: offset for a publication, updated for an update.
type answer struct {
	offset  uint64
	updated *broker.Updated
}

// New returns the machine of a channel in which nothing has happened.
func New(name, epoch string) *Machine { return &Machine{name: name, epoch: epoch} }

// Name is the channel's.
func (m *Machine) Name() string { return m.name }

// Epoch is the one given to New.
func (m *Machine) Epoch() string { return m.epoch }

// Top is the newest offset there ever was.
func (m *Machine) Top() uint64 { return m.log.Top() }

// Entries is how many entries of the log are held.
func (m *Machine) Entries() int { return m.log.Len() }

// Keys is how many keys the state has.
func (m *Machine) Keys() int { return m.state.Len() }

// IDs is how many ids of commands are remembered.
func (m *Machine) IDs() int { return m.ids.Len() }

// Bytes is about how much memory the machine's content takes.
func (m *Machine) Bytes() int { return m.log.Bytes() + m.state.Bytes() + m.ids.Bytes() }

// Publish appends a publication. The entry it returns is to be delivered; it is nil for a duplicate. On a channel
// without log the entry has no position and is not held (POS-4).
func (m *Machine) Publish(ns *realtime.Namespace, draft *broker.Draft, now time.Time) (broker.Published, *realtime.Publication, error) {
	m.Trim(ns, now)
	hash, first, err := m.firstAnswer(draft.ID, func() history.Hash { return hashPublication(draft) })
	if err != nil {
		return broker.Published{}, nil, err
	}
	if first != nil {
		return broker.Published{Position: m.position(ns, first.offset), Duplicate: true}, nil, nil
	}
	entry := &realtime.Publication{
		Channel: m.name, ID: draft.ID, Time: now, From: draft.From, Payload: draft.Payload, SkipConnection: draft.SkipConnection,
	}
	if err := m.append(ns, entry); err != nil {
		return broker.Published{}, nil, err
	}
	m.remember(ns, draft.ID, hash, answer{offset: entry.Offset}, now)
	return broker.Published{Position: m.position(ns, entry.Offset)}, entry, nil
}

// Update changes one key and appends the change. The entry it returns is to be delivered; it is nil when nothing was
// stored. Position is that of the change, or the top when it was not applied (STA-3).
func (m *Machine) Update(ns *realtime.Namespace, update *broker.Update, now time.Time) (broker.Updated, *realtime.Publication, error) {
	m.Trim(ns, now)
	hash, first, err := m.firstAnswer(update.ID, func() history.Hash { return hashUpdate(update) })
	if err != nil {
		return broker.Updated{}, nil, err
	}
	if first != nil {
		again := *first.updated
		again.Duplicate = true
		return again, nil, nil
	}
	change, err := m.state.Evaluate(update, state.LimitsOf(ns))
	if err != nil {
		return broker.Updated{}, nil, err
	}
	entry, err := m.appendChange(ns, update, change, now)
	if err != nil {
		return broker.Updated{}, nil, err
	}
	updated := broker.Updated{Applied: change.Applied, Value: change.Value, Version: change.Version, Position: m.position(ns, m.log.Top())}
	if change.Applied && !change.Removed {
		updated.Version = entry.Offset
	}
	if update.ID != "" {
		remembered := updated
		m.remember(ns, update.ID, hash, answer{updated: &remembered}, now)
	}
	return updated, entry, nil
}

// Trim drops what the limits of the log and of the idempotency window do not allow any more.
func (m *Machine) Trim(ns *realtime.Namespace, now time.Time) {
	m.log.Trim(history.LimitsOf(ns), now)
	m.ids.Trim(ns.IdempotencyAgeMax, ns.IdempotencyCountMax, now)
}

// Deadline is when Trim will have something to drop because of its age.
func (m *Machine) Deadline(ns *realtime.Namespace) (deadline time.Time, ok bool) {
	if oldest, found := m.log.OldestTime(); found {
		deadline, ok = oldest.Add(ns.HistoryAgeMax), true
	}
	if oldest, found := m.ids.OldestTime(); found {
		if d := oldest.Add(ns.IdempotencyAgeMax); !ok || d.Before(deadline) {
			deadline, ok = d, true
		}
	}
	return deadline, ok
}

// OldestTime is the time of the oldest entry held.
func (m *Machine) OldestTime() (time.Time, bool) { return m.log.OldestTime() }

// DropOldest drops the oldest entry of the log before its time: for an owner whose memory is short. The position of the
// oldest entry held stays honest, so whoever resumes is told what is missing (SUB-5).
func (m *Machine) DropOldest() { m.log.DropOldest() }

// firstAnswer finds what a command with this id was answered; nil when it is new or has no id. Another content under the
// same id is CodeConflict (POS-6).
func (m *Machine) firstAnswer(id string, hash func() history.Hash) (history.Hash, *answer, error) {
	if id == "" {
		return history.Hash{}, nil, nil
	}
	h := hash()
	first, a, found := m.ids.Find(id)
	switch {
	case !found:
		return h, nil, nil
	case first != h:
		return h, nil, realtime.NewError(realtime.CodeConflict, "the id was used before with another content; draw a new one")
	}
	return h, &a, nil
}

func (m *Machine) remember(ns *realtime.Namespace, id string, hash history.Hash, a answer, now time.Time) {
	if id == "" {
		return
	}
	m.ids.Add(id, hash, a, now)
	m.ids.Trim(ns.IdempotencyAgeMax, ns.IdempotencyCountMax, now)
}

// append gives an entry its position and holds it. Without log it leaves the entry as it is.
func (m *Machine) append(ns *realtime.Namespace, entry *realtime.Publication) error {
	if !ns.HasLog() {
		return nil
	}
	if m.log.Top() >= realtime.OffsetMax {
		return realtime.NewError(realtime.CodeLimitExceeded, "the channel's log has reached the largest offset")
	}
	entry.Epoch, entry.Prev, entry.Offset = m.epoch, m.log.Top(), m.log.Top()+1
	m.log.Append(entry)
	m.log.Trim(history.LimitsOf(ns), entry.Time)
	return nil
}

func (m *Machine) appendChange(ns *realtime.Namespace, update *broker.Update, change state.Change, now time.Time) (*realtime.Publication, error) {
	if !change.Applied {
		return nil, nil
	}
	entry := &realtime.Publication{
		Channel: m.name, ID: update.ID, Time: now, From: update.From,
		State: &realtime.StateChange{Key: update.Key, Value: change.Value, Removed: change.Removed},
	}
	if err := m.append(ns, entry); err != nil {
		return nil, err
	}
	m.state.Commit(update.Key, change, entry.Offset)
	return entry, nil
}

// position is zero where there is no log.
func (m *Machine) position(ns *realtime.Namespace, offset uint64) realtime.Position {
	if !ns.HasLog() {
		return realtime.Position{}
	}
	return realtime.Position{Epoch: m.epoch, Offset: offset}
}
