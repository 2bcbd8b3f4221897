package websockettest

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/bellwire/bellwire/websocket"
)

// Pipe returns both ends of a connection in memory, opened by a real handshake.
// They are closed when the test ends.
func Pipe(t testing.TB, accept *websocket.AcceptOptions, dial *websocket.DialOptions) (server, client *websocket.Conn) {
	t.Helper()
	serverLine, clientLine := Lines(0)
	return Open(t, serverLine, clientLine, accept, dial)
}

// Open is Pipe over a line that the caller has made.
func Open(t testing.TB, serverLine, clientLine net.Conn, accept *websocket.AcceptOptions, dial *websocket.DialOptions) (server, client *websocket.Conn) {
	t.Helper()
	type result struct {
		conn *websocket.Conn
		err  error
	}
	accepted := make(chan result, 1)
	go func() {
		conn, err := Accept(serverLine, accept)
		accepted <- result{conn, err}
	}()
	client, err := Dial(t.Context(), clientLine, dial)
	if err != nil {
		serverLine.Close()
		clientLine.Close()
		<-accepted
		t.Fatal(err)
	}
	of := <-accepted
	if of.err != nil {
		t.Fatal(of.err)
	}
	t.Cleanup(func() {
		of.conn.CloseNow()
		client.CloseNow()
	})
	return of.conn, client
}

// Host is what the requests on lines in memory are addressed to.
const Host = "server.test"

// Accept reads a request from the line, as an HTTP server would, and accepts it.
func Accept(line net.Conn, opts *websocket.AcceptOptions) (conn *websocket.Conn, err error) {
	err = Serve(line, func(w http.ResponseWriter, r *http.Request) error {
		conn, err = websocket.Accept(w, r, opts)
		return err
	})
	return conn, err
}

// Serve reads a request from the line, as an HTTP server would, and hands it to f,
// which can take the line over. Where f fails the line is closed.
func Serve(line net.Conn, f func(http.ResponseWriter, *http.Request) error) error {
	reader := bufio.NewReader(line)
	request, err := http.ReadRequest(reader)
	if err == nil {
		err = f(&responseWriter{line: line, reader: reader, header: http.Header{}}, request)
	}
	if err != nil {
		line.Close()
	}
	return err
}

// Dial opens a connection on the line.
func Dial(ctx context.Context, line net.Conn, opts *websocket.DialOptions) (*websocket.Conn, error) {
	var options websocket.DialOptions
	if opts != nil {
		options = *opts
	}
	options.DialContext = func(context.Context, string, string) (net.Conn, error) { return line, nil }
	conn, _, err := websocket.Dial(ctx, "ws://"+Host+"/", &options)
	return conn, err
}

// Echo sends back every message, until the connection ends or ctx does.
func Echo(ctx context.Context, conn *websocket.Conn) error {
	var buf []byte
	for {
		kind, message, err := conn.ReadInto(ctx, buf)
		if err != nil {
			return err
		}
		if err := conn.Write(ctx, kind, message); err != nil {
			return err
		}
		buf = message
	}
}

// responseWriter is as much of an HTTP server's as Accept needs.
type responseWriter struct {
	line   net.Conn
	reader *bufio.Reader
	header http.Header
}

func (w *responseWriter) Header() http.Header { return w.header }

func (w *responseWriter) WriteHeader(status int) {
	response := http.Response{StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: w.header, Close: true}
	response.Write(w.line)
}

func (w *responseWriter) Write(p []byte) (int, error) { return len(p), nil }

// Hijack implements http.Hijacker.
func (w *responseWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.line, bufio.NewReadWriter(w.reader, bufio.NewWriter(w.line)), nil
}
