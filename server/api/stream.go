package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/server/document"
)

// streamName is the method that takes many publications in one request.
const streamName = "publish/stream"

// answerBytesMax is how many bytes of answers are gathered before they are written: short bad lines have long answers.
const answerBytesMax = 64 << 10

// drainRetryAfter is what a stream is told that comes while the server drains: another one answers at once.
const drainRetryAfter = time.Second

// streamLinger is how long the rest of a body may come, for nobody, after the server has said that it ends the stream:
// closing at once would reset a connection on which the client is sending, and the reset may overtake the last answers.
const streamLinger = time.Second

// stream is one request to publish/stream. The request's goroutine reads what has arrived, publishes all of it, answers it
// with one write, and reads on. So a client that does not read its answers is not read from either, and what is held for
// it is one buffer of lines and one of answers.
type stream struct {
	api        *API
	request    *http.Request
	controller *http.ResponseController
	out        io.Writer
	lines      lineBuffer // of the request's goroutine

	// turn holds one token while somebody may write answers: the request's goroutine always but while it reads, so that
	// whoever drains can end the stream then.
	turn chan struct{}
	// Of who has the turn.
	answers   []byte
	published uint64
	failed    uint64
	ended     bool // the last line is written
}

// Drain ends the streams, politely, and refuses new ones. It may be called again.
func (a *API) Drain() { a.drain() }

// serveStream answers a request to publish/stream and returns its status.
func (a *API) serveStream(w http.ResponseWriter, r *http.Request) int {
	failure := a.admit(w, r, true)
	if failure == nil {
		failure = a.checkStream(w, r)
	}
	if failure == nil && a.streams.Add(1) > int64(a.config.StreamsMax) {
		a.streams.Add(-1)
		failure = newProblem(realtime.CodeLimitExceeded, "there are "+strconv.Itoa(a.config.StreamsMax)+" streams already (api.streams)")
		setRetryAfter(w, drainRetryAfter)
	}
	if failure != nil {
		w.Header().Set("Connection", "close") // what follows in the body is not read
		_ = http.NewResponseController(w).SetReadDeadline(a.config.Now().Add(streamLinger))
		failure.write(w)
		return failure.status
	}
	s := &stream{
		api: a, request: r, controller: http.NewResponseController(w), out: w,
		lines: lineBuffer{limit: int(a.config.BodyBytesMax)}, turn: make(chan struct{}, 1),
	}
	s.serve(w)
	return http.StatusOK
}

func (s *stream) serve(w http.ResponseWriter) {
	s.turn <- struct{}{}
	if s.begin(w) != nil {
		s.end(errAnswers) // the client has gone
		return
	}
	drained := make(chan struct{})
	stop := context.AfterFunc(s.api.draining, func() {
		defer close(drained)
		s.turn <- struct{}{}
		s.end(errDraining)
		<-s.turn
	})
	s.end(s.run())
	<-s.turn
	if !stop() {
		<-drained // the controller must not be used after the request
	}
	_, _ = io.Copy(io.Discard, s.request.Body) // at most until the time that end has set
}

func (a *API) checkStream(w http.ResponseWriter, r *http.Request) *problem {
	if len(r.Header.Values("Content-Encoding")) > 0 {
		return newProblem(realtime.CodeBadRequest, "the body must not be compressed").withStatus(http.StatusUnsupportedMediaType)
	}
	if !isLines(r.Header.Values("Content-Type")) {
		return newProblem(realtime.CodeBadRequest, "the Content-Type must be application/x-ndjson").withStatus(http.StatusUnsupportedMediaType)
	}
	if a.draining.Err() != nil {
		setRetryAfter(w, drainRetryAfter)
		return newProblem(realtime.CodeUnavailable, "the server is going down")
	}
	return nil
}

func isLines(fields []string) bool {
	if len(fields) != 1 {
		return false
	}
	kind, parameters, err := mime.ParseMediaType(fields[0])
	return err == nil && kind == "application/x-ndjson" && isUTF8(parameters)
}

// begin sends the head at once: many clients send nothing of the body, or only its beginning, before they have it.
func (s *stream) begin(w http.ResponseWriter) error {
	_ = s.controller.EnableFullDuplex() // HTTP/1.1 needs to be asked; what does not know it is duplex already
	if strings.EqualFold(s.request.Header.Get("Expect"), "100-continue") && s.request.ProtoMajor == 1 {
		w.WriteHeader(http.StatusContinue)
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // proxies that gather answers would hold them back
	w.WriteHeader(http.StatusOK)
	return s.flush()
}

var (
	errAnswers  = errors.New("the client does not take its answers")
	errDraining = errors.New("the server drains")
)

// run returns nil when the client has ended the stream and everything is answered, or when somebody else has ended it.
func (s *stream) run() error {
	for {
		_ = s.controller.SetReadDeadline(s.api.config.Now().Add(s.api.config.StreamIdle))
		space := s.lines.space()
		<-s.turn
		n, err := s.request.Body.Read(space)
		s.turn <- struct{}{}
		if s.ended {
			return nil
		}
		s.lines.fill(n)
		if n > 0 {
			if err := s.publish(s.lines.next); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF: // not one that is wrapped: the end of the body itself
			return s.publish(s.lines.last)
		case err != nil:
			return err
		}
	}
}

// publish publishes the lines that next cuts, and writes their answers.
func (s *stream) publish(next func() (line []byte, long, ok bool)) error {
	ctx := until(s.request.Context(), s.api.config.Now().Add(s.api.config.Timeout))
	defer ctx.end()
	for line, long, ok := next(); ok; line, long, ok = next() {
		published, err := s.api.publishLine(ctx, line, long)
		if err == nil {
			s.published++
			s.answers = append(appendPublished(s.answers, published), '\n')
		} else {
			s.failed++
			s.answers = append(s.api.appendProblem(s.answers, err, streamName), '\n')
		}
		if len(s.answers) >= answerBytesMax {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return s.flush()
}

func (a *API) publishLine(ctx context.Context, line []byte, long bool) (published broker.Published, err error) {
	if long {
		return published, realtime.Errorf(realtime.CodeTooLarge, "the line is longer than %d bytes", a.config.BodyBytesMax)
	}
	defer a.recovered(streamName, &err)
	draft, err := readPublish(document.Parse(line, depthMax))
	if err != nil {
		return published, err
	}
	return a.config.Node.Publish(ctx, draft)
}

// appendPublished words what the protocol's reply to publish does (PUB-2), without the field around it.
func appendPublished(b []byte, published broker.Published) []byte {
	b = append(b, '{')
	if position := published.Position; position.Epoch != "" {
		b, _ = jsontext.AppendQuote(append(b, `"epoch":`...), position.Epoch) // an epoch is ASCII
		b = strconv.AppendUint(append(b, `,"offset":`...), position.Offset, 10)
	}
	if published.Duplicate {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(b, `"duplicate":true`...)
	}
	return append(b, '}')
}

// appendProblem appends {"error":…} with the problem's document.
func (a *API) appendProblem(b []byte, err error, method string) []byte {
	text, failed := json.Marshal(a.problemOf(err, method).document())
	if failed != nil {
		text = []byte("{}") // not reached: texts and numbers
	}
	return append(append(append(b, `{"error":`...), text...), '}')
}

// flush writes what is answered. Who takes nothing for as long as a request may take has given up.
func (s *stream) flush() error {
	_ = s.controller.SetWriteDeadline(s.api.config.Now().Add(s.api.config.Timeout))
	if len(s.answers) > 0 {
		if _, err := s.out.Write(s.answers); err != nil {
			return errAnswers
		}
		if s.answers = s.answers[:0]; cap(s.answers) > answerBytesMax {
			s.answers = nil
		}
	}
	if s.controller.Flush() != nil {
		return errAnswers
	}
	return nil
}

// streamEnd is the last line of every stream that the client lets end: how many lines were answered how, and why the
// server ended it, when it was the server.
type streamEnd struct {
	Published uint64           `json:"published"`
	Failed    uint64           `json:"failed"`
	Error     *problemDocument `json:"error,omitempty"`
}

// end writes the last line, once.
func (s *stream) end(err error) {
	if s.ended {
		return
	}
	s.ended = true
	s.api.streams.Add(-1) // before the client knows: it may open another one now
	_ = s.controller.SetReadDeadline(s.api.config.Now().Add(streamLinger))
	if errors.Is(err, errAnswers) {
		return
	}
	last := streamEnd{Published: s.published, Failed: s.failed}
	if failure := s.problemOf(err); failure != nil {
		document := failure.document()
		last.Error = &document
	}
	text, err := json.Marshal(map[string]streamEnd{"end": last})
	if err != nil {
		return // not reached: texts and numbers
	}
	s.answers = append(append(s.answers, text...), '\n')
	_ = s.flush() // whoever does not get it repeats what was not answered
}

func (s *stream) problemOf(err error) *problem {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errDraining):
		return newProblem(realtime.CodeUnavailable, "the server is going down: send what was not answered again, on a new connection")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return newProblem(realtime.CodeTimeout, "nothing came for "+s.api.config.StreamIdle.String()+" (api.stream_idle)").withStatus(http.StatusRequestTimeout)
	}
	return newProblem(realtime.CodeBadRequest, "the body did not come whole; an unfinished line was not published")
}
