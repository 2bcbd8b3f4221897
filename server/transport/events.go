package transport

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bellwire/bellwire/protocol/sse"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/node"
	"github.com/bellwire/bellwire/realtime/session"
	"github.com/bellwire/bellwire/websocket/handshake"
	"github.com/bellwire/bellwire/websocket/reactor"
)

// keepAliveMax is how long at most nothing comes on an event line (SE-05): proxies give up lines that say nothing for longer.
const keepAliveMax = 15 * time.Second

// keepAlive is a comment.
var keepAlive = []byte(":\n\n")

// eventIDBytesMax is how long the id of a line's events may become: a browser sends it back in a header field.
const eventIDBytesMax = 4 << 10

// Events serves Server-Sent Events (WHATWG HTML 9.2): lines on which only the server speaks. Plain connections are taken
// over from the HTTP server by the loops that serve the WebSockets; others stay with the goroutine of their request.
type Events struct {
	lines    *WebSocket
	protocol *sse.Protocol
	policy   handshake.Policy // of origins alone
	streams  *reactor.Streams // nil: the system has no reactor
	interval time.Duration    // between comments
}

// Events returns the handler of event lines, which shares node, loops and limits with that of WebSockets.
func (t *WebSocket) Events(protocol *sse.Protocol) *Events {
	origins, _ := handshake.ParseOrigins(t.config.OriginPatterns) // NewWebSocket has looked at them
	e := &Events{lines: t, protocol: protocol, policy: handshake.Policy{Origins: origins}, interval: keepAliveMax}
	if t.config.Ping > 0 {
		e.interval = min(t.config.Ping, keepAliveMax)
	}
	if t.reactor != nil {
		e.streams = t.reactor.StreamsOf(reactor.StreamConfig{
			KeepAlive: keepAlive, Interval: e.interval, WriteTimeout: t.config.WriteTimeout, CloseTimeout: t.config.CloseTimeout,
		})
	}
	return e
}

// eventRequest is what a request asks for.
type eventRequest struct {
	hello node.Hello
	first []byte // the client's first message (EVT-2); nil: Hello says all
	many  bool   // there may be positions of several channels
	wants bool   // the client knows what events are, and how to come again
}

// ServeHTTP answers a request with a line, or refuses it.
func (e *Events) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.answer(w, r, ownSlot(r)) }

// answer is ServeHTTP for a request whose connection has a place of its own, or nil. It reports whether a loop has the line;
// the place is then the line's.
func (e *Events) answer(w http.ResponseWriter, r *http.Request, own *Slot) (carried bool) {
	if !e.mayAsk(w, r) {
		return false
	}
	t := e.lines
	client := t.config.Proxies.ClientAddr(r)
	if wait, blocked := t.config.Failures.Blocked(client); blocked {
		e.later(w, r, &putOff{
			http.StatusTooManyRequests, realtime.CodeOverloaded, "too many invalid tokens came from this address; wait a minute", wait,
		})
		return false
	}
	asked, status, refusal := e.read(w, r)
	if refusal != "" {
		t.refuse(w, r, status, refusal)
		return false
	}
	asked.wants = knowsEvents(r)
	asked.hello.RemoteAddr, asked.hello.ListenOnly = client.String(), true
	slot, ok := t.config.Admission.slotOf(r, own)
	if !ok {
		e.later(w, r, &putOff{
			http.StatusTooManyRequests, realtime.CodeOverloaded, "too many connections of this address have not connected yet", time.Second,
		})
		return false
	}
	if e.streams != nil && r.TLS == nil && r.ProtoMajor == 1 {
		return e.carry(w, r, &asked, slot)
	}
	e.serve(w, r, &asked, slot)
	return false
}

// mayAsk answers what is no request for a line: other methods, foreign origins, and questions whether one may ask (SE-07).
func (e *Events) mayAsk(w http.ResponseWriter, r *http.Request) bool {
	header := w.Header()
	header.Add("Vary", "Origin")
	asked := handshake.Request{Host: r.Host, Header: r.Header, Secure: e.lines.config.Proxies.Secure(r)}
	if !e.policy.AllowsOrigin(asked) {
		e.lines.refuse(w, r, http.StatusForbidden, "the Origin may not connect here; allowed_origins says which may")
		return false
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		header.Set("Access-Control-Allow-Origin", origin) // and nothing of credentials: nothing here depends on cookies
	}
	switch r.Method {
	case http.MethodGet, http.MethodPost:
		return true
	case http.MethodOptions:
		header.Set("Access-Control-Allow-Methods", "GET, POST")
		header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Last-Event-ID")
		header.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	default:
		header.Set("Allow", "GET, POST, OPTIONS")
		e.lines.refuse(w, r, http.StatusMethodNotAllowed, "the method must be GET or POST")
	}
	return false
}

// read takes from the request what the node wants to know.
func (e *Events) read(w http.ResponseWriter, r *http.Request) (asked eventRequest, status int, refusal string) {
	if r.Method == http.MethodPost {
		return e.readBody(w, r)
	}
	query, last, refusal := cutLastEventID(r.URL.RawQuery)
	if refusal != "" {
		return asked, http.StatusBadRequest, refusal
	}
	hello := &asked.hello
	if hello.Channels, refusal = readChannels(query); refusal != "" {
		return asked, http.StatusBadRequest, refusal
	}
	if len(hello.Channels) == 0 {
		return asked, http.StatusBadRequest, "name the channels, as in /sse?channels=ticker,chat:lobby"
	}
	if sse.IDBytes(hello.Channels) > eventIDBytesMax {
		return asked, http.StatusBadRequest, "the names of the channels are too long together; POST a connect command instead"
	}
	if hello.Token, refusal = bearer(r.Header.Values("Authorization")); refusal != "" {
		return asked, http.StatusBadRequest, refusal
	}
	if field := r.Header.Get("Last-Event-ID"); field != "" {
		last = field // newer than what the URL says: the browser sends it when it comes again
	}
	hello.Since, _ = sse.ParseID(last) // of what is no id of ours nothing is known (SE-02)
	logs := 0
	for _, channel := range hello.Channels {
		if !realtime.IsPattern(channel) {
			logs++
		}
	}
	asked.many = logs > 1
	return asked, 0, ""
}

// readBody reads a POST, whose body is what the first message of a WebSocket would be.
func (e *Events) readBody(w http.ResponseWriter, r *http.Request) (asked eventRequest, status int, refusal string) {
	if r.URL.RawQuery != "" {
		return asked, http.StatusBadRequest, "with POST the body says everything: the URL has no query"
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(e.lines.config.MessageBytesMax)))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return asked, http.StatusRequestEntityTooLarge, "the body is larger than a message may be"
	case err != nil:
		return asked, http.StatusBadRequest, "the body ended early"
	case len(body) == 0:
		return asked, http.StatusBadRequest, `the body must be a connect command, as {"connect":{"subscribe":[{"channel":"ticker"}]}}`
	}
	e.lines.config.Metrics.Received(len(body))
	asked.first, asked.many = body, true
	return asked, 0, ""
}

// cutLastEventID takes last_event_id out of a query: an EventSource cannot set a header when it comes for the first time.
func cutLastEventID(rawQuery string) (rest, last, refusal string) {
	var left []string
	for part := range strings.SplitSeq(rawQuery, "&") {
		value, found := strings.CutPrefix(part, "last_event_id=")
		if !found {
			left = append(left, part)
			continue
		}
		decoded, err := url.QueryUnescape(value)
		if err != nil || last != "" {
			return "", "", "the query is malformed"
		}
		last = decoded
	}
	return strings.Join(left, "&"), last, ""
}

// setEventHeader is what the answer begins with, when it is a line. No proxy may hold anything of it back (SE-05).
func setEventHeader(header http.Header, r *http.Request) {
	header.Set("Content-Type", "text/event-stream; charset=utf-8")
	header.Set("Cache-Control", "no-store, no-transform")
	header.Set("X-Accel-Buffering", "no")
	if r.ProtoMajor == 1 {
		header.Set("Connection", "close")
	}
}

// putOff is a refusal for now.
type putOff struct {
	status int
	code   realtime.Code
	reason string
	wait   time.Duration
}

// full says that there is no room, as whoever has none puts it.
func (e *Events) full(why error) *putOff {
	code := realtime.AsError(why).Code
	if code.Kind() != realtime.KindDisconnect {
		code = realtime.CodeOverloaded // the loops have no room
	}
	return &putOff{http.StatusServiceUnavailable, code, code.Meaning(), e.lines.config.Node.RetryAfter()}
}

// later says when to come again. An EventSource gives up for good when the status is not 200 (WHATWG HTML 9.2.3), so that
// one is told by an event; all others by the status (EVT-5).
func (e *Events) later(w http.ResponseWriter, r *http.Request, p *putOff) {
	wait := max(p.wait, time.Second)
	if !knowsEvents(r) {
		setRetryAfter(w, wait)
		e.lines.refuse(w, r, p.status, p.reason)
		return
	}
	e.lines.config.Metrics.Refused(p.status)
	setEventHeader(w.Header(), r)
	_, _ = w.Write(e.protocol.Encode(0, &session.Disconnect{Code: p.code, Reason: p.code.Name(), Window: wait}))
}

// knowsEvents reports whether the client knows what events are, and how to come again.
func knowsEvents(r *http.Request) bool {
	return strings.Contains(strings.Join(r.Header.Values("Accept"), ","), "text/event-stream")
}
