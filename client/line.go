package client

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
)

// lineLost is the code of a line that ended without a Close frame.
const lineLost = realtime.Code(websocket.StatusAbnormalClosure)

// A line is one WebSocket connection, opened or being opened. Its owner is the loop; one goroutine dials and reads, one
// writes.
type line struct {
	// Immutable after openLine.
	client *Client
	number int
	url    string
	cancel context.CancelFunc // of dialling

	wake chan struct{} // has one value when there is something to write or to end

	mu sync.Mutex
	// Guarded by mu.
	pending  []byte // messages to be written, one after another
	lengths  []int  // of each
	groupMax int    // bytes to which they are gathered in one WebSocket message
	closing  realtime.Code
}

// groupBytesMax is the largest groupMax: what is gained by gathering is gained well below it.
const groupBytesMax = 16 << 10

func (c *Client) openLine(number int, url string) {
	ctx, cancel := context.WithCancel(c.context)
	l := &line{client: c, number: number, url: url, cancel: cancel, groupMax: groupBytesMax, wake: make(chan struct{}, 1)}
	c.lines[number] = l
	c.group.Go("line", func() { l.run(ctx) }, cancel)
}

// run dials, reads until the line ends, and tells the loop how it ended.
func (l *line) run(ctx context.Context) {
	code, reason := l.serve(ctx)
	l.client.do(func(now int64) {
		delete(l.client.lines, l.number)
		l.client.core.LineClosed(now, l.number, code, reason)
	})
}

func (l *line) serve(ctx context.Context) (code realtime.Code, reason string) {
	options := &l.client.options
	conn, _, err := websocket.Dial(ctx, l.url, &websocket.DialOptions{
		Header:       options.Header,
		Subprotocols: []string{options.Format.Subprotocol()},
		TLSConfig:    options.TLSConfig,
		Limits:       websocket.Limits{MessageBytes: options.MessageBytesMax},
		PingInterval: -1, // LIV-2 is the core's
		CloseTimeout: closeTimeout,
	})
	if err != nil {
		return lineLost, err.Error()
	}
	defer conn.CloseNow()
	if conn.Subprotocol() != options.Format.Subprotocol() {
		return lineLost, "the server does not speak " + options.Format.Subprotocol()
	}
	ended := make(chan struct{})
	defer close(ended)
	l.client.group.Go("line writer", func() { l.write(conn, ended) }, nil)
	l.client.do(func(now int64) { l.client.core.LineOpened(now, l.number) })
	return l.read(conn)
}

// read hands what comes to the loop until the line ends.
func (l *line) read(conn *websocket.Conn) (code realtime.Code, reason string) {
	// The context is not the client's: Close ends a line with its handshake.
	for {
		kind, message, err := conn.Read(context.Background())
		if err != nil {
			return endOf(err)
		}
		messages, err := decode(l.client.options.Format, kind, message)
		l.client.do(func(now int64) {
			for i := range messages {
				l.client.core.Received(now, l.number, &messages[i])
			}
			if err != nil {
				// CON-2: this is no server of ours, or not any more. What came before is good.
				l.client.core.LineClosed(now, l.number, lineLost, err.Error())
			}
		})
		if err != nil {
			_ = conn.Close(websocket.StatusProtocolError, "")
			return lineLost, err.Error()
		}
	}
}

// endOf says how a line ended, in the words of the server's Close frame. Where this side gave it up, since what came
// breaks RFC 6455, the line is lost: that is no word of a server.
func endOf(err error) (code realtime.Code, reason string) {
	var closed *websocket.CloseError
	var violation *frame.Violation
	byServer := errors.As(err, &closed) && closed.Code != websocket.StatusAbnormalClosure && !errors.As(err, &violation)
	if !byServer {
		return lineLost, err.Error()
	}
	return realtime.Code(closed.Code), closed.Reason
}

// decode reads the messages of one WebSocket message; with an error, those before what is wrong.
func decode(format Format, kind websocket.MessageType, message []byte) (messages []wire.ServerMessage, err error) {
	if (kind == websocket.BinaryMessage) != format.Binary() {
		return nil, errors.New("the server sent a " + kind.String() + " message in " + format.Subprotocol())
	}
	for decoder := wire.DecodeServer(format, message); ; {
		one, err := decoder.Next()
		if errors.Is(err, io.EOF) {
			return messages, nil
		}
		if err != nil {
			return messages, err
		}
		messages = append(messages, one)
	}
}

// send puts a message where the writer finds it. The core bounds what can wait.
func (l *line) send(message *wire.ClientMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := len(l.pending)
	encoded, err := wire.AppendClient(l.pending, l.client.options.Format, message)
	if err != nil {
		// Everything the application gives is encoded once before it reaches the core.
		l.client.options.Logger.Error("a command cannot be sent", "error", err)
		return
	}
	l.pending = encoded
	l.lengths = append(l.lengths, len(encoded)-before)
	l.signal()
}

// close ends the line: while it is being opened at once, afterwards when what is to be sent has been.
func (l *line) close(code realtime.Code) {
	l.cancel()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing == 0 {
		l.closing = code
	}
	l.signal()
}

func (l *line) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// write sends everything that has gathered as one WebSocket message, or as several where that would be too large.
func (l *line) write(conn *websocket.Conn, ended <-chan struct{}) {
	kind := websocket.TextMessage
	if l.client.options.Format.Binary() {
		kind = websocket.BinaryMessage
	}
	for {
		select {
		case <-ended:
			return
		case <-l.wake:
		}
		messages, closing := l.takePending()
		if closing == realtime.CodeNoPong {
			conn.CloseNow() // Nobody is there to answer.
			return
		}
		for _, message := range messages {
			if conn.Write(context.Background(), kind, message) != nil {
				return // The reader learns why.
			}
		}
		if closing != 0 {
			_ = conn.Close(websocket.StatusCode(closing), "")
			return
		}
	}
}

// takePending groups what waits into WebSocket messages below the server's limit (CON-8).
func (l *line) takePending() (messages [][]byte, closing realtime.Code) {
	l.mu.Lock()
	defer l.mu.Unlock()
	messages = group(l.pending, l.lengths, l.groupMax)
	l.pending, l.lengths = nil, nil
	return messages, l.closing
}

// connected takes the server's limit (CNT-2).
func (l *line) connected(messageBytes uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if messageBytes != 0 {
		l.groupMax = int(min(messageBytes, groupBytesMax))
	}
}

// group cuts the bytes of messages of the given lengths so that no part with more than one message is larger than max.
func group(pending []byte, lengths []int, max int) (parts [][]byte) {
	start, end := 0, 0
	for _, length := range lengths {
		if end > start && end+length-start > max {
			parts = append(parts, pending[start:end])
			start = end
		}
		end += length
	}
	if end > start {
		parts = append(parts, pending[start:end])
	}
	return parts
}
