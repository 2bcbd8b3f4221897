package node

import (
	"io"
	"log/slog"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/authority"
	"github.com/bellwire/bellwire/realtime/broker"
)

// Config is what a node is made of. Backend and Namespaces are needed; everything else has a default.
type Config struct {
	Name    string // of this node, told to clients; "" is "bellwire"
	Version string // of the server, told to clients

	// Backend makes the backend around the sink to which it delivers. The node closes it.
	Backend func(broker.Sink) (broker.Backend, error)

	// Namespaces finds the settings of a namespace by its name (NAM-3). The answer may change over time; a namespace that
	// was handed out is not changed.
	Namespaces func(name string) (*realtime.Namespace, bool)

	Verifier       authority.Verifier // nil: every token is invalid
	AllowAnonymous bool               // connections without a token (CNT-5)

	Limits Limits

	Clock   Clock        // nil: the system's
	Rand    io.Reader    // nil: crypto/rand
	Logger  *slog.Logger // nil: slog.Default
	Metrics Metrics      // nil: none
}

// Clock tells the time, with its monotonic reading where there is one.
type Clock interface{ Now() time.Time }

// Limits of a node and its connections (section 13). A zero field means its default, never unlimited.
type Limits struct {
	ConnectionsMax int     // more are refused with CodeOverloaded
	AdmissionRate  float64 // connections a second that are admitted; LIV-3's window follows from it
	AdmissionBurst int

	MessageBytesMax  int // told to clients; the transport enforces it (CON-8)
	SubscriptionsMax int // of a connection (SUB-15)
	ChannelsMax      int // in one command

	CommandRate  float64 // commands a second of a connection
	CommandBurst int

	QueueBytesMax    int // of a connection, beyond what is being replayed (LIV-6)
	QueueMessagesMax int

	ConnectTimeout time.Duration // CON-5
	PingInterval   time.Duration // told to clients; the transport pings (LIV-1)
	PongTimeout    time.Duration
	BackendTimeout time.Duration // of one question to the backend
	CallTimeout    time.Duration // of one call to a handler (CAL-1)
}

// Metrics counts what no gauge of Info shows. Its methods are called concurrently and must be quick.
type Metrics interface {
	ConnectionOpened(transport, protocol string)
	ConnectionClosed(transport, protocol string, code realtime.Code)
	ConnectionRefused(code realtime.Code)
	CommandDone(command string, code realtime.Code, took time.Duration) // code 0: it succeeded
	MessagesSent(messages, bytes int)
	MessagesDropped(reason string, messages int) // "slow", "newest", "closed"
	Panicked()
}
