package websocket

import (
	"context"
	"io"

	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
)

// partBytes is the size from which a part of a streamed message goes out.
const partBytes = 4 << 10

// Writer starts a message that is sent in parts as they are written; Close ends
// it, and must be called. Other messages wait meanwhile, pings and pongs do not. ctx bounds
// the whole message; after an error it cannot be ended and the connection is over.
func (c *Conn) Writer(ctx context.Context, t MessageType) (io.WriteCloser, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.mayWriteLocked(ctx); err != nil {
		return nil, err
	}
	if err := c.endpoint.BeginParts(frame.Opcode(t)); err != nil {
		return nil, c.sendError(err)
	}
	c.writing.taken = true
	return &messageWriter{conn: c, ctx: ctx, text: t == TextMessage}, nil
}

// messageWriter sends one message in parts.
type messageWriter struct {
	conn *Conn
	ctx  context.Context
	text bool
	utf8 frame.UTF8
	part []byte // not yet sent
	err  error  // why the message cannot go on; ErrClosed once it has ended
}

// Write implements io.Writer.
func (w *messageWriter) Write(p []byte) (int, error) {
	switch {
	case w.err != nil:
		return 0, w.err
	case w.text && !w.utf8.Next(p):
		return 0, w.fail(&usageError{endpoint.ErrText})
	case len(w.part)+len(p) < partBytes:
		w.part = append(w.part, p...)
		return len(p), nil
	}
	if len(w.part) > 0 {
		if err := w.send(w.part, false); err != nil {
			return 0, err
		}
		w.part = w.part[:0]
	}
	if err := w.send(p, false); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close ends the message.
func (w *messageWriter) Close() error {
	if w.err != nil {
		return w.err
	}
	if w.text && !w.utf8.Complete() {
		return w.fail(&usageError{endpoint.ErrText})
	}
	if err := w.send(w.part, true); err != nil {
		return err
	}
	w.end(ErrClosed)
	return nil
}

func (w *messageWriter) send(part []byte, final bool) error {
	c := w.conn
	c.mu.Lock()
	c.lendLocked()
	err := c.sentLocked(w.ctx, c.endpoint.SendPart(part, final))
	c.mu.Unlock()
	if err != nil {
		return w.fail(err)
	}
	return nil
}

// fail gives the connection up, since the message can be neither ended nor
// taken back.
func (w *messageWriter) fail(err error) error {
	w.end(err)
	w.conn.mu.Lock()
	defer w.conn.mu.Unlock()
	w.conn.breakLocked(err)
	return err
}

func (w *messageWriter) end(err error) {
	w.err = err
	w.part = nil
	w.conn.mu.Lock()
	defer w.conn.mu.Unlock()
	w.conn.writing.giveBack()
}
