package server

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	xhttp2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/bellwire/bellwire/server/config"
)

// flood is one that speaks HTTP/2 and means harm.
type flood struct {
	*xhttp2.Framer
	line net.Conn
	head []byte // of an extended CONNECT
}

// http2Floods shows HS-24: the floods of frames that a server of HTTP/2 can be sent. net/http withstands them; that it does, with this
// server's limits, is looked at here: a flood is ended by the server or comes to nothing, and who is honest is served
// meanwhile and afterwards, on a stream as on the reactor.
func http2Floods(t *testing.T) {
	const many, few = 10_000, 5_000 // net/http ends a connection that 10,000 answers wait for, of which it is not known how many do
	either := "either, by how far it has come with those before"
	f := startHTTP2(t, false, func(c *config.Config) {
		c.Limits.AdmissionPerSecond = 1_000_000 // streams that are opened and reset are admitted as others, and newcomers wait behind them
	})
	honest := []*line{f.mustOpen("/ws?channels=chat:a"), f.mustOpen("/ws?channels=chat:a")}
	for _, l := range honest {
		l.expect("connect")
		l.expect("subscribed")
	}
	raw := func(f *flood, kind byte, flags byte, stream uint32, payload []byte) error {
		frame := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
		_, err := f.line.Write(append(binary.BigEndian.AppendUint32(frame, stream), payload...))
		return err
	}
	open := func(f *flood, id uint32) error {
		return f.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: id, BlockFragment: f.head, EndHeaders: true})
	}
	for name, row := range map[string]struct {
		times int
		send  func(*flood, int) error
		ended any // the server ends the connection before all has come: true, false or either
	}{
		"rapid resets": {many, func(f *flood, i int) error {
			id := uint32(2*i + 1)
			if err := open(f, id); err != nil {
				return err
			}
			return f.WriteRSTStream(id, xhttp2.ErrCodeCancel)
		}, either},
		"CONTINUATION": {many, func(f *flood, i int) error {
			if i == 0 {
				return f.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, BlockFragment: f.head})
			}
			return f.WriteContinuation(1, false, bytes.Repeat([]byte{0x00, 1, 'x', 1, 'y'}, 200))
		}, true},
		"empty CONTINUATION": {many, func(f *flood, i int) error {
			if i == 0 {
				return f.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, BlockFragment: f.head})
			}
			return f.WriteContinuation(1, i == many-1, nil)
		}, false},
		"SETTINGS": {few, func(f *flood, _ int) error {
			return f.WriteSettings(xhttp2.Setting{ID: xhttp2.SettingInitialWindowSize, Val: 1000})
		}, false},
		"PING":            {few, func(f *flood, _ int) error { return f.WritePing(false, [8]byte{1}) }, false},
		"PING of answers": {many, func(f *flood, _ int) error { return f.WritePing(true, [8]byte{1}) }, false},
		"empty DATA": {many, func(f *flood, i int) error {
			if i == 0 {
				return open(f, 1)
			}
			return f.WriteData(1, false, nil)
		}, false},
		"unknown frames": {many, func(f *flood, i int) error { return raw(f, byte(0x0a+i%6), 0xff, 0, []byte("anything")) }, false},
		"windows of nothing": {many, func(f *flood, i int) error {
			if i == 0 {
				return open(f, 1)
			}
			return raw(f, byte(xhttp2.FrameWindowUpdate), 0, 1, make([]byte, 4))
		}, false},
		"window of all too large": {3, func(f *flood, _ int) error { return f.WriteWindowUpdate(0, 1<<31-1) }, true},
		"a large table of fields": {2, func(f *flood, i int) error {
			if i == 0 { // larger than what the server has offered
				return f.WriteHeaders(xhttp2.HeadersFrameParam{StreamID: 1, BlockFragment: append([]byte{0x3f, 0xe1, 0xff, 0x3f}, f.head...), EndHeaders: true})
			}
			return f.WritePing(false, [8]byte{1})
		}, true},
		"a frame too large": {1, func(f *flood, _ int) error {
			_, err := f.line.Write([]byte{0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1})
			return err
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			ended := f.flood(t, row.times, row.send)
			if row.ended != either && ended != row.ended {
				t.Errorf("the server ended the connection: %v", ended)
			}
			honest[0].send(`{"id":2,"publish":{"channel":"chat:a","data":1}}`)
			honest[0].expect("publication")
			honest[0].expect("publish")
			honest[1].expect("publication")
			f.alive()
		})
	}
}

// flood sends so many frames, reads what comes, and reports whether the server has ended the connection: if not, it still
// answers a ping.
func (f *http2Fixture) flood(t *testing.T, times int, send func(*flood, int) error) (ended bool) {
	t.Helper()
	conn, err := net.Dial("tcp", f.address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	var head bytes.Buffer
	encoder := hpack.NewEncoder(&head)
	for _, field := range [][2]string{
		{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", "/ws"}, {":authority", f.address()}, {"sec-websocket-version", "13"},
	} {
		encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	bad := &flood{xhttp2.NewFramer(conn, conn), conn, head.Bytes()}
	io.WriteString(conn, xhttp2.ClientPreface)
	bad.WriteSettings()
	last := [8]byte{'l', 'a', 's', 't'}
	answered := make(chan bool, 1)
	go func() {
		for {
			frame, err := bad.ReadFrame()
			if err != nil {
				answered <- false
				return
			}
			if ping, ok := frame.(*xhttp2.PingFrame); ok && ping.Data == last {
				answered <- true
				return
			}
		}
	}()
	for i := range times {
		if err := send(bad, i); err != nil {
			break
		}
	}
	bad.WritePing(false, last)
	return !<-answered
}
