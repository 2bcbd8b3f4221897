package websocket_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/bellwire/bellwire/websocket"
)

// A server that sends every message back, and a client of it.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			kind, message, err := conn.Read(r.Context())
			if err != nil {
				return
			}
			if err := conn.Write(r.Context(), kind, message); err != nil {
				return
			}
		}
	}))
	defer server.Close()

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(ctx, websocket.TextMessage, []byte("hello")); err != nil {
		log.Fatal(err)
	}
	_, message, err := conn.Read(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(message))
	fmt.Println(conn.Close(websocket.StatusNormalClosure, "done"))
	// Output:
	// hello
	// <nil>
}

// A server that answers messages that come together in one system call.
func ExampleConn_Serve() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		conn.Serve(r.Context(), func(t *websocket.Turn, kind websocket.MessageType, message []byte) error {
			if len(message) == 0 {
				return t.Conn().Close(websocket.StatusNormalClosure, "nothing left to say")
			}
			return t.Send(kind, bytes.ToUpper(message))
		})
	}))
	defer server.Close()

	ctx := context.Background()
	conn, _, err := websocket.Dial(ctx, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.WriteBatch(ctx, websocket.TextMessage, []byte("one"), []byte("two"), nil); err != nil {
		log.Fatal(err)
	}
	for {
		_, message, err := conn.Read(ctx)
		if err != nil {
			fmt.Println(websocket.CloseStatus(err))
			return
		}
		fmt.Println(string(message))
	}
	// Output:
	// ONE
	// TWO
	// 1000
}

// room is a chat: what one says, all hear. A message is encoded once for all.
type room struct {
	mu      sync.Mutex
	members map[*websocket.Conn]bool
}

func (r *room) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	conn, err := websocket.Accept(w, request, &websocket.AcceptOptions{
		Limits: websocket.Limits{MessageBytes: 4 << 10},
	})
	if err != nil {
		return
	}
	defer conn.CloseNow()
	r.mu.Lock()
	r.members[conn] = true
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		delete(r.members, conn)
		r.mu.Unlock()
	}()
	for {
		kind, message, err := conn.Read(request.Context())
		if err != nil {
			return
		}
		r.say(request.Context(), kind, message)
	}
}

func (r *room) say(ctx context.Context, kind websocket.MessageType, message []byte) {
	prepared, err := websocket.NewPreparedMessage(kind, message)
	if err != nil {
		return
	}
	r.mu.Lock()
	members := make([]*websocket.Conn, 0, len(r.members))
	for member := range r.members {
		members = append(members, member)
	}
	r.mu.Unlock()
	for _, member := range members {
		member.WritePrepared(ctx, prepared) // a member that is gone leaves by itself
	}
}

// Broadcasting one message to many connections.
func ExamplePreparedMessage() {
	server := httptest.NewServer(&room{members: map[*websocket.Conn]bool{}})
	defer server.Close()
	ctx := context.Background()
	conn, _, err := websocket.Dial(ctx, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseNow()
	if err := conn.Write(ctx, websocket.TextMessage, []byte("is anybody here?")); err != nil {
		log.Fatal(err)
	}
	_, message, err := conn.Read(ctx)
	fmt.Println(string(message), err)
	// Output: is anybody here? <nil>
}

// Sending a file of any size as one message, and receiving one, without
// holding it in memory.
func ExampleConn_Writer() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Limits: websocket.Limits{MessageBytes: 1 << 30}})
		if err != nil {
			return
		}
		defer conn.CloseNow()
		kind, upload, err := conn.Reader(r.Context())
		if err != nil {
			return
		}
		back, err := conn.Writer(r.Context(), kind)
		if err != nil {
			return
		}
		if _, err := io.Copy(back, upload); err == nil {
			back.Close()
		}
		conn.Close(websocket.StatusNormalClosure, "")
	}))
	defer server.Close()

	ctx := context.Background()
	conn, _, err := websocket.Dial(ctx, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseNow()
	file := strings.NewReader("as large as you like\n")
	go func() {
		w, err := conn.Writer(ctx, websocket.BinaryMessage)
		if err != nil {
			return
		}
		if _, err := io.Copy(w, file); err == nil {
			w.Close()
		}
	}()
	_, r, err := conn.Reader(ctx)
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(os.Stdout, r)
	// Output: as large as you like
}

// JSON needs no helper.
func ExampleConn_Write_json() {
	type move struct{ From, To string }
	send := func(ctx context.Context, conn *websocket.Conn, v any) error {
		message, err := json.Marshal(v)
		if err != nil {
			return err
		}
		return conn.Write(ctx, websocket.TextMessage, message)
	}
	receive := func(ctx context.Context, conn *websocket.Conn, v any) error {
		_, message, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		return json.Unmarshal(message, v)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		var m move
		if receive(r.Context(), conn, &m) == nil {
			send(r.Context(), conn, move{From: m.To, To: m.From})
		}
		conn.Close(websocket.StatusNormalClosure, "")
	}))
	defer server.Close()
	ctx := context.Background()
	conn, _, err := websocket.Dial(ctx, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseNow()
	send(ctx, conn, move{From: "e2", To: "e4"})
	var m move
	fmt.Println(receive(ctx, conn, &m), m)
	// Output: <nil> {e4 e2}
}

// Choosing a subprotocol: the server's order of preference decides.
func ExampleConn_Subprotocol() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"chat.v2", "chat.v1"}})
		if err != nil {
			return
		}
		defer conn.CloseNow()
		if conn.Subprotocol() == "" {
			conn.Close(websocket.StatusPolicyViolation, "speak chat.v1 or chat.v2")
			return
		}
		conn.Close(websocket.StatusNormalClosure, "")
	}))
	defer server.Close()
	ctx := context.Background()
	for _, offer := range [][]string{{"chat.v1", "chat.v2"}, {"mqtt"}} {
		conn, _, err := websocket.Dial(ctx, server.URL, &websocket.DialOptions{Subprotocols: offer})
		if err != nil {
			log.Fatal(err)
		}
		_, _, err = conn.Read(ctx)
		fmt.Printf("%q %d\n", conn.Subprotocol(), websocket.CloseStatus(err))
		conn.CloseNow()
	}
	// Output:
	// "chat.v2" 1000
	// "" 1008
}

// A server whose certificate comes from an authority of one's own.
func ExampleDial_tls() {
	authority, err := os.ReadFile("authority.pem")
	if err != nil {
		fmt.Println("no authority here")
		return
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority)
	conn, _, err := websocket.Dial(context.Background(), "wss://internal.example", &websocket.DialOptions{
		TLSConfig: &tls.Config{RootCAs: roots},
		Proxy:     http.ProxyFromEnvironment,
	})
	if err != nil {
		log.Fatal(err)
	}
	conn.CloseNow()
	// Output: no authority here
}

// Stopping a server without dropping anybody: each connection gets a close frame
// that says why, and its time to answer it.
func ExampleConn_Close_shutdown() {
	stopping, stop := context.WithCancel(context.Background())
	var open sync.WaitGroup
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open.Add(1) // before Accept: the HTTP server waits for this handler until then, and open does from here on
		defer open.Done()
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for err == nil {
			_, _, err = conn.Read(stopping)
		}
		if stopping.Err() != nil {
			conn.Close(websocket.StatusServiceRestart, "back soon")
		}
	}))
	ctx := context.Background()
	conn, _, err := websocket.Dial(ctx, server.URL, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseNow()
	stop() // those that are open say why they end
	_, _, err = conn.Read(ctx)
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		fmt.Println(closed.Code, closed.Reason)
	}
	server.Close() // no more of them come,
	open.Wait()    // and then they are gone
	// Output: 1012 back soon
}
