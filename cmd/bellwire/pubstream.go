package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/realtime"
)

const (
	streamPendingMax      = 4096    // lines on their way
	streamPendingBytesMax = 8 << 20 // of them together; a single line may have more
	streamAnswerBytesMax  = 64 << 10
)

// A streamer publishes lines by the HTTP API's stream. Every line has an id, so that it may be sent again on a new request
// when its answer did not come; it stays in its place until then, so the order holds.
type streamer struct {
	// Immutable.
	publisher *publisher
	channel   string // in JSON
	api, key  string
	client    *http.Client
	prefix    string // of the lines' ids
	read      <-chan readLine

	// Owned by the sending goroutine of the request that lives; there is one at a time.
	inputEnded bool
	inputErr   error

	mu sync.Mutex
	// Guarded by mu.
	waiting []streamLine // sent and not answered, in order
	bytes   int          // of them
	count   pubCount
	since   time.Time     // the line that has waited longest is the next to be answered since then
	room    chan struct{} // gets a token when waiting became shorter
}

// streamLine is a line on its way.
type streamLine struct {
	number int
	text   []byte
}

// errAgain is why what is not answered has to be sent again.
var errAgain = errors.New("the stream was interrupted")

// stream publishes each line of in by the API and counts what was stored.
func (p *publisher) stream(ctx context.Context, in io.Reader, channel, api, key string) error {
	name, err := json.Marshal(channel)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	read := make(chan readLine, 256)
	// Nothing ends a read of standard input but the end of the process.
	var reading safego.Group
	reading.Go("standard input", func() { readLines(ctx, in, read) }, nil)
	s := &streamer{
		publisher: p, channel: string(name), api: strings.TrimSuffix(api, "/") + "/api/v1/publish/stream", key: key,
		client: &http.Client{Transport: &http.Transport{DisableCompression: true}}, prefix: rand.Text()[:16] + "-",
		read: read, room: make(chan struct{}, 1),
	}
	err = s.run(ctx)
	s.count.failed += len(s.waiting)
	p.status.printf("%d published, %d failed", s.count.stored, s.count.failed)
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted")
	case err != nil:
		return err
	case s.count.failed > 0:
		return fmt.Errorf("%d lines were not published", s.count.failed)
	}
	return s.inputErr
}

// run makes requests until every line is answered. It gives up when none was for the timeout.
func (s *streamer) run(ctx context.Context) error {
	var failing time.Time // zero: the last request brought something
	for {
		before := s.stored()
		err := s.once(ctx)
		if !errors.Is(err, errAgain) || ctx.Err() != nil {
			return err
		}
		if s.stored() != before {
			failing = time.Time{}
		}
		if failing.IsZero() {
			failing = time.Now()
			s.publisher.status.printf("%v; trying again", err)
		}
		if time.Since(failing) > s.publisher.timeout {
			return fmt.Errorf("%w: %w", errNoAnswer, err)
		}
		if err := sleep(ctx, s.publisher.retryPause); err != nil {
			return err
		}
	}
}

func (s *streamer) stored() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count.stored
}

// once makes one request. It returns nil when all lines are answered, and errAgain when another request may help.
func (s *streamer) once(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	body, lines := io.Pipe()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.api, body)
	if err != nil {
		return err
	}
	request.Header = http.Header{"Content-Type": {"application/x-ndjson"}, "Authorization": {"Bearer " + s.key}}
	var group safego.Group
	group.Go("lines", func() { _ = lines.CloseWithError(s.send(ctx, lines)) }, nil)
	group.Go("watch", func() { s.watch(ctx, cancel) }, nil)
	err = s.exchange(request)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	cancel(nil)
	_ = body.CloseWithError(errAgain)
	_ = group.Wait(context.Background())
	return err
}

// watch ends a request on which a line waits too long for its answer.
func (s *streamer) watch(ctx context.Context, end context.CancelCauseFunc) {
	s.mu.Lock()
	s.since = time.Now()
	s.mu.Unlock()
	for sleep(ctx, s.publisher.timeout/4) == nil {
		s.mu.Lock()
		late := len(s.waiting) > 0 && time.Since(s.since) > s.publisher.timeout
		s.mu.Unlock()
		if late {
			end(fmt.Errorf("%w: %w", errAgain, errNoAnswer))
		}
	}
}

func (s *streamer) exchange(request *http.Request) error {
	response, err := s.client.Do(request)
	if err != nil {
		return fmt.Errorf("%w: %w", errAgain, err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return s.receive(bufio.NewReaderSize(response.Body, streamAnswerBytesMax))
	}
	text, _ := io.ReadAll(io.LimitReader(response.Body, streamAnswerBytesMax))
	var problem struct {
		Detail string `json:"detail"`
	}
	_ = json.Unmarshal(text, &problem) // a proxy's answer is no problem document
	err = fmt.Errorf("the API answered %s: %s", response.Status, problem.Detail)
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Errorf("%w: %w", errAgain, err)
	}
	return err
}

// send sends what has no answer yet, and then new lines, until the input ends.
func (s *streamer) send(ctx context.Context, to io.Writer) error {
	out := bufio.NewWriterSize(to, streamAnswerBytesMax)
	s.mu.Lock()
	again := slices.Clone(s.waiting)
	s.mu.Unlock()
	for _, line := range again {
		if _, err := out.Write(line.text); err != nil {
			return err
		}
	}
	for !s.inputEnded {
		if len(s.read) == 0 || !s.hasRoom() {
			if err := out.Flush(); err != nil {
				return err
			}
		}
		line, err := s.next(ctx)
		if err != nil {
			return err
		}
		if _, err := out.Write(line.text); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (s *streamer) hasRoom() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting) < streamPendingMax && s.bytes < streamPendingBytesMax
}

// next returns the next line once there is room for it; it is among those that wait for their answers then. An empty one
// is no line.
func (s *streamer) next(ctx context.Context) (streamLine, error) {
	for !s.hasRoom() {
		select {
		case <-s.room:
		case <-ctx.Done():
			return streamLine{}, ctx.Err()
		}
	}
	select {
	case line, ok := <-s.read:
		switch {
		case !ok:
			s.inputEnded = true
			return streamLine{}, nil
		case line.err != nil && line.number == 0:
			s.inputEnded, s.inputErr = true, line.err
			return streamLine{}, nil
		}
		return s.take(line), nil
	case <-ctx.Done():
		return streamLine{}, ctx.Err()
	}
}

func (s *streamer) take(line readLine) streamLine {
	payload, err := realtime.Payload{}, line.err
	if err == nil {
		payload, err = s.publisher.payload(line.text)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.count.failed++
		s.publisher.status.fail("line %d: %v", line.number, err)
		return streamLine{}
	}
	if len(s.waiting) == 0 {
		s.since = time.Now()
	}
	taken := streamLine{number: line.number, text: s.encode(line.number, payload)}
	s.waiting, s.bytes = append(s.waiting, taken), s.bytes+len(taken.text)
	return taken
}

func (s *streamer) encode(number int, payload realtime.Payload) []byte {
	b := append([]byte(`{"channel":`), s.channel...)
	b = append(append(b, `,"id":"`...), s.prefix...)
	b = append(strconv.AppendInt(b, int64(number), 10), '"')
	if payload.Encoding == realtime.EncodingBinary {
		b = base64.StdEncoding.AppendEncode(append(b, `,"data64":"`...), payload.Bytes)
		return append(b, "\"}\n"...)
	}
	return append(append(append(b, `,"data":`...), payload.Bytes...), "}\n"...)
}

// streamAnswer is any line that the API answers.
type streamAnswer struct {
	Error *streamProblem `json:"error"`
	End   *struct {
		Error *streamProblem `json:"error"`
	} `json:"end"`
}

type streamProblem struct {
	Code   realtime.Code `json:"code"`
	Detail string        `json:"detail"`
}

func (p *streamProblem) err() error { return realtime.NewError(p.Code, p.Detail) }

// receive takes the answers, which come in the order of the lines.
func (s *streamer) receive(answers *bufio.Reader) error {
	for {
		text, err := answers.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("%w: %w", errAgain, err)
		}
		var answer streamAnswer
		if err := json.Unmarshal(bytes.TrimSuffix(text, []byte("\n")), &answer); err != nil {
			return fmt.Errorf("an answer that is none: %w", err)
		}
		switch {
		case answer.End != nil && answer.End.Error != nil:
			return fmt.Errorf("%w: %w", errAgain, answer.End.Error.err())
		case answer.End != nil:
			return nil
		}
		if err := s.answered(answer.Error); err != nil {
			return err
		}
	}
}

// answered settles the line that has waited longest. What the server refuses for now has to be sent again.
func (s *streamer) answered(problem *streamProblem) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return errors.New("the API answered a line that was not sent")
	}
	line := s.waiting[0]
	switch {
	case problem == nil:
		s.count.stored++
		s.publisher.status.progress(s.count.stored)
	case problem.Code == realtime.CodeUnavailable, problem.Code == realtime.CodeRateLimited, problem.Code == realtime.CodeTimeout:
		return fmt.Errorf("%w: %w", errAgain, problem.err())
	default:
		s.count.failed++
		s.publisher.status.fail("line %d: %v", line.number, problem.err())
	}
	s.since = time.Now()
	s.waiting[0] = streamLine{}
	s.waiting, s.bytes = s.waiting[1:], s.bytes-len(line.text)
	select {
	case s.room <- struct{}{}:
	default:
	}
	return nil
}
