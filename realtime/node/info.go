package node

import (
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/realtime"
)

// Info sums up the node.
type Info struct {
	Name    string
	Version string
	Started time.Time
	Uptime  time.Duration

	Connections   int
	Users         int
	Subscriptions int
	Channels      int // with subscribers on this node
	Window        time.Duration
	Draining      bool

	Counters Counters
}

// Counters only grow.
type Counters struct {
	Opened       uint64 // connections
	Refused      uint64 // connections that were not admitted
	Commands     uint64
	Errors       uint64 // commands that were answered with an error
	Publications uint64 // that reached the hub
	Deliveries   uint64 // publications handed to sessions
	Dropped      uint64 // messages that were not sent to a slow or closed line
	MessagesSent uint64
	BytesSent    uint64
	Panics       uint64
}

type counters struct {
	opened, refused, commands, errors, dropped, messagesSent, bytesSent, panics atomic.Uint64
}

// Info may be called often; it asks nobody.
func (n *Node) Info() Info {
	stats := n.hub.Stats()
	connections, users := n.index.counts()
	return Info{
		Name: n.config.Name, Version: n.config.Version, Started: n.started,
		Uptime: n.config.Clock.Now().Sub(n.started), Connections: connections, Users: users,
		Subscriptions: stats.Subscriptions, Channels: stats.Channels, Window: n.admission.present(),
		Draining: n.draining.Load(),
		Counters: Counters{
			Opened: n.counters.opened.Load(), Refused: n.counters.refused.Load(), Commands: n.counters.commands.Load(),
			Errors: n.counters.errors.Load(), Publications: uint64(stats.Publications), Deliveries: uint64(stats.Deliveries),
			Dropped: n.counters.dropped.Load(), MessagesSent: n.counters.messagesSent.Load(),
			BytesSent: n.counters.bytesSent.Load(), Panics: n.counters.panics.Load(),
		},
	}
}

func (n *Node) countCommand(command string, err error, took time.Duration) {
	code := realtime.CodeOf(err)
	n.counters.commands.Add(1)
	if code != 0 {
		n.counters.errors.Add(1)
	}
	n.config.Metrics.CommandDone(command, code, took)
}

func (n *Node) countSent(batch [][]byte) {
	bytes := 0
	for _, message := range batch {
		bytes += len(message)
	}
	n.countPassed(len(batch), bytes)
}

// countPassed counts messages that lines were given.
func (n *Node) countPassed(messages, bytes int) {
	n.counters.messagesSent.Add(uint64(messages))
	n.counters.bytesSent.Add(uint64(bytes))
	n.config.Metrics.MessagesSent(messages, bytes)
}

// countOverrun counts publications that a loop was too far behind to take. Subscribers on a channel with log notice, and are told.
func (n *Node) countOverrun(publications int) { n.countDropped("behind", publications) }

func (n *Node) countDropped(reason string, messages int) {
	n.counters.dropped.Add(uint64(messages))
	n.config.Metrics.MessagesDropped(reason, messages)
}
