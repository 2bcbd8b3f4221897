package main

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/reactor"
)

// echoHandler returns what serves requests, and what closes the connections of a reactor.
func echoHandler(ctx context.Context, o options) (handler http.Handler, shutdown func(), err error) {
	goroutines := onGoroutines(ctx, o.accept)
	if o.driver != "reactor" {
		return goroutines, func() {}, nil
	}
	r, err := echoReactor(o.accept)
	if errors.Is(err, reactor.ErrTransport) { // no epoll here
		return goroutines, func() {}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	shutdown = func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := r.Shutdown(ctx, websocket.StatusGoingAway, "the server stops"); err != nil {
			slog.Warn("shutting down", "error", err)
		}
	}
	return onReactor(r, o.accept, goroutines), shutdown, nil
}

// onGoroutines gives each connection a goroutine of its own, so that the one of the
// HTTP server, which holds much more memory, can end.
func onGoroutines(ctx context.Context, opts websocket.AcceptOptions) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &opts)
		if err != nil {
			slog.Warn("refused", "remote", r.RemoteAddr, "error", err)
			return
		}
		go echo(ctx, conn)
	})
}

// echo sends back what comes until the connection or the context ends.
func echo(ctx context.Context, conn *websocket.Conn) {
	defer conn.CloseNow()
	_ = conn.Serve(ctx, func(t *websocket.Turn, kind websocket.MessageType, message []byte) error {
		return t.Send(kind, message)
	})
	if ctx.Err() != nil {
		conn.Close(websocket.StatusGoingAway, "the server stops")
	}
}

// onReactor gives connections to the reactor, except those over TLS, which it cannot serve.
func onReactor(r *reactor.Reactor, opts websocket.AcceptOptions, otherwise http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.TLS != nil {
			otherwise.ServeHTTP(w, request)
			return
		}
		if err := r.Upgrade(w, request, &opts, nil); err != nil {
			slog.Warn("refused", "remote", request.RemoteAddr, "error", err)
		}
	})
}

// queueBytesMin is the reactor's own default.
const queueBytesMin = 1 << 20

// echoReactor starts a reactor that sends back what comes. Two messages of the largest size fit in the queue of a peer.
func echoReactor(opts websocket.AcceptOptions) (*reactor.Reactor, error) {
	messageBytes := cmp.Or(opts.Limits.MessageBytes, queueBytesMin)
	return reactor.New(reactor.Config{
		QueueBytesMax: int(max(queueBytesMin, 2*messageBytes)),
		Handler: reactor.Handler{
			Message: func(t *reactor.Turn, kind websocket.MessageType, message []byte) {
				_ = t.Send(kind, message) // fails only for a connection that is closing
			},
		},
	})
}
