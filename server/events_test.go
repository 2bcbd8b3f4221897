package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/server/auth"
	"github.com/bellwire/bellwire/server/config"
)

// newsroom is a server with a client that asks for event lines.
type newsroom struct {
	*fixture
	events *http.Client
	base   string
	http   int // the version of HTTP that lines come by
}

func newNewsroom(f *fixture, scheme string, transport *http.Transport) *newsroom {
	n := &newsroom{fixture: f, events: &http.Client{Timeout: patience, Transport: transport}, base: scheme + "://" + f.address(), http: 1}
	f.t.Cleanup(transport.CloseIdleConnections)
	return n
}

func plainNewsroom(t *testing.T, change func(*config.Config)) *newsroom {
	return newNewsroom(start(t, change), "http", &http.Transport{})
}

func secureNewsroom(t *testing.T, change func(*config.Config)) *newsroom {
	certificateFile, keyFile, pool := makeCertificate(t)
	f := start(t, func(c *config.Config) {
		c.TLS = config.TLS{CertificateFile: certificateFile, KeyFile: keyFile}
		if change != nil {
			change(c)
		}
	})
	return newNewsroom(f, "https", &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}})
}

// streamNewsroom is one whose lines are streams of HTTP/2.
func streamNewsroom(t *testing.T, change func(*config.Config)) *newsroom {
	f := startHTTP2(t, true, change)
	n := newNewsroom(f.fixture, "https", &http.Transport{TLSClientConfig: &tls.Config{RootCAs: f.pool}, ForceAttemptHTTP2: true})
	n.http = 2
	return n
}

// eventLine reads events as WHATWG HTML 9.2.6 says.
type eventLine struct {
	*newsroom
	response *http.Response
	in       *bufio.Reader
	lastID   string
	retry    int // milliseconds; -1: none was said
	comments int
}

func (n *newsroom) request(method, path, body string, header http.Header) *eventLine {
	n.t.Helper()
	request, err := http.NewRequest(method, n.base+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	if header != nil {
		request.Header = header
	}
	response, err := n.events.Do(request)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { response.Body.Close() })
	return &eventLine{newsroom: n, response: response, in: bufio.NewReader(response.Body), retry: -1}
}

// listen opens a line as an EventSource does.
func (n *newsroom) listen(query, lastID string) *eventLine {
	n.t.Helper()
	header := http.Header{"Accept": {"text/event-stream"}}
	if lastID != "" {
		header.Set("Last-Event-ID", lastID)
	}
	l := n.request(http.MethodGet, "/sse?"+query, "", header)
	l.isLine()
	return l
}

func (l *eventLine) isLine() {
	l.t.Helper()
	if kind := l.response.Header.Get("Content-Type"); l.response.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/event-stream") {
		body, _ := io.ReadAll(l.response.Body)
		l.t.Fatalf("%s %s: %s", l.response.Status, kind, body)
	}
	if l.response.ProtoMajor != l.http {
		l.t.Errorf("the line came by %s", l.response.Proto)
	}
}

// next is the next event's data, or "" at the end.
func (l *eventLine) next() string {
	l.t.Helper()
	data, any := "", false
	for {
		text, err := l.in.ReadString('\n')
		if err != nil {
			return ""
		}
		text = strings.TrimSuffix(text, "\n")
		field, value, _ := strings.Cut(text, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case text == "" && any:
			return strings.TrimSuffix(data, "\n")
		case text == "":
		case field == "":
			l.comments++
		case field == "data":
			data, any = data+value+"\n", true
		case field == "id":
			l.lastID = value
		case field == "retry":
			if l.retry, err = strconv.Atoi(value); err != nil {
				l.t.Fatal(err)
			}
		default:
			l.t.Fatalf("the field %q", text)
		}
	}
}

// expect is the body of the next event, which must be of that kind.
func (l *eventLine) expect(kind string) map[string]any {
	l.t.Helper()
	data := l.next()
	var message map[string]any
	err := json.Unmarshal([]byte(data), &message)
	body, ok := message[kind].(map[string]any)
	if err != nil || !ok {
		l.t.Fatalf("got %.200q, want %s", data, kind)
	}
	return body
}

func (l *eventLine) hears(channel string, offset int) {
	l.t.Helper()
	got := l.expect("publication")
	if got["channel"] != channel || got["offset"] != float64(offset) {
		l.t.Fatalf("got %v/%v, want %s/%d", got["channel"], got["offset"], channel, offset)
	}
}

func (n *newsroom) say(channel string, count int) {
	n.t.Helper()
	for range count {
		draft := broker.Draft{Channel: channel, Payload: realtime.JSON([]byte(`{"text":"x"}`))}
		if _, err := n.server.node.Publish(context.Background(), draft); err != nil {
			n.t.Fatal(err)
		}
	}
}

// connections waits until there are so many.
func (n *newsroom) connections(want int) {
	n.t.Helper()
	for late := time.Now().Add(patience); n.server.node.Info().Connections != want; time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			n.t.Fatalf("%d connections, want %d", n.server.node.Info().Connections, want)
		}
	}
}

// Every rule holds on a loop, and on the goroutine of a request: in TLS, and over HTTP/2 (in TestWebSocketOverHTTP2's process).
func TestEvents(t *testing.T) {
	t.Run("on a loop", func(t *testing.T) { eventRules(t, plainNewsroom) })
	t.Run("in TLS", func(t *testing.T) { eventRules(t, secureNewsroom) })
}

func eventRules(t *testing.T, open func(*testing.T, func(*config.Config)) *newsroom) {
	for name, rule := range map[string]func(*testing.T, func(func(*config.Config)) *newsroom){
		"EVT-1 EVT-3 a line":              eventsAreALine,
		"EVT-4 a line goes on":            eventsGoOn,
		"SE-02 ids":                       eventIDs,
		"EVT-2 a body":                    eventsOfABody,
		"EVT-5 refusals":                  eventRefusals,
		"EVT-5 no room":                   eventsPutOff,
		"EVT-6 subscriptions that end":    eventSubscriptionsEnd,
		"EVT-7 SE-07 origins":             eventOrigins,
		"LIV-5 drain":                     eventsDrain,
		"SE-06 FL-01 who does not listen": eventsUnheard,
	} {
		t.Run(name, func(t *testing.T) {
			rule(t, func(change func(*config.Config)) *newsroom { return open(t, change) })
		})
	}
}

func eventsAreALine(t *testing.T, open func(func(*config.Config)) *newsroom) {
	n := open(nil)
	l := n.listen("channels=chat:a", "")
	header := l.response.Header
	for name, want := range map[string]string{
		"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff", "Access-Control-Allow-Credentials": "",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	connect := l.expect("connect")
	if connect["connection"] == "" || l.retry < 500 || l.retry > 1500 || l.lastID != "" {
		t.Errorf("%v, retry %d, id %q", connect, l.retry, l.lastID)
	}
	subscribed := l.expect("subscribed")
	epoch := subscribed["epoch"].(string)
	if want := "chat:a|" + epoch + "|0"; l.lastID != want {
		t.Errorf("id %q, want %q", l.lastID, want)
	}
	n.say("chat:a", 300)
	for offset := range 300 {
		l.hears("chat:a", offset+1)
		if want := fmt.Sprintf("chat:a|%s|%d", epoch, offset+1); l.lastID != want {
			t.Fatalf("id %q, want %q", l.lastID, want)
		}
	}
	_, _, metrics := n.metrics()
	if !strings.Contains(metrics, `bellwire_connections_opened_total{protocol="bellwire.v1.sse",transport="sse"} 1`) {
		t.Error("the line was not counted")
	}
	l.response.Body.Close()
	n.connections(0)
}

func (n *newsroom) metrics() (int, http.Header, string) {
	n.t.Helper()
	response, err := n.events.Get(n.base + "/metrics")
	if err != nil {
		n.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

// A line that was lost goes on exactly where it was, however often and in how many channels.
func eventsGoOn(t *testing.T, open func(func(*config.Config)) *newsroom) {
	n := open(nil)
	const query = "channels=chat:a,chat:b,chat:*"
	l := n.listen(query, "")
	l.expect("connect")
	for range 3 {
		l.expect("subscribed")
	}
	next := map[string]int{"chat:a": 1, "chat:b": 1}
	for round := range 6 {
		n.say("chat:a", 3)
		n.say("chat:b", 2)
		for got := 0; got < 3+round%3; { // some of them, and the pattern's besides
			p := l.expect("publication")
			if p["pattern"] == true {
				continue
			}
			channel := p["channel"].(string)
			if p["offset"] != float64(next[channel]) {
				t.Fatalf("round %d: %s/%v, want %d", round, channel, p["offset"], next[channel])
			}
			next[channel]++
			got++
		}
		l.response.Body.Close()
		last := l.lastID
		n.say("chat:b", 1)
		if round%2 == 0 {
			l = n.listen(query, last)
		} else {
			l = n.listen(query+"&last_event_id="+url.QueryEscape(last), "")
		}
		l.expect("connect")
		for seen := 0; seen < 3; { // a channel's entries come before the next channel's subscribed
			var message map[string]map[string]any
			if err := json.Unmarshal([]byte(l.next()), &message); err != nil {
				t.Fatal(err)
			}
			if s := message["subscribed"]; s != nil {
				seen++
				if s["channel"] != "chat:*" && s["recovered"] != true {
					t.Fatalf("round %d: %v", round, s)
				}
			} else if p := message["publication"]; p != nil && p["pattern"] != true {
				channel := p["channel"].(string)
				if p["offset"] != float64(next[channel]) {
					t.Fatalf("round %d, come again: %s/%v, want %d", round, channel, p["offset"], next[channel])
				}
				next[channel]++
			}
		}
	}
	if next["chat:a"] != 19 || next["chat:b"] != 19 {
		t.Errorf("in the end %v", next)
	}
}

func eventIDs(t *testing.T, open func(func(*config.Config)) *newsroom) {
	n := open(nil)
	n.say("chat:a", 5)
	l := n.listen("channels=chat:a", "")
	l.expect("connect")
	epoch := l.expect("subscribed")["epoch"].(string)
	for _, row := range []struct {
		rule, id string
		want     map[string]any // of subscribed
		first    int            // offset of the first publication; 0: none
	}{
		{"none", "", map[string]any{"recovered": nil, "offset": 5.0}, 0},
		{"ours", "chat:a|" + epoch + "|3", map[string]any{"recovered": true, "offset": 3.0}, 4},
		{"the top", "chat:a|" + epoch + "|5", map[string]any{"recovered": true, "offset": 5.0}, 0},
		{"another epoch", "chat:a|other|3", map[string]any{"recovered": false}, 1},
		{"the future", "chat:a|" + epoch + "|999", map[string]any{"recovered": false}, 1},
		{"another channel's", "chat:b|" + epoch + "|3", map[string]any{"recovered": nil, "offset": 5.0}, 0},
		{"foreign", "42", map[string]any{"recovered": nil, "offset": 5.0}, 0},
		{"8 KiB", strings.Repeat("x", 7<<10), map[string]any{"recovered": nil, "offset": 5.0}, 0},
	} {
		l := n.listen("channels=chat:a", row.id)
		l.expect("connect")
		got := l.expect("subscribed")
		for name, want := range row.want {
			if got[name] != want {
				t.Errorf("%s: %s is %v, want %v", row.rule, name, got[name], want)
			}
		}
		for offset := row.first; offset != 0 && offset <= 5; offset++ {
			l.hears("chat:a", offset)
		}
		l.response.Body.Close()
	}
	// The header is newer than the URL.
	l = n.listen("channels=chat:a&last_event_id="+url.QueryEscape("chat:a|"+epoch+"|1"), "chat:a|"+epoch+"|4")
	l.expect("connect")
	l.expect("subscribed")
	l.hears("chat:a", 5)
}

// status asks for what is no line, or a short one.
func (n *newsroom) status(method, path, body string, header http.Header) (int, http.Header, string) {
	n.t.Helper()
	l := n.request(method, path, body, header)
	if l.response.StatusCode == http.StatusOK && !strings.Contains(header.Get("Accept"), "event-stream") {
		l.response.Body.Close()
		return http.StatusOK, l.response.Header, ""
	}
	content, err := io.ReadAll(l.response.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return l.response.StatusCode, l.response.Header, string(content)
}

func eventsOfABody(t *testing.T, open func(func(*config.Config)) *newsroom) {
	n := open(nil)
	n.say("chat:a", 4)
	l := n.request(http.MethodPost, "/sse", `{"id":1,"connect":{"subscribe":[{"channel":"chat:a","rewind":2},{"channel":"chat:b"}]}}`+"\n"+
		`{"id":2,"publish":{"channel":"chat:b","data":"from the body"}}`, nil)
	l.isLine()
	l.expect("connect")
	l.expect("subscribed")
	l.hears("chat:a", 3)
	l.hears("chat:a", 4)
	l.expect("subscribed")
	heard := l.next() + l.next() // PUB-2: in either order
	if !strings.Contains(heard, `"data":"from the body"`) || !strings.Contains(heard, `{"id":2,"publish":`) {
		t.Errorf("heard %s", heard)
	}
	if a, b, both := strings.Cut(l.lastID, " "); !both || !strings.HasPrefix(a, "chat:a|") || !strings.HasPrefix(b, "chat:b|") {
		t.Errorf("id %q", l.lastID)
	}
	for _, row := range []struct {
		rule, path, body string
		status           int
		says             string
	}{
		{"nothing", "/sse", "", 400, "connect"},
		{"no JSON", "/sse", "connect", 400, "protocol"},
		{"another command", "/sse", `{"publish":{"channel":"chat:a","data":1}}`, 400, "connect"},
		{"a connect that is wrong", "/sse", `{"id":1,"connect":{"channels":["chat:a"]}}`, 400, `"bad_request"`},
		{"a query besides", "/sse?channels=chat:a", `{"connect":{}}`, 400, "query"},
		{"more than a message may be", "/sse", `{"connect":{"token":"` + strings.Repeat("x", 70<<10) + `"}}`, 413, "larger"},
	} {
		status, _, body := n.status(http.MethodPost, row.path, row.body, nil)
		if status != row.status || !strings.Contains(body, row.says) {
			t.Errorf("%s: %d %s", row.rule, status, body)
		}
	}
}

func eventRefusals(t *testing.T, open func(func(*config.Config)) *newsroom) {
	n := open(func(c *config.Config) {
		c.Dev, c.AllowAnonymous, c.Tokens.HMACSecret, c.API.Keys = false, false, testSecret, []string{testAPIKey}
		c.Tokens.FailuresPerMinute = 10
	})
	bearer := func(order auth.Order) http.Header {
		return http.Header{"Authorization": {"Bearer " + mintFor(t, testSecret, order)}, "Accept": {"text/event-stream"}}
	}
	long := make([]string, 30)
	for i := range long {
		long[i] = fmt.Sprintf("chat:%s%d", strings.Repeat("x", 200), i)
	}
	for _, row := range []struct {
		rule, method, path string
		header             http.Header
		status             int
		says               string
	}{
		{"no channels", "GET", "/sse", nil, 400, "name the channels"},
		{"empty channels", "GET", "/sse?channels=", nil, 400, "empty"},
		{"TEN-2 a token in the URL", "GET", "/sse?channels=chat:a&token=x", nil, 400, "token"},
		{"an id that is no query", "GET", "/sse?channels=chat:a&last_event_id=%zz", nil, 400, "malformed"},
		{"ids", "GET", "/sse?channels=chat:a&last_event_id=a&last_event_id=b", nil, 400, "malformed"},
		{"33 channels", "GET", "/sse?channels=" + strings.Repeat("a,", 32) + "a", nil, 400, "32"},
		{"names that fill an id", "GET", "/sse?channels=" + strings.Join(long, ","), nil, 400, "too long together"},
		{"an Authorization without a token", "GET", "/sse?channels=chat:a", http.Header{"Authorization": {"Bearer "}}, 400, "token"},
		{"another method", "PUT", "/sse?channels=chat:a", nil, 405, "GET"},
		{"HS-28 an upgrade", "GET", "/sse?channels=chat:a", http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}}, 404, "/ws"},
		{"no token", "GET", "/sse?channels=chat:a", http.Header{"Accept": {"text/event-stream"}}, 403, "not allowed"},
		{"no token, curl", "GET", "/sse?channels=chat:a", nil, 403, "not allowed"},
		{"a token of another secret", "GET", "/sse?channels=chat:a", http.Header{"Authorization": {"Bearer " + mintFor(t, strings.Repeat("xy", 20), auth.Order{User: "a"})}}, 401, "not valid"},
		{"an expired token", "GET", "/sse?channels=chat:a", bearer(auth.Order{User: "a", Lifetime: -time.Hour}), 401, "expired"},
	} {
		status, header, body := n.status(row.method, row.path, "", row.header)
		if status != row.status || !strings.Contains(body, row.says) || header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %s %v", row.rule, status, body, header)
		}
	}
	l := n.request("GET", "/sse?channels=chat:a", "", bearer(auth.Order{User: "alice"}))
	l.isLine()
	if l.expect("connect")["user"] != "alice" {
		t.Error("the token was not heard")
	}
	l.response.Body.Close()
	n.connections(0)
	// AU-19: too many invalid tokens.
	var status int
	for range 20 {
		status, _, _ = n.status("GET", "/sse?channels=chat:a", "", http.Header{"Authorization": {"Bearer x"}})
	}
	if status != http.StatusTooManyRequests {
		t.Errorf("after 20 invalid tokens: %d", status)
	}
	neighbour := n.listen("channels=chat:a", "") // an EventSource at the same address is not sent away for good
	if got := neighbour.expect("disconnect"); got["code"] != 4503.0 || neighbour.retry < 500 {
		t.Errorf("a neighbour is told %v, retry %d", got, neighbour.retry)
	}
}

func eventsPutOff(t *testing.T, open func(func(*config.Config)) *newsroom) {
	n := open(func(c *config.Config) { c.Limits.Connections = 1 })
	l := n.listen("channels=chat:a", "")
	l.expect("connect")
	status, header, _ := n.status(http.MethodGet, "/sse?channels=chat:a", "", nil)
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Errorf("curl is told %d %v", status, header)
	}
	late := n.listen("channels=chat:a", "")
	if got := late.expect("disconnect"); got["code"] != 4503.0 || late.retry < 500 {
		t.Errorf("%v, retry %d", got, late.retry)
	}
	if more := late.next(); more != "" {
		t.Errorf("and then %q", more)
	}
}

// Who cannot subscribe again is told to come again.
func eventSubscriptionsEnd(t *testing.T, open func(func(*config.Config)) *newsroom) {
	n := open(nil)
	l := n.listen("channels=chat:a,chat:b", "")
	id := l.expect("connect")["connection"].(string)
	l.expect("subscribed")
	l.expect("subscribed")
	if status, _ := n.unsubscribe(id, "chat:a"); status != 200 {
		t.Fatal(status)
	}
	if got := l.expect("unsubscribed"); got["code"] != 300.0 {
		t.Errorf("%v", got)
	}
	n.say("chat:b", 1)
	l.hears("chat:b", 1)
	if status, _ := n.disconnect(id); status != 200 {
		t.Fatal(status)
	}
	if got := l.expect("disconnect"); got["code"] != 4410.0 || l.retry != 86_400_000 || l.next() != "" {
		t.Errorf("%v, retry %d, and more", got, l.retry)
	}
}

func (n *newsroom) unsubscribe(connection, channel string) (int, string) {
	return n.method("unsubscribe", fmt.Sprintf(`{"connection":%q,"channel":%q}`, connection, channel))
}

func (n *newsroom) disconnect(connection string) (int, string) {
	return n.method("disconnect", fmt.Sprintf(`{"connection":%q}`, connection))
}

func (n *newsroom) method(name, body string) (int, string) {
	n.t.Helper()
	status, _, answer := n.status(http.MethodPost, "/api/v1/"+name, body,
		http.Header{"Authorization": {"Bearer " + n.server.config.API.Keys[0]}, "Content-Type": {"application/json"}, "Accept": {"not text/event-stream"}})
	return status, answer
}

func eventOrigins(t *testing.T, open func(func(*config.Config)) *newsroom) {
	n := open(func(c *config.Config) { c.AllowedOrigins = []string{"https://app.example"} })
	for _, row := range []struct {
		method, origin string
		status         int
		allowed        string
	}{
		{"GET", "https://app.example", 200, "https://app.example"},
		{"GET", n.base, 200, n.base},
		{"GET", "", 200, ""},
		{"GET", "https://evil.example", 403, ""},
		{"GET", "null", 403, ""},
		{"GET", "https://app.example.evil.example", 403, ""},
		{"POST", "https://evil.example", 403, ""},
		{"OPTIONS", "https://app.example", 204, "https://app.example"},
		{"OPTIONS", "https://evil.example", 403, ""},
	} {
		header := http.Header{}
		if row.origin != "" {
			header.Set("Origin", row.origin)
		}
		status, got, _ := n.status(row.method, "/sse?channels=chat:a", "", header)
		if status != row.status || got.Get("Access-Control-Allow-Origin") != row.allowed || got.Get("Access-Control-Allow-Credentials") != "" ||
			!strings.Contains(strings.Join(got.Values("Vary"), ","), "Origin") {
			t.Errorf("%s from %q: %d %v", row.method, row.origin, status, got)
		}
	}
}

func eventsDrain(t *testing.T, open func(func(*config.Config)) *newsroom) {
	n := open(func(c *config.Config) { c.Drain = 500 * time.Millisecond })
	l := n.listen("channels=chat:a", "")
	l.expect("connect")
	l.expect("subscribed")
	n.say("chat:a", 1)
	n.stop()
	l.hears("chat:a", 1)
	l.retry = -1
	if got := l.expect("disconnect"); got["code"] != 4500.0 || l.retry < 500 {
		t.Errorf("%v, retry %d", got, l.retry)
	}
	if more := l.next(); more != "" {
		t.Errorf("and then %q", more)
	}
	n.end()
}

// Who does not listen is ended when its queue is full; who does gets everything.
func eventsUnheard(t *testing.T, open func(func(*config.Config)) *newsroom) {
	n := open(func(c *config.Config) {
		c.Limits.CloseTimeout, c.Limits.WriteTimeout = 500*time.Millisecond, time.Second
	})
	deaf, honest := n.listen("channels=chat:a", ""), n.listen("channels=chat:a", "")
	for _, l := range []*eventLine{deaf, honest} {
		l.expect("connect")
		l.expect("subscribed")
	}
	payload := realtime.JSON([]byte(`"` + strings.Repeat("x", 48<<10) + `"`))
	for offset := range 400 { // far more than the queue and what the system's sockets hold
		if _, err := n.server.node.Publish(context.Background(), broker.Draft{Channel: "chat:a", Payload: payload}); err != nil {
			t.Fatal(err)
		}
		honest.hears("chat:a", offset+1)
	}
	n.connections(1)
	if _, _, metrics := n.metrics(); !strings.Contains(metrics, `bellwire_connections_closed_total{code="slow",protocol="bellwire.v1.sse"`) {
		t.Error("nobody was counted as slow")
	}
	deaf.response.Body.Close()
}

// SE-08: a client that changes from a WebSocket to events and back, in the middle, gets everything once.
func TestSE08FromOneLineToAnother(t *testing.T) {
	n := plainNewsroom(t, nil)
	next := 1
	var position map[string]any
	for range 3 {
		w := n.anonymous()
		since := ""
		if position != nil {
			since = fmt.Sprintf(`,"since":{"epoch":%q,"offset":%d}`, position["epoch"], next-1)
		}
		w.send(`{"id":2,"subscribe":{"channels":[{"channel":"chat:a"` + since + `}]}}`)
		position = w.expect("subscribed")
		n.say("chat:a", 2)
		if position["recovered"] == nil {
			w.expect("subscribe")
		}
		for heard := 0; heard < 2; {
			message, _ := w.read()
			if p, ok := message["publication"].(map[string]any); ok {
				if p["offset"] != float64(next) {
					t.Fatalf("WebSocket: %v, want %d", p["offset"], next)
				}
				next++
				heard++
			}
		}
		_ = w.conn.CloseNow()
		n.say("chat:a", 2)
		l := n.listen("channels=chat:a&last_event_id="+url.QueryEscape(fmt.Sprintf("chat:a|%s|%d", position["epoch"], next-1)), "")
		l.expect("connect")
		if l.expect("subscribed")["recovered"] != true {
			t.Fatal("not recovered")
		}
		for range 2 {
			l.hears("chat:a", next)
			next++
		}
		l.response.Body.Close()
		n.say("chat:a", 1)
	}
}

// SE-10, and whoever sends more than a request: HTTP/1.0 gets a line, a second request ends it.
func TestSE10OldAndImpatientClients(t *testing.T) {
	n := plainNewsroom(t, nil)
	open := func(request string) (net.Conn, *bufio.Reader) {
		conn, err := net.Dial("tcp", n.address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(patience))
		fmt.Fprint(conn, request)
		return conn, bufio.NewReader(conn)
	}
	const old = "GET /sse?channels=chat:a HTTP/1.0\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n"
	conn, in := open(old)
	response, err := http.ReadResponse(in, nil)
	if err != nil || response.StatusCode != 200 || response.Header.Get("Content-Encoding") != "" || !response.Close {
		t.Fatalf("%v %v", response, err)
	}
	l := &eventLine{newsroom: n, response: response, in: bufio.NewReader(response.Body)}
	l.expect("connect")
	l.expect("subscribed")
	n.say("chat:a", 1)
	l.hears("chat:a", 1)
	fmt.Fprint(conn, old)
	for l.next() != "" {
	}
	n.connections(0)
	_, in = open(strings.Replace(old, "1.0", "1.1", 1) + old)
	if rest, _ := io.ReadAll(in); strings.Contains(string(rest), "event-stream") {
		t.Errorf("two requests at once: %.80q", rest)
	}
	n.connections(0)
}

// A comment comes at least every 15 s; of a server that pings more often, as often. The timeouts of requests do not end a line.
func TestEVT6AQuietLineIsKeptAlive(t *testing.T) {
	for _, open := range []func(*testing.T, func(*config.Config)) *newsroom{plainNewsroom, secureNewsroom} {
		n := open(t, func(c *config.Config) {
			c.Limits.Ping, c.HTTP.BodyTimeout, c.HTTP.HeaderTimeout, c.HTTP.IdleTimeout = time.Second, time.Second, time.Second, time.Second
			c.API.Timeout = time.Second
		})
		l := n.listen("channels=chat:a", "")
		l.expect("connect")
		l.expect("subscribed")
		time.Sleep(4500 * time.Millisecond) // longer than any of them, and than those of writing, which are their sum
		n.say("chat:a", 1)
		l.hears("chat:a", 1)
		if l.comments < 3 {
			t.Errorf("%d comments came in 4.5 s", l.comments)
		}
	}
}
