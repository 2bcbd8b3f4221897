package main

import (
	"context"
	"net"
	"net/http"

	coder "github.com/coder/websocket"
	fasthttpws "github.com/fasthttp/websocket"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"
	"github.com/valyala/fasthttp"
)

type gorillaServer struct {
	upgrader gorilla.Upgrader
	conns    registry[*gorilla.Conn]
}

func newGorilla() contender { return new(gorillaServer) }

func (s *gorillaServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	s.conns.add(conn)
	defer s.conns.remove(conn)
	defer conn.Close()
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if err := conn.WriteMessage(kind, message); err != nil {
			return
		}
	}
}

func (s *gorillaServer) send(payloads [][]byte) {
	for _, payload := range payloads {
		message, err := gorilla.NewPreparedMessage(gorilla.BinaryMessage, payload)
		if err != nil {
			panic(err)
		}
		for _, conn := range s.conns.all() {
			conn.WritePreparedMessage(message)
		}
	}
}

type coderServer struct{ conns registry[*coder.Conn] }

func newCoder() contender { return new(coderServer) }

func (s *coderServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := coder.Accept(w, r, nil)
	if err != nil {
		return
	}
	s.conns.add(conn)
	defer s.conns.remove(conn)
	defer conn.CloseNow()
	ctx := context.Background()
	for {
		kind, message, err := conn.Read(ctx)
		if err != nil {
			return
		}
		if err := conn.Write(ctx, kind, message); err != nil {
			return
		}
	}
}

func (s *coderServer) send(payloads [][]byte) {
	for _, payload := range payloads {
		for _, conn := range s.conns.all() {
			conn.Write(context.Background(), coder.MessageBinary, payload)
		}
	}
}

type gobwasServer struct{ conns registry[net.Conn] }

func newGobwas() contender { return new(gobwasServer) }

func (s *gobwasServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, _, _, err := ws.UpgradeHTTP(r, w)
	if err != nil {
		return
	}
	s.conns.add(conn)
	defer s.conns.remove(conn)
	defer conn.Close()
	for {
		message, kind, err := wsutil.ReadClientData(conn)
		if err != nil {
			return
		}
		if err := wsutil.WriteServerMessage(conn, kind, message); err != nil {
			return
		}
	}
}

func (s *gobwasServer) send(payloads [][]byte) {
	for _, payload := range payloads {
		frame, err := ws.CompileFrame(ws.NewBinaryFrame(payload))
		if err != nil {
			panic(err)
		}
		for _, conn := range s.conns.all() {
			conn.Write(frame)
		}
	}
}

type gwsServer struct {
	gws.BuiltinEventHandler
	upgrader *gws.Upgrader
	conns    registry[*gws.Conn]
}

func newGWS() contender {
	s := new(gwsServer)
	s.upgrader = gws.NewUpgrader(s, nil)
	return s
}

func (s *gwsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := s.upgrader.Upgrade(w, r)
	if err != nil {
		return
	}
	s.conns.add(conn)
	go conn.ReadLoop()
}

func (s *gwsServer) OnClose(conn *gws.Conn, _ error) { s.conns.remove(conn) }

func (s *gwsServer) OnMessage(conn *gws.Conn, message *gws.Message) {
	defer message.Close()
	conn.WriteMessage(message.Opcode, message.Bytes())
}

func (s *gwsServer) send(payloads [][]byte) {
	for _, payload := range payloads {
		broadcaster := gws.NewBroadcaster(gws.OpcodeBinary, payload)
		for _, conn := range s.conns.all() {
			broadcaster.Broadcast(conn)
		}
		broadcaster.Close()
	}
}

type fasthttpServer struct {
	upgrader fasthttpws.FastHTTPUpgrader
	conns    registry[*fasthttpws.Conn]
}

func serveFasthttp(listener net.Listener) (contender, error) {
	s := new(fasthttpServer)
	go fasthttp.Serve(listener, func(ctx *fasthttp.RequestCtx) { s.upgrader.Upgrade(ctx, s.echo) })
	return s, nil
}

func (s *fasthttpServer) ServeHTTP(http.ResponseWriter, *http.Request) {}

func (s *fasthttpServer) echo(conn *fasthttpws.Conn) {
	s.conns.add(conn)
	defer s.conns.remove(conn)
	for {
		kind, message, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if err := conn.WriteMessage(kind, message); err != nil {
			return
		}
	}
}

func (s *fasthttpServer) send(payloads [][]byte) {
	for _, payload := range payloads {
		message, err := fasthttpws.NewPreparedMessage(fasthttpws.BinaryMessage, payload)
		if err != nil {
			panic(err)
		}
		for _, conn := range s.conns.all() {
			conn.WritePreparedMessage(message)
		}
	}
}
