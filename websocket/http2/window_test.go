package http2_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	xhttp2 "golang.org/x/net/http2"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/http2"
)

// takeData reads until bytes of the stream have come, and fails when a frame is more than what was left of them.
func (s *speaker) takeData(bytes int) {
	s.t.Helper()
	for bytes > 0 {
		frame, err := s.ReadFrame()
		if err != nil {
			s.t.Errorf("%d bytes are missing: %v", bytes, err)
			return
		}
		if data, ok := frame.(*xhttp2.DataFrame); ok {
			if bytes -= len(data.Data()); bytes < 0 {
				s.t.Errorf("%d bytes beyond the window", -bytes)
			}
		}
	}
}

// RFC 9113 6.9: the client sends what the windows of the server hold, and no more until they are opened.
func TestWindowsOfTheServer(t *testing.T) {
	const first, second, message = 100, 250, 100_000
	done := make(chan struct{})
	url := serveRaw(t, func(s *speaker) {
		defer close(done)
		window := func(bytes uint32) xhttp2.Setting {
			return xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: bytes}
		}
		s.WriteSettings(offer, window(first))
		id := s.request()
		s.head(id, false, ":status", "200")
		s.takeData(first)
		s.WriteSettings(offer, window(second)) // RFC 9113 6.9.2: it holds for streams that are open
		s.takeData(second - first)
		s.WriteWindowUpdate(id, 200_000)
		s.takeData(65535 - second) // the rest of the connection's window
		s.WriteWindowUpdate(0, 200_000)
		s.takeData(message + len("\x82\xff12345678mask") - 65535)
	})
	client := new(http2.Client)
	defer client.Close()
	conn, _, err := client.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(t.Context(), websocket.BinaryMessage, make([]byte, message)); err != nil {
		t.Error(err)
	}
	<-done
}

// RFC 9113 6.9: the client opens its windows again as it reads, that of the connection too.
func TestWindowsOfTheClient(t *testing.T) {
	const message = 3 << 20
	opened := make(map[uint32]int)
	done := make(chan struct{})
	url := serveRaw(t, func(s *speaker) {
		defer close(done)
		s.WriteSettings(offer)
		id := s.request()
		s.head(id, false, ":status", "200")
		rest := append([]byte{0x82, 127, 0, 0, 0, 0, message >> 24, message >> 16 & 0xff, 0, 0}, make([]byte, message)...)
		for window := 256 << 10; len(rest) > 0; {
			if n := min(window, len(rest), 16<<10); n > 0 {
				s.WriteData(id, false, rest[:n])
				rest, window = rest[n:], window-n
				continue
			}
			frame, err := s.ReadFrame()
			if err != nil {
				t.Errorf("with %d bytes to go: %v", len(rest), err)
				return
			}
			if update, ok := frame.(*xhttp2.WindowUpdateFrame); ok {
				opened[update.StreamID] += int(update.Increment)
				if update.StreamID == id {
					window += int(update.Increment)
				}
			}
		}
	})
	client := new(http2.Client)
	defer client.Close()
	conn, _, err := client.Dial(t.Context(), url, &websocket.DialOptions{Limits: websocket.Limits{MessageBytes: message}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if _, got, err := conn.Read(t.Context()); err != nil || len(got) != message {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	<-done
	if opened[0] < 2<<20 {
		t.Errorf("of the connection's window %d bytes came back", opened[0])
	}
}

// RFC 9113 8.2.2: no field of a connection is on a stream. RFC 7541 7.1.3: secrets are in no table.
func TestFieldsOfTheRequest(t *testing.T) {
	fields := make(chan *xhttp2.MetaHeadersFrame, 1)
	url := serveRaw(t, func(s *speaker) {
		s.WriteSettings(offer)
		for {
			frame, err := s.ReadFrame()
			if err != nil {
				close(fields)
				return
			}
			if head, ok := frame.(*xhttp2.MetaHeadersFrame); ok {
				fields <- head
				s.head(head.StreamID, true, ":status", "403")
				return
			}
		}
	})
	client := new(http2.Client)
	defer client.Close()
	_, _, err := client.Dial(t.Context(), url, &websocket.DialOptions{Header: http.Header{
		"Authorization": {"Bearer secret"}, "Cookie": {"a=secret"}, "X-Plain": {"open"},
		"Keep-Alive": {"no"}, "Te": {"no"}, "Transfer-Encoding": {"no"}, "Proxy-Connection": {"no"},
	}})
	checkDialError(t, err, errAny)
	head := <-fields
	if head == nil {
		t.Fatal("no request came")
	}
	seen := make(map[string]bool)
	for _, field := range head.Fields {
		seen[field.Name] = true
		if secret := strings.Contains(field.Value, "secret"); field.Value == "no" || field.Sensitive != secret {
			t.Errorf("%v", field)
		}
	}
	for _, name := range []string{"authorization", "cookie", "x-plain", ":protocol"} {
		if !seen[name] {
			t.Errorf("%s is missing", name)
		}
	}
}

// The connection ends with its last stream.
func TestConnectionEndsWithItsLastStream(t *testing.T) {
	ended := make(chan error, 1)
	url := serveRaw(t, func(s *speaker) {
		s.WriteSettings(offer)
		s.head(s.request(), false, ":status", "200")
		var err error
		for err == nil {
			_, err = s.ReadFrame()
		}
		ended <- err
	})
	client := new(http2.Client)
	defer client.Close()
	conn, _, err := client.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.CloseNow()
	if err := <-ended; !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}
