package reactor

import (
	"sync"
	"sync/atomic"
)

// Group is a set of connections that get the same messages. Broadcast may be
// called from any goroutine; connections join and leave in their own turns.
type Group struct {
	mu     sync.Mutex // makes the order of messages the same on all loops
	shards []shard
}

// shard is the part of a group that one loop owns.
type shard struct {
	loop    *loop
	count   atomic.Int32 // of members, for others than the loop
	members []member
}

// member is one entry of the dense array that a fan-out walks.
type member struct {
	slot       uint32
	membership uint32
}

// membership is what a line knows of a group that it is in.
type membership struct {
	shard    *shard
	position uint32 // in the shard's members
	next     int32  // of the same line, or of those that are free; none: -1
}

// NewGroup makes an empty group.
func (r *Reactor) NewGroup() *Group {
	g := &Group{shards: make([]shard, len(r.loops))}
	for i := range g.shards {
		g.shards[i].loop = r.loops[i]
	}
	return g
}

// Len returns how many connections are in the group.
func (g *Group) Len() int {
	n := 0
	for i := range g.shards {
		n += int(g.shards[i].count.Load())
	}
	return n
}

// Broadcast sends a message to all connections of the group. It hands the message
// once to each loop and wakes those that sleep; it waits for nothing.
//
// Messages of one goroutine arrive in the order of its calls. With ErrBusy nothing was sent.
func (g *Group) Broadcast(message *Prepared) error {
	var wakes [64]*poller
	wake := wakes[:0]
	g.mu.Lock()
	for i := range g.shards {
		if err := g.shards[i].loop.busy(len(message.Frame())); err != nil {
			g.mu.Unlock()
			return err
		}
	}
	for i := range g.shards {
		s := &g.shards[i]
		if s.count.Load() == 0 {
			continue
		}
		if asleep, _ := s.loop.postQuietly(call{kind: callBroadcast, what: s, with: message}, len(message.Frame())); asleep {
			wake = append(wake, s.loop.poller)
		}
	}
	g.mu.Unlock()
	for _, p := range wake {
		p.notify()
	}
	return nil
}

// broadcast marks what the members of a shard have to be sent.
func (l *loop) broadcast(s *shard, message *Prepared) {
	f := l.paint(message.Frame())
	for _, m := range s.members {
		if c := l.table.at(m.slot); !l.mark(c, f) && c.state == open && !c.broken {
			// Something else goes before it, or it is encoded otherwise for this one.
			l.at(c).SendPrepared(message)
			l.departs(c)
		}
	}
}

// Join adds the connection to a group, unless it is in it.
func (t *Turn) Join(g *Group) {
	l, c := t.loop, t.line
	s := &g.shards[l.index]
	if c.state != open || l.membershipOf(c, s) >= 0 {
		return
	}
	id := l.memberID
	if id >= 0 {
		l.memberID = l.members[id].next
	} else {
		id = int32(len(l.members))
		l.members = append(l.members, membership{})
	}
	l.members[id] = membership{shard: s, position: uint32(len(s.members)), next: c.membership}
	c.membership = id
	s.members = append(s.members, member{slot: c.slot, membership: uint32(id)})
	s.count.Add(1)
}

// Leave takes the connection out of a group. A connection that closes leaves all.
func (t *Turn) Leave(g *Group) {
	if id := t.loop.membershipOf(t.line, &g.shards[t.loop.index]); id >= 0 {
		t.loop.leave(t.line, id)
	}
}

func (l *loop) membershipOf(c *line, s *shard) int32 {
	for id := c.membership; id >= 0; id = l.members[id].next {
		if l.members[id].shard == s {
			return id
		}
	}
	return -1
}

func (l *loop) leave(c *line, id int32) {
	for link := &c.membership; *link >= 0; link = &l.members[*link].next {
		if *link == id {
			*link = l.members[id].next
			break
		}
	}
	m := l.members[id]
	members := m.shard.members
	last := members[len(members)-1]
	members[m.position] = last
	l.members[last.membership].position = m.position
	m.shard.members = members[:len(members)-1]
	m.shard.count.Add(-1)
	l.members[id] = membership{next: l.memberID}
	l.memberID = id
}

func (l *loop) leaveAll(c *line) {
	for c.membership >= 0 {
		l.leave(c, c.membership)
	}
}
