package server

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/server/auth"
	"github.com/bellwire/bellwire/server/config"
	"github.com/bellwire/bellwire/websocket"
)

// VC-36, AD-12: secrets, keys and tokens in every place where they go in, and in none where something comes out.
func TestVC36NoSecretComesOut(t *testing.T) {
	const canary = "canary"
	secret, key := canary+"-secret-0123456789-0123456789-abc", canary+"-api-key-0123456789abcdef"
	f := startWith(t, map[string]any{
		"listen": "127.0.0.1:0", "tokens.hmac_secret": secret, "api.keys": []any{key}, "metrics_open": "true", "log.level": "debug",
		"namespaces.chat.allow.subscribe": "user",
	}, func(c *config.Config) { c.Limits.CommandsPerSecond = 50 })
	var answers []string
	keep := func(_ int, answer any) { answers = append(answers, fmt.Sprint(answer)) }

	good := mintFor(t, secret, auth.Order{User: "alice"})
	tokens := []string{good, canary, canary + "." + canary + "." + canary, mintFor(t, canary+strings.Repeat("x", 40), auth.Order{User: canary})}
	for _, token := range tokens {
		l := f.dial("/ws", nil)
		l.send(fmt.Sprintf(`{"id":1,"connect":{"token":%q,"client":"test"}}`, token))
		message, _ := l.read()
		answers = append(answers, fmt.Sprint(message))
		if message["connect"] != nil {
			l.send(`{"id":2,"refresh":{"token":"` + canary + `"}}`)
			l.send(`{"id":3,"subscribe":{"channels":[{"channel":"chat:a","token":"` + canary + `"}]}}`)
			l.send(`{"id":4,"connect":{"token":"` + canary + `"}}`)
			l.send(`{"id":5,"unknown":{"token":"` + canary + `"}}`)
			for range 4 {
				message, _ := l.read()
				answers = append(answers, fmt.Sprint(message))
			}
		}
		_ = l.conn.CloseNow()
		f.dialRefused("/ws?channels=chat:a", http.Header{"Authorization": {"Bearer " + token}})
		f.raw(upgrade("/ws?token=" + canary))
		f.raw(upgrade("/ws", "Authorization: Bearer "+canary, "Authorization: Bearer "+canary))
	}
	keep(f.post("/api/v1/info", "{}", http.Header{"Authorization": {"Bearer " + key}}))
	keep(f.post("/api/v1/info", "{}", http.Header{"Authorization": {"Bearer " + canary}}))
	keep(f.post("/api/v1/info?key="+canary, "{}", http.Header{"Authorization": {"Bearer " + key}}))
	keep(f.post("/api/v1/"+canary, "{}", http.Header{}))
	_, _, metrics := f.get("/metrics", nil)
	effective, warnings := f.server.config.Check()
	f.end()

	for place, text := range map[string]string{
		"an answer": strings.Join(answers, "\n"), "the metrics": string(metrics), "the log": f.log.String(),
		"check": effective + strings.Join(warnings, "\n"),
	} {
		for line := range strings.SplitSeq(text, "\n") {
			if strings.Contains(line, canary) || strings.Contains(line, good) {
				t.Errorf("a secret is in %s: %s", place, line)
			}
		}
	}
	if !strings.Contains(f.log.String(), "signature") {
		t.Error("the log does not say which check failed")
	}
}

// dialRefused opens a line whose end does not matter here.
func (f *fixture) dialRefused(path string, header http.Header) {
	f.t.Helper()
	conn, _, err := websocket.Dial(f.t.Context(), "ws://"+f.address()+path, &websocket.DialOptions{Header: header})
	if err == nil {
		_, _, _ = conn.Read(f.t.Context())
		_ = conn.CloseNow()
	}
}

// VC-45, RS-10: whatever peers choose makes no series.
func TestVC45NothingOfAPeerIsASeries(t *testing.T) {
	f := start(t, nil)
	count := func() int {
		_, _, body := f.get("/metrics", nil)
		series := 0
		for text := range strings.SplitSeq(string(body), "\n") {
			if text != "" && text[0] != '#' {
				series++
			}
		}
		return series
	}
	provoke := func(i int) {
		l := f.dial(fmt.Sprintf("/ws?channels=ns%d:c%d", i, i), nil)
		l.expect("connect")
		l.send(fmt.Sprintf(`{"id":2,"command%d":{}}`, i))
		l.send(fmt.Sprintf(`{"id":3,"call":{"method":"m%d"}}`, i))
		_ = l.conn.Close(websocket.StatusCode(3000+i), "")
		f.call(fmt.Sprintf("method%d", i), `{}`)
		f.call("publish", fmt.Sprintf(`{"channel":"ns%d:c","data":1}`, i))
		f.get(fmt.Sprintf("/path%d", i), http.Header{"User-Agent": {fmt.Sprintf("agent %d", i)}})
	}
	for i := range 5 {
		provoke(i)
	}
	before := count()
	for i := range 100 {
		provoke(i)
	}
	if after := count(); after > before+20 || after > 2000 {
		t.Errorf("%d series have become %d", before, after)
	}
}
