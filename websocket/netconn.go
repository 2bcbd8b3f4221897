package websocket

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// NetConn makes a connection look like a net.Conn, for protocols that want a
// stream of bytes: each Write is a message of type t, and Read goes through the
// messages that come, whose borders are lost. A peer that closes normally or goes away is
// io.EOF; a message of the other type closes the connection with
// StatusUnsupportedData. Close performs the close handshake.
func NetConn(c *Conn, t MessageType) net.Conn {
	n := &netConn{Conn: c, kind: t}
	n.read.set(time.Time{})
	n.write.set(time.Time{})
	return n
}

type netConn struct {
	*Conn
	kind        MessageType
	read, write expiry
	current     io.Reader // owned by the goroutine that reads
}

// Read implements net.Conn.
func (n *netConn) Read(p []byte) (int, error) {
	for {
		var got int
		err := n.read.run(func(ctx context.Context) (err error) {
			got, err = n.readOnce(ctx, p)
			return err
		})
		switch status := CloseStatus(err); {
		case status == StatusNormalClosure, status == StatusGoingAway:
			return got, io.EOF
		case err != nil || got > 0 || len(p) == 0:
			return got, err
		}
	}
}

// readOnce reads of the current message, or starts the next; it may read nothing.
func (n *netConn) readOnce(ctx context.Context, p []byte) (int, error) {
	if n.current == nil {
		kind, r, err := n.Conn.Reader(ctx)
		if err != nil {
			return 0, err
		}
		if kind != n.kind {
			n.Conn.Close(StatusUnsupportedData, "expected "+n.kind.String()+" messages")
			return 0, &usageError{errMessageType}
		}
		n.current = r
	}
	n.current.(*messageReader).ctx = ctx
	got, err := n.current.Read(p)
	if errors.Is(err, io.EOF) {
		n.current, err = nil, nil
	}
	return got, err
}

var errMessageType = errors.New("a message of the other type came")

// Write implements net.Conn.
func (n *netConn) Write(p []byte) (int, error) {
	err := n.write.run(func(ctx context.Context) error { return n.Conn.Write(ctx, n.kind, p) })
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close implements net.Conn.
func (n *netConn) Close() error { return n.Conn.Close(StatusNormalClosure, "") }

// SetDeadline implements net.Conn.
func (n *netConn) SetDeadline(t time.Time) error {
	n.read.set(t)
	n.write.set(t)
	return nil
}

// SetReadDeadline implements net.Conn.
func (n *netConn) SetReadDeadline(t time.Time) error {
	n.read.set(t)
	return nil
}

// SetWriteDeadline implements net.Conn. A Write that its deadline interrupts ends
// the connection, see Conn.Write.
func (n *netConn) SetWriteDeadline(t time.Time) error {
	n.write.set(t)
	return nil
}

// expiry is a deadline as a context that can be replaced while it is waited for.
type expiry struct {
	mu     sync.Mutex
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// errReplaced ends the context of a deadline that was set anew.
var errReplaced = errors.New("deadline replaced")

func (d *expiry) set(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel != nil {
		d.cancel(errReplaced)
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	if !t.IsZero() {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadlineCause(ctx, t, os.ErrDeadlineExceeded)
		inner := cancel
		cancel = func(cause error) {
			inner(cause)
			stop()
		}
	}
	d.ctx, d.cancel = ctx, cancel
}

// run performs an operation, again if its deadline is replaced meanwhile.
func (d *expiry) run(operation func(context.Context) error) error {
	for {
		d.mu.Lock()
		ctx := d.ctx
		d.mu.Unlock()
		if err := operation(ctx); err == nil || !errors.Is(context.Cause(ctx), errReplaced) || !errors.Is(err, errReplaced) {
			return err
		}
	}
}
