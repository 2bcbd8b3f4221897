package state

import (
	"slices"
	"strings"

	"github.com/bellwire/bellwire/realtime"
)

// EntryOverheadBytes is about what one key takes beside itself and its value, for whoever counts memory.
const EntryOverheadBytes = 80

// Limits bound a State (STA-6).
type Limits struct {
	KeysMax  int
	BytesMax int // keys and values
}

// LimitsOf returns the limits that a namespace sets.
func LimitsOf(ns *realtime.Namespace) Limits {
	return Limits{KeysMax: ns.StateKeysMax, BytesMax: ns.StateBytesMax}
}

// State is the present value of every key of a channel.
type State struct {
	entries []*realtime.Entry // in byte order of their keys; no entry is ever changed, a new value is a new entry
	bytes   int               // sum of entryBytes
}

// Len is the number of keys.
func (s *State) Len() int { return len(s.entries) }

// Bytes is about how much memory the state takes.
func (s *State) Bytes() int { return s.bytes + EntryOverheadBytes*len(s.entries) }

// Get returns the entry of a key.
func (s *State) Get(key string) (realtime.Entry, bool) {
	if i, found := s.find(key); found {
		return *s.entries[i], true
	}
	return realtime.Entry{}, false
}

// Page returns entries in the order of their keys, from the first one greater than after: at most limit of them, and at
// least one but no more than bytesMax. more says that there are others after them.
func (s *State) Page(after string, limit, bytesMax int) (page []realtime.Entry, more bool) {
	first, found := s.find(after)
	if found {
		first++
	}
	rest := s.entries[first:]
	count, bytes := 0, 0
	for count < min(len(rest), limit) {
		bytes += entryBytes(rest[count].Key, rest[count].Value)
		if bytes > bytesMax && count > 0 {
			break
		}
		count++
	}
	for _, entry := range rest[:count] {
		page = append(page, *entry)
	}
	return page, count < len(rest)
}

// All returns the whole state in the order of the keys.
func (s *State) All() []realtime.Entry {
	all := make([]realtime.Entry, len(s.entries))
	for i, entry := range s.entries {
		all[i] = *entry
	}
	return all
}

func (s *State) find(key string) (int, bool) {
	return slices.BinarySearchFunc(s.entries, key, func(e *realtime.Entry, key string) int { return strings.Compare(e.Key, key) })
}

func (s *State) put(entry *realtime.Entry) {
	i, found := s.find(entry.Key)
	if found {
		s.bytes -= entryBytes(entry.Key, s.entries[i].Value)
		s.entries[i] = entry
	} else {
		s.entries = slices.Insert(s.entries, i, entry)
	}
	s.bytes += entryBytes(entry.Key, entry.Value)
}

func (s *State) remove(key string) {
	i, found := s.find(key)
	if !found {
		return
	}
	s.bytes -= entryBytes(key, s.entries[i].Value)
	s.entries = slices.Delete(s.entries, i, i+1)
	if len(s.entries) == 0 {
		s.entries = nil
	}
}

func entryBytes(key string, value realtime.Payload) int { return len(key) + len(value.Bytes) }
