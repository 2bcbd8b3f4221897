package presence

import (
	"bytes"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

const (
	// MemberConnectionsMax is how many connections of one user can be in one channel: each change ships the member whole.
	MemberConnectionsMax = 1000

	// memberOverheadBytes and connectionOverheadBytes are about what they take beside their texts.
	memberOverheadBytes     = 128
	connectionOverheadBytes = 64
)

// Set is who is in a channel.
type Set struct {
	members []*realtime.Member // in byte order of their users; none without connections; none is ever changed
	bytes   int                // sum of memberBytes
}

// Count is the number of users.
func (s *Set) Count() int { return len(s.members) }

// Bytes is about how much memory the members take.
func (s *Set) Bytes() int { return s.bytes }

// Enter makes or keeps a connection a member. It returns the change without channel and version, or nil when the
// connection is there with the same info and payload already. Beyond the limits it is CodeLimitExceeded (PRE-5).
func (s *Set) Enter(entrant *broker.Entrant, membersMax int) (*realtime.PresenceChange, error) {
	i, found := s.find(entrant.User)
	if !found {
		if len(s.members) >= membersMax {
			return nil, realtime.Errorf(realtime.CodeLimitExceeded, "the channel's presence has its most members, %d", membersMax)
		}
		s.members = slices.Insert(s.members, i, nil)
	}
	before := s.members[i]
	after, err := entered(before, entrant)
	if err != nil || after == before {
		return nil, err
	}
	s.members[i] = after
	s.bytes += memberBytes(after) - memberBytes(before)
	return &realtime.PresenceChange{Count: len(s.members), Set: []realtime.Member{*after}}, nil
}

// entered returns the member with the connection in it: a new value, or before when nothing is different.
func entered(before *realtime.Member, entrant *broker.Entrant) (*realtime.Member, error) {
	connection := realtime.MemberConnection{Connection: entrant.Connection, Payload: entrant.Payload}
	after := &realtime.Member{User: entrant.User, Info: entrant.Info}
	if before == nil {
		after.Connections = []realtime.MemberConnection{connection}
		return after, nil
	}
	i := indexConnection(before, entrant.Connection)
	if i < 0 {
		if len(before.Connections) >= MemberConnectionsMax {
			return nil, realtime.Errorf(realtime.CodeLimitExceeded, "the user has its most connections in the channel's presence, %d", MemberConnectionsMax)
		}
		after.Connections = append(slices.Clip(before.Connections), connection)
		return after, nil
	}
	if bytes.Equal(before.Info, entrant.Info) && equalPayload(before.Connections[i].Payload, entrant.Payload) {
		return before, nil
	}
	after.Connections = slices.Clone(before.Connections)
	after.Connections[i] = connection
	return after, nil
}

// Leave ends the membership of a connection, and of its user with the last one (PRE-2). It returns the change without
// channel and version, or nil when the connection was not there.
func (s *Set) Leave(user, connection string) *realtime.PresenceChange {
	i, found := s.find(user)
	if !found {
		return nil
	}
	before := s.members[i]
	at := indexConnection(before, connection)
	if at < 0 {
		return nil
	}
	if len(before.Connections) == 1 {
		s.bytes -= memberBytes(before)
		s.members = slices.Delete(s.members, i, i+1)
		if len(s.members) == 0 {
			s.members = nil
		}
		return &realtime.PresenceChange{Count: len(s.members), Left: []string{user}}
	}
	after := &realtime.Member{User: user, Info: before.Info}
	after.Connections = slices.Delete(slices.Clone(before.Connections), at, at+1)
	s.members[i] = after
	s.bytes += memberBytes(after) - memberBytes(before)
	return &realtime.PresenceChange{Count: len(s.members), Set: []realtime.Member{*after}}
}

// Page returns members in the order of their users, from the first one greater than after: at most limit of them, and at
// least one but no more than bytesMax. more says that there are others after them.
func (s *Set) Page(after string, limit, bytesMax int) (page []realtime.Member, more bool) {
	first, found := s.find(after)
	if found {
		first++
	}
	rest := s.members[first:]
	count, size := 0, 0
	for count < min(len(rest), limit) {
		size += memberBytes(rest[count])
		if size > bytesMax && count > 0 {
			break
		}
		count++
	}
	for _, member := range rest[:count] {
		page = append(page, *member)
	}
	return page, count < len(rest)
}

func (s *Set) find(user string) (int, bool) {
	return slices.BinarySearchFunc(s.members, user, func(m *realtime.Member, user string) int { return strings.Compare(m.User, user) })
}

func indexConnection(m *realtime.Member, connection string) int {
	return slices.IndexFunc(m.Connections, func(c realtime.MemberConnection) bool { return c.Connection == connection })
}

func equalPayload(a, b realtime.Payload) bool {
	return a.Encoding == b.Encoding && bytes.Equal(a.Bytes, b.Bytes)
}

func memberBytes(m *realtime.Member) int {
	if m == nil {
		return 0
	}
	n := memberOverheadBytes + len(m.User) + len(m.Info)
	for i := range m.Connections {
		n += connectionOverheadBytes + len(m.Connections[i].Connection) + len(m.Connections[i].Payload.Bytes)
	}
	return n
}
