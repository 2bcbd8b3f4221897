package loadgen

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/bellwire/bellwire/internal/safego"
)

// apiStream publishes by one request to publish/stream, one line after the other.
type apiStream struct {
	// Immutable.
	run     *run
	conn    net.Conn
	channel *channel
	began   chan time.Duration // when the lines were sent that have no answer yet, in order
	room    chan struct{}      // the reader tells that half of them are answered
	ended   chan struct{}      // closed by the reader
	gather  bool               // flat out
	reading safego.Group

	// Owned by the publishing goroutine.
	out  *bufio.Writer
	line []byte

	err error // the reader's; read after ended
}

// streamBufferBytes is how many bytes of lines are gathered while answers are waited for.
const streamBufferBytes = 16 << 10

func (r *run) openStream(ctx context.Context, target *channel, w Traffic) (*apiStream, error) {
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
	s := &apiStream{
		run: r, conn: conn, channel: target, began: make(chan time.Duration, w.InFlight), room: make(chan struct{}, 1), ended: make(chan struct{}),
		gather: w.FlatOut, out: bufio.NewWriterSize(conn, streamBufferBytes),
	}
	body, err := s.begin(u)
	if err != nil {
		conn.Close()
		return nil, err
	}
	s.reading.Go("answers", func() {
		defer close(s.ended)
		s.err = s.read(bufio.NewReader(body))
	}, func() { conn.Close() })
	return s, nil
}

// begin sends the head and returns the body of the answer, which begins at once.
func (s *apiStream) begin(u *url.URL) (io.Reader, error) {
	_ = s.conn.SetDeadline(time.Now().Add(s.run.pace.ConnectTimeout))
	fmt.Fprintf(s.out, "POST %s/api/v1/publish/stream HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n", u.EscapedPath(), u.Host, s.run.target.Key)
	if err := s.out.Flush(); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(bufio.NewReaderSize(s.conn, streamBufferBytes), nil)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(io.LimitReader(response.Body, apiAnswerBytesMax))
		return nil, fmt.Errorf("the API answered %s: %.200q", response.Status, body)
	}
	_ = s.conn.SetDeadline(time.Time{}) // each wait has its own limit from here
	return response.Body, nil
}

// read takes the answers, which come in the order of the lines, until the last line.
func (s *apiStream) read(answers *bufio.Reader) error {
	for {
		line, err := answers.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("reading the answers: %w", err)
		}
		var answer struct {
			Offset uint64          `json:"offset"`
			Error  json.RawMessage `json:"error"`
			End    json.RawMessage `json:"end"`
		}
		switch err := json.Unmarshal(line, &answer); {
		case err != nil:
			return fmt.Errorf("an answer: %w", err)
		case answer.End != nil && len(s.began) == 0:
			return nil
		case answer.End != nil || answer.Error != nil:
			return fmt.Errorf("the API answered %.200q", line)
		}
		select {
		case began := <-s.began:
			s.run.answered(s.channel, answer.Offset, s.run.now()-began)
			if len(s.began) <= cap(s.began)/2 {
				select {
				case s.room <- struct{}{}:
				default:
				}
			}
		default:
			return errors.New("an answer to nothing")
		}
	}
}

// publish implements publisher. Flat out, lines are gathered until as many as may be wait for their answers, and again once
// half of them are answered; at a rate each is sent at once.
func (s *apiStream) publish(ctx context.Context, payload []byte) error {
	for len(s.began) == cap(s.began) {
		if err := s.wait(ctx); err != nil {
			return err
		}
	}
	now := s.run.now()
	setStamp(payload, int64(now))
	s.began <- now
	s.line = fmt.Appendf(s.line[:0], "{\"channel\":\"%s\",\"data\":%s}\n", s.channel.name, payload)
	if _, err := fmt.Fprintf(s.out, "%x\r\n%s\r\n", len(s.line), s.line); err != nil {
		return err
	}
	if s.gather {
		return nil
	}
	return s.flush()
}

// flush sends what is gathered.
func (s *apiStream) flush() error {
	_ = s.conn.SetWriteDeadline(time.Now().Add(s.run.pace.ConnectTimeout))
	return s.out.Flush()
}

// wait sends what is gathered and returns when half of what waited for answers has one.
func (s *apiStream) wait(ctx context.Context) error {
	if err := s.flush(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.run.pace.ConnectTimeout, errNoAnswer)
	defer cancel()
	for len(s.began) > cap(s.began)/2 {
		select {
		case <-s.room:
		case <-s.ended:
			return s.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// finish implements finisher: the last answers come, and the end.
func (s *apiStream) finish(ctx context.Context) error {
	if _, err := s.out.WriteString("0\r\n\r\n"); err != nil {
		return err
	}
	if err := s.flush(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.run.pace.ConnectTimeout, errNoAnswer)
	defer cancel()
	select {
	case <-s.ended:
		return s.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *apiStream) close() {
	_ = s.conn.Close()
	<-s.ended
}
