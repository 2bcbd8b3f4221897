package main

import (
	"net"
	"net/http"

	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	nbio "github.com/lesismal/nbio/nbhttp/websocket"
)

type nbioServer struct {
	upgrader *nbio.Upgrader
	conns    registry[*nbio.Conn]
}

// serveNBIO starts nbio's own HTTP server, whose pollers own the connections from the start.
func serveNBIO(listener net.Listener) (contender, error) {
	logging.SetLevel(logging.LevelNone)
	s := &nbioServer{upgrader: nbio.NewUpgrader()}
	s.upgrader.OnMessage(func(conn *nbio.Conn, kind nbio.MessageType, message []byte) { conn.WriteMessage(kind, message) })
	s.upgrader.OnClose(func(conn *nbio.Conn, _ error) { s.conns.remove(conn) })
	mux := http.NewServeMux()
	mux.Handle("/ws", s)
	engine := nbhttp.NewEngine(nbhttp.Config{
		Network: "tcp", Addrs: []string{listener.Addr().String()}, MaxLoad: 100_000, Handler: mux,
		Listen: func(string, string) (net.Listener, error) { return listener, nil },
	})
	return s, engine.Start()
}

func (s *nbioServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	s.conns.add(conn)
}

func (s *nbioServer) send(payloads [][]byte) {
	for _, payload := range payloads {
		for _, conn := range s.conns.all() {
			conn.WriteMessage(nbio.BinaryMessage, payload)
		}
	}
}
