package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/realtime"
)

// subCommand is `bellwire sub`.
func subCommand() *cobra.Command {
	var line lineFlags
	var s subscriber
	var since string
	command := &cobra.Command{
		Use:   "sub <channel or pattern>...",
		Short: "Print what is published, one JSON object per line",
		Long: "sub subscribes to channels (chat:lobby) and patterns (chat:*) and prints every publication as one JSON object on a line of\n" +
			"standard output, with \"channel\" and, where they are there, \"epoch\", \"offset\", \"id\", \"time_ms\", \"from\" and \"data\" (or\n" +
			"\"data64\": base64). A change of a channel's state has \"state\" instead of data. What happens to the line is told on\n" +
			"standard error. When the line is lost, sub comes back by itself and prints what it missed.\n\n" +
			"It ends with exit code 0 after --count lines, on an interrupt, and when nobody reads its output any more; with 1 when the\n" +
			"server refuses.",
		Example: "  bellwire sub chat:lobby\n  bellwire sub 'chat:*' 'metrics:*' --token \"$TOKEN\"\n" +
			"  bellwire sub chat:lobby --rewind 10 --count 10\n  bellwire sub chat:lobby --since kf3:41",
		Args: cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, names []string) error {
			if err := s.prepare(names, since, command.Flags().Changed("count")); err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(command.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			// Writing to a pipe that nobody reads is an error to be handled, not the end of the process.
			signal.Ignore(syscall.SIGPIPE)
			defer signal.Reset(syscall.SIGPIPE)
			s.status.out = command.ErrOrStderr()
			s.out = bufio.NewWriter(command.OutOrStdout())
			c, err := line.open(&s.status, client.Options{})
			if err != nil {
				return err
			}
			defer c.Close()
			return s.run(ctx, c)
		},
	}
	line.register(command)
	flags := command.Flags()
	flags.StringVar(&since, "since", "", "go on after this position, `epoch:offset`; for one channel")
	flags.IntVar(&s.options.Rewind, "rewind", 0, "begin with so many publications from before")
	flags.BoolVar(&s.options.State, "state", false, "begin with the channel's state")
	flags.Uint64Var(&s.count, "count", 0, "end after so many lines")
	flags.BoolVar(&s.status.quiet, "quiet", false, "say nothing on standard error")
	return command
}

// A subscriber prints what is published.
type subscriber struct {
	names   []string
	options client.ChannelOptions
	count   uint64 // lines still to be printed; 0: without end
	status  status
	out     *bufio.Writer
}

// prepare checks the arguments.
func (s *subscriber) prepare(names []string, since string, counted bool) error {
	s.names = names
	for _, name := range names {
		check := realtime.CheckChannel
		if realtime.IsPattern(name) {
			check = realtime.CheckPattern
		}
		if err := check(name); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
	}
	switch {
	case counted && s.count == 0:
		return errors.New("--count must be at least 1")
	case s.options.Rewind < 0:
		return errors.New("--rewind must not be negative")
	case since == "":
		return nil
	case len(names) != 1 || realtime.IsPattern(names[0]):
		return errors.New("--since is for one channel, as a position belongs to one")
	}
	epoch, offset, found := strings.Cut(since, ":")
	number, err := strconv.ParseUint(offset, 10, 53)
	if !found || epoch == "" || err != nil {
		return fmt.Errorf("--since %q is not epoch:offset, such as kf3:41", since)
	}
	s.options.Since = &realtime.Position{Epoch: epoch, Offset: number}
	return nil
}

var errEnough = errors.New("all lines are printed")

// run prints until it has printed enough, the server refuses, nobody reads, or ctx ends.
func (s *subscriber) run(ctx context.Context, c *client.Client) error {
	ctx, cancel := context.WithCancelCause(ctx)
	lines := make(chan *subLine)
	var group safego.Group
	for _, name := range s.names {
		// The stream begins here, before the line is opened: all go with one message (CLI-4).
		reader := s.open(ctx, c, name)
		group.Go("subscription", func() {
			if err := reader(lines); err != nil {
				cancel(err)
			}
		}, nil)
	}
	group.Go("connect", func() {
		if err := connect(ctx, c); err != nil && ctx.Err() == nil {
			cancel(err)
		}
	}, nil)
	err := s.print(ctx, lines)
	cancel(err)
	_ = group.Wait(context.Background())
	switch {
	case errors.Is(err, errEnough), errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrClosedPipe), errors.Is(err, context.Canceled):
		return nil
	}
	return err
}

// print writes lines as they come.
func (s *subscriber) print(ctx context.Context, lines <-chan *subLine) error {
	encoder := json.NewEncoder(s.out)
	encoder.SetEscapeHTML(false)
	for printed := uint64(0); s.count == 0 || printed < s.count; printed++ {
		line, err := s.next(ctx, lines)
		if err != nil {
			return err
		}
		if err := encoder.Encode(line); err != nil {
			return err
		}
	}
	return errors.Join(s.out.Flush(), errEnough)
}

// next waits for a line, and before that lets people see those that are there.
func (s *subscriber) next(ctx context.Context, lines <-chan *subLine) (*subLine, error) {
	select {
	case line := <-lines:
		return line, nil
	default:
	}
	if err := s.out.Flush(); err != nil {
		return nil, err
	}
	select {
	case line := <-lines:
		return line, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// open begins the stream of one channel and returns its reader.
func (s *subscriber) open(ctx context.Context, c *client.Client, name string) (read func(lines chan<- *subLine) error) {
	options := s.options
	if realtime.IsPattern(name) {
		options = client.ChannelOptions{} // SUB-10: a pattern has nothing of these
	}
	channel := c.Channel(name, &options)
	events := channel.Events(ctx)
	return func(lines chan<- *subLine) error {
		var last realtime.Position
		for {
			err := s.read(ctx, name, events, lines, &last)
			var slow *client.SlowReaderError
			if !errors.As(err, &slow) {
				return err
			}
			// Whoever reads the output is slow. What the server still holds is not lost.
			s.status.printf("%s: the output is read too slowly; going on after offset %d", name, last.Offset)
			channel.Unsubscribe()
			if options.Since = nil; !last.IsZero() {
				options.Since = &last
			}
			options.Rewind = 0
			channel = c.Channel(name, &options)
			events = channel.Events(ctx)
		}
	}
}

// read turns events into lines until the stream ends. It keeps the position of the last line.
func (s *subscriber) read(ctx context.Context, name string, events iter.Seq2[client.Event, error], lines chan<- *subLine, last *realtime.Position) error {
	for event, err := range events {
		if err != nil {
			if ctx.Err() != nil {
				return nil // Somebody else has said why.
			}
			return fmt.Errorf("%s: %w", name, err)
		}
		for _, line := range s.linesOf(name, event) {
			select {
			case lines <- line:
			case <-ctx.Done():
				return nil
			}
			if line.Epoch != "" {
				*last = realtime.Position{Epoch: line.Epoch, Offset: line.Offset}
			}
		}
	}
	return nil
}

// linesOf are the lines of one event; what is for people goes to the status.
func (s *subscriber) linesOf(name string, event client.Event) []*subLine {
	switch event := event.(type) {
	case *client.Publication:
		return []*subLine{publicationLine(event)}
	case *client.StateChanged:
		return stateLines(name, event)
	case *client.Started:
		if event.Position.Epoch == "" {
			s.status.printf("%s: subscribed", name)
		} else {
			s.status.printf("%s: subscribed at %s:%d", name, event.Position.Epoch, event.Position.Offset)
		}
	case *client.Missed:
		if event.To == 0 {
			s.status.printf("%s: what was published after offset %d is gone; this is what the server holds now", name, event.From-1)
		} else {
			s.status.printf("%s: offsets %d to %d are gone", name, event.From, event.To)
		}
	case *client.Stopped:
		s.status.printf("%s: %s; subscribing again in %.1f s", name, realtime.NewError(event.Code, event.Reason), event.RetryIn.Seconds())
	}
	return nil
}

// subLine is one line of output. Members that are empty are left out.
type subLine struct {
	Channel string          `json:"channel"`
	Epoch   string          `json:"epoch,omitempty"`
	Offset  uint64          `json:"offset,omitempty"`
	ID      string          `json:"id,omitempty"`
	TimeMS  int64           `json:"time_ms,omitempty"`
	From    *subFrom        `json:"from,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
	Data64  *string         `json:"data64,omitempty"`
	State   *subState       `json:"state,omitempty"`
}

type subFrom struct {
	User       string `json:"user,omitempty"`
	Connection string `json:"connection,omitempty"`
}

type subState struct {
	Key     string          `json:"key"`
	Value   json.RawMessage `json:"value,omitempty"`
	Value64 *string         `json:"value64,omitempty"`
	Removed bool            `json:"removed,omitempty"`
}

func publicationLine(p *client.Publication) *subLine {
	line := &subLine{Channel: p.Channel, Epoch: p.Position.Epoch, Offset: p.Position.Offset, ID: p.ID, TimeMS: millis(p.Time), From: fromOf(p.From)}
	if p.State != nil {
		line.State = stateOf(p.State.Key, p.State.Value, p.State.Removed)
		return line
	}
	line.Data, line.Data64 = valueOf(p.Payload)
	return line
}

func stateLines(name string, change *client.StateChanged) (lines []*subLine) {
	add := func(position realtime.Position, state *subState) {
		lines = append(lines, &subLine{
			Channel: name, Epoch: position.Epoch, Offset: position.Offset, TimeMS: millis(change.Time), From: fromOf(change.From), State: state,
		})
	}
	for _, entry := range change.Set {
		add(realtime.Position{Epoch: change.Position.Epoch, Offset: entry.Version}, stateOf(entry.Key, entry.Value, false))
	}
	for _, key := range change.Removed {
		add(change.Position, stateOf(key, realtime.Payload{}, true))
	}
	return lines
}

func stateOf(key string, value realtime.Payload, removed bool) *subState {
	state := &subState{Key: key, Removed: removed}
	state.Value, state.Value64 = valueOf(value)
	return state
}

func valueOf(p realtime.Payload) (value json.RawMessage, value64 *string) {
	switch p.Encoding {
	case realtime.EncodingJSON:
		return p.Bytes, nil
	case realtime.EncodingBinary:
		text := base64.StdEncoding.EncodeToString(p.Bytes)
		return nil, &text
	}
	return nil, nil
}

func fromOf(from realtime.Publisher) *subFrom {
	if from == (realtime.Publisher{}) {
		return nil
	}
	return &subFrom{User: from.User, Connection: from.Connection}
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
