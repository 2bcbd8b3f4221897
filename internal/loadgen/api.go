package loadgen

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
	"time"
)

// apiAnswerBytesMax is how much of an answer is read.
const apiAnswerBytesMax = 64 << 10

// apiLine publishes by the HTTP API on one connection that is kept. It writes requests as they are instead of through an
// http.Client, whose goroutines would cost more than the server.
type apiLine struct {
	// Immutable.
	run     *run
	conn    net.Conn
	reader  *bufio.Reader
	channel *channel
	head    []byte // of every request, without its length

	// Owned by the publishing goroutine.
	request []byte
}

func (r *run) openAPI(ctx context.Context, target *channel) (*apiLine, error) {
	u, err := url.Parse(r.target.API)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.pace.ConnectTimeout)
	defer cancel()
	conn, err := dialAPI(ctx, u)
	if err != nil {
		return nil, fmt.Errorf("opening a connection to the API: %w", err)
	}
	head := fmt.Appendf(nil, "POST %s/api/v1/publish HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: ", u.EscapedPath(), u.Host, r.target.Key)
	return &apiLine{run: r, conn: conn, reader: bufio.NewReader(conn), channel: target, head: head}, nil
}

func dialAPI(ctx context.Context, u *url.URL) (net.Conn, error) {
	port := u.Port()
	if port == "" {
		port = u.Scheme
	}
	address := net.JoinHostPort(u.Hostname(), port)
	switch u.Scheme {
	case "http":
		return (&net.Dialer{}).DialContext(ctx, "tcp", address)
	case "https":
		return (&tls.Dialer{}).DialContext(ctx, "tcp", address)
	}
	return nil, fmt.Errorf("the API's address begins with http or https, not with %q", u.Scheme)
}

// publish implements publisher; it returns when the answer is there.
func (a *apiLine) publish(ctx context.Context, payload []byte) error {
	stop := context.AfterFunc(ctx, func() { _ = a.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	_ = a.conn.SetDeadline(time.Now().Add(a.run.pace.ConnectTimeout))
	begin := a.run.now()
	setStamp(payload, int64(begin))
	bodyBytes := len(`{"channel":"","data":}`) + len(a.channel.name) + len(payload)
	a.request = append(a.request[:0], a.head...)
	a.request = strconv.AppendInt(a.request, int64(bodyBytes), 10)
	a.request = fmt.Appendf(a.request, "\r\n\r\n{\"channel\":\"%s\",\"data\":%s}", a.channel.name, payload)
	if _, err := a.conn.Write(a.request); err != nil {
		return err
	}
	response, err := http.ReadResponse(a.reader, nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, apiAnswerBytesMax))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the API answered %s: %.200q", response.Status, body)
	}
	var answer struct {
		Offset uint64 `json:"offset"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("the API's answer: %w", err)
	}
	a.run.answered(a.channel, answer.Offset, a.run.now()-begin)
	return nil
}

func (a *apiLine) close() { _ = a.conn.Close() }
