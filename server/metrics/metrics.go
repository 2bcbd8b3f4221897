package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/node"
	"github.com/bellwire/bellwire/server/auth"
)

// Metrics implements node.Metrics and what transport, auth, logging and API count.
type Metrics struct {
	registry *prometheus.Registry

	opened   *prometheus.CounterVec
	closed   *prometheus.CounterVec
	turned   *prometheus.CounterVec
	commands map[string]prometheus.Observer // by the names of commands and "other"; immutable
	failed   *prometheus.CounterVec
	sent     prometheus.Counter
	sentSize prometheus.Counter
	got      prometheus.Counter
	gotSize  prometheus.Counter
	dropped  *prometheus.CounterVec
	panics   *prometheus.CounterVec
	tokens   *prometheus.CounterVec
	keys     *prometheus.CounterVec
	http     *prometheus.CounterVec
	api      *prometheus.HistogramVec
}

// durations are the bounds of histograms, in seconds: from what costs nothing to what times out.
var durations = []float64{.000025, .0001, .00025, .001, .0025, .01, .025, .1, .25, 1, 2.5, 10}

// New returns metrics in a registry of their own.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	m.opened = m.vector("connections_opened_total", "Connections that were admitted.", "transport", "protocol")
	m.closed = m.vector("connections_closed_total", "Connections that ended, by the code that ended them; line_lost where there was none.", "transport", "protocol", "code")
	m.turned = m.vector("connections_refused_total", "Connections that were not admitted.", "code")
	commands := m.histogram("command_duration_seconds", "Time from a client's command to its answer.", "command")
	m.commands = make(map[string]prometheus.Observer)
	for _, command := range append(commandNames, commandOther) {
		m.commands[command] = commands.WithLabelValues(command)
	}
	m.failed = m.vector("command_errors_total", "Commands answered with an error.", "command", "code")
	m.sent = m.counter("messages_sent_total", "Messages written to clients.")
	m.sentSize = m.counter("sent_bytes_total", "Bytes of messages written to clients.")
	m.got = m.counter("messages_received_total", "WebSocket messages read from clients.")
	m.gotSize = m.counter("received_bytes_total", "Bytes of messages read from clients.")
	m.dropped = m.vector("messages_dropped_total", "Messages that were not sent to a client.", "reason")
	m.panics = m.vector("panics_total", "Panics that were caught. Each is a bug.", "where")
	m.tokens = m.vector("token_failures_total", "Tokens that were refused, by the check they failed.", "check")
	m.keys = m.vector("api_key_failures_total", "API requests without a valid key.", "reason")
	m.http = m.vector("http_refused_total", "HTTP requests that were refused before their handler.", "status")
	m.api = m.histogram("api_request_duration_seconds", "Time of an API request.", "method", "status")
	for _, check := range auth.Checks {
		m.tokens.WithLabelValues(string(check))
	}
	return m
}

func (m *Metrics) counter(name, help string) prometheus.Counter {
	c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "bellwire", Name: name, Help: help})
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) vector(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "bellwire", Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "bellwire", Name: name, Help: help, Buckets: durations}, labels)
	m.registry.MustRegister(h)
	return h
}

// Watch adds what a node knows of itself. It is called once.
func (m *Metrics) Watch(info func() node.Info) { m.registry.MustRegister(&nodeCollector{info: info}) }

// WatchAdmission adds how many connections were closed at once. It is called once.
func (m *Metrics) WatchAdmission(refused func() uint64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Namespace: "bellwire", Name: "connections_dropped_at_accept_total",
		Help: "Connections closed at once: too many of their address had not connected yet.",
	}, func() float64 { return float64(refused()) }))
}

// Held is what the backend holds for all channels, and how many entries gave way to newer ones for want of room.
type Held struct {
	Channels int
	Bytes    int64
	Evicted  int64
}

// WatchHeld adds what the backend holds, beside the limits that bound it. It is called once.
func (m *Metrics) WatchHeld(held func() Held) {
	opts := func(name, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "bellwire", Name: name, Help: help}
	}
	m.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("held_channels", "Channels the backend knows, for their data or their members; limits.channels bounds them.")),
			func() float64 { return float64(held().Channels) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts("held_bytes", "Bytes the backend keeps of all channels; limits.held_bytes bounds them.")),
			func() float64 { return float64(held().Bytes) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts(opts("evicted_entries_total", "Entries that gave way before their time, for want of room in limits.held_bytes.")),
			func() float64 { return float64(held().Evicted) }),
	)
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// What the node counts.

func (m *Metrics) ConnectionOpened(transport, protocol string) {
	m.opened.WithLabelValues(transport, protocol).Inc()
}

func (m *Metrics) ConnectionClosed(transport, protocol string, code realtime.Code) {
	m.closed.WithLabelValues(transport, protocol, codeName(code)).Inc()
}

func (m *Metrics) ConnectionRefused(code realtime.Code) {
	m.turned.WithLabelValues(codeName(code)).Inc()
}

var commandNames = []string{
	"connect", "subscribe", "unsubscribe", "publish", "history", "state", "update", "presence", "enter", "leave", "call", "refresh", "ping",
}

const commandOther = "other"

// CommandDone finds the histogram of a command by its name alone: to ask the vector for it took as long as to write to it.
func (m *Metrics) CommandDone(command string, code realtime.Code, took time.Duration) {
	observer, known := m.commands[command]
	if !known { // the name may be a peer's
		command, observer = commandOther, m.commands[commandOther]
	}
	observer.Observe(took.Seconds())
	if code != 0 {
		m.failed.WithLabelValues(command, codeName(code)).Inc()
	}
}

func (m *Metrics) MessagesSent(messages, bytes int) {
	m.sent.Add(float64(messages))
	m.sentSize.Add(float64(bytes))
}

func (m *Metrics) MessagesDropped(reason string, messages int) {
	m.dropped.WithLabelValues(reason).Add(float64(messages))
}

func (m *Metrics) Panicked() { m.panics.WithLabelValues("node").Inc() }

// What the other parts of the server count.

// Transport is the part of the metrics that a transport writes.
func (m *Metrics) Transport() TransportMetrics { return TransportMetrics{m} }

// TransportMetrics implements transport.Metrics.
type TransportMetrics struct{ m *Metrics }

func (t TransportMetrics) Received(bytes int) {
	t.m.got.Inc()
	t.m.gotSize.Add(float64(bytes))
}

func (t TransportMetrics) Refused(status int)   { t.m.HTTPRefused(status) }
func (t TransportMetrics) Panicked(string)      { t.m.panics.WithLabelValues("transport").Inc() }
func (m *Metrics) TokenFailed(check auth.Check) { m.tokens.WithLabelValues(string(check)).Inc() }
func (m *Metrics) APIKeyFailed(reason string)   { m.keys.WithLabelValues(reason).Inc() }
func (m *Metrics) HTTPRefused(status int)       { m.http.WithLabelValues(strconv.Itoa(status)).Inc() }
func (m *Metrics) APIPanicked()                 { m.panics.WithLabelValues("api").Inc() }

// APIRequest counts a request to a registered method.
func (m *Metrics) APIRequest(method string, status int, took time.Duration) {
	m.api.WithLabelValues(method, strconv.Itoa(status)).Observe(took.Seconds())
}

// codeName is a label: codes outside the catalogue share one, since some are chosen by peers.
func codeName(code realtime.Code) string {
	switch {
	case code == 0:
		return "line_lost"
	case code.Name() != "":
		return code.Name()
	case code >= 1000 && code <= 1015:
		return strconv.Itoa(int(code))
	}
	return "other"
}
