package node

import (
	"context"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/session"
)

// Node is one server process.
type Node struct {
	config Config
}

// New makes a node with its hub and its backend. The caller closes it.
func New(config Config) (*Node, error) { return &Node{config: config}, nil }

// Hello is what a transport knows of a new connection before it has said anything.
type Hello struct {
	// RemoteAddr is for logs.
	RemoteAddr string

	// Channels, when there are any, connect and subscribe the line without a message from the client (TEN-1). Token is
	// then the connection's token, or "".
	Channels []string
	Token    string
}

// Connection is one open line.
type Connection struct{}

// Open admits a line. The error is an *realtime.Error with CodeOverloaded, or CodeRestart while the node drains; the
// transport then answers 503 with RetryAfter, or closes the line with the code.
func (n *Node) Open(t session.Transport, p session.Protocol, hello Hello) (*Connection, error) {
	return &Connection{}, nil
}

// RetryAfter is how long a refused client should wait: the present reconnect window (LIV-3).
func (n *Node) RetryAfter() time.Duration { return 0 }

// Receive takes one whole message of the transport. It returns when the message's commands have been carried out, and
// may wait while the client does not read its answers. A non-nil error says that the line is being closed: stop reading.
// The message belongs to the caller again when it returns.
func (c *Connection) Receive(message []byte, binary bool) error { return nil }

// Closed tells that the line is gone, with the cause for the log, nil when the peer closed it properly. It leaves all
// channels and their presence. It may be called more than once; only the first call matters.
func (c *Connection) Closed(cause error) {}

// ID is the connection's address (NAM-6).
func (c *Connection) ID() string { return "" }

// Publish stores and delivers a publication of the application's backend.
func (n *Node) Publish(ctx context.Context, draft broker.Draft) (broker.Published, error) {
	return broker.Published{}, nil
}

// BroadcastResult is what became of a draft in one of its channels.
type BroadcastResult struct {
	Channel   string
	Published broker.Published
	Err       error
}

// Broadcast publishes one draft in many channels. Each has a result of its own, in the order given.
func (n *Node) Broadcast(ctx context.Context, channels []string, draft broker.Draft) []BroadcastResult {
	return nil
}

// Update changes a key of a channel's state.
func (n *Node) Update(ctx context.Context, update broker.Update) (broker.Updated, error) {
	return broker.Updated{}, nil
}

// History reads a channel's log. A Limit of 0 is the default of 100.
func (n *Node) History(ctx context.Context, channel string, query broker.HistoryQuery) (broker.HistoryPage, error) {
	return broker.HistoryPage{}, nil
}

// State reads a channel's state. A Limit of 0 is the default of 1,000.
func (n *Node) State(ctx context.Context, channel string, query broker.StateQuery) (broker.StatePage, error) {
	return broker.StatePage{}, nil
}

// Presence reads who is in a channel. A Limit of 0 is the default of 1,000.
func (n *Node) Presence(ctx context.Context, channel string, query broker.PresenceQuery) (broker.PresencePage, error) {
	return broker.PresencePage{}, nil
}

// Channels lists channels. An empty pattern is "*", a Limit of 0 the default of 1,000.
func (n *Node) Channels(ctx context.Context, query broker.ChannelsQuery) (broker.ChannelsPage, error) {
	return broker.ChannelsPage{}, nil
}

// Target names connections: all of a user, or one by its id. Exactly one of the two is set.
type Target struct {
	User       string
	Connection string
}

// Disconnect ends connections of the target with a disconnect code, CodeDisconnected when it is 0.
func (n *Node) Disconnect(ctx context.Context, target Target, code realtime.Code, reason string) (count int, err error) {
	return 0, nil
}

// Unsubscribe ends the target's subscriptions to a channel or pattern with CodeUnsubscribed.
func (n *Node) Unsubscribe(ctx context.Context, target Target, channel string) (count int, err error) {
	return 0, nil
}

// CallRequest is a call of a client (CAL-1).
type CallRequest struct {
	Method     string
	User       string
	Connection string
	Payload    realtime.Payload
}

// Handler answers a call. Its error reaches the client when it is an *realtime.Error.
type Handler func(ctx context.Context, request CallRequest) (realtime.Payload, error)

// Handle registers the handler of a method, before the first connection is opened.
func (n *Node) Handle(method string, handler Handler) {}

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

// Info may be called often; it asks nobody.
func (n *Node) Info() Info { return Info{} }

// Ready returns nil when the node can serve. It really asks the backend, and fails while the node drains.
func (n *Node) Ready(ctx context.Context) error { return nil }

// Drain takes no new connections and disconnects the present ones in paced order over the window (LIV-5). It returns when
// all are gone, or when ctx ends.
func (n *Node) Drain(ctx context.Context, window time.Duration) error { return nil }

// Close ends everything at once and waits for it, and closes the backend. Drain before, to be gentle.
func (n *Node) Close() error { return nil }
