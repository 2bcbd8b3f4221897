package main

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	nats "github.com/nats-io/nats-server/v2/server"
)

func serveNATS() error {
	s, err := nats.NewServer(&nats.Options{
		Host: "127.0.0.1", Port: nats.RANDOM_PORT, NoLog: true, NoSigs: true, MaxConn: 100_000,
		Websocket: nats.WebsocketOpts{Host: "127.0.0.1", Port: nats.RANDOM_PORT, NoTLS: true},
	})
	if err != nil {
		return err
	}
	go s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return errors.New("NATS does not get ready")
	}
	address, err := url.Parse(s.WebsocketURL())
	if err != nil {
		return err
	}
	fmt.Println("listening", address.Port())
	return nil
}
