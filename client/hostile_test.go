package client_test

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/client/internal/modelserver"
	"github.com/bellwire/bellwire/realtime"
)

// hostile listens and answers each connection with what speak says; the connection is closed after it.
func hostile(t *testing.T, speak func(conn net.Conn, request *http.Request)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() { listener.Close(); running.Wait() })
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				request, err := http.ReadRequest(bufio.NewReader(conn))
				if err == nil {
					speak(conn, request)
				}
			})
		}
	})
	return "ws://" + listener.Addr().String() + "/ws"
}

func upgraded(request *http.Request, subprotocol string) string {
	sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\nSec-WebSocket-Protocol: " + subprotocol + "\r\n\r\n"
}

// unmasked is one whole frame of a server.
func unmasked(opcode byte, payload string) string {
	switch n := len(payload); {
	case n < 126:
		return string([]byte{0x80 | opcode, byte(n)}) + payload
	default:
		return string([]byte{0x80 | opcode, 126, byte(n >> 8), byte(n)}) + payload
	}
}

// awaitClose reads the client's frames until it closes.
func awaitClose(conn net.Conn) {
	reader := bufio.NewReader(conn)
	for {
		var header [2]byte
		if _, err := io.ReadFull(reader, header[:]); err != nil || header[0]&0x0f == 8 {
			return
		}
		length := int64(header[1] & 0x7f)
		if length == 126 {
			var extended [2]byte
			_, _ = io.ReadFull(reader, extended[:])
			length = int64(extended[0])<<8 | int64(extended[1])
		}
		_, _ = io.CopyN(io.Discard, reader, 4+length) // mask and payload
	}
}

// TestHostileServersAreSurvived: whatever a server answers, the client says so, tries on, and finds the good server that
// is its next address (FR-24, CC-15, CC-16).
func TestHostileServersAreSurvived(t *testing.T) {
	const json = "bellwire.v1.json"
	write := func(text string) func(net.Conn, *http.Request) {
		return func(conn net.Conn, _ *http.Request) { _, _ = io.WriteString(conn, text) }
	}
	after := func(text string) func(net.Conn, *http.Request) {
		return func(conn net.Conn, r *http.Request) {
			_, _ = io.WriteString(conn, upgraded(r, json)+text)
			awaitClose(conn)
		}
	}
	rows := []struct {
		rule  string
		speak func(net.Conn, *http.Request)
	}{
		{"CC-15: a captive portal", write("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")},
		{"a redirect is not followed", write("HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")},
		{"401", write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")},
		{"503 while it drains (LIV-5)", write("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n")},
		{"no HTTP at all", write("\x15\x03\x01\x00\x02\x02\x28")},
		{"nothing", func(net.Conn, *http.Request) {}},
		{"a header without end", func(conn net.Conn, _ *http.Request) {
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nX: "+strings.Repeat("x", 1<<20))
		}},
		{"a wrong accept key", write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\nSec-WebSocket-Protocol: " + json + "\r\n\r\n")},
		{"a subprotocol that was not offered", func(conn net.Conn, r *http.Request) { _, _ = io.WriteString(conn, upgraded(r, "chat")) }},
		{"CON-2: bytes that are no frames", after("HTTP/1.1 400 Bad Request\r\n\r\n")},
		{"CON-2: text that is no JSON", after(unmasked(1, "hello\n"))},
		{"CON-2: JSON that ends too soon", after(unmasked(1, `{"id":1,"connect":{"connection":`))},
		{"CON-2: a binary message in JSON", after(unmasked(2, "{}"))},
		{"text that is no UTF-8", after(unmasked(1, "\"\xff\""))},
		{"a frame larger than any message may be", after("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff")},
		{"a masked frame", after("\x81\x82aaaa{}")},
		{"a close without a word", after(unmasked(8, ""))},
		{"a close code that no server may send", after(unmasked(8, "\x03\xed"))},
		{"answers that nobody asked for, then the end", after(unmasked(1, `{"id":77,"publish":{"offset":1}}`+"\n"+`{"publication":{"channel":"chat:a","offset":1,"data":1}}`+"\n"+
			`{"subscribed":{"channel":"chat:a","epoch":"x","offset":9}}`+"\n"+`{"unsubscribed":{"channel":"chat:a","code":301}}`+"\n"+`{"unknown":{"__proto__":{}}}`+"\n") + unmasked(8, "\x03\xf3"))},
		{"CNT-1: connect refused for now", after(unmasked(1, `{"id":1,"error":{"code":151,"name":"unavailable","message":"later"}}`))},
		{"LIV-5: disconnected at once", after(unmasked(1, `{"disconnect":{"code":4503,"reason":"full","reconnect":{"window_ms":100}}}`))},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			t.Parallel()
			good := startServer(t)
			told := make(chan client.ConnectionState, 100)
			c := newClient(t, hostile(t, row.speak), &client.Options{
				Fallbacks: []string{good.url()},
				OnState: func(state client.ConnectionState) {
					if state.State == client.Waiting {
						told <- state
					}
				},
			})
			publications := c.Channel("chat:a", nil).Publications(within(t))
			must(t, c.Connect(within(t)))
			if state := <-told; state.Reason == "" && state.Code == 0 {
				t.Errorf("nothing is said about the end: %+v", state)
			}
			must(t, c.Channel("chat:a", nil).Subscribe(within(t)))
			publishMany(good, "chat:a", 1, 1)
			for p, err := range publications {
				if err != nil || string(p.Payload.Bytes) != "1" {
					t.Errorf("CC-16: %+v, %v", p, err)
				}
				break
			}
		})
	}
}

func TestALineThatIsTooSlowIsGivenUp(t *testing.T) {
	var lines atomic.Int32
	gone := make(chan struct{}, 10)
	address := hostile(t, func(conn net.Conn, _ *http.Request) {
		lines.Add(1)
		_, _ = io.Copy(io.Discard, conn) // answers nothing until the client hangs up
		gone <- struct{}{}
	})
	good := startServer(t)
	c := newClient(t, address, &client.Options{Fallbacks: []string{good.url()}, ConnectTimeout: time.Second})
	must(t, c.Connect(within(t)))
	<-gone
	if lines.Load() != 1 {
		t.Errorf("CLI-2: %d lines to the slow server", lines.Load())
	}
	if good.lineCount() != 1 {
		t.Errorf("CLI-2: %d lines to the good server", good.lineCount())
	}
}

func TestCloseWhileALineIsBeingOpened(t *testing.T) {
	opened := make(chan struct{})
	address := hostile(t, func(conn net.Conn, _ *http.Request) {
		close(opened)
		_, _ = io.Copy(io.Discard, conn)
	})
	c := newClient(t, address, nil)
	result := make(chan error, 1)
	go func() { result <- c.Connect(context.Background()) }()
	<-opened
	must(t, c.Close())
	if err := <-result; !errors.Is(err, client.ErrClosed) {
		t.Errorf("CLI-1: Connect answered %v", err)
	}
}

// TestCloseCodes is the table of COD-1 over a real socket (CC-09).
func TestCloseCodes(t *testing.T) {
	rows := []struct {
		code  uint16
		again bool
	}{
		{1000, false}, {1001, true}, {1002, false}, {1003, false}, {1007, false}, {1008, false}, {1009, false}, {1010, false},
		{1011, true}, {1012, true}, {1013, true}, {3000, true}, {3999, true}, {4000, true},
		{4400, false}, {4401, false}, {4403, false}, {4429, false}, {4499, false}, {4500, true}, {4501, true}, {4504, true}, {4599, true}, {4600, true}, {4999, true},
	}
	for _, row := range rows {
		t.Run(fmt.Sprint(row.code), func(t *testing.T) {
			t.Parallel()
			told := make(chan client.ConnectionState, 100)
			address := hostile(t, func(conn net.Conn, r *http.Request) {
				_, _ = io.WriteString(conn, upgraded(r, "bellwire.v1.json")+unmasked(8, string([]byte{byte(row.code >> 8), byte(row.code)})+"why"))
				_, _ = io.Copy(io.Discard, conn)
			})
			c, err := client.New(address, &client.Options{OnState: func(state client.ConnectionState) { told <- state }})
			must(t, err)
			defer c.Close()
			ctx, cancel := context.WithCancel(within(t))
			result := make(chan error, 1)
			go func() { result <- c.Connect(ctx) }()
			for state := range told {
				if state.State == client.Connecting {
					continue
				}
				if again := state.State == client.Waiting; again != row.again || state.Code != realtime.Code(row.code) || state.Reason != "why" {
					t.Errorf("COD-1: %+v", state)
				}
				break
			}
			cancel()
			if err := <-result; !row.again && realtime.CodeOf(err) != realtime.Code(row.code) {
				t.Errorf("Connect answered %v", err)
			}
		})
	}
}

func TestTokens(t *testing.T) {
	expired := func(calls *atomic.Int32) func(context.Context) (string, error) {
		return func(context.Context) (string, error) {
			switch calls.Add(1) {
			case 1:
				return "", errors.New("not now")
			case 2:
				panic("the source is broken")
			case 3:
				return "", nil
			}
			return "good", nil
		}
	}
	t.Run("CLI-3: a source that fails is asked again", func(t *testing.T) {
		var calls atomic.Int32
		s := startServer(t)
		connect(t, s, &client.Options{TokenSource: expired(&calls), Logger: slog.New(slog.DiscardHandler)})
		if calls.Load() != 4 {
			t.Errorf("asked %d times", calls.Load())
		}
	})
	t.Run("CLI-3: no token ever", func(t *testing.T) {
		s := startServer(t)
		c := newClient(t, s.url(), &client.Options{TokenSource: func(context.Context) (string, error) { return "", fmt.Errorf("signed out: %w", client.ErrNoToken) }})
		if err := c.Connect(within(t)); realtime.CodeOf(err) != realtime.CodeInvalidToken {
			t.Errorf("Connect answered %v", err)
		}
	})
	t.Run("CLI-3: a source that hangs does not outlive Close", func(t *testing.T) {
		asked := make(chan struct{})
		c := newClient(t, "ws://127.0.0.1:1/ws", &client.Options{TokenSource: func(ctx context.Context) (string, error) {
			close(asked)
			<-ctx.Done()
			return "", ctx.Err()
		}})
		go func() { _ = c.Connect(context.Background()) }()
		<-asked
		must(t, c.Close())
	})
	t.Run("AUT-4: a subscription's own source", func(t *testing.T) {
		s := startServer(t)
		c := connect(t, s, nil)
		private := c.Channel("private:a", &client.ChannelOptions{TokenSource: func(_ context.Context, channel string) (string, error) { return "for " + channel, nil }})
		must(t, private.Subscribe(within(t)))
		var token string
		s.with(func(m *modelserver.Server) { token = newest(m).Item("private:a").Token })
		if token != "for private:a" {
			t.Errorf("SUB-13: the server got %q", token)
		}
	})
}
