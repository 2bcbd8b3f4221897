package loadgen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/websocket"
)

// clientName is what the server's log knows the lines by (CNT-1).
const clientName = "bellwire-bench"

// line is one connected session.
type line struct {
	// Immutable after openLine.
	run     *run
	conn    *websocket.Conn
	channel *channel // its subscription; nil without one

	// Owned by the reader.
	buffer   []byte
	follower follower

	received atomic.Uint64 // new deliveries
	newest   atomic.Uint64 // follower.last, for those who wait for it
	ended    atomic.Bool   // by itself
	answers  answers       // of a publisher
}

// openLine connects and subscribes, and returns when the server has confirmed both.
func (r *run) openLine(ctx context.Context, channel *channel) (*line, error) {
	options := &websocket.DialOptions{
		Subprotocols: []string{r.format.Subprotocol()},
		Limits:       websocket.Limits{MessageBytes: lineMessageBytesMax},
		PingInterval: -1, // the server's pings are the load of a real client; ours would be more than that
	}
	conn, response, err := websocket.Dial(ctx, r.target.URL, options)
	if err != nil {
		status := 0
		if response != nil {
			status = response.StatusCode
		}
		return nil, &ConnectError{Status: status, Err: err}
	}
	l := &line{run: r, conn: conn, channel: channel}
	if err := l.begin(ctx); err != nil {
		_ = conn.CloseNow()
		return nil, err
	}
	return l, nil
}

// lineMessageBytesMax is far above what a server gathers in one message by default.
const lineMessageBytesMax = 16 << 20

// begin sends connect, with the subscription in it (CNT-1), and waits for the answers.
func (l *line) begin(ctx context.Context) error {
	connect := &wire.Connect{Token: l.run.target.Token, Client: clientName}
	if l.channel != nil {
		connect.Subscribe = []wire.SubscribeItem{{Channel: l.channel.name}}
	}
	message, err := wire.AppendClient(nil, l.run.format, &wire.ClientMessage{ID: 1, Command: connect})
	if err != nil {
		return err
	}
	if err := l.conn.Write(ctx, l.run.messageType(), message); err != nil {
		return &ConnectError{Err: err}
	}
	connected, subscribed := false, l.channel == nil
	for !connected || !subscribed {
		if _, l.buffer, err = l.conn.ReadInto(ctx, l.buffer); err != nil {
			return &ConnectError{Err: err}
		}
		for decoder := wire.DecodeServer(l.run.format, l.buffer); ; {
			next, err := decoder.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			if err := l.take(next.Body, &connected, &subscribed); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *line) take(body wire.Body, connected, subscribed *bool) error {
	switch body := body.(type) {
	case *wire.Connected:
		*connected = true
	case *wire.Subscribed:
		if body.Error != nil {
			return fmt.Errorf("subscribing to %s: %w", l.channel.name, realtime.NewError(body.Error.Code, body.Error.Message))
		}
		l.follower.last = body.Offset
		l.newest.Store(body.Offset)
		*subscribed = true
	case *wire.Publication:
		l.deliver(deliveryOf(body), l.run.now())
	case *wire.Error:
		return fmt.Errorf("connecting: %w", realtime.NewError(body.Code, body.Message))
	case *wire.Disconnect:
		return &ConnectError{Code: body.Code, Err: realtime.NewError(body.Code, body.Reason)}
	}
	return nil
}

// read takes everything that comes until the line ends, and returns why it did.
func (l *line) read() error {
	for {
		var err error
		if _, l.buffer, err = l.conn.ReadInto(context.Background(), l.buffer); err != nil {
			return err
		}
		now := l.run.now()
		if deliveries, ok := l.run.memo.deliveries(l.run.format, l.buffer); ok {
			for _, d := range deliveries {
				l.deliver(d, now)
			}
			continue
		}
		if err := l.readMixed(now); err != nil {
			return err
		}
	}
}

// readMixed takes a message in which there is more than publications.
func (l *line) readMixed(now time.Duration) error {
	for decoder := wire.DecodeServer(l.run.format, l.buffer); ; {
		next, err := decoder.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch body := next.Body.(type) {
		case *wire.Publication:
			l.deliver(deliveryOf(body), now)
		case *wire.Published:
			l.answers.published(l.run, next.ID, now, body.Position.Offset)
		case *wire.Error:
			l.answers.failed(l.run, next.ID, body.Code)
		case *wire.Unsubscribed:
			return realtime.NewError(body.Code, body.Reason)
		case *wire.Disconnect:
			return realtime.NewError(body.Code, body.Reason)
		}
	}
}

func (l *line) deliver(d delivery, now time.Duration) {
	lost, duplicates := l.follower.lost, l.follower.duplicates
	fresh := l.follower.follow(d)
	l.run.lost.Add(l.follower.lost - lost)
	l.run.duplicates.Add(l.follower.duplicates - duplicates)
	if !fresh {
		return
	}
	l.newest.Store(l.follower.last)
	l.received.Add(1)
	l.run.delivered.Add(1)
	if d.stamped {
		l.run.delivery.Record(now - time.Duration(d.at))
	}
}

// ConnectError is why a line did not come to be.
type ConnectError struct {
	Status int           // of HTTP; 0 without an answer
	Code   realtime.Code // of the protocol; 0 without one
	Err    error
}

func (e *ConnectError) Error() string { return fmt.Sprintf("opening a line: %v", e.Err) }

func (e *ConnectError) Unwrap() error { return e.Err }
