package server

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/bellwire/bellwire/server/config"
)

// streamHead is the head of a request to publish/stream of a development server.
const streamHead = "POST /api/v1/publish/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + config.DevAPIKey +
	"\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n"

// lineStream is one request to publish/stream, written by hand.
type lineStream struct {
	t       *testing.T
	conn    net.Conn
	answers *bufio.Reader
}

// lineAnswer is any line of an answer.
type lineAnswer struct {
	Epoch     string     `json:"epoch"`
	Offset    uint64     `json:"offset"`
	Duplicate bool       `json:"duplicate"`
	Error     *lineError `json:"error"`
	End       *lineEnd   `json:"end"`
}

type lineEnd struct {
	Published int        `json:"published"`
	Failed    int        `json:"failed"`
	Error     *lineError `json:"error"`
}

type lineError struct {
	Code   int    `json:"code"`
	Name   string `json:"name"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func (f *fixture) stream() *lineStream {
	f.t.Helper()
	conn, err := net.Dial("tcp", f.address())
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, streamHead); err != nil {
		f.t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/x-ndjson" {
		f.t.Fatalf("%v %v", response, err)
	}
	return &lineStream{t: f.t, conn: conn, answers: bufio.NewReader(response.Body)}
}

// send sends lines as one chunk.
func (s *lineStream) send(text string) {
	s.t.Helper()
	if _, err := fmt.Fprintf(s.conn, "%x\r\n%s\r\n", len(text), text); err != nil {
		s.t.Fatal(err)
	}
}

func (s *lineStream) answer() lineAnswer {
	s.t.Helper()
	line, err := s.answers.ReadBytes('\n')
	if err != nil {
		s.t.Fatalf("reading an answer: %v after %q", err, line)
	}
	var answer lineAnswer
	var document any
	if err := json.Unmarshal(line, &document); err != nil {
		s.t.Fatalf("%v in %q", err, line)
	}
	schema, err := schemas().at("/paths/~1api~1v1~1publish~1stream/post/responses/200/content/application~1x-ndjson/schema")
	if err == nil {
		err = schema.Validate(document)
	}
	if err != nil {
		s.t.Fatalf("%q is not what openapi.yaml says: %v", line, err)
	}
	_ = json.Unmarshal(line, &answer)
	return answer
}

// finish closes the body and returns the last line.
func (s *lineStream) finish() lineEnd {
	s.t.Helper()
	if _, err := io.WriteString(s.conn, "0\r\n\r\n"); err != nil {
		s.t.Fatal(err)
	}
	return s.end()
}

// end returns the last line, behind which there is nothing.
func (s *lineStream) end() lineEnd {
	s.t.Helper()
	answer := s.answer()
	if answer.End == nil {
		s.t.Fatalf("%+v instead of the end", answer)
	}
	if rest, err := io.ReadAll(s.answers); len(rest) > 0 || err != nil {
		s.t.Fatalf("after the end: %q %v", rest, err)
	}
	return *answer.End
}

// Each row is a body and its answers: an offset for what was stored, and the name of the problem and a part of its detail.
func TestAStreamAnswersEachLine(t *testing.T) {
	f := start(t, nil)
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	tests := []struct {
		rule, body string
		want       []string
	}{
		{"nothing", "", nil},
		{"one line", "{\"channel\":\"C\",\"data\":1}\n", []string{"1"}},
		{"the last line feed may be missing", "{\"channel\":\"C\",\"data\":1}\n{\"channel\":\"C\",\"data\":2}", []string{"1", "2"}},
		{"CR LF ends a line too", "{\"channel\":\"C\",\"data\":1}\r\n", []string{"1"}},
		{"bytes", "{\"channel\":\"C\",\"data64\":\"AP8=\"}\n", []string{"1"}},
		{"POS-6 the same id is the first one", "{\"channel\":\"C\",\"data\":1,\"id\":\"x\"}\n{\"channel\":\"C\",\"data\":1,\"id\":\"x\"}\n", []string{"1", "1 duplicate"}},
		{"POS-6 another content", "{\"channel\":\"C\",\"data\":1,\"id\":\"x\"}\n{\"channel\":\"C\",\"data\":2,\"id\":\"x\"}\n", []string{"1", "conflict"}},
		{"an empty line is a bad one", "\n{\"channel\":\"C\",\"data\":1}\n", []string{"bad_request not one JSON", "1"}},
		{"a bad line does not end the stream", "{\"channel\":\"C\"}\nnope\n[]\n{\"channel\":\"C\",\"data\":1}\n",
			[]string{"bad_request data is missing", "bad_request not one JSON", "bad_request not a JSON object", "1"}},
		{"two documents on a line", "{\"channel\":\"C\",\"data\":1}{\"channel\":\"C\",\"data\":2}\n", []string{"bad_request not one JSON"}},
		{"a document on two lines", "{\"channel\":\"C\",\n\"data\":1}\n", []string{"bad_request", "bad_request"}},
		{"an unknown field", "{\"channel\":\"C\",\"data\":1,\"Data\":2}\n", []string{`bad_request "Data" is not a field`}},
		{"a name twice", "{\"channel\":\"C\",\"data\":1,\"data\":2}\n", []string{"bad_request duplicate"}},
		{"null", "{\"channel\":null,\"data\":1}\n", []string{"bad_request channel is null"}},
		{"NAM-1 a name that is none", "{\"channel\":\"a b\",\"data\":1}\n", []string{"bad_channel"}},
		{"NAM-4 a pattern", "{\"channel\":\"chat:*\",\"data\":1}\n", []string{"bad_channel"}},
		{"MSG-9 as deep as may be", "{\"channel\":\"C\",\"data\":" + deep(30) + "}\n", []string{"1"}},
		{"MSG-9 one deeper", "{\"channel\":\"C\",\"data\":" + deep(31) + "}\n", []string{"bad_request nested"}},
		{"PUB-4 a payload of the limit and one more", "{\"channel\":\"C\",\"data\":\"" + strings.Repeat("x", 65534) + "\"}\n{\"channel\":\"C\",\"data\":\"" + strings.Repeat("x", 65535) + "\"}\n",
			[]string{"1", "too_large payload"}},
		{"a line that is too long", "{\"channel\":\"C\",\"data\":\"" + strings.Repeat("x", 1<<20) + "\"}\n{\"channel\":\"C\",\"data\":1}\n", []string{"too_large the line", "1"}},
		{"a last line that is too long", strings.Repeat("x", 1<<20+1), []string{"too_large the line"}},
		{"not UTF-8", "{\"channel\":\"C\",\"data\":\"\xff\"}\n", []string{"bad_request UTF-8"}},
	}
	for i, test := range tests {
		t.Run(test.rule, func(t *testing.T) {
			f.t = t
			body := strings.ReplaceAll(test.body, "\"C\"", fmt.Sprintf("\"chat:%d\"", i))
			s := f.stream()
			if body != "" {
				s.send(body)
			}
			if strings.HasSuffix(body, "\n") || body == "" {
				s.expect(test.want)
				s.expectFinish(test.want)
				return
			}
			_, _ = io.WriteString(s.conn, "0\r\n\r\n")
			s.expect(test.want)
			s.expectEnd(s.end(), test.want)
		})
	}
	f.t = t
	f.alive()
}

func (s *lineStream) expect(want []string) {
	s.t.Helper()
	for i, want := range want {
		answer := s.answer()
		got := fmt.Sprint(answer.Offset)
		if answer.Duplicate {
			got += " duplicate"
		}
		if answer.Error == nil {
			if got != want || answer.Epoch == "" {
				s.t.Errorf("answer %d is %+v, want %s", i+1, answer, want)
			}
			continue
		}
		name, detail, _ := strings.Cut(want, " ")
		if answer.Error.Name != name || !strings.Contains(answer.Error.Detail, detail) {
			s.t.Errorf("answer %d is %+v, want %s", i+1, answer.Error, want)
		}
	}
}

func (s *lineStream) expectFinish(want []string) {
	s.t.Helper()
	s.expectEnd(s.finish(), want)
}

func (s *lineStream) expectEnd(end lineEnd, want []string) {
	s.t.Helper()
	published := 0
	for _, answer := range want {
		if answer[0] >= '0' && answer[0] <= '9' {
			published++
		}
	}
	if end.Published != published || end.Failed != len(want)-published || end.Error != nil {
		s.t.Errorf("the end is %+v, want %d and %d", end, published, len(want)-published)
	}
}

// A channel without a log has no position.
func TestAStreamToAChannelWithoutALog(t *testing.T) {
	s := start(t, nil).stream()
	s.send("{\"channel\":\"volatile:a\",\"data\":1}\n")
	if line, err := s.answers.ReadString('\n'); line != "{}\n" || err != nil {
		t.Errorf("%q %v", line, err)
	}
	s.finish()
}

// Whatever is wrong with the request itself is a problem, as with any method.
func TestStreamsThatAreNone(t *testing.T) {
	f := start(t, nil)
	tests := []struct {
		rule, from, to string
		status         int
	}{
		{"a key that is wrong", "Bearer " + config.DevAPIKey, "Bearer wrong", 401},
		{"another content", "application/x-ndjson", "application/json", 415},
		{"another charset", "application/x-ndjson", "application/x-ndjson; charset=latin1", 415},
		{"a compressed body", "Content-Type", "Content-Encoding: gzip\r\nContent-Type", 415},
		{"another method", "POST", "PUT", 405},
		{"a query", "/stream", "/stream?a=b", 400},
		{"another spelling", "publish/stream", "publish/Stream", 404},
	}
	for _, test := range tests {
		head := strings.Replace(streamHead, test.from, test.to, 1)
		if status, header, closed := f.raw(head + "2\r\n{}\r\n0\r\n\r\n"); status != test.status || header.Get("Content-Type") != "application/problem+json" || !closed {
			t.Errorf("%s: %d, closed %v, %v", test.rule, status, closed, header)
		}
	}
}

// However the body is cut, the answers are the same: every byte a chunk of its own, and the body cut at each place.
func TestAStreamMayBeCutAnywhere(t *testing.T) {
	f := start(t, nil)
	const body = "{\"channel\":\"chat:N\",\"data\":\"é\"}\n\n{\"channel\":\"chat:N\",\"data\":[1, 2]}\r\n{\"channel\":\"chat:N\",\"data\":3}"
	want := []string{"1", "bad_request", "2", "3"}
	for at := range len(body) {
		s := f.stream()
		text := strings.ReplaceAll(body, "N", fmt.Sprint(at%10)+strings.Repeat("x", at/10))
		if at == 0 {
			for i := range len(text) {
				s.send(text[i : i+1])
			}
		} else {
			s.send(text[:at])
			s.send(text[at:])
		}
		_, _ = io.WriteString(s.conn, "0\r\n\r\n")
		s.expect(want)
		s.expectEnd(s.end(), want)
	}
}

// A body that ends without its end has an unfinished line, which is not published though it reads like a whole one.
func TestAStreamWhoseBodyIsCutOff(t *testing.T) {
	f := start(t, nil)
	s := f.stream()
	s.send("{\"channel\":\"chat:a\",\"data\":1}\n{\"channel\":\"chat:a\",\"data\":2}")
	s.expect([]string{"1"})
	if err := s.conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if end := s.end(); end.Published != 1 || end.Error == nil || end.Error.Name != "bad_request" {
		t.Errorf("%+v", end)
	}
	if _, answer := f.call("history", `{"channel":"chat:a"}`); answer["top"] != 1.0 {
		t.Errorf("history: %v", answer)
	}
}

// 100,000 lines: the answers are in the order of the lines, and no more is held than for one.
func TestALongStreamHoldsLittle(t *testing.T) {
	const lines = 100_000
	f := start(t, func(c *config.Config) { c.Limits.HeldBytes = config.MiB })
	s := f.stream()
	_ = s.conn.SetDeadline(time.Now().Add(6 * patience))
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	sent := make(chan error, 1)
	go func() {
		chunks := httputil.NewChunkedWriter(s.conn)
		out := bufio.NewWriterSize(chunks, 8<<10)
		for i := range lines {
			fmt.Fprintf(out, "{\"channel\":\"chat:a\",\"data\":%d}\n", i)
		}
		_ = out.Flush()
		_ = chunks.Close()
		_, err := io.WriteString(s.conn, "\r\n")
		sent <- err
	}()
	for i := range lines {
		line, err := s.answers.ReadString('\n')
		if want := fmt.Sprintf(`"offset":%d}`, i+1); err != nil || !strings.Contains(line, want) {
			t.Fatalf("answer %q %v, want %s", line, err, want)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	if end := s.end(); end.Published != lines || end.Failed != 0 {
		t.Errorf("%+v", end)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 8<<20 {
		t.Errorf("%d bytes are held after the stream", grown)
	}
}

// A client that takes no answers is not read from, and is given up after the time of a request.
func TestAStreamWhoseAnswersAreNotRead(t *testing.T) {
	f := start(t, func(c *config.Config) { c.API.Timeout = 300 * time.Millisecond })
	s := f.stream()
	chunk := strings.Repeat("\n", 4096) // each an answer of two hundred bytes
	sent := 0
	for ; sent < 1<<20; sent++ {
		if _, err := fmt.Fprintf(s.conn, "%x\r\n%s\r\n", len(chunk), chunk); err != nil {
			break
		}
	}
	if sent == 1<<20 {
		t.Error("4 GiB were taken from a client that reads nothing")
	}
	f.alive()
}

// LIV-5: a drain ends streams with a code that says to come again, after what has arrived is answered.
func TestADrainEndsStreams(t *testing.T) {
	f := start(t, func(c *config.Config) { c.Drain = time.Second })
	keeps := f.anonymous() // keeps the drain going
	idle, busy := f.stream(), f.stream()
	stopped := make(chan struct{})
	accepted := make(chan int, 1)
	go func() {
		for n := 0; ; n++ {
			line := "{\"channel\":\"chat:busy\",\"data\":1}\n"
			if _, err := fmt.Fprintf(busy.conn, "%x\r\n%s\r\n", len(line), line); err != nil {
				accepted <- n
				return
			}
			select {
			case <-stopped:
				accepted <- n
				return
			default:
			}
		}
	}()
	busy.answer()
	f.stop()
	f.awaitDraining()
	for _, s := range []*lineStream{idle, busy} {
		var last lineAnswer
		answers := 0
		for last = s.answer(); last.End == nil; last = s.answer() {
			answers++
		}
		if s == busy {
			answers++
		}
		end := last.End
		if end.Error == nil || end.Error.Name != "unavailable" || end.Error.Code != 151 || end.Error.Status != 503 {
			t.Errorf("the end is %+v", end)
		}
		if end.Published+end.Failed != answers {
			t.Errorf("%d answers, and an end of %+v", answers, end)
		}
	}
	close(stopped)
	<-accepted
	if status, header, _ := f.raw(streamHead); status != 503 || header.Get("Retry-After") == "" {
		t.Errorf("a new stream while draining: %d %v", status, header)
	}
	keeps.expectEnd(4500)
	f.end()
}

// The standard library's client uses it as it is: the body is a pipe, and the answers come while it is open.
func TestAStreamByTheStandardClient(t *testing.T) {
	f := start(t, nil)
	body, lines := io.Pipe()
	request, err := http.NewRequest(http.MethodPost, "http://"+f.address()+"/api/v1/publish/stream", iotest.HalfReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{
		"Authorization": {"Bearer " + config.DevAPIKey}, "Content-Type": {"application/x-ndjson"}, "Expect": {"100-continue"},
	}
	response, err := f.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	s := &lineStream{t: t, answers: bufio.NewReader(response.Body)}
	for i := range 3 {
		if _, err := io.WriteString(lines, "{\"channel\":\"chat:a\",\"data\":1}\n"); err != nil {
			t.Fatal(err)
		}
		s.expect([]string{fmt.Sprint(i + 1)})
	}
	_ = lines.Close()
	if end := s.end(); end.Published != 3 {
		t.Errorf("%+v", end)
	}
}
