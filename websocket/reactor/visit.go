package reactor

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// visit is the ResponseWriter of an opening handshake on a loop.
type visit struct {
	loop     *loop
	line     *line       // nil: it is over
	header   http.Header // made when it is asked for
	status   int
	body     []byte
	hijacked bool
}

// visitContext leads from a request to the loop that answers it.
type visitContext struct {
	context.Context
	loop *loop
}

// visitOf returns the visit that a request came by, nil when it came by an HTTP server.
func visitOf(request *http.Request) *visit {
	if c, ok := request.Context().(visitContext); ok {
		return c.loop.visit
	}
	return nil
}

func (v *visit) Header() http.Header {
	if v.header == nil {
		v.header = make(http.Header)
	}
	return v.header
}

func (v *visit) WriteHeader(status int) {
	if v.status == 0 {
		v.status = status
	}
}

func (v *visit) Write(b []byte) (int, error) {
	v.WriteHeader(http.StatusOK)
	if len(v.body)+len(b) > refusalBytesMax {
		return 0, http.ErrContentLength
	}
	v.body = append(v.body, b...)
	return len(b), nil
}

// Hijack implements http.Hijacker. What it returns is good for the response alone.
func (v *visit) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if v.hijacked || v.line == nil {
		return nil, nil, http.ErrHijacked
	}
	v.hijacked = true
	return visitLine{v}, v.loop.nothing, nil
}

// response is what a refusal is on the wire: always the last on its connection (VC-22).
func (v *visit) response(request *http.Request) []byte {
	if v.status == 0 {
		v.status = http.StatusInternalServerError
	}
	answer := http.Response{
		StatusCode: v.status, ProtoMajor: 1, ProtoMinor: 1, Header: v.Header(), Request: request, Close: true,
		Body: http.NoBody, ContentLength: int64(len(v.body)),
	}
	v.Header().Set("Date", time.Now().UTC().Format(http.TimeFormat))
	var b bytes.Buffer
	_ = answer.Write(&b) // a buffer takes everything
	b.Write(v.body)
	return b.Bytes()
}

// visitLine is the line of a visit, as the code that answers handshakes sees it.
type visitLine struct{ visit *visit }

var errVisit = errors.New("websocket/reactor: a line of a loop is only written to")

func (l visitLine) Write(b []byte) (int, error) {
	if l.visit.line == nil {
		return 0, net.ErrClosed
	}
	n, err := send(l.visit.line.fd, b)
	if err == nil && n < len(b) {
		err = ErrSlow // a new socket takes far more than an answer
	}
	return n, err
}

func (l visitLine) Close() error {
	if c := l.visit.line; c != nil {
		l.visit.loop.doom(c, errShut)
	}
	return nil
}

func (l visitLine) Read([]byte) (int, error)         { return 0, errVisit }
func (l visitLine) LocalAddr() net.Addr              { return nil }
func (l visitLine) RemoteAddr() net.Addr             { return nil }
func (l visitLine) SetDeadline(time.Time) error      { return nil }
func (l visitLine) SetReadDeadline(time.Time) error  { return nil }
func (l visitLine) SetWriteDeadline(time.Time) error { return nil }

// beginStream makes a line that was greeted a stream.
func (v *visit) beginStream(s *settings, data any) {
	v.hijacked = true
	l, c := v.loop, v.line
	c.state = streaming
	c.settings, c.data = s, data
	l.start(c, nil)
}

// begin makes a line that was greeted one that speaks.
func (v *visit) begin(a *arrival) {
	l, c := v.loop, v.line
	c.state = open
	c.settings, c.data, c.compresses = a.settings, a.data, a.deflate != nil
	c.endpoint.Init(&a.settings.config, a.deflate, l.now)
	if keepAlive := a.settings.config.PingInterval < 0; keepAlive {
		setOptions(int(c.fd), l.reactor.config.UserTimeout, keepAlive)
	}
	l.start(c, nil)
}
