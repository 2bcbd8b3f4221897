package deflate

// Conn is the compression of one connection.
type Conn struct {
	pool *Pool

	// Immutable after New.
	sendBits        int
	sendTakeover    bool
	receiveTakeover bool

	kept      *writer   // holds the context of what was sent; nil: none, or none was free
	stream    *writer   // compresses a message sent in parts
	inflating *inflater // of the message that was begun; nil: none
	window    []byte    // the end of what was received, with context takeover
}

// New makes the compression of a connection that has agreed on the parameters.
func New(agreed Params, server bool, pool *Pool) *Conn {
	c := &Conn{pool: pool, sendBits: agreed.ClientMaxWindowBits}
	c.sendTakeover = !agreed.ClientNoContextTakeover
	c.receiveTakeover = !agreed.ServerNoContextTakeover
	if server {
		c.sendBits = agreed.ServerMaxWindowBits
		c.sendTakeover, c.receiveTakeover = c.receiveTakeover, c.sendTakeover
	}
	if c.sendBits <= 0 {
		c.sendBits = windowBitsMax
	}
	// A context is of use only if the compressor need not be started afresh.
	c.sendTakeover = c.sendTakeover && c.sendBits == windowBitsMax
	return c
}

// Compress appends a compressed message to dst. It reports false where that
// does not make it smaller or no compressor is free; it is to go out as it is then.
func (c *Conn) Compress(dst, payload []byte) ([]byte, bool) {
	w := c.acquire()
	if w == nil {
		return dst, false
	}
	w.out = dst
	w.compress(payload, c.sendBits)
	out := w.finish()
	worth := len(out)-len(dst) < len(payload)
	if !worth {
		w.reset() // the peer will not have this message in its context
	}
	c.release(w)
	return out, worth
}

// BeginStream starts a message that is compressed in parts. It reports false
// where no compressor is free.
func (c *Conn) BeginStream() bool {
	c.stream = c.acquire()
	return c.stream != nil
}

// AppendStream appends to dst what the compressor gives for a part, which may
// be nothing unless it is the last.
func (c *Conn) AppendStream(dst, payload []byte, final bool) []byte {
	w := c.stream
	w.out = dst
	w.compress(payload, c.sendBits)
	if final {
		c.stream = nil
		defer c.release(w)
		return w.finish()
	}
	out := w.out
	w.out = nil
	return out
}

// Alone compresses a message for many connections, without context. It
// reports false where that does not make it smaller or no compressor is free.
func (p *Pool) Alone(payload []byte) ([]byte, bool) {
	w := p.acquire()
	if w == nil {
		return nil, false
	}
	defer p.release(w)
	w.compress(payload, windowBitsMax)
	out := w.finish()
	return out, len(out) < len(payload)
}

// TakesAlone reports whether a message compressed by Alone may go out on this
// connection, and forgets the context of what was sent if so.
func (c *Conn) TakesAlone(payloadBytes int) bool {
	if payloadBytes > 1<<c.sendBits && c.sendBits < windowBitsMax {
		return false
	}
	if c.kept != nil {
		c.kept.reset()
	}
	return true
}

// Release gives back what the connection holds of the pool. It may go on as before.
func (c *Conn) Release() {
	if c.stream != nil {
		stream := c.stream
		c.stream = nil
		c.release(stream)
	}
	if c.kept != nil {
		c.pool.releaseKept(c.kept)
		c.kept = nil
	}
	c.DropInflate()
}

// acquire returns the compressor of the connection's context, or else one
// without context.
func (c *Conn) acquire() *writer {
	if c.sendTakeover && c.kept == nil {
		c.kept = c.pool.acquireKept()
	}
	if c.kept != nil {
		return c.kept
	}
	return c.pool.acquire()
}

func (c *Conn) release(w *writer) {
	if w != c.kept {
		c.pool.release(w)
	}
}

// Pool returns the pool the connection takes its compressors from.
func (c *Conn) Pool() *Pool { return c.pool }
