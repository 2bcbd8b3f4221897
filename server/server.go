package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/realtime/node"
	"github.com/bellwire/bellwire/server/api"
	"github.com/bellwire/bellwire/server/config"
	"github.com/bellwire/bellwire/server/failure"
	"github.com/bellwire/bellwire/server/metrics"
	"github.com/bellwire/bellwire/server/transport"
)

// closeTimeout is how long the last requests and lines may take when the drain is over.
const closeTimeout = 2 * time.Second

// Options is what a server is made of.
type Options struct {
	Config  *config.Config // validated
	Version string
	Logger  *slog.Logger
}

// Server is one process.
type Server struct {
	// Immutable after New.
	config    *config.Config
	version   string
	logger    *slog.Logger
	metrics   *metrics.Metrics
	node      *node.Node
	api       *api.API
	websocket *transport.WebSocket
	events    *transport.Events
	admission *transport.Admission
	failures  *failure.Counter // invalid tokens of each address
	public    *http.Server
	internal  *http.Server // nil: everything is public's

	// Immutable after Listen.
	publicListener   net.Listener
	internalListener net.Listener

	group safego.Group
}

// New makes all parts and starts none of them. The caller runs the server or closes it.
func New(options Options) (*Server, error) {
	s := &Server{config: options.Config, version: options.Version, logger: options.Logger, metrics: metrics.New()}
	s.group.Logger = options.Logger
	if err := s.wire(); err != nil {
		return nil, err
	}
	return s, nil
}

// Listen takes the addresses. What is taken by another program is said in words that name the way out.
func (s *Server) Listen() error {
	listener, err := listen("listen", s.config.Listen)
	if err != nil {
		return err
	}
	if s.publicListener, err = s.admit(listener); err != nil {
		listener.Close()
		return err
	}
	if s.internal == nil {
		return nil
	}
	if s.internalListener, err = listen("internal_listen", s.config.InternalListen); err != nil {
		s.publicListener.Close()
		return err
	}
	return nil
}

// admit puts the admission before a listener, and the loops where they can serve from the first byte on: not behind TLS.
func (s *Server) admit(listener net.Listener) (net.Listener, error) {
	if s.config.TLS.CertificateFile != "" {
		return s.admission.Listen(listener), nil
	}
	return s.websocket.Listen(listener, webSocketPath, s.events, eventsPath, s.guard(), secure)
}

func listen(key, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		return listener, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is %s, but another program listens there: stop it, or choose another address, "+
			"for example with --listen %s", key, address, nextAddress(address))
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s is %s, which this user may not listen on: choose a port above 1023", key, address)
	}
	return nil, fmt.Errorf("%s: %w", key, err)
}

// nextAddress is the same host and the port after it.
func nextAddress(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "127.0.0.1:8001"
	}
	number, err := net.LookupPort("tcp", port)
	if err != nil || number >= 65535 {
		number = 8000
	}
	return net.JoinHostPort(host, fmt.Sprint(number+1))
}

// URL is where the server can be reached from this machine.
func (s *Server) URL() string { return s.urlOf(s.publicListener.Addr()) }

// APIURL is where the API can be reached from this machine.
func (s *Server) APIURL() string {
	if s.internalListener == nil {
		return s.URL()
	}
	return "http://" + reachable(s.internalListener.Addr())
}

func (s *Server) urlOf(address net.Addr) string {
	if s.config.TLS.CertificateFile != "" {
		return "https://" + reachable(address)
	}
	return "http://" + reachable(address)
}

// reachable turns an address that means all of this machine's into one of them.
func reachable(address net.Addr) string {
	host, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return address.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// Run serves until ctx ends, then drains (LIV-5), and returns when everything has ended. It returns an error when a
// listener failed.
func (s *Server) Run(ctx context.Context) error {
	failed := make(chan error, 2)
	s.serve(s.public, s.publicListener, failed)
	if s.internal != nil {
		s.serve(s.internal, s.internalListener, failed)
	}
	s.logger.Info("listening", "address", s.publicListener.Addr().String(), "version", s.version, "dev", s.config.Dev)
	if s.config.HTTP2WebSocket {
		s.logger.Info("WebSocket over HTTP/2 is offered")
	}
	for _, warning := range s.config.Warnings() {
		s.logger.Warn("configuration", "warning", warning)
	}
	var err error
	select {
	case <-ctx.Done():
		s.drain()
	case err = <-failed:
	}
	return errors.Join(err, s.close())
}

func (s *Server) serve(server *http.Server, listener net.Listener, failed chan<- error) {
	s.group.Go("http", func() {
		var err error
		if server == s.public && s.config.TLS.CertificateFile != "" {
			err = server.ServeTLS(listener, s.config.TLS.CertificateFile, s.config.TLS.KeyFile)
		} else {
			err = server.Serve(listener)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			failed <- err
		}
	}, func() { listener.Close() })
}

// drain moves the clients away while the server still answers: readiness is gone, new lines get 503.
func (s *Server) drain() {
	info := s.node.Info()
	s.logger.Info("draining", "connections", info.Connections, "over", s.config.Drain.String())
	ctx, cancel := context.WithTimeout(context.Background(), s.config.Drain+closeTimeout)
	defer cancel()
	s.api.Drain()
	if err := s.node.Drain(ctx, s.config.Drain); err != nil {
		s.logger.Warn("the drain was cut short", "error", err)
	}
}

// close ends what is left, the doors first.
func (s *Server) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	s.api.Drain() // also where a listener failed, and nothing was drained
	var errs []error
	for _, server := range []*http.Server{s.public, s.internal} {
		if server == nil {
			continue
		}
		if err := server.Shutdown(ctx); err != nil {
			errs = append(errs, server.Close())
		}
	}
	errs = append(errs, s.node.Close())
	if err := s.websocket.Wait(ctx); err != nil {
		s.logger.Warn("lines were left", "error", err)
	}
	if err := s.group.Wait(ctx); err != nil {
		s.logger.Warn("listeners were left", "error", err)
	}
	s.logger.Info("stopped")
	return errors.Join(errs...)
}

// Close releases a server that was never run.
func (s *Server) Close() error {
	for _, listener := range []net.Listener{s.publicListener, s.internalListener} {
		if listener != nil {
			listener.Close()
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return errors.Join(s.node.Close(), s.websocket.Wait(ctx))
}

// nodeName is the configured one or the host's.
func nodeName(configured string) string {
	if configured != "" {
		return configured
	}
	if host, err := os.Hostname(); err == nil && host != "" {
		return host
	}
	return "bellwire-" + rand.Text()[:8]
}
