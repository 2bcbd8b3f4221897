package loadgen

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// Traffic is a workload that publishes while subscribers read.
type Traffic struct {
	Name        string // of the workload, for the report
	HTTP        bool   // publish by the HTTP API instead of over lines
	Stream      bool   // with HTTP: by one request for each publisher, line after line
	Channels    int
	Subscribers int // spread over the channels; may be 0
	Publishers  int // lines or HTTP connections, spread over the channels
	InFlight    int // publications of one publisher that wait for their answer; 1 over HTTP without Stream
	Payload     int // bytes
	Rate        float64
	FlatOut     bool // as fast as the answers come, instead of at Rate
	Duration    time.Duration
}

// PublisherRateMax is what one line may publish in a second under a server's default limits (PROTOCOL.md section 13).
const PublisherRateMax = 45

// settlePatience is how long after the last publication a run waits without any further delivery.
const settlePatience = 3 * time.Second

func (w *Traffic) check() error {
	if err := checkCounts(w.Channels, w.Publishers, w.InFlight); err != nil {
		return err
	}
	switch {
	case w.Subscribers < 0 || w.Duration <= 0:
		return errors.New("traffic needs a duration, and no negative number of subscribers")
	case !w.FlatOut && w.Rate <= 0:
		return errors.New("the rate must be positive")
	case w.Payload < PayloadBytesMin:
		return fmt.Errorf("a payload has at least %d bytes: it carries the time", PayloadBytesMin)
	case w.Stream && !w.HTTP:
		return errors.New("a stream is a request by HTTP")
	case w.HTTP && !w.Stream && w.InFlight != 1:
		return errors.New("an HTTP connection has one publication in flight")
	}
	return checkFiles(w.Subscribers + w.Publishers)
}

// Traffic runs the workload.
func (g *Generator) Traffic(ctx context.Context, w Traffic) (*Report, error) {
	if err := w.check(); err != nil {
		return nil, err
	}
	r := g.start()
	defer r.end()
	channels := makeChannels(g.target.Prefix, w.Channels)
	r.enter("connecting")
	if err := r.crowd(ctx, w.Subscribers, spread(channels)); err != nil {
		return nil, err
	}
	publishers, err := r.publishers(ctx, w, channels)
	if err != nil {
		return nil, err
	}
	r.enter("publishing")
	meter := g.measure()
	begin := r.now()
	if err := r.publish(ctx, w, publishers); err != nil {
		return nil, err
	}
	seconds := r.now() - begin
	r.enter("waiting for the rest")
	r.settle(ctx, w.Subscribers)
	spent := g.measure()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	report := r.report(w.Name, seconds)
	report.Connections, report.Channels = int(r.connected.Load()), w.Channels
	report.Subscribers, report.Publishers, report.PayloadBytes = w.Subscribers, w.Publishers, w.Payload
	report.cost(meter, spent)
	if report.Server != nil {
		report.Server.CPUPerPublication = report.Server.each(report.Published)
		report.Server.CPUPerDelivery = report.Server.each(report.Delivered)
	}
	return report, nil
}

// publisher sends one publication; it may wait for the answer to an earlier one. ctx ends the waiting.
type publisher interface {
	publish(ctx context.Context, payload []byte) error
	close()
}

// finisher is a publisher that has to end what it does.
type finisher interface {
	finish(ctx context.Context) error
}

func (r *run) publishers(ctx context.Context, w Traffic, channels []*channel) ([]publisher, error) {
	publishers := make([]publisher, 0, w.Publishers)
	if w.HTTP {
		for i := range w.Publishers {
			p, err := r.openHTTP(ctx, w, channels[i%len(channels)])
			if err != nil {
				closeAll(publishers)
				return nil, err
			}
			publishers = append(publishers, p)
		}
		return publishers, nil
	}
	lines, err := r.publisherLines(ctx, w, channels)
	for _, l := range lines {
		publishers = append(publishers, l)
	}
	return publishers, err
}

func (r *run) openHTTP(ctx context.Context, w Traffic, target *channel) (publisher, error) {
	if w.Stream {
		return r.openStream(ctx, target, w)
	}
	return r.openAPI(ctx, target)
}

func closeAll(publishers []publisher) {
	for _, p := range publishers {
		p.close()
	}
}

// publisherLines opens the lines of the publishers, which subscribe to nothing.
func (r *run) publisherLines(ctx context.Context, w Traffic, channels []*channel) ([]*line, error) {
	if err := r.crowd(ctx, w.Publishers, func(int) *channel { return nil }); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.lines[w.Subscribers:]
	for i, l := range lines {
		l.answers.init(channels[i%len(channels)], w.InFlight)
	}
	return lines, nil
}

// publish lets all publishers work until the duration is over, each at its share of the rate.
func (r *run) publish(ctx context.Context, w Traffic, publishers []publisher) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	until := time.Now().Add(w.Duration)
	begin := time.Now()
	done := make(chan struct{}, len(publishers))
	for index, p := range publishers {
		r.group.Go("publishing", func() {
			defer func() { done <- struct{}{} }()
			err := r.work(ctx, w, p, index, begin, until)
			if f, ok := p.(finisher); ok && err == nil {
				err = f.finish(ctx)
			}
			if err != nil {
				cancel(err)
			}
		}, p.close)
	}
	for range publishers {
		<-done
	}
	if ctx.Err() != nil {
		return r.advisePublish(context.Cause(ctx))
	}
	return nil
}

// work is one publisher. The publications of all are dealt out evenly over time; one that is late does not wait for the
// next beat, and one that was missed altogether is made up for.
func (r *run) work(ctx context.Context, w Traffic, p publisher, index int, begin, until time.Time) error {
	payload := makePayload(w.Payload)
	for n := 0; ; n++ {
		if !w.FlatOut {
			due := begin.Add(time.Duration(float64(n*w.Publishers+index) / w.Rate * float64(time.Second)))
			if !due.Before(until) {
				return pause(ctx, time.Until(until)) // so that the rate is that of the whole duration
			}
			if err := pause(ctx, time.Until(due)); err != nil {
				return err
			}
		}
		if !time.Now().Before(until) {
			return nil
		}
		if err := p.publish(ctx, payload); err != nil {
			return err
		}
		if n := r.failed(realtime.CodeRateLimited.Name()); n > 0 {
			return realtime.NewError(realtime.CodeRateLimited, "")
		}
	}
}

func (r *run) advisePublish(err error) error {
	if realtime.CodeOf(err) == realtime.CodeRateLimited {
		return fmt.Errorf("a line may publish no faster: lower the rate, use more publishers, or start the server with more "+
			"BELLWIRE_LIMITS_COMMANDS_PER_SECOND (50 by default) and BELLWIRE_LIMITS_COMMANDS_BURST (100): %w", err)
	}
	return fmt.Errorf("publishing: %w", err)
}

// publish implements publisher over a line. The answer comes to the line's reader.
func (l *line) publish(ctx context.Context, payload []byte) error {
	waiting, cancel := context.WithTimeoutCause(ctx, l.run.pace.ConnectTimeout, errNoAnswer)
	defer cancel()
	var slot uint32
	select {
	case slot = <-l.answers.free:
	case <-waiting.Done():
		return context.Cause(waiting)
	}
	now := l.run.now()
	setStamp(payload, int64(now))
	message, err := wire.AppendClient(nil, l.run.format, &wire.ClientMessage{
		ID: l.answers.id(slot, now), Command: &wire.Publish{Channel: l.answers.channel.name, Payload: realtime.JSON(payload)},
	})
	if err != nil {
		return err
	}
	return l.conn.Write(ctx, l.run.messageType(), message)
}

// close implements publisher: the line lives on until the run ends, so that its last answers come.
func (l *line) close() {}

var errNoAnswer = errors.New("the server did not answer in time")

// settle waits until every answer is there and every subscriber has everything that was answered, or nothing comes any
// more, and then counts what is missing: as lost, or as cut off where the line has ended.
func (r *run) settle(ctx context.Context, subscribers int) {
	r.mu.Lock()
	lines, publishers := r.lines[:subscribers], r.lines[subscribers:]
	r.mu.Unlock()
	seen, quiet := r.delivered.Load()+r.published.Load(), time.Now()
	for (unanswered(publishers) > 0 || missing(lines) > 0) && pause(ctx, settleInterval) == nil {
		if now := r.delivered.Load() + r.published.Load(); now != seen {
			seen, quiet = now, time.Now()
		}
		if time.Since(quiet) > settlePatience {
			break
		}
	}
	for _, l := range lines {
		missing := l.missing()
		if l.ended.Load() {
			r.cutOff.Add(missing)
		} else {
			r.lost.Add(missing)
		}
	}
}

func unanswered(publishers []*line) int {
	total := 0
	for _, l := range publishers {
		if !l.ended.Load() {
			total += cap(l.answers.free) - len(l.answers.free)
		}
	}
	return total
}

// settleInterval is how often is looked whether everything has come.
const settleInterval = 5 * time.Millisecond

// missing is how much is still to come on lines that live.
func missing(lines []*line) uint64 {
	total := uint64(0)
	for _, l := range lines {
		if !l.ended.Load() {
			total += l.missing()
		}
	}
	return total
}

func (l *line) missing() uint64 { return l.channel.missing(l.received.Load(), l.newest.Load()) }
