package node

import (
	"crypto/rand"
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

	// TokenRefused is told the RemoteAddr of a line that was ended with invalid_token (AU-19). It is called concurrently and
	// must be quick; nil is allowed.
	TokenRefused func(remoteAddr string)

	// Call is who may call the application's handlers (CAL-1); a handler may be stricter.
	Call realtime.Who
	// Everywhere is who may subscribe to a pattern that lies in no one namespace, such as "*": what every namespace
	// there is allows at least.
	Everywhere realtime.Who

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
	MessagesDropped(reason string, messages int) // "queue": there was no room, or the line was gone; "behind": publications for a loop that was
	Panicked()
}

// Defaults of Limits (section 13).
const (
	connectionsMaxDefault   = 100_000
	admissionRateDefault    = 1000
	messageBytesMaxDefault  = 64 << 10
	subscriptionsMaxDefault = 128
	channelsMaxDefault      = 128
	commandRateDefault      = 50
	commandBurstDefault     = 100
	queueBytesMaxDefault    = 1 << 20
	queueMessagesMaxDefault = 1024
	connectTimeoutDefault   = 10 * time.Second
	pingIntervalDefault     = 25 * time.Second
	pongTimeoutDefault      = 8 * time.Second
	backendTimeoutDefault   = 10 * time.Second
	callTimeoutDefault      = 10 * time.Second
)

// withDefaults fills what is not set, and replaces what is not positive.
func (l Limits) withDefaults() Limits {
	orDefault(&l.ConnectionsMax, connectionsMaxDefault)
	orDefault(&l.AdmissionRate, admissionRateDefault)
	orDefault(&l.AdmissionBurst, int(max(l.AdmissionRate, 1)))
	orDefault(&l.MessageBytesMax, messageBytesMaxDefault)
	orDefault(&l.SubscriptionsMax, subscriptionsMaxDefault)
	orDefault(&l.ChannelsMax, channelsMaxDefault)
	orDefault(&l.CommandRate, commandRateDefault)
	orDefault(&l.CommandBurst, commandBurstDefault)
	orDefault(&l.QueueBytesMax, queueBytesMaxDefault)
	orDefault(&l.QueueMessagesMax, queueMessagesMaxDefault)
	orDefault(&l.ConnectTimeout, connectTimeoutDefault)
	orDefault(&l.PingInterval, pingIntervalDefault)
	orDefault(&l.PongTimeout, pongTimeoutDefault)
	orDefault(&l.BackendTimeout, backendTimeoutDefault)
	orDefault(&l.CallTimeout, callTimeoutDefault)
	return l
}

func orDefault[T int | float64 | time.Duration](limit *T, otherwise T) {
	if *limit <= 0 {
		*limit = otherwise
	}
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// withDefaults fills what is not set.
func (c Config) withDefaults() Config {
	if c.Name == "" {
		c.Name = "bellwire"
	}
	if c.Clock == nil {
		c.Clock = systemClock{}
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Metrics == nil {
		c.Metrics = noMetrics{}
	}
	c.Limits = c.Limits.withDefaults()
	return c
}

type noMetrics struct{}

func (noMetrics) ConnectionOpened(string, string)                  {}
func (noMetrics) ConnectionClosed(string, string, realtime.Code)   {}
func (noMetrics) ConnectionRefused(realtime.Code)                  {}
func (noMetrics) CommandDone(string, realtime.Code, time.Duration) {}
func (noMetrics) MessagesSent(int, int)                            {}
func (noMetrics) MessagesDropped(string, int)                      {}
func (noMetrics) Panicked()                                        {}
