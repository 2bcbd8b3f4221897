package http2

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	// windowBytes is how much a server may send on a stream that nobody reads.
	windowBytes = 256 << 10

	// headBytesMax is the largest head of an answer.
	headBytesMax = 16 << 10

	// frameBytesMax is the size of the frames in both directions: the least that all must take (RFC 9113 4.2).
	frameBytesMax = 16 << 10

	// writeTimeout is how long a connection may take no bytes at all.
	writeTimeout = 10 * time.Second

	// windowOwedMax is how much of the window of all streams is given back at once.
	windowOwedMax = 1 << 20

	// windowMax is the largest window there is (RFC 9113 6.9.1).
	windowMax = 1<<31 - 1

	// windowInitial is the size of windows until something else is said (RFC 9113 6.9.2).
	windowInitial = 65535

	// streamIDMax is the last stream of a connection.
	streamIDMax = 1<<31 - 1
)

// carrier is one connection of HTTP/2 and the streams on it.
type carrier struct {
	// Immutable after newCarrier.
	line       net.Conn
	streamsMax int
	settled    chan struct{} // closed when the server's settings have come, or the connection has ended
	ended      func()        // called once at the end

	// Owned by run, which reads frames; frames are written under writeMu.
	framer *http2.Framer
	owed   uint32 // of the window of all streams, not given back yet

	writeMu sync.Mutex // held while frames are written; before mu
	// Guarded by writeMu.
	buffered *bufio.Writer
	head     bytes.Buffer
	encoder  *hpack.Encoder

	mu sync.Mutex // guards all below and the streams' own fields; never held during I/O
	// window is how much the server takes on all streams, windowFirst on a new one.
	window      int64
	windowFirst int64
	allowed     int  // streams, by the server; 0 means none
	settings    bool // have come
	offered     bool // extended CONNECT is
	leaving     bool // the server takes no new streams, or there are no more numbers
	reserved    int  // streams that are in use, or about to be opened
	nextID      uint32
	streams     map[uint32]*stream // those that may still get frames
	err         error              // why it has ended
}

func newCarrier(line net.Conn, streamsMax int) *carrier {
	c := &carrier{
		line: line, streamsMax: streamsMax, settled: make(chan struct{}), buffered: bufio.NewWriter(line), nextID: 1,
		window: windowInitial, windowFirst: windowInitial, allowed: streamsMax, reserved: 1, streams: make(map[uint32]*stream),
	}
	c.framer = http2.NewFramer(c.buffered, bufio.NewReader(line))
	c.framer.SetReuseFrames()
	c.framer.SetMaxReadFrameSize(frameBytesMax)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.framer.MaxHeaderListSize = headBytesMax
	c.encoder = hpack.NewEncoder(&c.head)
	return c
}

// begin writes what a client begins with (RFC 9113 3.4). It comes before run, which writes too.
func (c *carrier) begin() error {
	return c.write(func() error {
		if _, err := c.buffered.WriteString(http2.ClientPreface); err != nil {
			return err
		}
		err := c.framer.WriteSettings(
			http2.Setting{ID: http2.SettingEnablePush, Val: 0},
			http2.Setting{ID: http2.SettingInitialWindowSize, Val: windowBytes},
			http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: headBytesMax},
		)
		// What all streams may send together is not held back: each has a window of its own.
		return errors.Join(err, c.framer.WriteWindowUpdate(0, windowMax-windowInitial))
	})
}

// settle waits for the server's settings. Its caller has the first reservation.
func (c *carrier) settle(ctx context.Context) error {
	var err error
	select {
	case <-c.settled:
		err = c.usable()
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		c.release()
	}
	return err
}

func (c *carrier) usable() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.err != nil:
		return c.err
	case !c.offered:
		return ErrNotOffered
	}
	return nil
}

// reserve takes room for a stream, if there is some.
func (c *carrier) reserve() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.leaving || !c.offered || c.reserved >= min(c.allowed, c.streamsMax) {
		return false
	}
	c.reserved++
	return true
}

// release gives the room back. The connection ends with its last stream.
func (c *carrier) release() {
	c.mu.Lock()
	c.reserved--
	last := c.reserved == 0
	c.mu.Unlock()
	if last {
		c.fail(net.ErrClosed)
	}
}

// fail ends the connection and all its streams; only the first reason counts.
func (c *carrier) fail(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	for _, s := range c.streams {
		s.endLocked(err)
	}
	if !c.settings {
		close(c.settled)
	}
	c.mu.Unlock()
	c.line.Close()
	c.ended()
}

// write lets frames be written, and sends them.
func (c *carrier) write(frames func() error) error {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	c.line.SetWriteDeadline(time.Now().Add(writeTimeout))
	err := frames()
	if err == nil {
		err = c.buffered.Flush()
	}
	if err != nil {
		c.fail(fmt.Errorf("writing to the connection of HTTP/2: %w", err))
	}
	return err
}

// open sends the request on a new stream. The caller has reserved it.
func (c *carrier) open(request *http.Request) (*stream, error) {
	var s *stream
	err := c.write(func() error {
		var err error
		if s, err = c.add(); err != nil {
			return nil
		}
		return c.writeHead(s.id, request)
	})
	if s == nil {
		err = errLeaving
	}
	if err != nil {
		c.release()
		return nil, err
	}
	return s, nil
}

var errLeaving = errors.New("the connection of HTTP/2 takes no more streams")

// add numbers a stream. The caller holds writeMu, since numbers must be sent in order (RFC 9113 5.1.1).
func (c *carrier) add() (*stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil || c.leaving {
		return nil, errLeaving
	}
	s := newStream(c, c.nextID, c.windowFirst)
	c.streams[s.id] = s
	if c.nextID += 2; c.nextID > streamIDMax {
		c.leaving = true
	}
	return s, nil
}

// writeHead writes an extended CONNECT (RFC 8441 4). The caller holds writeMu.
func (c *carrier) writeHead(id uint32, request *http.Request) error {
	c.head.Reset()
	field := func(name, value string) {
		sensitive := name == "authorization" || name == "cookie" || name == "proxy-authorization"
		c.encoder.WriteField(hpack.HeaderField{Name: name, Value: value, Sensitive: sensitive})
	}
	host := request.Host
	if host == "" {
		host = request.URL.Host
	}
	field(":method", http.MethodConnect)
	field(":protocol", request.Header[":protocol"][0])
	field(":scheme", request.URL.Scheme)
	field(":path", request.URL.RequestURI())
	field(":authority", host)
	for name, values := range request.Header {
		name = strings.ToLower(name)
		if name == ":protocol" || ofConnection(name) {
			continue
		}
		for _, value := range values {
			field(name, value)
		}
	}
	block := c.head.Bytes()
	first := block[:min(len(block), frameBytesMax)]
	block = block[len(first):]
	err := c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndHeaders: len(block) == 0})
	for err == nil && len(block) > 0 {
		next := block[:min(len(block), frameBytesMax)]
		block = block[len(next):]
		err = c.framer.WriteContinuation(id, len(block) == 0, next)
	}
	return err
}

// ofConnection reports whether a field has no place in HTTP/2 (RFC 9113 8.2.2).
func ofConnection(name string) bool {
	switch name {
	case "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "host", "te":
		return true
	}
	return false
}

// run reads frames until the connection ends.
func (c *carrier) run() {
	for {
		frame, err := c.framer.ReadFrame()
		if err == nil {
			err = c.receive(frame)
		}
		var ofStream http2.StreamError
		if errors.As(err, &ofStream) {
			err = c.reset(ofStream.StreamID, ofStream.Code, ofStream)
		}
		if err != nil {
			c.fail(c.lost(err))
			return
		}
	}
}

// lost says why a connection is given up, to the server too if that is its fault.
func (c *carrier) lost(err error) error {
	var fault http2.ConnectionError
	if errors.As(err, &fault) {
		_ = c.write(func() error { return c.framer.WriteGoAway(0, http2.ErrCode(fault), nil) }) // it is being given up
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("the connection of HTTP/2 was lost: %w", err)
}

// reset ends a stream on both sides.
func (c *carrier) reset(id uint32, code http2.ErrCode, err error) error {
	c.mu.Lock()
	if s := c.streams[id]; s != nil {
		s.endLocked(err)
	}
	c.mu.Unlock()
	return c.write(func() error { return c.framer.WriteRSTStream(id, code) })
}
