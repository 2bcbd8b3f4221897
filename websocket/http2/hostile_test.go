package http2_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/http2"
)

// patience ends a conversation that hangs; nothing passes because of it.
const patience = 10 * time.Second

// speaker is one side of HTTP/2 whose frames a test writes itself.
type speaker struct {
	t *testing.T
	*xhttp2.Framer
}

func newSpeaker(t *testing.T, line net.Conn) *speaker {
	t.Helper()
	line.SetDeadline(time.Now().Add(2 * patience)) // a client that notices nothing is given up before its server is
	s := &speaker{t, xhttp2.NewFramer(line, line)}
	s.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	return s
}

func (s *speaker) head(id uint32, end bool, pairs ...string) {
	s.t.Helper()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(pairs); i += 2 {
		encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	if err := s.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end}); err != nil {
		s.t.Error(err)
	}
}

// RFC 8441 4 and 5, RFC 9113 8.3: what is no extended CONNECT for a WebSocket is refused alone, and its connection lives.
func TestMalformedConnects(t *testing.T) {
	p := serve(t, false, echo(nil, nil))
	address := p.server.Listener.Addr().String()
	good := []string{":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/", ":authority", address, "sec-websocket-version", "13"}
	// but is the good request with other values of a field, or none.
	but := func(name string, values ...string) []string {
		var pairs []string
		for i := 0; i < len(good); i += 2 {
			if good[i] != name {
				pairs = append(pairs, good[i], good[i+1])
				continue
			}
			for _, value := range values {
				pairs = append(pairs, name, value)
			}
		}
		return pairs
	}
	plus := func(pairs ...string) []string { return append(but(""), pairs...) }
	rows := []struct {
		rule   string
		pairs  []string
		end    bool
		status string // "": the stream is reset
	}{
		{"RFC 8441 5.1: the example", good, false, "200"},
		{"RFC 8441 4: a GET with :protocol", but(":method", "GET"), false, "505"},
		{"RFC 8441 4: no :path", but(":path"), false, ""},
		{"RFC 8441 4: another :protocol", but(":protocol", "connect-udp"), false, "501"},
		{"RFC 8441 4: no :scheme, which net/http lets pass", but(":scheme"), false, "200"},
		{"RFC 8441 4: two :protocol", but(":protocol", "websocket", "websocket"), false, ""},
		{"RFC 8441 4: a tunnel", []string{":method", "CONNECT", ":authority", address}, false, "405"},
		{"RFC 8441 5: ended with its head", good, true, "400"},
		{"RFC 8441 5: no version", but("sec-websocket-version"), false, "400"},
		{"RFC 8441 5: another version", but("sec-websocket-version", "8"), false, "400"},
		{"RFC 9113 8.2.2: with Connection", plus("connection", "upgrade"), false, "400"},
		{"RFC 9113 8.2.2: with Upgrade", plus("upgrade", "websocket"), false, "400"},
		{"RFC 9110 9.3.6: with a length", plus("content-length", "4"), false, "400"},
		{"HS-19: another origin", plus("origin", "http://evil.example"), false, "403"},
	}
	s := p.speak(t)
	for i, row := range rows {
		id := uint32(2*i + 1)
		s.head(id, row.end, row.pairs...)
		if status := s.answerTo(id); status != row.status {
			t.Errorf("%s: %q, want %q", row.rule, status, row.status)
		}
		if status := row.status; status == "200" {
			s.WriteRSTStream(id, xhttp2.ErrCodeCancel)
		}
	}
	s.head(101, false, good...)
	if status := s.answerTo(101); status != "200" {
		t.Errorf("afterwards: %q", status)
	}
}

// speak begins a connection to the server.
func (p *peer) speak(t *testing.T) *speaker {
	t.Helper()
	line := p.rawLine(t)
	if _, err := io.WriteString(line, xhttp2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	s := newSpeaker(t, line)
	if err := s.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return s
}

// answerTo reads to the status of the answer on a stream; "" when it is reset without one.
func (s *speaker) answerTo(id uint32) string {
	s.t.Helper()
	for {
		frame, err := s.ReadFrame()
		if err != nil {
			s.t.Fatalf("stream %d: %v", id, err)
		}
		switch frame := frame.(type) {
		case *xhttp2.SettingsFrame:
			if !frame.IsAck() {
				s.WriteSettingsAck()
			}
		case *xhttp2.MetaHeadersFrame:
			if frame.StreamID == id {
				return frame.PseudoValue("status")
			}
		case *xhttp2.RSTStreamFrame:
			if frame.StreamID == id {
				return ""
			}
		case *xhttp2.GoAwayFrame:
			s.t.Fatalf("stream %d ended the connection: %v", id, frame.ErrCode)
		}
	}
}

// RFC 8441 3: the settings offer extended CONNECT.
func TestSettingsOffer(t *testing.T) {
	frame, err := serve(t, false, echo(nil, nil)).speak(t).ReadFrame()
	settings, ok := frame.(*xhttp2.SettingsFrame)
	if err != nil || !ok {
		t.Fatalf("%v, %v", frame, err)
	}
	if value, ok := settings.Value(xhttp2.SettingEnableConnectProtocol); !ok || value != 1 {
		t.Errorf("SETTINGS_ENABLE_CONNECT_PROTOCOL is %d, %v", value, ok)
	}
}

// offer are settings of a server that takes WebSockets.
var offer = xhttp2.Setting{ID: xhttp2.SettingEnableConnectProtocol, Val: 1}

// serveRaw plays a server against one connection.
func serveRaw(t *testing.T, play func(*speaker)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		line, err := listener.Accept()
		if err != nil {
			return
		}
		defer line.Close()
		s := newSpeaker(t, line)
		if _, err := io.ReadFull(line, make([]byte, len(xhttp2.ClientPreface))); err == nil {
			play(s)
		}
		for { // to the end of the line
			if _, err := s.ReadFrame(); err != nil && !errors.As(err, new(xhttp2.StreamError)) {
				return
			}
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-ended
	})
	return "ws://" + listener.Addr().String()
}

// request reads to the first request, and returns its stream.
func (s *speaker) request() uint32 {
	for {
		frame, err := s.ReadFrame()
		if err != nil {
			return 0
		}
		if head, ok := frame.(*xhttp2.MetaHeadersFrame); ok {
			return head.StreamID
		}
	}
}

// A server that does what it must not: the client fails in time, says why, and leaves nothing behind.
func TestHostileServer(t *testing.T) {
	settle := func(s *speaker) uint32 {
		s.WriteSettings(offer)
		return s.request()
	}
	accept := func(s *speaker) uint32 {
		id := settle(s)
		s.head(id, false, ":status", "200")
		return id
	}
	data := make([]byte, 16<<10)
	var offered error = http2.ErrNotOffered
	rows := []struct {
		rule string
		play func(*speaker)
		want error // of Dial; nil: of the Read after it
	}{
		{"RFC 8441 3: settings that do not offer it", func(s *speaker) { s.WriteSettings() }, offered},
		{"RFC 8441 3: settings that say 0", func(s *speaker) { s.WriteSettings(xhttp2.Setting{ID: offer.ID}) }, offered},
		{"RFC 8441 3: another value", func(s *speaker) { s.WriteSettings(xhttp2.Setting{ID: offer.ID, Val: 2}) }, xhttp2.ConnectionError(xhttp2.ErrCodeProtocol)},
		{"RFC 9113 3.4: no settings first", func(s *speaker) { s.WritePing(false, [8]byte{}) }, xhttp2.ConnectionError(xhttp2.ErrCodeProtocol)},
		{"silence", func(*speaker) {}, context.DeadlineExceeded},
		{"silence after the request", func(s *speaker) { settle(s) }, context.DeadlineExceeded},
		{"an answer without status", func(s *speaker) { s.head(settle(s), false, "a", "b") }, xhttp2.StreamError{}},
		{"101", func(s *speaker) { s.head(settle(s), false, ":status", "101") }, xhttp2.StreamError{}},
		{"informational answers without end", func(s *speaker) {
			for id := settle(s); ; {
				s.head(id, false, ":status", "103")
				if _, err := s.ReadFrame(); err != nil {
					return
				}
			}
		}, context.DeadlineExceeded},
		{"a refused stream", func(s *speaker) { s.WriteRSTStream(settle(s), xhttp2.ErrCodeRefusedStream) }, xhttp2.StreamError{}},
		{"a server that leaves", func(s *speaker) {
			settle(s)
			s.WriteGoAway(0, xhttp2.ErrCodeNo, nil)
		}, errAny},
		{"DATA before the head", func(s *speaker) { s.WriteData(settle(s), false, data) }, xhttp2.StreamError{}},
		{"RFC 9113 6.6: a push", func(s *speaker) {
			s.WritePushPromise(xhttp2.PushPromiseParam{StreamID: settle(s), PromiseID: 2, EndHeaders: true})
		}, xhttp2.ConnectionError(xhttp2.ErrCodeProtocol)},
		{"RFC 9113 5.1: DATA on a stream that never was", func(s *speaker) {
			accept(s)
			s.WriteData(99, false, data)
		}, nil},
		{"RFC 8441 3: the offer taken back", func(s *speaker) {
			accept(s)
			s.WriteSettings(xhttp2.Setting{ID: offer.ID})
		}, nil},
		{"RFC 9113 6.9.1: more than the window", func(s *speaker) {
			id := accept(s)
			s.WriteData(id, false, append([]byte{0x82, 127, 0, 0, 0, 0, 0, 0x10, 0, 0}, data[10:]...))
			for range 64 {
				s.WriteData(id, false, data)
			}
		}, nil},
		{"RFC 9113 6.9.1: a window beyond 2^31", func(s *speaker) { s.WriteWindowUpdate(accept(s), 1<<31-1) }, nil},
		{"RFC 9113 6.9.1: a window of the connection beyond 2^31", func(s *speaker) {
			accept(s)
			s.WriteWindowUpdate(0, 1<<31-1)
		}, nil},
		{"RFC 9113 8.1: trailers that do not end", func(s *speaker) { s.head(accept(s), false, "a", "b") }, nil},
		{"the end of the stream without a close frame", func(s *speaker) { s.WriteData(accept(s), true, nil) }, nil},
		{"a reset", func(s *speaker) { s.WriteRSTStream(accept(s), xhttp2.ErrCodeInternal) }, nil},
		{"no frame at all", func(s *speaker) {
			accept(s)
			s.WriteRawFrame(200, 0, 0, make([]byte, 20<<10)) // larger than was allowed
		}, nil},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			url := serveRaw(t, row.play)
			client := new(http2.Client)
			defer client.Close()
			limit := patience
			if row.want == context.DeadlineExceeded {
				limit = 50 * time.Millisecond
			}
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			conn, _, err := client.Dial(ctx, url, &websocket.DialOptions{Limits: websocket.Limits{MessageBytes: 1 << 30}})
			if err == nil {
				defer conn.CloseNow()
			}
			if row.want != nil {
				checkDialError(t, err, row.want)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := conn.Read(ctx); websocket.CloseStatus(err) != websocket.StatusAbnormalClosure || ctx.Err() != nil {
				t.Errorf("read: %v", err)
			}
		})
	}
}

// errAny stands for errors that have no name.
var errAny = errors.New("any")

func checkDialError(t *testing.T, err, want error) {
	t.Helper()
	var refused *websocket.HandshakeError
	if !errors.As(err, &refused) {
		t.Fatalf("%v is no HandshakeError", err)
	}
	var stream xhttp2.StreamError
	if _, ok := want.(xhttp2.StreamError); ok {
		if !errors.As(err, &stream) {
			t.Errorf("%v is no error of the stream", err)
		}
		return
	}
	switch isTimeout := errors.Is(err, context.DeadlineExceeded); {
	case want == errAny && isTimeout:
		t.Errorf("nothing but the deadline ended it: %v", err)
	case want != errAny && !errors.Is(err, want):
		t.Errorf("%v is not %v", err, want)
	}
}

// RFC 8441 5: what the end of a connection is on a stream: END_STREAM after a close handshake, else RST_STREAM with CANCEL.
func TestEndOfStream(t *testing.T) {
	frames := make(chan xhttp2.Frame, 10)
	play := func(s *speaker) {
		s.WriteSettings(offer)
		id := s.request()
		s.head(id, false, ":status", "200")
		for {
			frame, err := s.ReadFrame()
			if err != nil {
				close(frames)
				return
			}
			switch frame := frame.(type) {
			case *xhttp2.DataFrame:
				frames <- &xhttp2.DataFrame{FrameHeader: frame.FrameHeader}
				if !frame.StreamEnded() {
					s.WriteData(id, false, []byte{0x88, 2, 3, 0xe8}) // Close 1000
				} else {
					s.WriteData(id, true, nil)
				}
			case *xhttp2.RSTStreamFrame:
				frames <- &xhttp2.RSTStreamFrame{FrameHeader: frame.FrameHeader, ErrCode: frame.ErrCode}
			}
		}
	}
	t.Run("orderly", func(t *testing.T) {
		client := new(http2.Client)
		defer client.Close()
		conn, _, err := client.Dial(t.Context(), serveRaw(t, play), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
			t.Fatal(err)
		}
		var ends []bool
		for frame := range frames {
			data, ok := frame.(*xhttp2.DataFrame)
			if !ok {
				t.Fatalf("%v", frame)
			}
			ends = append(ends, data.StreamEnded())
		}
		if len(ends) != 2 || ends[0] || !ends[1] {
			t.Errorf("ends of DATA: %v", ends)
		}
	})
	frames = make(chan xhttp2.Frame, 10)
	t.Run("abrupt", func(t *testing.T) {
		client := new(http2.Client)
		defer client.Close()
		conn, _, err := client.Dial(t.Context(), serveRaw(t, play), nil)
		if err != nil {
			t.Fatal(err)
		}
		conn.CloseNow()
		frame := <-frames
		if reset, ok := frame.(*xhttp2.RSTStreamFrame); !ok || reset.ErrCode != xhttp2.ErrCodeCancel {
			t.Errorf("%v", frame)
		}
	})
}

// A client that reads nothing from its connection, though its windows are open, ends with http.Server.HTTP2.WriteByteTimeout,
// and so do Write and CloseNow.
func TestStalledConnection(t *testing.T) {
	ends := make(chan error, 1)
	p := serve(t, false, func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			ends <- err
			return
		}
		defer func() {
			conn.CloseNow()
			ends <- err
		}()
		for err == nil {
			err = conn.Write(context.Background(), websocket.BinaryMessage, make([]byte, 1<<20))
		}
	})
	p.server.Config.HTTP2 = &http.HTTP2Config{WriteByteTimeout: 100 * time.Millisecond}
	s := p.speak(t)
	s.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 1<<31 - 1})
	s.WriteWindowUpdate(0, 1<<31-1-65535)
	s.head(1, false, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/", ":authority", p.server.Listener.Addr().String(),
		"sec-websocket-version", "13")
	select {
	case err := <-ends:
		if websocket.CloseStatus(err) != websocket.StatusAbnormalClosure {
			t.Errorf("server: %v", err)
		}
	case <-time.After(patience):
		t.Error("the write does not end")
	}
}
