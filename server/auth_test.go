package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/server/auth"
	"github.com/bellwire/bellwire/server/config"
	"github.com/bellwire/bellwire/websocket"
)

func mintFor(t *testing.T, secret string, order auth.Order) string {
	t.Helper()
	if order.Lifetime == 0 {
		order.Lifetime = time.Minute
	}
	token, err := auth.Mint(auth.SigningKey{Algorithm: "HS256", Private: []byte(secret)}, order, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// CNT-5, AU-18: every bad token ends the line with the same words; the log says which check failed.
func TestCNT5BadTokensEndTheLine(t *testing.T) {
	f := startClosed(t, nil)
	good := mintFor(t, testSecret, auth.Order{User: "alice"})
	tests := []struct {
		name, token string
		code        websocket.StatusCode
		logged      string
	}{
		{"none at all", "", 4403, ""},
		{"not a token", "canary", 4401, "shape"},
		{"another secret", mintFor(t, strings.Repeat("xy", 20), auth.Order{User: "alice"}), 4401, "signature"},
		{"alg none", "eyJhbGciOiJub25lIn0." + strings.Split(good, ".")[1] + ".", 4401, "algorithm"},
		{"AU-14 a subscription token", mintFor(t, testSecret, auth.Order{User: "alice", Channel: "chat:a"}), 4401, "class"},
		{"expired", mintFor(t, testSecret, auth.Order{User: "alice", Lifetime: -time.Hour}), 4501, "expired"},
		{"the API's key", testAPIKey, 4401, "shape"},
	}
	texts := map[websocket.StatusCode]map[string]bool{}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inner := *f
			inner.t = t
			l := inner.dial("/ws", nil)
			if test.token == "" {
				l.send(`{"id":1,"connect":{}}`)
			} else {
				l.send(fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, test.token))
			}
			end := l.expect("disconnect")
			l.expectEnd(test.code)
			if texts[test.code] == nil {
				texts[test.code] = map[string]bool{}
			}
			texts[test.code][fmt.Sprint(end["reason"])] = true
			if !strings.Contains(f.log.String(), test.logged) {
				t.Errorf("%q is not in the log", test.logged)
			}
		})
	}
	for code, reasons := range texts {
		if len(reasons) != 1 {
			t.Errorf("%d is told in different words: %v", code, reasons)
		}
	}
	l := f.connected(good)
	l.send(`{"id":2,"publish":{"channel":"chat:a","data":1}}`)
	l.expect("publish")
}

// TEN-2: the ten-line client with a token in its header; and one without where anonymous access is off.
func TestTEN2TheTokenOfTheHeader(t *testing.T) {
	f := startClosed(t, nil)
	good := mintFor(t, testSecret, auth.Order{User: "alice"})
	l := f.dial("/ws?channels=chat:a,other:b", &websocket.DialOptions{Header: http.Header{"Authorization": {"Bearer " + good}}})
	if got := l.expect("connect"); got["user"] != "alice" {
		t.Errorf("connect: %v", got)
	}
	if got := l.expect("subscribed"); got["channel"] != "chat:a" || got["error"] != nil {
		t.Errorf("the first channel: %v", got)
	}
	if got := l.expect("subscribed"); got["channel"] != "other:b" || got["error"] == nil {
		t.Errorf("the second channel: %v", got)
	}
	if status, _ := f.call("publish", `{"channel":"chat:a","data":{"x":1}}`); status != 200 {
		t.Fatal(status)
	}
	if got := l.expect("publication"); got["channel"] != "chat:a" || got["offset"] != 1.0 {
		t.Errorf("publication: %v", got)
	}
	f.dial("/ws?channels=chat:a", nil).expectEnd(4403)
	f.dial("/ws?channels=chat:a", &websocket.DialOptions{Header: http.Header{"Authorization": {"Bearer x.y.z"}}}).expectEnd(4401)
}

// AU-11, AUT-2: what a token grants is allowed, what it does not is not, on each path that the server has.
func TestAUT2GrantsDecide(t *testing.T) {
	f := startWith(t, map[string]any{
		"listen": "127.0.0.1:0", "tokens.hmac_secret": testSecret, "api.keys": []any{testAPIKey}, "namespaces.closed.history": "true",
	}, nil)
	grant, err := auth.ParseGrant("closed:mine/*=subscribe,publish")
	if err != nil {
		t.Fatal(err)
	}
	order := auth.Order{User: "alice"}
	order.Grants = append(order.Grants, grant)
	l := f.connected(mintFor(t, testSecret, order))
	l.send(`{"id":2,"publish":{"channel":"closed:mine/1","data":1}}`)
	l.expect("publish")
	l.send(`{"id":3,"publish":{"channel":"closed:other","data":1}}`)
	if got := l.expect("error"); got["code"] != 103.0 {
		t.Errorf("publish: %v", got)
	}
	l.send(`{"id":4,"history":{"channel":"closed:mine/1"}}`)
	if got := l.expect("error"); got["code"] != 103.0 {
		t.Errorf("history: %v", got)
	}
}

// VC-24, VC-40, AD-03: the development token is for this server's own pages.
func TestVC24TheDevelopmentTokenIsForOwnPages(t *testing.T) {
	f := start(t, nil)
	own := "http://" + f.address()
	body := `{"user":"alice"}`
	asJSON := func(more http.Header) http.Header {
		header := http.Header{"Content-Type": {"application/json"}}
		for name, values := range more {
			header[name] = values
		}
		return header
	}
	tests := []struct {
		name   string
		header http.Header
		body   string
		status int
	}{
		{"own page", asJSON(http.Header{"Origin": {own}, "Sec-Fetch-Site": {"same-origin"}}), body, 200},
		{"a program", asJSON(nil), body, 200},
		{"another site", asJSON(http.Header{"Origin": {"http://evil.example"}, "Sec-Fetch-Site": {"cross-site"}}), body, 403},
		{"another port of this machine", asJSON(http.Header{"Origin": {"http://127.0.0.1:1"}, "Sec-Fetch-Site": {"same-site"}}), body, 403},
		{"an old browser of another site", asJSON(http.Header{"Origin": {"http://evil.example"}}), body, 403},
		{"a form", http.Header{"Content-Type": {"text/plain"}}, body, 415},
		{"no user", asJSON(nil), `{}`, 400},
		{"a user of the server's kind", asJSON(nil), `{"user":"~x"}`, 400},
		{"an unknown field", asJSON(nil), `{"user":"a","admin":true}`, 400},
		{"info that is no object", asJSON(nil), `{"user":"a","info":1}`, 400},
		{"a large body", asJSON(nil), `{"user":"` + strings.Repeat("a", 5000) + `"}`, 413},
	}
	for _, test := range tests {
		if status, answer := f.post("/dev/token", test.body, test.header); status != test.status {
			t.Errorf("%s: %d %v, want %d", test.name, status, answer, test.status)
		}
	}
	request, _ := http.NewRequest(http.MethodPost, own+"/dev/token", strings.NewReader(body))
	request.Host = "evil.example"
	request.Header.Set("Content-Type", "application/json")
	if status, _, _ := f.do(request); status != http.StatusMisdirectedRequest {
		t.Errorf("by a name that points here: %d", status)
	}
	l := f.connected(f.devTokenOf("alice"))
	l.send(`{"id":2,"ping":{}}`)
	l.expect("ping")
}

// AU-05 on the line: a configured issuer binds the development token too.
func TestTheDevelopmentTokenKeepsToTheConfiguration(t *testing.T) {
	f := start(t, func(c *config.Config) { c.Tokens.Issuer, c.Tokens.Audience = "shop", "bellwire" })
	f.connected(f.devTokenOf("alice"))
}

// AU-19, VC-47: an address whose tokens are not valid again and again is not listened to for a while; those that have just
// expired are no attack.
func TestAU19InvalidTokensBlockAnAddress(t *testing.T) {
	f := startClosed(t, func(c *config.Config) { c.Tokens.FailuresPerMinute = 3 })
	good := mintFor(t, testSecret, auth.Order{User: "alice"})
	old := mintFor(t, testSecret, auth.Order{User: "alice", Lifetime: -time.Hour})
	try := func(token string, code websocket.StatusCode) {
		t.Helper()
		l := f.dial("/ws", nil)
		l.send(fmt.Sprintf(`{"connect":{"token":%q}}`, token))
		l.expectEnd(code)
	}
	before := f.connected(good)
	for range 4 {
		try(old, 4501)
	}
	for range 3 {
		try("x.y.z", 4401)
	}
	status, header, closed := f.raw("GET /ws HTTP/1.1\r\nHost: " + f.address() + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	if status != http.StatusTooManyRequests || header.Get("Retry-After") == "" || !closed {
		t.Errorf("status %d, Retry-After %q, closed %v", status, header.Get("Retry-After"), closed)
	}
	before.send(`{"id":2,"publish":{"channel":"chat:a","data":1}}`) // who is connected stays so
	before.expect("publish")
}
