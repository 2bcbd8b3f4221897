package channel

import (
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

// History reads the log (HIS-1 to HIS-3).
func (m *Machine) History(ns *realtime.Namespace, query broker.HistoryQuery, now time.Time) broker.HistoryPage {
	m.Trim(ns, now)
	page := broker.HistoryPage{Epoch: m.epoch, Top: m.log.Top()}
	if query.Reverse {
		m.historyReverse(query, &page)
	} else {
		m.historyForward(query, &page)
	}
	return page
}

func (m *Machine) historyForward(query broker.HistoryQuery, page *broker.HistoryPage) {
	after := m.log.Base() - 1
	if !query.Since.IsZero() {
		page.Missed = m.log.Missed(m.epoch, query.Since)
		if page.Missed == nil {
			after = query.Since.Offset
		}
	}
	page.Publications, page.More = m.log.After(after, query.Limit, PageBytesMax)
}

// historyReverse is never older than what is held: what lies before since and is gone is simply not there (HIS-2).
func (m *Machine) historyReverse(query broker.HistoryQuery, page *broker.HistoryPage) {
	before := m.log.Top() + 1
	if !query.Since.IsZero() {
		if missed := m.log.Missed(m.epoch, query.Since); missed != nil && missed.To == 0 {
			page.Missed = missed
		} else {
			before = query.Since.Offset
		}
	}
	page.Publications, page.More = m.log.Before(before, query.Limit, PageBytesMax)
}

// State reads the state (STA-1).
func (m *Machine) State(query broker.StateQuery) broker.StatePage {
	page := broker.StatePage{Epoch: m.epoch, AsOf: m.log.Top()}
	if query.Key != "" {
		if entry, found := m.state.Get(query.Key); found {
			page.Entries = []realtime.Entry{entry}
		}
		return page
	}
	page.Entries, page.More = m.state.Page(query.After, query.Limit, PageBytesMax)
	return page
}

// Resume says where a subscriber's stream begins (SUB-2 to SUB-8).
func (m *Machine) Resume(ns *realtime.Namespace, query broker.ResumeQuery, now time.Time) broker.Resumption {
	if !ns.HasLog() {
		return broker.Resumption{}
	}
	m.Trim(ns, now)
	resumption := broker.Resumption{Top: m.log.Top()}
	offset := m.begin(query, &resumption)
	resumption.Position = realtime.Position{Epoch: m.epoch, Offset: offset}
	if held := m.log.Top() - offset; held > 0 {
		resumption.Publications, _ = m.log.After(offset, int(held), unbounded)
	}
	if query.Snapshot && !resumption.Recovered {
		resumption.Snapshot = &broker.StatePage{Epoch: m.epoch, AsOf: m.log.Top(), Entries: m.state.All()}
	}
	return resumption
}

// unbounded: a resumption holds pointers to what the log holds anyway.
const unbounded = int(^uint(0) >> 1)

// begin returns the offset after which all entries are the subscriber's; everything after it is held.
func (m *Machine) begin(query broker.ResumeQuery, resumption *broker.Resumption) uint64 {
	top, oldest := m.log.Top(), m.log.Base()-1
	switch {
	case query.Since == nil && query.Rewind <= 0: // SUB-3
		return top
	case query.Since == nil:
		return max(oldest, top-min(top, uint64(query.Rewind)))
	}
	resumption.Missed = m.log.Missed(m.epoch, *query.Since)
	if resumption.Missed != nil { // SUB-5, SUB-6
		return oldest
	}
	resumption.Recovered = true // SUB-4
	return query.Since.Offset
}
