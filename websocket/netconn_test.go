package websocket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bellwire/bellwire/websocket"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// A protocol of lines over messages, whose borders do not matter.
func TestNetConn(t *testing.T) {
	server, client := ws.Pipe(t, nil, nil)
	near, far := websocket.NetConn(client, websocket.BinaryMessage), websocket.NetConn(server, websocket.BinaryMessage)
	sent := bytes.Repeat([]byte("0123456789"), 10000)
	go func() {
		for rest := sent; len(rest) > 0; {
			n := min(len(rest), 777)
			if _, err := near.Write(rest[:n]); err != nil {
				t.Error(err)
			}
			rest = rest[n:]
		}
		near.Write(nil)
		if err := near.Close(); err != nil {
			t.Error(err)
		}
	}()
	got, err := io.ReadAll(far)
	if err != nil || !bytes.Equal(got, sent) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	if near.LocalAddr() == nil || near.RemoteAddr() == nil {
		t.Error("no addresses")
	}
}

func TestNetConnType(t *testing.T) {
	server, client := ws.Pipe(t, nil, nil)
	go client.Write(t.Context(), websocket.TextMessage, []byte("text"))
	closed := make(chan error, 1)
	go func() {
		_, _, err := client.Read(t.Context())
		closed <- err
	}()
	if _, err := websocket.NetConn(server, websocket.BinaryMessage).Read(make([]byte, 10)); err == nil || !strings.Contains(err.Error(), "other type") {
		t.Error(err)
	}
	if err := <-closed; websocket.CloseStatus(err) != websocket.StatusUnsupportedData {
		t.Error(err)
	}
}

// A read that its deadline ends can be followed by others; a deadline may be
// moved while somebody waits.
func TestNetConnDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		peer, engine := asServer(t, nil, "")
		line := websocket.NetConn(engine, websocket.TextMessage)
		start := time.Now()
		buf := make([]byte, 100)
		line.SetReadDeadline(start.Add(time.Second))
		var timeout net.Error
		if _, err := line.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(start) != time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		line.SetDeadline(time.Time{})
		read := make(chan error, 1)
		go func() {
			_, err := line.Read(buf)
			read <- err
		}()
		synctest.Wait()
		line.SetReadDeadline(start.Add(3 * time.Second))
		synctest.Wait()
		line.SetReadDeadline(start.Add(2 * time.Second))
		if err := <-read; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != 2*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		line.SetReadDeadline(time.Time{})
		peer.Send(text("still here"))
		if n, err := line.Read(buf); err != nil || string(buf[:n]) != "still here" {
			t.Errorf("%q, %v", buf[:n], err)
		}
		line.SetWriteDeadline(start)
		if _, err := line.Write(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
		engine.CloseNow()
		peer.Line.Close()
	})
}

// FuzzHostileServer: whatever a server answers and sends, a client ends with a
// documented error, has read no more of the answer than it may, and delivers no
// more than came.
func FuzzHostileServer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: @\r\n\r\n\x81\x05hello\x88\x02\x03\xe8"), true)
	f.Add([]byte("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: @\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"), true)
	f.Add([]byte("HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"), false)
	f.Add([]byte("\x16\x03\x01"), false)
	f.Fuzz(func(t *testing.T, answer []byte, compress bool) {
		opts := websocket.DialOptions{Subprotocols: []string{"chat"}, CloseTimeout: time.Second}
		if compress {
			opts.Compression = websocket.CompressionContextTakeover
		}
		hostile(t, answer, opts)
	})
}

// hostile plays a server that answers with the bytes, in which @ stands for the
// value that answers the key, and then ends the line.
func hostile(t *testing.T, answer []byte, opts websocket.DialOptions) {
	serverLine, clientLine := ws.Lines(1 << 20)
	served := make(chan struct{})
	go func() {
		defer close(served)
		defer serverLine.Close()
		accept, err := readKey(serverLine)
		if err == nil {
			serverLine.Write(bytes.Replace(answer, []byte("@"), []byte(accept), 1))
		}
	}()
	counter := &readCounter{Conn: clientLine}
	conn, err := ws.Dial(context.Background(), counter, &opts)
	if err != nil {
		var failed *websocket.HandshakeError
		if !errors.As(err, &failed) || counter.n > 16<<10 {
			t.Fatalf("%v, %d bytes read", err, counter.n)
		}
		<-served
		return
	}
	total := 0
	for {
		_, message, err := conn.Read(context.Background())
		if err != nil {
			if websocket.CloseStatus(err) == 0 {
				t.Fatalf("an error without a status: %v", err)
			}
			break
		}
		total += len(message)
	}
	if !strings.Contains(strings.ToLower(string(answer)), "permessage-deflate") && total > len(answer) {
		t.Fatalf("%d bytes of messages in %d", total, len(answer))
	}
	conn.CloseNow()
	<-served
}
