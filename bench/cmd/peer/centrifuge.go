package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/centrifugal/centrifuge"
)

func serveCentrifuge(tuned bool) error {
	node, err := centrifuge.New(centrifuge.Config{})
	if err != nil {
		return err
	}
	node.OnConnecting(func(_ context.Context, event centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		reply := centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{}}
		if len(event.Channels) > 0 { // which a stream names, so that it needs no second request
			reply.Subscriptions = make(map[string]centrifuge.SubscribeOptions)
		}
		for _, channel := range event.Channels {
			reply.Subscriptions[channel] = centrifuge.SubscribeOptions{}
		}
		if tuned {
			reply.WriteDelay = 20 * time.Millisecond
			reply.WriteWithTimer = true
		}
		return reply, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(_ centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) {
			reply(centrifuge.SubscribeReply{}, nil)
		})
		client.OnPublish(func(_ centrifuge.PublishEvent, reply centrifuge.PublishCallback) {
			reply(centrifuge.PublishReply{}, nil)
		})
	})
	if err := node.Run(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/ws", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		UseWriteBufferPool: tuned, ProcessCommandsOffReadLoop: tuned,
	}))
	// A stream would have to answer pings with requests of their own, which the load does not: they are not waited for.
	mux.Handle("/connection/sse", centrifuge.NewSSEHandler(node, centrifuge.SSEConfig{PingPongConfig: centrifuge.PingPongConfig{PongTimeout: -1}}))
	mux.Handle("/api/publish", publishHandler(node))
	go http.Serve(listener, mux)
	port := listener.Addr().(*net.TCPAddr).Port
	fmt.Println("listening", port, port)
	return nil
}

// publishHandler does what Centrifugo's /api/publish does, and nothing more.
func publishHandler(node *centrifuge.Node) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Channel string          `json:"channel"`
			Data    json.RawMessage `json:"data"`
		}
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if _, err := node.Publish(request.Channel, request.Data); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"result":{}}`))
	})
}
