package node

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/hub"
	"github.com/bellwire/bellwire/realtime/session"
)

// Node is one server process.
type Node struct {
	// Immutable after New.
	config  Config
	limits  Limits
	session session.Config
	started time.Time
	hub     *hub.Hub
	backend broker.Backend

	immediate bool // the backend never waits

	handlersMu sync.RWMutex
	// Guarded by handlersMu.
	handlers map[string]Handler

	index     index
	admission admission
	keeper    keeper
	draining  atomic.Bool
	counters  counters
	group     safego.Group
	closing   sync.Once
	closeErr  error // of closing
}

// New makes a node with its hub and its backend. The caller closes it.
func New(config Config) (*Node, error) {
	if config.Backend == nil || config.Namespaces == nil {
		return nil, errors.New("a node needs a backend and namespaces")
	}
	config = config.withDefaults()
	n := &Node{config: config, limits: config.Limits, started: config.Clock.Now(), handlers: make(map[string]Handler)}
	n.session = sessionConfig(config, n.started)
	n.session.Window = n.admission.present
	n.group.Logger = config.Logger
	n.group.OnPanic = func(string) { n.countPanic() }
	n.index.init()
	n.admission.init(n.limits, n.started)
	n.keeper.init()
	n.hub = hub.New(hub.Config{Clock: config.Clock, Logger: config.Logger, Passed: n.countPassed, Overrun: n.countOverrun})
	backend, err := config.Backend(n.hub)
	if err != nil {
		return nil, fmt.Errorf("making the backend: %w", err)
	}
	n.backend = backend
	if b, ok := backend.(broker.Immediate); ok {
		n.immediate = b.Immediate()
	}
	n.hub.Start()
	n.group.Go("keeper", n.keep, nil)
	return n, nil
}

func sessionConfig(c Config, start time.Time) session.Config {
	server := c.Name
	if c.Version != "" {
		server = "bellwire/" + c.Version
	}
	l := c.Limits
	return session.Config{
		Server: server, Node: c.Name, Ping: l.PingInterval, Pong: l.PongTimeout, MessageBytes: l.MessageBytesMax,
		SubscriptionsMax: l.SubscriptionsMax, ChannelsMax: l.ChannelsMax,
		CommandInterval: time.Duration(float64(time.Second) / l.CommandRate), CommandBurst: l.CommandBurst,
		QueueBytesMax: l.QueueBytesMax, QueueMessagesMax: l.QueueMessagesMax, ConnectTimeout: l.ConnectTimeout,
		Start: start,
	}
}

// Hello is what a transport knows of a new connection before it has said anything.
type Hello struct {
	// RemoteAddr is for logs.
	RemoteAddr string

	// Channels, when there are any, connect and subscribe the line without a message from the client (TEN-1). Token is
	// then the connection's token, or "".
	Channels []string
	Token    string

	// Since is where the client was when it was last here, by channel (EVT-4). Channels that are not among Channels
	// count for nothing.
	Since map[string]realtime.Position

	// ListenOnly says that the client can say nothing after its connect (EVT-6).
	ListenOnly bool
}

// Open admits a line. The error is an *realtime.Error with CodeOverloaded, or CodeRestart while the node drains; the
// transport then answers 503 with RetryAfter, or closes the line with the code.
func (n *Node) Open(t session.Transport, p session.Protocol, hello Hello) (*Connection, error) {
	now := n.config.Clock.Now()
	if n.draining.Load() {
		return nil, n.refuse(realtime.CodeRestart)
	}
	if !n.admission.take(now) {
		return nil, n.refuse(realtime.CodeOverloaded)
	}
	id, err := n.newID()
	if err != nil {
		return nil, err
	}
	c := &Connection{node: n, transport: t, protocol: p, remoteAddr: hello.RemoteAddr, keeperIndex: -1}
	c.carried, _ = t.(session.Carried)
	c.core = session.New(&n.session, p, id, now)
	if hello.ListenOnly {
		c.core.ListenOnly()
	}
	if !n.index.add(c, n.limits.ConnectionsMax) {
		return nil, n.refuse(realtime.CodeOverloaded)
	}
	if n.draining.Load() { // Drain may have listed the connections before this one was there
		c.end(realtime.CodeRestart, "")
	}
	n.counters.opened.Add(1)
	n.config.Metrics.ConnectionOpened(t.Name(), p.Name())
	n.admission.connected(n.index.count())
	c.watchDeadline()
	if len(hello.Channels) > 0 {
		c.work.Lock() // before any command of the client
		c.hello = &hello
		if c.carried == nil {
			c.Opened()
		}
	}
	return c, nil
}

func (n *Node) refuse(code realtime.Code) error {
	n.counters.refused.Add(1)
	n.config.Metrics.ConnectionRefused(code)
	return realtime.NewError(code, "")
}

// newID draws a connection id (NAM-6).
func (n *Node) newID() (string, error) {
	var random [16]byte
	if _, err := io.ReadFull(n.config.Rand, random[:]); err != nil {
		return "", fmt.Errorf("drawing a connection id: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(random[:]), nil
}

// Ready returns nil when the node can serve. It really asks the backend, and fails while the node drains.
func (n *Node) Ready(ctx context.Context) error {
	if n.draining.Load() {
		return realtime.NewError(realtime.CodeUnavailable, "the node is going down")
	}
	return n.backend.Ready(ctx)
}

// Close ends everything at once and waits for it, and closes the backend. Drain before, to be gentle.
func (n *Node) Close() error {
	n.closing.Do(func() {
		n.draining.Store(true)
		n.keeper.stop()
		for _, c := range n.index.all() {
			c.abandon(realtime.CodeRestart)
		}
		waited := n.group.Wait(context.Background())
		n.hub.Close()
		n.closeErr = errors.Join(waited, n.backend.Close())
	})
	return n.closeErr
}

// panicked counts a panic that was recovered on somebody else's goroutine.
func (n *Node) panicked(task string, cause any) {
	n.countPanic()
	n.config.Logger.Error("session panicked", "task", task, "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
}

func (n *Node) countPanic() {
	n.counters.panics.Add(1)
	n.config.Metrics.Panicked()
}
