package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/bellwire/bellwire/client/core"
	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// ErrClosed is what everything answers after Close.
var ErrClosed = errors.New("client: closed")

// Client is one connection to a server and what is subscribed over it.
type Client struct {
	// Immutable after New.
	options Options
	start   time.Time
	context context.Context // ends with Close, with the cause ErrClosed
	cancel  context.CancelCauseFunc
	group   safego.Group
	inputs  chan func(now int64) // to the loop
	ended   chan struct{}        // closed when the loop takes no more
	notices *stream              // of ConnectionState and more, for the callbacks of Options; nil without any

	// Owned by the loop.
	core     *core.Core
	clock    clock
	lines    map[int]*line
	requests map[int64]answerFunc
	request  int64        // newest
	waiters  []chan error // of Connect
	last     ConnectionState
	watched  map[string]*watched // by channel or pattern, until Unsubscribe
}

// answerFunc takes the answer to a request. The loop calls it once; it must not wait.
type answerFunc func(wire.Body, error)

// New returns a client of the server at address, such as ws://127.0.0.1:8000/ws, in Idle. It opens nothing before Connect;
// Close must be called in any case. options may be nil.
func New(address string, options *Options) (*Client, error) {
	filled, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	addresses := append([]string{address}, filled.Fallbacks...)
	for _, each := range addresses {
		if err := checkURL(each); err != nil {
			return nil, err
		}
	}
	c := &Client{
		options:  filled,
		start:    time.Now(),
		group:    safego.Group{Logger: filled.Logger},
		inputs:   make(chan func(int64)),
		ended:    make(chan struct{}),
		lines:    make(map[int]*line),
		requests: make(map[int64]answerFunc),
		last:     ConnectionState{State: Idle},
		watched:  make(map[string]*watched),
		core: core.New(core.Options{
			URLs:              addresses,
			Client:            filled.Name,
			Token:             filled.Token,
			TokenSource:       filled.TokenSource != nil,
			Random:            rand.Float64, // ChaCha8, seeded by the system: it cannot be guessed
			ConnectTimeoutMS:  filled.ConnectTimeout.Milliseconds(),
			CommandsMax:       filled.CommandsMax,
			CommandsBytesMax:  filled.CommandsBytesMax,
			CommandIntervalMS: max(1, int64(1000/filled.CommandsPerSecond)),
		}),
	}
	c.context, c.cancel = context.WithCancelCause(context.Background())
	c.startCallbacks()
	c.group.Go("client", c.run, func() { close(c.ended) })
	return c, nil
}

// Connect opens the connection and waits until it stands (CLI-1). It returns nil at once when it does already. When the
// server refuses for good the error is a *realtime.Error with its code. When ctx ends first, the client goes on trying.
func (c *Client) Connect(ctx context.Context) error {
	connected := make(chan error, 1)
	if !c.do(func(now int64) {
		if c.core.State() == Connected {
			connected <- nil
			return
		}
		c.waiters = append(c.waiters, connected)
		c.core.Connect(now)
	}) {
		return ErrClosed
	}
	return await(ctx, connected)
}

func await(ctx context.Context, done <-chan error) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Disconnect ends the connection and leaves the client Closed: what waits fails, what is subscribed stays wanted. Connect begins again.
func (c *Client) Disconnect() {
	c.do(func(now int64) { c.core.Close(now) })
}

// Close ends everything and awaits every goroutine of the client, a close handshake of at most two seconds included. It
// may be called more than once, but not from a callback of this client.
func (c *Client) Close() error {
	c.do(func(now int64) { c.core.Close(now) })
	c.cancel(ErrClosed)
	return c.group.Wait(context.Background())
}

// State is how the connection stands now.
func (c *Client) State() ConnectionState {
	state := ConnectionState{State: Closed}
	done := make(chan struct{})
	if c.do(func(int64) { state = c.last; close(done) }) {
		<-done
	}
	return state
}

// Network tells that this machine's network went away or came back (CLI-8), for applications that learn of it. The client
// needs it for nothing but speed.
func (c *Client) Network(online bool) {
	c.do(func(now int64) { c.core.Network(now, online) })
}

// do has the loop call f, and reports false when there is no loop any more. It returns before f has been called.
func (c *Client) do(f func(now int64)) bool {
	select {
	case c.inputs <- f:
		return true
	case <-c.ended:
		return false
	}
}

// guard calls a callback of the application: a panic disturbs nothing else (CLI-12).
func (c *Client) guard(task string, callback func()) {
	defer func() {
		if cause := recover(); cause != nil {
			logPanic(c.options.Logger, task, cause)
		}
	}()
	callback()
}

// errorOfEnd is why the client is Closed.
func errorOfEnd(code realtime.Code, reason string) error {
	if code == 0 {
		return ErrClosed
	}
	return errorOf(code, reason)
}
