package main

import (
	"context"
	"net"
	"net/http"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/reactor"
)

// noPings leaves out what the other libraries leave to the program.
var noPings = &websocket.AcceptOptions{PingInterval: -1}

type bellwireServer struct{ conns registry[*websocket.Conn] }

func newBellwire() contender { return new(bellwireServer) }

func (s *bellwireServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, noPings)
	if err != nil {
		return
	}
	// The handler returns, so that the stack of the HTTP server is not kept.
	go s.serve(conn)
}

func (s *bellwireServer) serve(conn *websocket.Conn) {
	s.conns.add(conn)
	defer s.conns.remove(conn)
	defer conn.CloseNow()
	conn.Serve(context.Background(), func(t *websocket.Turn, kind websocket.MessageType, payload []byte) error {
		return t.Send(kind, payload)
	})
}

func (s *bellwireServer) send(payloads [][]byte) {
	messages := make([]*websocket.PreparedMessage, 0, len(payloads))
	for _, payload := range payloads {
		message, err := websocket.NewPreparedMessage(websocket.BinaryMessage, payload)
		if err != nil {
			panic(err)
		}
		messages = append(messages, message)
	}
	for _, conn := range s.conns.all() {
		conn.WritePrepared(context.Background(), messages...)
	}
}

type reactorServer struct {
	reactor *reactor.Reactor
	all     *reactor.Group
}

// serveReactor has the loops accept the connections themselves, and what is no opening handshake closed.
func serveReactor(listener net.Listener) (contender, error) {
	s := new(reactorServer)
	var err error
	s.reactor, err = reactor.New(reactor.Config{Handler: reactor.Handler{
		Open:    func(t *reactor.Turn) { t.Join(s.all) },
		Message: func(t *reactor.Turn, kind websocket.MessageType, payload []byte) { t.Send(kind, payload) },
	}})
	if err != nil {
		return nil, err
	}
	s.all = s.reactor.NewGroup()
	_, err = s.reactor.Serve(listener, reactor.Door{
		Path:    "/ws",
		Handler: func(w http.ResponseWriter, r *http.Request, _ any) { s.ServeHTTP(w, r) },
		Other:   func(line net.Conn, _ any) { line.Close() },
	})
	return s, err
}

func (s *reactorServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.reactor.Upgrade(w, r, noPings, nil)
}

func (s *reactorServer) send(payloads [][]byte) {
	for _, payload := range payloads {
		message, err := reactor.Prepare(websocket.BinaryMessage, payload)
		if err != nil {
			panic(err)
		}
		if err := s.all.Broadcast(message); err != nil {
			panic(err)
		}
	}
}
