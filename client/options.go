package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// Version of this library, told to the server (CNT-1).
const Version = "0.1.0"

// Format is one of the two framings of the protocol (CON-1).
type Format = wire.Format

// The framings. JSON can be read in any log; Proto is smaller and carries bytes as they are.
const (
	JSON  = wire.JSON
	Proto = wire.Proto
)

// ErrNoToken is what a token source answers when there will never be a token again, for example because the user has
// signed out. The client, or the subscription, then ends (CLI-3). Any other error means: not now.
var ErrNoToken = errors.New("client: no token")

// Options say how a Client lives. The zero value works, and so does nil. A limit of 0 means its default.
type Options struct {
	// Token is a connection token (AUT-3), held from the start.
	Token string

	// TokenSource is asked for a connection token when none is held, when the held one has expired, and in time before it
	// does. It has its own goroutine; ctx ends with Close.
	TokenSource func(ctx context.Context) (string, error)

	Format Format

	// Fallbacks are further addresses of the same service; a failed attempt leads to the next.
	Fallbacks []string

	// Name is told to the server instead of this library's name, at most 64 bytes.
	Name string

	// Header holds further fields of the opening request, TLSConfig what wss uses.
	Header    http.Header
	TLSConfig *tls.Config

	ConnectTimeout    time.Duration // of the first attempt (CLI-2); 10 s
	CommandsMax       int           // commands without an answer (CLI-7); 1,000
	CommandsBytesMax  int           // of these; 1 MiB
	CommandsPerSecond int           // beyond a burst of 50, to stay below the server's limit; 45
	MessageBytesMax   int64         // largest message from the server; 16 MiB

	// OnState is told each change of the connection, in order; Handler callbacks' rules hold for it.
	OnState func(ConnectionState)

	// OnError is told what belongs to no call of the application: errors the server sent without a command's id.
	OnError func(error)

	// OnRoundTrip is told how long each ping took.
	OnRoundTrip func(time.Duration)

	// Logger gets what a developer may want to know, and panics of callbacks. Default: nothing but panics, to slog.Default.
	Logger *slog.Logger
}

const (
	messageBytesMax   = 16 << 20 // PROTOCOL.md section 13
	commandsPerSecond = 45
	bufferMax         = 16_384
	closeTimeout      = 2 * time.Second
	clientNameMax     = 64
)

func (o *Options) withDefaults() (Options, error) {
	var options Options
	if o != nil {
		options = *o
	}
	if options.Name == "" {
		options.Name = "bellwire-go/" + Version
	}
	if len(options.Name) > clientNameMax {
		return options, fmt.Errorf("client: the name is longer than %d bytes", clientNameMax)
	}
	if options.MessageBytesMax <= 0 {
		options.MessageBytesMax = messageBytesMax
	}
	if options.CommandsPerSecond <= 0 {
		options.CommandsPerSecond = commandsPerSecond
	}
	if options.Logger == nil {
		options.Logger = slog.New(panicsOnly{})
	}
	return options, nil
}

// panicsOnly is the Logger when none is given: what a callback does wrong is never silent, all else is.
type panicsOnly struct{}

func (panicsOnly) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }
func (panicsOnly) Handle(ctx context.Context, r slog.Record) error {
	return slog.Default().Handler().Handle(ctx, r)
}
func (h panicsOnly) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h panicsOnly) WithGroup(string) slog.Handler      { return h }

// PresenceMode is what of a channel's presence a subscription is told (SUB-11).
type PresenceMode = wire.PresenceMode

// The modes of presence.
const (
	PresenceNone    = wire.PresenceNone
	PresenceCount   = wire.PresenceCount
	PresenceMembers = wire.PresenceMembers
)

// ChannelOptions are what a subscription asks for. The zero value works, and so does nil.
type ChannelOptions struct {
	// Since is where the stream goes on, from a Publication.Position that an earlier process kept. It is used until the
	// subscription has a position of its own.
	Since *realtime.Position

	// Rewind asks for as many entries from before the subscription (SUB-3).
	Rewind int

	// State asks for the channel's state, and keeps it: see Channel.Snapshot.
	State bool

	// Presence asks for the channel's presence, and keeps it.
	Presence PresenceMode

	// Enter makes the client a member of the channel's presence with this payload (SUB-12); see Payload. nil: not a member.
	Enter any

	// Token is a subscription token (AUT-4), held from the start; TokenSource is asked as Options.TokenSource is.
	Token       string
	TokenSource func(ctx context.Context, channel string) (string, error)

	// BufferMax is how many events a stream of the channel holds that nobody has taken; 16,384.
	BufferMax int
}

func checkURL(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("client: %w", err)
	}
	switch u.Scheme {
	case "ws", "wss", "http", "https":
	default:
		return fmt.Errorf("client: the address %q is not one like ws://127.0.0.1:8000/ws", address)
	}
	if u.Hostname() == "" {
		return fmt.Errorf("client: the address %q has no host", address)
	}
	if u.Fragment != "" {
		return fmt.Errorf("client: the address %q has a fragment", address) // RFC 6455 3
	}
	return nil
}
