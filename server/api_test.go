package server

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/server/config"
)

func TestTheMethodsOfAChannel(t *testing.T) {
	f := start(t, nil)
	steps := []struct {
		name, method, body string
		check              func(map[string]any) bool
	}{
		{"publish", "publish", `{"channel":"chat:a","data":{"text":"hi"},"id":"one"}`, func(a map[string]any) bool {
			return a["offset"] == 1.0 && a["epoch"] != "" && a["duplicate"] == nil
		}},
		{"AP-11 the same id and content is the first one", "publish", `{"channel":"chat:a","data":{"text":"hi"},"id":"one"}`, func(a map[string]any) bool {
			return a["offset"] == 1.0 && a["duplicate"] == true
		}},
		{"bytes", "publish", `{"channel":"chat:a","data64":"AP8="}`, func(a map[string]any) bool { return a["offset"] == 2.0 }},
		{"no log, no position", "publish", `{"channel":"volatile:a","data":1}`, func(a map[string]any) bool { return len(a) == 0 }},
		{"history", "history", `{"channel":"chat:a","limit":1,"reverse":true}`, func(a map[string]any) bool {
			entries := a["publications"].([]any)
			return a["top"] == 2.0 && a["more"] == true && len(entries) == 1 && entries[0].(map[string]any)["data64"] == "AP8="
		}},
		{"history since", "history", `{"channel":"chat:a","since":{"epoch":"other","offset":7}}`, func(a map[string]any) bool {
			return a["missed"] != nil && len(a["publications"].([]any)) == 2
		}},
		{"increment", "update", `{"channel":"reaction:a","op":"increment","key":"tada","by":2}`, func(a map[string]any) bool {
			return a["applied"] == true && a["value"] == 2.0 && a["version"] == 1.0
		}},
		{"set_if that does not hold", "update", `{"channel":"reaction:a","op":"set_if","key":"tada","value":9,"version":7}`, func(a map[string]any) bool {
			return a["applied"] == nil && a["value"] == 2.0
		}},
		{"own keys do not bind the backend (STA-7)", "update", `{"channel":"poll:a","op":"set","key":"alice","value":"tea"}`, func(a map[string]any) bool {
			return a["applied"] == true
		}},
		{"state", "state", `{"channel":"reaction:a"}`, func(a map[string]any) bool {
			entries := a["entries"].([]any)
			return a["as_of"] == 1.0 && len(entries) == 1 && entries[0].(map[string]any)["key"] == "tada"
		}},
		{"presence", "presence", `{"channel":"chat:a","count_only":true}`, func(a map[string]any) bool { return a["members"] == nil }},
		{"broadcast", "broadcast", `{"channels":["chat:a","chat:b","bad name"],"data":"x"}`, func(a map[string]any) bool {
			results := a["results"].([]any)
			last := results[2].(map[string]any)
			return len(results) == 3 && results[0].(map[string]any)["offset"] == 3.0 && last["channel"] == "bad name" &&
				last["error"].(map[string]any)["name"] == "bad_channel"
		}},
		{"channels", "channels", `{"pattern":"chat:*"}`, func(a map[string]any) bool {
			list := a["channels"].([]any)
			return len(list) == 2 && list[0].(map[string]any)["channel"] == "chat:a" && list[0].(map[string]any)["top"] == 3.0
		}},
		{"channels after", "channels", `{"pattern":"chat:*","after":"chat:a","limit":1}`, func(a map[string]any) bool {
			list := a["channels"].([]any)
			return len(list) == 1 && list[0].(map[string]any)["channel"] == "chat:b"
		}},
		{"an empty body is an empty object", "info", ``, func(a map[string]any) bool { return a["name"] == "test" && a["version"] == "test" }},
	}
	for _, step := range steps {
		if status, answer := f.call(step.method, step.body); status != 200 || !step.check(answer) {
			t.Errorf("%s: %d %v", step.name, status, answer)
		}
	}
	f.alive()
}

func TestTheMethodsOfAConnection(t *testing.T) {
	f := start(t, nil)
	token := f.devTokenOf("alice")
	one, two := f.connected(token), f.connected(token)
	bystander := f.anonymous()
	one.send(`{"id":2,"subscribe":{"channels":[{"channel":"chat:a"}]}}`)
	one.expect("subscribed")
	one.expect("subscribe")
	if status, answer := f.call("unsubscribe", `{"user":"alice","channel":"chat:a"}`); status != 200 || answer["count"] != 1.0 {
		t.Errorf("unsubscribe: %d %v", status, answer)
	}
	if got := one.expect("unsubscribed"); got["code"] != 300.0 || got["channel"] != "chat:a" {
		t.Errorf("unsubscribed: %v", got)
	}
	if status, answer := f.call("disconnect", `{"user":"alice","code":4506,"reason":"come again"}`); status != 200 || answer["count"] != 2.0 {
		t.Errorf("disconnect: %d %v", status, answer)
	}
	if got := one.expect("disconnect"); got["code"] != 4506.0 || got["reason"] != "come again" {
		t.Errorf("disconnect: %v", got)
	}
	one.expectEnd(4506)
	two.expectEnd(4506)
	if status, answer := f.call("disconnect", `{"user":"nobody"}`); status != 200 || answer["count"] != 0.0 {
		t.Errorf("nobody: %d %v", status, answer)
	}
	bystander.send(`{"id":9,"ping":{}}`)
	bystander.expect("ping")
}

// devTokenOf asks the development server for a token, as the demo does.
func (f *fixture) devTokenOf(user string) string {
	f.t.Helper()
	status, answer := f.post("/dev/token", fmt.Sprintf(`{"user":%q,"info":{"name":"x"}}`, user), http.Header{"Content-Type": {"application/json"}})
	token, _ := answer["token"].(string)
	if status != 200 || token == "" {
		f.t.Fatalf("/dev/token: %d %v", status, answer)
	}
	return token
}

// Every row is refused with a problem whose code and text are these, and the server lives.
func TestBadRequestsAreProblems(t *testing.T) {
	f := start(t, func(c *config.Config) { c.API.BodyBytes = config.MiB })
	deep := func(n int) string {
		return `{"channel":"chat:a","data":` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	channels := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"chat:%d"`, i)
		}
		return `{"data":1,"channels":[` + strings.TrimPrefix(b.String(), ",") + `]}`
	}
	tests := []struct {
		name, method, body string
		status             int
		detail             string
	}{
		{"AP-02 as deep as may be", "publish", deep(31), 200, ""},
		{"AP-02 one deeper", "publish", deep(32), 400, "nested"},
		{"AP-02 a million deep", "publish", deep(500_000), 400, "nested"},
		{"AP-03 duplicate names", "publish", `{"channel":"chat:a","channel":"chat:b","data":1}`, 400, "duplicate"},
		{"AP-03 another case", "publish", `{"Channel":"chat:a","data":1}`, 400, `"Channel" is not a field`},
		{"AP-03 __proto__", "publish", `{"channel":"chat:a","data":1,"__proto__":{}}`, 400, `"__proto__" is not a field`},
		{"AP-03 byte order mark", "publish", "\ufeff{}", 400, "not one JSON document"},
		{"AP-03 trailing comma", "publish", `{"channel":"chat:a","data":1,}`, 400, "not one JSON document"},
		{"AP-03 two documents", "publish", `{"channel":"chat:a","data":1}{}`, 400, "not one JSON document"},
		{"AP-03 comment", "publish", `{/**/}`, 400, "not one JSON document"},
		{"AP-03 NaN", "update", `{"channel":"chat:a","op":"increment","key":"k","by":NaN}`, 400, "not one JSON document"},
		{"AP-03 lone surrogate", "publish", `{"channel":"chat:a","data":"\ud800"}`, 400, "not one JSON document"},
		{"AP-05 channel missing", "publish", `{"data":1}`, 400, "channel is missing"},
		{"AP-05 channel null", "publish", `{"channel":null,"data":1}`, 400, "channel is null"},
		{"AP-05 channel a number", "publish", `{"channel":1,"data":1}`, 400, "channel is not a text"},
		{"AP-05 data missing", "publish", `{"channel":"chat:a"}`, 400, "data is missing"},
		{"AP-05 both payloads", "publish", `{"channel":"chat:a","data":1,"data64":"AA=="}`, 400, "both"},
		{"AP-05 echo is no field here", "publish", `{"channel":"chat:a","data":1,"echo":false}`, 400, `"echo" is not a field`},
		{"AP-05 a list", "publish", `[]`, 400, "not a JSON object"},
		{"AP-07 1,000 channels", "broadcast", channels(1000), 200, ""},
		{"AP-07 1,001 channels", "broadcast", channels(1001), 400, "more than 1000"},
		{"AP-07 no channels", "broadcast", channels(0), 400, "channels is empty"},
		{"AP-07 a channel twice", "broadcast", `{"channels":["chat:a","chat:a"],"data":1}`, 400, "channels[1] was named before"},
		{"AP-07 null as channel", "broadcast", `{"channels":[null],"data":1}`, 400, "channels[0] is not a text"},
		{"AP-11 id of 64 bytes", "publish", `{"channel":"chat:a","data":1,"id":"` + strings.Repeat("i", 64) + `"}`, 200, ""},
		{"AP-11 id of 65 bytes", "publish", `{"channel":"chat:a","data":1,"id":"` + strings.Repeat("i", 65) + `"}`, 400, "id"},
		{"AP-13 limit 0", "history", `{"channel":"chat:a","limit":0}`, 400, "limit"},
		{"AP-13 limit -1", "history", `{"channel":"chat:a","limit":-1}`, 400, "limit"},
		{"AP-13 limit 1000", "history", `{"channel":"chat:a","limit":1000}`, 200, ""},
		{"AP-13 limit 1001", "history", `{"channel":"chat:a","limit":1001}`, 400, "limit"},
		{"AP-13 since without offset", "history", `{"channel":"chat:a","since":{"epoch":"e"}}`, 400, "since.offset is missing"},
		{"AP-13 since beyond 2^53-1", "history", `{"channel":"chat:a","since":{"epoch":"e","offset":9007199254740992}}`, 400, "since.offset"},
		{"AP-04 2^64", "history", `{"channel":"chat:a","limit":18446744073709551616}`, 400, "limit"},
		{"AP-04 1e400", "update", `{"channel":"chat:a","op":"increment","key":"k","by":1e400}`, 400, "by is too large"},
		{"AP-04 version -1", "update", `{"channel":"chat:a","op":"set_if","key":"k","value":1,"version":-1}`, 400, "version"},
		{"op unknown", "update", `{"channel":"chat:a","op":"replace","key":"k","value":1}`, 400, "op is not one of"},
		{"a field of another op", "update", `{"channel":"chat:a","op":"set","key":"k","value":1,"by":2}`, 400, `"by" is not a field`},
		{"set without value", "update", `{"channel":"chat:a","op":"set","key":"k"}`, 400, "value is missing"},
		{"set_if without version", "update", `{"channel":"chat:a","op":"set_if","key":"k","value":1}`, 400, "version is missing"},
		{"increment of what is no number (STA-4)", "update", `{"channel":"chat:z","op":"set_greater","key":"k","value":"x"}`, 400, ""},
		{"key empty", "update", `{"channel":"chat:a","op":"remove","key":""}`, 400, "key"},
		{"bad channel", "publish", `{"channel":"a b","data":1}`, 400, "channel"},
		{"a pattern is no channel", "publish", `{"channel":"chat:*","data":1}`, 400, "channel"},
		{"payload too large (PUB-4)", "publish", `{"channel":"chat:a","data":"` + strings.Repeat("x", 70_000) + `"}`, 413, ""},
		{"no history there (SUB-14)", "history", `{"channel":"volatile:a"}`, 409, ""},
		{"no state there", "state", `{"channel":"volatile:a"}`, 409, ""},
		{"pattern without star", "channels", `{"pattern":"chat:a"}`, 400, "pattern"},
		{"both targets", "disconnect", `{"user":"a","connection":"b"}`, 400, "either user or connection"},
		{"no target", "disconnect", `{}`, 400, "either user or connection"},
		{"empty target", "disconnect", `{"user":""}`, 400, "user is empty"},
		{"code of another kind", "disconnect", `{"user":"a","code":100}`, 400, "code"},
		{"code nobody has", "disconnect", `{"user":"a","code":4499}`, 400, "code is no disconnect code"},
		{"reason of 124 bytes", "disconnect", `{"user":"a","reason":"` + strings.Repeat("r", 124) + `"}`, 400, "reason"},
		{"reason with a line feed", "disconnect", `{"user":"a","reason":"a\nb"}`, 400, "reason"},
		{"unsubscribe from a bad name", "unsubscribe", `{"user":"a","channel":"a b"}`, 400, ""},
		{"info takes no fields", "info", `{"x":1}`, 400, `"x" is not a field`},
		{"unknown method", "publishh", `{}`, 404, "no such method"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			inner := *f
			inner.t = t
			status, answer := inner.call(test.method, test.body)
			if status != test.status {
				t.Fatalf("status %d, want %d: %v", status, test.status, answer)
			}
			if test.status != 200 {
				checkProblem(t, status, answer, test.detail)
			}
		})
	}
	f.alive()
}

func checkProblem(t *testing.T, status int, answer map[string]any, detail string) {
	t.Helper()
	code, _ := answer["code"].(float64)
	known := realtime.Code(code)
	if known.Name() == "" || answer["name"] != known.Name() || answer["title"] != known.Meaning() || answer["status"] != float64(status) ||
		answer["type"] != "urn:bellwire:problem:"+known.Name() {
		t.Errorf("not a problem: %v", answer)
	}
	if text, _ := answer["detail"].(string); !strings.Contains(text, detail) {
		t.Errorf("detail %q, want %q in it", text, detail)
	}
}

// An unknown namespace is refused where namespaces are configured (NAM-3).
func TestAnUnknownNamespaceIsAProblem(t *testing.T) {
	f := startClosed(t, nil)
	status, answer := f.call("publish", `{"channel":"other:a","data":1}`)
	if status != 404 {
		t.Errorf("status %d", status)
	}
	checkProblem(t, status, answer, "")
	if answer["name"] != "unknown_namespace" {
		t.Errorf("%v", answer)
	}
}

// AP-09, AP-08, AP-10, AP-01: what HTTP itself can get wrong.
func TestBadHTTPIsRefused(t *testing.T) {
	f := start(t, nil)
	good := `{"channel":"chat:a","data":1}`
	var zipped bytes.Buffer
	writer := gzip.NewWriter(&zipped)
	_, _ = io.WriteString(writer, good)
	writer.Close()
	tests := []struct {
		name, method, path, body string
		header                   http.Header
		status                   int
	}{
		{"good", "POST", "/api/v1/publish", good, nil, 200},
		{"AP-09 charset utf-8", "POST", "/api/v1/publish", good, http.Header{"Content-Type": {"application/json; charset=UTF-8"}}, 200},
		{"AP-09 charset utf-16", "POST", "/api/v1/publish", good, http.Header{"Content-Type": {"application/json; charset=utf-16"}}, 415},
		{"AP-09 none", "POST", "/api/v1/publish", good, http.Header{"Content-Type": nil}, 415},
		{"AP-09 a form's", "POST", "/api/v1/publish", good, http.Header{"Content-Type": {"text/plain"}}, 415},
		{"AP-09 form data", "POST", "/api/v1/publish", good, http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 415},
		{"AP-09 twice", "POST", "/api/v1/publish", good, http.Header{"Content-Type": {"application/json", "application/json"}}, 415},
		{"AP-09 malformed", "POST", "/api/v1/publish", good, http.Header{"Content-Type": {"application/json; ="}}, 415},
		{"AP-08 gzip", "POST", "/api/v1/publish", zipped.String(), http.Header{"Content-Encoding": {"gzip"}}, 415},
		{"AP-08 br", "POST", "/api/v1/publish", good, http.Header{"Content-Encoding": {"br"}}, 415},
		{"AP-08 stacked", "POST", "/api/v1/publish", good, http.Header{"Content-Encoding": {"gzip, gzip, gzip"}}, 415},
		{"AP-10 GET", "GET", "/api/v1/publish", "", nil, 405},
		{"AP-10 PUT", "PUT", "/api/v1/publish", good, nil, 405},
		{"AP-10 a verb in a header", "GET", "/api/v1/publish", "", http.Header{"X-Http-Method-Override": {"POST"}}, 405},
		{"AP-10 two slashes", "POST", "/api/v1//publish", good, nil, 404},
		{"AP-10 a dot", "POST", "/api/v1/./publish", good, nil, 404},
		{"AP-10 two dots", "POST", "/api/v1/../v1/publish", good, nil, 404},
		{"AP-10 an escaped slash", "POST", "/api/v1%2fpublish", good, nil, 404},
		{"AP-10 a trailing slash", "POST", "/api/v1/publish/", good, nil, 404},
		{"AP-10 a trailing dot", "POST", "/api/v1/publish.", good, nil, 404},
		{"AP-10 a parameter", "POST", "/api/v1/publish;x=1", good, nil, 404},
		{"AP-10 another case", "POST", "/API/v1/publish", good, nil, 405},
		{"AP-10 a query", "POST", "/api/v1/publish?channel=chat:b", good, nil, 400},
		{"AP-10 10,000 parameters", "POST", "/api/v1/publish?" + strings.Repeat("a&", 4000), good, nil, 400},
		{"AP-12 the key in the query", "POST", "/api/v1/publish?key=dev", good, http.Header{"Authorization": nil}, 401},
		{"AP-01 1 MiB and one", "POST", "/api/v1/publish", good + strings.Repeat(" ", 1<<20+1-len(good)), nil, 413},
		{"AP-01 1 MiB", "POST", "/api/v1/publish", good + strings.Repeat(" ", 1<<20-len(good)), nil, 200},
		{"AD-07 two dots to a file", "GET", "/client/../../etc/passwd", "", nil, 404},
		{"AD-07 escaped dots", "GET", "/%2e%2e/%2e%2e/etc/passwd", "", nil, 404},
		{"AD-07 a backslash", "GET", `/client/..\..\x`, "", nil, 404},
		{"AD-07 NUL", "GET", "/client/%00", "", nil, 404},
		{"AD-07 a prefix alike", "GET", "/clientx/bellwire.js", "", nil, 404},
		{"the console is not there", "GET", "/console", "", nil, 404},
		{"nothing there", "GET", "/nothing", "", nil, 404},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequest(test.method, "http://"+f.address(), strings.NewReader(test.body))
			if err != nil {
				t.Fatal(err)
			}
			path, query, _ := strings.Cut(test.path, "?")
			request.URL.Opaque = "//" + f.address() + path // as it is written, not cleaned
			request.URL.RawQuery = query
			request.Header.Set("Authorization", "Bearer dev")
			request.Header.Set("Content-Type", "application/json")
			for name, values := range test.header {
				request.Header[name] = values
			}
			inner := *f
			inner.t = t
			status, header, body := inner.do(request)
			if status != test.status {
				t.Errorf("status %d, want %d: %.200s", status, test.status, body)
			}
			if header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("no security headers: %v", header)
			}
		})
	}
	f.alive()
}

// AP-01: bodies that never end, come slowly or lie about their length.
func TestAP01BodiesThatMisbehave(t *testing.T) {
	f := start(t, func(c *config.Config) {
		c.HTTP.HeaderTimeout, c.HTTP.BodyTimeout = time.Second, time.Second
		c.API.BodyBytes = 64 * config.KiB
	})
	head := "POST /api/v1/publish HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer dev\r\nContent-Type: application/json\r\n"
	tests := []struct {
		name, request string
		status        int
	}{
		{"a length beyond the limit", head + "Content-Length: 1073741824\r\n\r\n", 413},
		{"chunks without end", head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1000\r\n"+strings.Repeat(" ", 0x1000)+"\r\n", 40), 413},
		{"less than promised", head + "Content-Length: 100\r\n\r\n{", 408},
		{"two lengths", head + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400},
		{"length and chunks", head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
		{"a chunk's bare line feed", head + "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n", 400},
	}
	for _, test := range tests {
		if status, _, closed := f.raw(test.request); status != test.status || !closed {
			t.Errorf("%s: status %d, want %d; closed %v", test.name, status, test.status, closed)
		}
	}
	f.alive()
}

// AP-12, VC-47: a wrong key is refused, ten of them block the address, and the right key does not help then.
func TestAP12WrongKeys(t *testing.T) {
	f := startClosed(t, nil)
	keyed := func(value ...string) (int, map[string]any) {
		return f.post("/api/v1/info", "{}", http.Header{"Authorization": value, "Content-Type": {"application/json"}})
	}
	if status, _ := keyed("Bearer " + testAPIKey); status != 200 {
		t.Fatalf("the right key: %d", status)
	}
	wrong := []string{
		"Bearer " + testAPIKey[:len(testAPIKey)-1], "Bearer " + testAPIKey + "x", "Bearer " + strings.ToUpper(testAPIKey), "Bearer ", "Bearer",
		"Basic " + testAPIKey, testAPIKey, "Bearer dev", "Bearer " + testSecret,
	}
	for _, value := range wrong {
		if status, answer := keyed(value); status != 401 {
			t.Errorf("%q: %d %v", value, status, answer)
		}
	}
	if status, _ := keyed(); status != 401 {
		t.Errorf("no key: %d", status)
	}
	if status, _ := keyed("Bearer "+testAPIKey, "Bearer "+testAPIKey); status != 401 {
		t.Errorf("two headers: %d", status)
	}
	keyed("Bearer guess")
	status, answer := keyed("Bearer " + testAPIKey)
	if status != 429 || answer["name"] != "rate_limited" {
		t.Errorf("after ten wrong ones: %d %v", status, answer)
	}
	if log := f.log.String(); strings.Contains(log, testAPIKey) || strings.Contains(log, "guess") {
		t.Error("the log has a key")
	}
}

// VC-25: every route without a credential.
func TestVC25EveryRouteWithoutACredential(t *testing.T) {
	f := startClosed(t, nil)
	for path, want := range map[string]int{
		"/": 200, "/healthz": 200, "/readyz": 200, "/metrics": 401, "/client/bellwire.js": 200, "/console": 404, "/dev/token": 404,
		"/api/v1/openapi.yaml": 200, "/api/v1/openapi.json": 200, "/api/v1/": 405, "/ws": 426, "/index.html": 404, "/favicon.ico": 404,
	} {
		if status, _, _ := f.get(path, nil); status != want {
			t.Errorf("GET %s: %d, want %d", path, status, want)
		}
	}
	for _, method := range []string{"publish", "broadcast", "update", "history", "state", "presence", "channels", "disconnect", "unsubscribe", "info", "nothing"} {
		if len(method) > 0 && method != "nothing" && method != "publish" {
			continue // one and an unknown one: ten would block the address
		}
		if status, _ := f.post("/api/v1/"+method, "{}", http.Header{"Content-Type": {"application/json"}}); status != 401 {
			t.Errorf("POST %s: %d", method, status)
		}
	}
	if status, _, _ := f.get("/metrics", http.Header{"Authorization": {"Bearer " + testAPIKey}}); status != 200 {
		t.Errorf("metrics with the key: %d", status)
	}
}

// The API and the metrics are on the internal address alone when there is one.
func TestTheInternalAddressKeepsTheAPIInside(t *testing.T) {
	f := startClosed(t, func(c *config.Config) { c.InternalListen = "127.0.0.1:0" })
	for path, want := range map[string]int{"/api/v1/info": 404, "/metrics": 404, "/healthz": 200, "/readyz": 200} {
		if status, _, _ := f.get(path, nil); status != want {
			t.Errorf("main %s: %d, want %d", path, status, want)
		}
	}
	for path, want := range map[string]int{"/api/v1/info": 405, "/metrics": 200, "/healthz": 200, "/readyz": 200, "/ws": 404, "/": 404} {
		response, err := f.client.Get(f.server.APIURL() + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("internal %s: %d, want %d", path, response.StatusCode, want)
		}
	}
}

// Profiles are served when asked for, and then on the internal address alone.
func TestProfilesAreServedInsideWhenAskedFor(t *testing.T) {
	for _, debug := range []bool{false, true} {
		f := startClosed(t, func(c *config.Config) { c.InternalListen, c.InternalDebug = "127.0.0.1:0", debug })
		for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap?gc=1", "/debug/pprof/cmdline", "/debug/free"} {
			if status, _, _ := f.get(path, nil); status != 404 {
				t.Errorf("main %s: %d", path, status)
			}
		}
		for _, test := range []struct {
			method, path string
			want         int
		}{
			{"GET", "/debug/pprof/", 200}, {"GET", "/debug/pprof/heap?gc=1", 200}, {"GET", "/debug/pprof/nothing", 404},
			{"POST", "/debug/pprof/heap", 405}, {"POST", "/debug/free", 204}, {"GET", "/debug/free", 405},
		} {
			request, err := http.NewRequest(test.method, f.server.APIURL()+test.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			response, err := f.client.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if want := map[bool]int{false: 404, true: test.want}[debug]; response.StatusCode != want {
				t.Errorf("internal_debug %t: %s %s: %d, want %d", debug, test.method, test.path, response.StatusCode, want)
			}
		}
		f.end()
	}
}

func TestAnAddressThatIsTakenSaysWhatToDo(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	if _, err := listen("listen", taken.Addr().String()); err == nil || !strings.Contains(err.Error(), "another program listens there") ||
		!strings.Contains(err.Error(), "--listen 127.0.0.1:") {
		t.Errorf("got %v", err)
	}
}

// Every method and every field of its examples, replaced by what it is not: a problem, never a panic (AP-05, VC-15).
func TestAP05EveryFieldReplaced(t *testing.T) {
	f := start(t, nil)
	examples := map[string]map[string]any{
		"publish":     {"channel": "chat:m", "data": 1, "id": "i"},
		"broadcast":   {"channels": []string{"chat:m"}, "data": 1, "id": "j"},
		"update":      {"channel": "chat:m", "op": "set_if", "key": "k", "value": 1, "version": 0, "id": "u"},
		"history":     {"channel": "chat:m", "since": map[string]any{"epoch": "e", "offset": 1}, "limit": 1, "reverse": true},
		"state":       {"channel": "chat:m", "key": "k", "after": "a", "limit": 1},
		"presence":    {"channel": "chat:m", "count_only": true, "after": "a", "limit": 1},
		"channels":    {"pattern": "chat:*", "after": "a", "limit": 1},
		"disconnect":  {"user": "u", "code": 4410, "reason": "r"},
		"unsubscribe": {"user": "u", "channel": "chat:m"},
		"info":        {},
	}
	replacements := []string{
		`null`, `true`, `0`, `-1`, `1.5`, `1e400`, `9007199254740992`, `18446744073709551616`, `""`, `"\u0000"`, `"*"`, `[]`, `[null]`, `[[]]`, `{}`, `{"x":null}`,
		`"` + strings.Repeat("x", 300) + `"`,
	}
	for method, example := range examples {
		for field := range example {
			for _, replacement := range replacements {
				mutated := map[string]any{}
				for name, value := range example {
					mutated[name] = value
				}
				mutated[field] = json.RawMessage(replacement)
				f.checkMutation(method, mutated, field+"="+replacement)
			}
			mutated := map[string]any{}
			for name, value := range example {
				if name != field {
					mutated[name] = value
				}
			}
			f.checkMutation(method, mutated, field+" absent")
		}
	}
	if strings.Contains(f.log.String(), "panic") {
		t.Error("a panic in the log")
	}
	f.alive()
}

func (f *fixture) checkMutation(method string, body map[string]any, what string) {
	f.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		// A number too large for Go's own encoder: written by hand.
		text = []byte(`{"limit":1e400}`)
	}
	status, answer := f.call(method, string(text))
	if status == 200 {
		return
	}
	if status >= 500 || answer["code"] == nil {
		f.t.Errorf("%s %.60s: %d %v", method, what, status, answer)
	}
}
