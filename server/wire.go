package server

import (
	cryptorand "crypto/rand"
	"crypto/tls"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"time"

	"github.com/bellwire/bellwire/backend/memory"
	"github.com/bellwire/bellwire/protocol/native"
	"github.com/bellwire/bellwire/protocol/sse"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/node"
	"github.com/bellwire/bellwire/server/api"
	"github.com/bellwire/bellwire/server/auth"
	"github.com/bellwire/bellwire/server/failure"
	"github.com/bellwire/bellwire/server/metrics"
	"github.com/bellwire/bellwire/server/transport"
)

// headSlack is what net/http adds to the limit of a request's head.
const headSlack = 4 << 10

// systemClock is the real one.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// wire makes the parts in the order in which they need each other.
func (s *Server) wire() error {
	if s.config.HTTP2WebSocket && !HTTP2Offered() {
		return ErrHTTP2NotOffered
	}
	s.failures = failure.New(s.config.Tokens.FailuresPerMinute, time.Now)
	verifier, err := s.newVerifier()
	if err != nil {
		return err
	}
	if s.node, err = node.New(s.nodeConfig(verifier)); err != nil {
		return err
	}
	s.metrics.Watch(s.node.Info)

	prefixes, err := s.config.ProxyPrefixes()
	if err != nil {
		return err
	}
	proxies := transport.NewProxies(prefixes)
	s.admission = transport.NewAdmission(s.config.Limits.UnauthenticatedPerIP, proxies)
	s.metrics.WatchAdmission(s.admission.Refused)
	if s.websocket, err = transport.NewWebSocket(s.transportConfig(proxies)); err != nil {
		return err
	}
	s.events = s.websocket.Events(sse.New(native.JSON, drawRetry))
	s.api = s.newAPI(proxies)
	public, internal := s.routes(s.api)
	s.public = s.httpServer(public)
	s.public.ConnContext = s.admission.ConnContext
	s.public.ConnState = s.admission.ConnState
	if s.config.HTTP2WebSocket {
		s.addHTTP2(s.public)
	}
	if internal != nil {
		s.internal = s.httpServer(internal)
	}
	return nil
}

func (s *Server) newVerifier() (*auth.Verifier, error) {
	tokens := s.config.Tokens
	var keys []auth.Key
	if tokens.HMACSecret != "" {
		keys = append(keys, auth.Key{Algorithm: "HS256", Material: []byte(tokens.HMACSecret)})
	}
	for _, key := range tokens.Keys {
		material, err := key.Material()
		if err != nil {
			return nil, err
		}
		keys = append(keys, auth.Key{ID: key.ID, Algorithm: key.Algorithm, Material: material})
	}
	return auth.New(auth.Config{
		Keys: keys, Issuer: tokens.Issuer, Audience: tokens.Audience, Leeway: tokens.Leeway,
		TokenBytesMax: int(s.config.Limits.TokenBytes), Failed: s.metrics.TokenFailed,
	})
}

func (s *Server) nodeConfig(verifier *auth.Verifier) node.Config {
	limits := s.config.Limits
	return node.Config{
		Name: nodeName(s.config.Name), Version: s.version,
		Backend: s.newBackend, Namespaces: s.config.NamespaceLookup(),
		Verifier: verifier, AllowAnonymous: s.config.AllowAnonymous, TokenRefused: s.tokenRefused,
		Everywhere: s.config.Everywhere(), Call: realtime.Anyone, // a handler decides who may call it; there is none yet: unknown_method
		Limits: node.Limits{
			ConnectionsMax: limits.Connections, AdmissionRate: float64(limits.AdmissionPerSecond), AdmissionBurst: limits.AdmissionPerSecond,
			MessageBytesMax: int(limits.MessageBytes), SubscriptionsMax: limits.Subscriptions, ChannelsMax: limits.ChannelsPerCommand,
			CommandRate: float64(limits.CommandsPerSecond), CommandBurst: limits.CommandsBurst,
			QueueBytesMax: int(limits.QueueBytes), QueueMessagesMax: limits.QueueMessages,
			ConnectTimeout: limits.ConnectTimeout, PingInterval: limits.Ping, PongTimeout: limits.Pong,
		},
		Clock: systemClock{}, Rand: cryptorand.Reader, Logger: s.logger, Metrics: s.metrics,
	}
}

// tokenRefused counts an invalid token for the address that sent it (AU-19).
func (s *Server) tokenRefused(remoteAddr string) {
	if address, err := netip.ParseAddr(remoteAddr); err == nil {
		s.failures.Add(address)
	}
}

func (s *Server) newBackend(sink broker.Sink) (broker.Backend, error) {
	backend, err := memory.New(memory.Config{
		Sink: sink, Clock: systemClock{}, Rand: cryptorand.Reader, Logger: s.logger,
		BytesMax: int(s.config.Limits.HeldBytes), ChannelsMax: s.config.Limits.Channels,
	})
	if err != nil {
		return nil, err
	}
	backend.Start()
	s.metrics.WatchHeld(func() metrics.Held {
		stats := backend.Stats()
		return metrics.Held{Channels: stats.Channels, Bytes: stats.Bytes, Evicted: stats.Evicted}
	})
	return backend, nil
}

func (s *Server) transportConfig(proxies *transport.Proxies) transport.Config {
	limits := s.config.Limits
	return transport.Config{
		Node: s.node, Admission: s.admission, Failures: s.failures, Proxies: proxies, Logger: s.logger, Metrics: s.metrics.Transport(),
		Protocols: []transport.Protocol{
			{Subprotocol: native.JSON.Name(), Session: native.JSON},
			{Subprotocol: native.Proto.Name(), Session: native.Proto},
		},
		OriginPatterns: s.config.AllowedOrigins,
		HeadBytesMax:   int(s.config.HTTP.HeadBytes), LineBytesMax: int(max(s.config.HTTP.LineBytes, s.config.HTTP.URLBytes)),
		FieldsMax: s.config.HTTP.HeaderLines, CookiesMax: s.config.HTTP.Cookies,
		MessageBytesMax: int(limits.MessageBytes), FragmentsMax: limits.Fragments, FrameBytesMax: int(limits.FrameBytes),
		HeadTimeout: s.config.HTTP.HeaderTimeout,
		Ping:        limits.Ping, Pong: limits.Pong, WriteTimeout: limits.WriteTimeout, CloseTimeout: limits.CloseTimeout,
	}
}

// drawRetry draws when an EventSource is to come again: evenly over as much time as the window, and never at once, since it
// waits as long before each attempt and never longer (EVT-3).
func drawRetry(window time.Duration) time.Duration { return window/2 + rand.N(window) }

func (s *Server) newAPI(proxies *transport.Proxies) *api.API {
	return api.New(api.Config{
		Node: s.node, Protocol: native.JSON, Keys: auth.NewAPIKeys(s.config.API.Keys),
		ClientAddr: proxies.ClientAddr, Now: time.Now, Logger: s.logger, Metrics: s.metrics,
		BodyBytesMax: int64(s.config.API.BodyBytes), BroadcastChannelsMax: s.config.API.BroadcastChannels,
		BatchCommandsMax: s.config.API.BatchCommands, StreamsMax: s.config.API.Streams, StreamIdle: s.config.API.StreamIdle,
		FailuresPerMinute: s.config.API.FailuresPerMinute, Timeout: s.config.API.Timeout,
	})
}

// guard is what every request has to pass.
func (s *Server) guard() *transport.Guard {
	limits := s.config.HTTP
	return &transport.Guard{
		HeaderLinesMax: limits.HeaderLines, LineBytesMax: int(limits.LineBytes), URLBytesMax: int(limits.URLBytes),
		CookiesMax: limits.Cookies, Hosts: s.config.AllowedHosts, Refused: s.metrics.HTTPRefused,
	}
}

// httpServer speaks HTTP/1.1 only, unless addHTTP2 changes that: HTTP/2 has a long list of ways to make a server work
// for nothing (VC-20), and a WebSocket needs none of it. Every phase has its own deadline (VC-21).
func (s *Server) httpServer(handler http.Handler) *http.Server {
	limits := s.config.HTTP
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:                      s.guard().Wrap(handler),
		Protocols:                    &protocols,
		TLSConfig:                    &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}},
		ReadHeaderTimeout:            limits.HeaderTimeout,
		ReadTimeout:                  limits.BodyTimeout,
		WriteTimeout:                 limits.BodyTimeout + s.config.API.Timeout + closeTimeout,
		IdleTimeout:                  limits.IdleTimeout,
		MaxHeaderBytes:               max(int(limits.HeadBytes)-headSlack, 1),
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(s.logger.Handler(), slog.LevelDebug),
	}
}
