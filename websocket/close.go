package websocket

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
)

// Close performs the close handshake: it sends a close frame, waits for the
// peer's at most the close timeout, and ends the line. Messages that come
// meanwhile are for whoever is reading, else they are dropped. A reason is cut to 123 bytes.
//
// It returns nil if the peer answered. While Serve runs it returns as soon as the
// close frame is sent, and Serve does the rest. Writers get ErrClosed from now on.
func (c *Conn) Close(code StatusCode, reason string) error {
	defer c.settle()
	ctx, cancel := context.WithTimeout(context.Background(), c.closeTimeout)
	defer cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.sendCloseLocked(ctx, code, reason); err != nil {
		return err
	}
	if c.served {
		return nil
	}
	if err := c.beginReadLocked(ctx); err != nil {
		return c.closedLocked(err)
	}
	defer c.reading.giveBack()
	c.dropReader()
	for {
		if _, err := c.nextLocked(ctx, true); err != nil {
			return c.closedLocked(err)
		}
	}
}

// sendCloseLocked sends the close frame, and lets a reader that is waiting know when
// its wait is to end.
func (c *Conn) sendCloseLocked(ctx context.Context, code StatusCode, reason string) error {
	if c.endErr != nil {
		return c.endErr
	}
	c.lendLocked()
	status := frame.Status(code)
	if err := c.endpoint.SendClose(status, frame.CutReason(reason), instant()); err != nil {
		return c.sendError(err)
	}
	c.closeSent = true
	if due, ok := c.endpoint.Deadline(); ok && c.reading.taken {
		c.readArmed = due
		c.line.SetReadDeadline(epoch.Add(due))
	}
	return c.flushLocked(ctx)
}

// closedLocked turns the error that a read ended with into that of Close: a close
// frame of the peer is what was waited for.
func (c *Conn) closedLocked(err error) error {
	var violation *violationError
	status := CloseStatus(err)
	if status != 0 && status != StatusAbnormalClosure && !errors.As(err, &violation) {
		return nil
	}
	return c.breakLocked(err)
}

// CloseNow ends the line at once, without a handshake. It may be called at any
// time and more than once; all methods that wait return.
func (c *Conn) CloseNow() error {
	defer c.settle()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.breakLocked(ErrClosed)
	return nil
}

// settle waits until a stream of HTTP/2 is used no more, which the handler that owns it must outlive.
func (c *Conn) settle() {
	if s, ok := c.line.(*stream); ok {
		s.wait()
	}
}

// breakLocked ends the connection where it is, and returns why it ended: only
// the first reason counts.
func (c *Conn) breakLocked(err error) error {
	if c.endErr == nil {
		if !errors.Is(err, ErrClosed) {
			err = &lostError{err}
		}
		c.endErr = err
	}
	c.endpoint.ReceiveEOF()
	c.hangUpLocked()
	return c.endErr
}

// hangUpLocked closes the line and lets go of what belongs to it.
func (c *Conn) hangUpLocked() {
	hangUp(c.line)
	for _, w := range []*watch{c.readWatch, c.writeWatch} {
		if w != nil && w.stop != nil {
			w.stop()
			w.stop, w.done = nil, nil
		}
	}
	c.patience.stopLocked()
	c.pings.abandon()
}

// finishLocked ends a connection whose endpoint has ended: the last output has been
// written. The caller has the turn to read.
//
// What the peer said or did first is how it ended (RFC 6455 7.1.5), also where it was gone before it could be answered.
func (c *Conn) finishLocked(last *endpoint.Event) error {
	if c.endErr == nil || last.Status != frame.StatusAbnormal && !errors.Is(c.endErr, ErrClosed) {
		c.endErr = EndError(*last, c.lineErr)
	}
	if last.Status != frame.StatusAbnormal {
		timeout := c.lingerTimeoutLocked(last)
		c.mu.Unlock()
		c.linger(timeout)
		c.mu.Lock()
	}
	c.source.release()
	c.hangUpLocked()
	return c.endErr
}

// hangUp closes a line at once. To close a connection of TLS is to say so to the peer first, for which it waits five
// seconds where the peer reads nothing; whom it is owed has been told before.
func hangUp(line net.Conn) {
	if secured, ok := line.(*tls.Conn); ok {
		line = secured.NetConn()
	}
	line.Close()
}

// serverEndTimeout is how long a client whose close frame was answered waits for
// the server to end the line first (RFC 6455 7.1.1). Nothing depends on it any more.
const serverEndTimeout = time.Second

// lingerTimeoutLocked returns how long the peer gets to end its half of the line.
func (c *Conn) lingerTimeoutLocked(last *endpoint.Event) time.Duration {
	switch {
	case last.Violation != nil || !c.closeSent:
		return c.closeTimeout // our close frame has yet to be read
	case c.client:
		return min(serverEndTimeout, c.closeTimeout)
	}
	return 0
}

// linger lets the peer read the last frames. To close a line while bytes from
// the peer are unread resets it, and the peer may then never see the close
// frame; so this side stops sending, and waits for the peer to do the same.
func (c *Conn) linger(timeout time.Duration) {
	half, ok := c.line.(interface{ CloseWrite() error })
	if _, secured := c.line.(*tls.Conn); !ok || timeout == 0 && !secured || half.CloseWrite() != nil || timeout == 0 {
		return
	}
	c.line.SetReadDeadline(time.Now().Add(timeout))
	for {
		if _, err := c.source.read(c.line); err != nil {
			return
		}
	}
}

// ErrClosed is the error of every use of a connection that this side has closed.
// It is net.ErrClosed.
var ErrClosed = net.ErrClosed
