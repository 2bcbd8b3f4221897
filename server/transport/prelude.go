package transport

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"github.com/bellwire/bellwire/protocol/sse"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/node"
)

// prelude is what is needed until the answer begins: with the first event, or with the status of a refusal. That is known
// when the session has something to say.
type prelude struct {
	header http.Header
	first  []byte // the client's first message; nil: none
	wants  bool   // the client knows what events are
	status int    // how the answer is to begin; 0: undecided
	said   []byte // what the client is told with a refusal; nil: what its status means
}

// begins says how the answer begins: with 200 and events, or with a refusal. messages are what is to be said.
func (p *prelude) begins(connection *node.Connection, messages [][]byte) (status int) {
	if p.status == 0 {
		connected, code := connection.Standing()
		p.status = p.judge(connected, code)
		if p.status == http.StatusBadRequest && code == 0 && len(messages) > 0 {
			p.said = sse.Data(messages[0])
		}
	}
	return p.status
}

func (p *prelude) judge(connected bool, code realtime.Code) (status int) {
	switch {
	case connected:
		return http.StatusOK
	case code == 0:
		return http.StatusBadRequest // the client's message was wrong, and there is no other to come
	case code.Retry() && code != realtime.CodeExpired && p.wants:
		return http.StatusOK // an event says when to come again, since any other status says never
	}
	return statusOf(code)
}

// endsUnsaid is how the answer begins, and ends, where no event was said.
func (p *prelude) endsUnsaid(n *node.Node, connection *node.Connection) (status int, body string) {
	if status = p.begins(connection, nil); status == http.StatusOK {
		status = http.StatusServiceUnavailable // it was let in, and ended before it was told so
	}
	return status, p.refusal(connection, status, n.RetryAfter())
}

// refusal makes the header that of a refusal, and returns its body.
func (p *prelude) refusal(connection *node.Connection, status int, retryAfter time.Duration) string {
	for _, name := range []string{"Cache-Control", "X-Accel-Buffering"} {
		p.header.Del(name)
	}
	if p.said != nil {
		p.header.Set("Content-Type", "application/json")
		return string(p.said)
	}
	p.header.Set("Content-Type", "text/plain; charset=utf-8")
	if status == http.StatusServiceUnavailable {
		p.header.Set("Retry-After", wholeSeconds(retryAfter))
	}
	if _, code := connection.Standing(); code != 0 {
		return code.Meaning() + "\n"
	}
	return "the body must begin with a connect command that is right\n"
}

// appendHead writes the head of an answer whose end is that of the connection (RFC 9112 6.3).
func appendHead(dst []byte, status int, header http.Header) []byte {
	b := bytes.NewBuffer(dst)
	b.WriteString("HTTP/1.1 " + strconv.Itoa(status) + " " + http.StatusText(status) + "\r\n")
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	_ = header.Write(b) // a buffer takes everything
	b.WriteString("\r\n")
	return b.Bytes()
}

// statusOf is what is said to who is not let in, instead of a line (EVT-5).
func statusOf(code realtime.Code) int {
	switch code {
	case realtime.CodeInvalidToken, realtime.CodeExpired:
		return http.StatusUnauthorized
	case realtime.CodeForbidden:
		return http.StatusForbidden
	case realtime.CodeConnectTimeout:
		return http.StatusRequestTimeout
	case realtime.CodeFlooding:
		return http.StatusTooManyRequests
	}
	if code.Retry() {
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}
