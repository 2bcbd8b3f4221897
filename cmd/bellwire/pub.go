package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/internal/safego"
	"github.com/bellwire/bellwire/realtime"
)

const (
	pubLineBytesMax = 1 << 20 // longer lines are refused without being read into memory
	pubPendingMax   = 256     // lines on their way
	pubRatePerS     = 45      // below the default limit of a server (PROTOCOL.md section 13)
	pubTimeout      = time.Minute
	pubRetryPause   = time.Second
)

// pubCommand is `bellwire pub`.
func pubCommand() *cobra.Command {
	var line lineFlags
	p := publisher{retryPause: pubRetryPause}
	var binary, asJSON, asText bool
	command := &cobra.Command{
		Use:   "pub <channel> [data]",
		Short: "Publish data, or each line of standard input",
		Long: "pub publishes data to a channel and prints its position as JSON when the server has stored it. Without data it publishes\n" +
			"each line of standard input, in order, and tells on standard error how many were stored. While the server is away it\n" +
			"waits; no line is stored twice.\n\n" +
			"What is valid JSON is published as JSON, anything else as a JSON string; --json, --text and --binary decide otherwise.\n\n" +
			"It ends with exit code 0 when everything is stored, with 1 otherwise.",
		Example: "  bellwire pub chat:lobby '{\"text\":\"hi\"}'\n  vmstat 1 | bellwire pub metrics:vmstat\n" +
			"  bellwire pub feed:news \"it works\" --id news-1",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(command *cobra.Command, arguments []string) error {
			if err := p.prepare(arguments, binary, asJSON, asText); err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(command.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			p.status.out = command.ErrOrStderr()
			c, err := line.open(&p.status, client.Options{CommandsPerSecond: p.rate})
			if err != nil {
				return err
			}
			defer c.Close()
			p.channel = c.Channel(arguments[0], nil)
			if len(arguments) == 2 {
				return p.one(ctx, c, []byte(arguments[1]), command.OutOrStdout())
			}
			return p.lines(ctx, c, command.InOrStdin())
		},
	}
	line.register(command)
	flags := command.Flags()
	flags.StringVar(&p.id, "id", "", "make the publication idempotent with this id; with data only")
	flags.BoolVar(&asJSON, "json", false, "everything must be JSON")
	flags.BoolVar(&asText, "text", false, "everything becomes a JSON string")
	flags.BoolVar(&binary, "binary", false, "everything is published as bytes")
	flags.IntVar(&p.rate, "rate", pubRatePerS, "lines a second beyond the first fifty; the server has a limit of its own")
	flags.DurationVar(&p.timeout, "timeout", pubTimeout, "give up when the server answers nothing for so long")
	flags.BoolVar(&p.status.quiet, "quiet", false, "say nothing on standard error but errors")
	command.MarkFlagsMutuallyExclusive("json", "text", "binary")
	return command
}

// A publisher publishes to one channel.
type publisher struct {
	payload    func([]byte) (realtime.Payload, error)
	id         string
	rate       int
	timeout    time.Duration
	retryPause time.Duration
	status     status
	channel    *client.Channel
}

func (p *publisher) prepare(arguments []string, binary, asJSON, asText bool) error {
	if realtime.IsPattern(arguments[0]) {
		return fmt.Errorf("%q: %w", arguments[0], realtime.NewError(realtime.CodeBadChannel, "a pattern cannot be published to; name one channel"))
	}
	if err := realtime.CheckChannel(arguments[0]); err != nil {
		return fmt.Errorf("%q: %w", arguments[0], err)
	}
	switch {
	case p.id != "" && len(arguments) == 1:
		return errors.New("--id is for one publication: give data too")
	case p.rate < 1 || p.rate > 1000:
		return errors.New("--rate must be from 1 to 1000")
	case p.timeout <= 0:
		return errors.New("--timeout must be positive")
	}
	if err := realtime.CheckPublicationID(p.id); err != nil {
		return err
	}
	switch {
	case binary:
		p.payload = binaryPayload
	case asJSON:
		p.payload = jsonPayload
	case asText:
		p.payload = textPayload
	default:
		p.payload = guessPayload
	}
	return nil
}

func binaryPayload(b []byte) (realtime.Payload, error) {
	return realtime.Binary(bytes.Clone(b)), nil
}

func jsonPayload(b []byte) (realtime.Payload, error) {
	var compact bytes.Buffer
	if !utf8.Valid(b) || json.Compact(&compact, b) != nil {
		return realtime.Payload{}, errors.New("it is not JSON")
	}
	return realtime.JSON(compact.Bytes()), nil
}

func textPayload(b []byte) (realtime.Payload, error) {
	if !utf8.Valid(b) {
		return realtime.Payload{}, errors.New("it is not UTF-8; --binary publishes bytes")
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(string(b)); err != nil {
		return realtime.Payload{}, err
	}
	return realtime.JSON(bytes.TrimSuffix(text.Bytes(), []byte("\n"))), nil
}

// guessPayload takes JSON as JSON and anything else as text.
func guessPayload(b []byte) (realtime.Payload, error) {
	if payload, err := jsonPayload(b); err == nil {
		return payload, nil
	}
	return textPayload(b)
}

// one publishes data and prints its position.
func (p *publisher) one(ctx context.Context, c *client.Client, data []byte, out io.Writer) error {
	payload, err := p.payload(data)
	if err != nil {
		return fmt.Errorf("the data: %w", err)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, p.timeout, errNoAnswer)
	defer cancel()
	pending := p.channel.PublishAsync(payload, &client.PublishOptions{ID: p.id})
	if err := connect(ctx, c); err != nil {
		return err
	}
	published, err := pending.Wait(ctx)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(struct {
		Epoch     string `json:"epoch,omitempty"`
		Offset    uint64 `json:"offset,omitempty"`
		Duplicate bool   `json:"duplicate,omitempty"`
	}{published.Epoch, published.Offset, published.Duplicate})
}

var errNoAnswer = errors.New("the server did not answer in time")

// pubLine is a line on its way.
type pubLine struct {
	number  int
	payload realtime.Payload
	pending *client.Pending[client.Published]
}

// pubCount is what became of the lines.
type pubCount struct{ stored, failed int }

// lines publishes each line of in and counts what was stored.
func (p *publisher) lines(ctx context.Context, c *client.Client, in io.Reader) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var group safego.Group
	group.Go("connect", func() {
		if err := connect(ctx, c); err != nil && ctx.Err() == nil {
			cancel(err)
		}
	}, nil)
	read := make(chan readLine)
	// Not of the group: nothing ends a read of standard input but the end of the process.
	var reading safego.Group
	reading.Go("standard input", func() { readLines(ctx, in, read) }, nil)

	var count pubCount
	sent := make(chan *pubLine, pubPendingMax)
	group.Go("answers", func() {
		if err := p.await(ctx, sent, &count); err != nil {
			cancel(err)
		}
	}, nil)
	refused, err := p.send(ctx, read, sent)
	close(sent)
	_ = group.Wait(context.Background())
	if cause := context.Cause(ctx); cause != nil && err == nil {
		err = cause
	}
	count.failed += refused
	p.status.printf("%d published, %d failed", count.stored, count.failed)
	switch {
	case err != nil && !errors.Is(err, context.Canceled):
		return err
	case count.failed > 0:
		return fmt.Errorf("%d lines were not published", count.failed)
	case err != nil:
		return errors.New("interrupted")
	}
	return nil
}

// send publishes lines in their order and returns how many it could not.
func (p *publisher) send(ctx context.Context, read <-chan readLine, sent chan<- *pubLine) (refused int, err error) {
	for {
		select {
		case line, ok := <-read:
			if !ok {
				return refused, nil
			}
			if line.err != nil && line.number == 0 {
				return refused, line.err
			}
			payload, err := realtime.Payload{}, line.err
			if err == nil {
				payload, err = p.payload(line.text)
			}
			if err != nil {
				refused++
				p.status.fail("line %d: %v", line.number, err)
				continue
			}
			select {
			case sent <- &pubLine{number: line.number, payload: payload, pending: p.channel.PublishAsync(payload, nil)}:
			case <-ctx.Done():
				return refused, nil
			}
		case <-ctx.Done():
			return refused, nil
		}
	}
}

// await waits for the answers in the order of the lines.
func (p *publisher) await(ctx context.Context, sent <-chan *pubLine, count *pubCount) error {
	for line := range sent {
		err := p.settle(ctx, line)
		switch {
		case err == nil:
			count.stored++
			p.status.progress(count.stored)
		case ctx.Err() != nil:
			count.failed++
		case errors.Is(err, errNoAnswer):
			count.failed++
			return err
		default:
			count.failed++
			p.status.fail("line %d: %v", line.number, err)
		}
	}
	return nil
}

// settle waits for one answer. What the server refuses for now is sent again, after the lines that are on their way.
func (p *publisher) settle(ctx context.Context, line *pubLine) error {
	for {
		waiting, cancel := context.WithTimeoutCause(ctx, p.timeout, errNoAnswer)
		_, err := line.pending.Wait(waiting)
		cancel()
		if code := realtime.CodeOf(err); code != realtime.CodeRateLimited && code != realtime.CodeUnavailable || errors.Is(err, client.ErrClosed) {
			return err
		}
		if sleep(ctx, p.retryPause) != nil {
			return err
		}
		line.pending = p.channel.PublishAsync(line.payload, nil)
	}
}

// readLine is one line of input: its text or why there is none. With number 0 the input itself failed.
type readLine struct {
	number int
	text   []byte
	err    error
}

// readLines reads until the end. The line end (LF or CR LF) is no part of the line; the last one may be missing.
func readLines(ctx context.Context, in io.Reader, lines chan<- readLine) {
	defer close(lines)
	reader := bufio.NewReaderSize(in, 64<<10)
	for number := 1; ; number++ {
		text, err := readOneLine(reader)
		line := readLine{number: number, text: text}
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.Is(err, errLineLong):
			line.err = err
		case err != nil:
			line = readLine{err: fmt.Errorf("reading standard input: %w", err)}
		}
		select {
		case lines <- line:
		case <-ctx.Done():
			return
		}
		if line.number == 0 {
			return
		}
	}
}

var errLineLong = fmt.Errorf("it is longer than %d bytes", pubLineBytesMax)

// readOneLine returns io.EOF only when there is no line any more.
func readOneLine(reader *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := reader.ReadSlice('\n')
		if long = long || len(line)+len(part) > pubLineBytesMax; !long {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && (len(line) > 0 || long):
		case err != nil:
			return nil, err
		}
		if long {
			return nil, errLineLong
		}
		line = bytes.TrimSuffix(line, []byte("\n"))
		return bytes.TrimSuffix(line, []byte("\r")), nil
	}
}
