package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/bellwire/bellwire/websocket"
)

// options are the program's flags.
type options struct {
	listen    string
	driver    string
	certFile  string
	keyFile   string
	accept    websocket.AcceptOptions
	listening func(net.Addr) // told the address once it is known
}

func main() {
	o, err := parse(os.Args[1:])
	if err != nil {
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o.listening = func(address net.Addr) { fmt.Println("echo on", address) }
	if err := serve(ctx, o); err != nil {
		slog.Error("echoserver", "error", err)
		os.Exit(1)
	}
}

func parse(arguments []string) (options, error) {
	o := options{accept: websocket.AcceptOptions{InsecureSkipOriginCheck: true}}
	flags := flag.NewFlagSet("echoserver", flag.ContinueOnError)
	flags.StringVar(&o.listen, "listen", "127.0.0.1:9001", "address to listen on")
	flags.StringVar(&o.driver, "driver", "goroutine", "what drives connections: goroutine or reactor; over TLS, and where there is no epoll, it is always goroutine")
	flags.StringVar(&o.certFile, "cert", "", "certificate file, for TLS")
	flags.StringVar(&o.keyFile, "key", "", "key file of the certificate")
	flags.TextVar(&o.accept.Compression, "compression", websocket.CompressionOff, "off, no-takeover or takeover")
	flags.Int64Var(&o.accept.Limits.MessageBytes, "message-limit", 16<<20, "largest message, in bytes")
	flags.IntVar(&o.accept.Limits.Fragments, "fragment-limit", 0, "most frames in a message; 0 is the library's default")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	if o.driver != "goroutine" && o.driver != "reactor" {
		err := fmt.Errorf("unknown driver %q", o.driver)
		fmt.Fprintln(flags.Output(), err)
		return o, err
	}
	return o, nil
}

// serve runs until the context ends, and then closes what is open.
func serve(ctx context.Context, o options) error {
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	handler, shutdown, err := echoHandler(ctx, o)
	if err != nil {
		listener.Close()
		return err
	}
	defer shutdown()
	server := &http.Server{
		Handler:           handler,
		MaxHeaderBytes:    16 << 10,
		ReadHeaderTimeout: 5 * time.Second,
	}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	o.listening(listener.Addr())
	if o.certFile != "" {
		err = server.ServeTLS(listener, o.certFile, o.keyFile)
	} else {
		err = server.Serve(listener)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
