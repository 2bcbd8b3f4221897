package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/bellwire/bellwire/internal/hostmetrics"
	"github.com/bellwire/bellwire/internal/safego"
)

const (
	feederChannel      = "metrics:host"
	feederInterval     = time.Second
	feederTimeout      = 5 * time.Second  // of one request, answer included
	feederBackoffMax   = 30 * time.Second // while the server is away
	feederAnswerMax    = 64 << 10         // bytes of an answer that are read
	defaultDemoURL     = "http://127.0.0.1:8000"
	defaultDemoKey     = "dev"
	environmentDemoURL = "BELLWIRE_API_URL"
	environmentDemoKey = "BELLWIRE_API_KEY"
)

// demoCommand is `bellwire demo`.
func demoCommand() *cobra.Command {
	var baseURL, apiKey string
	command := &cobra.Command{
		Use:   "demo",
		Short: "Publish this machine's figures each second, for the demo's dashboard",
		Long: "demo reads processor, memory, network and load of this machine each second and publishes them to the channel\n" +
			feederChannel + " through the server's HTTP API, as any application's backend would. While the server is away it waits\n" +
			"and comes back by itself. It ends with an interrupt.",
		Example:       "  bellwire demo\n  bellwire demo --url https://live.example.com --key \"$BELLWIRE_API_KEY\"",
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(command *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(command.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			logger := slog.New(slog.NewTextHandler(command.ErrOrStderr(), nil))
			feeder, err := newFeeder(baseURL, apiKey, logger)
			if err != nil {
				return err
			}
			return feeder.run(ctx)
		},
	}
	flags := command.Flags()
	flags.StringVar(&baseURL, "url", environmentOr(environmentDemoURL, defaultDemoURL), "the server's HTTP address (environment "+environmentDemoURL+")")
	flags.StringVar(&apiKey, "key", environmentOr(environmentDemoKey, defaultDemoKey), "the key of the HTTP API (environment "+environmentDemoKey+")")
	// The default in the help must not show a key that stands in the environment.
	flags.Lookup("key").DefValue = defaultDemoKey
	return command
}

func environmentOr(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// startDemoFeeder does the same inside `serve --dev`, until ctx ends. The function it returns waits for the end.
func startDemoFeeder(ctx context.Context, baseURL, apiKey string, logger *slog.Logger) (wait func()) {
	group := &safego.Group{Logger: logger}
	group.Go("demo feeder", func() {
		feeder, err := newFeeder(baseURL, apiKey, logger)
		if err == nil {
			err = feeder.run(ctx)
		}
		if err != nil {
			logger.Error("demo feeder stopped", "error", err)
		}
	}, nil)
	return func() { _ = group.Wait(context.Background()) }
}

// A feeder publishes one sample of the machine each second. Its clock, dice and machine can be replaced by tests.
type feeder struct {
	endpoint string
	apiKey   string
	client   *http.Client
	logger   *slog.Logger

	sample func(context.Context) (hostmetrics.Sample, error)
	sleep  func(context.Context, time.Duration) error
	random func() float64
	now    func() time.Time
}

func newFeeder(baseURL, apiKey string, logger *slog.Logger) (*feeder, error) {
	base, err := url.Parse(baseURL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, fmt.Errorf("the address %q is not one like http://127.0.0.1:8000", baseURL)
	}
	return &feeder{
		endpoint: base.JoinPath("api/v1/publish").String(),
		apiKey:   apiKey,
		client: &http.Client{
			Timeout: feederTimeout,
			// A key is never carried to another address.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport:     &http.Transport{MaxIdleConns: 1, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: feederAnswerMax},
		},
		logger: logger,
		sample: hostmetrics.NewSampler().Sample,
		sleep:  sleep,
		random: rand.Float64,
		now:    time.Now,
	}, nil
}

// run returns nil when ctx ends, and an error when going on has no sense: a key that is not valid stays so.
func (f *feeder) run(ctx context.Context) error {
	defer f.client.CloseIdleConnections()
	failures := 0
	for {
		begin := f.now()
		err := f.feed(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			if failures > 0 {
				f.logger.Info("demo feeder publishes again")
			}
			failures = 0
		case isFinal(err):
			return err
		default:
			if failures == 0 {
				f.logger.Warn("demo feeder waits for the server", "error", err)
			}
			failures++
		}
		if f.sleep(ctx, feedPause(f.now().Sub(begin), failures, f.random())) != nil {
			return nil
		}
	}
}

// feedPause is what is left of the second, and while the server is away full jitter beyond it (LIV-3).
func feedPause(elapsed time.Duration, failures int, random float64) time.Duration {
	pause := max(0, feederInterval-elapsed)
	if failures == 0 {
		return pause
	}
	backoff := min(feederBackoffMax, time.Second<<min(failures-1, 30))
	return pause + time.Duration(random*float64(backoff))
}

func (f *feeder) feed(ctx context.Context) error {
	sample, err := f.sample(ctx)
	if err != nil {
		return err
	}
	body, err := json.Marshal(struct {
		Channel string             `json:"channel"`
		Data    hostmetrics.Sample `json:"data"`
	}{feederChannel, sample})
	if err != nil {
		return fmt.Errorf("encoding the sample: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+f.apiKey)
	response, err := f.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, feederAnswerMax))
	if response.StatusCode != http.StatusOK {
		return &feedError{status: response.StatusCode, detail: problemDetail(answer)}
	}
	return err
}

// feedError is an answer of the server other than 200.
type feedError struct {
	status int
	detail string
}

func (e *feedError) Error() string {
	text := fmt.Sprintf("the server answered %d %s", e.status, http.StatusText(e.status))
	if e.detail != "" {
		text += ": " + e.detail
	}
	return text
}

// isFinal: what the server refuses today it refuses tomorrow, except that it was asked too much or too slowly.
func isFinal(err error) bool {
	var answer *feedError
	if !errors.As(err, &answer) {
		return false
	}
	switch answer.status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return false
	}
	return 300 <= answer.status && answer.status < 500
}

// problemDetail is the detail of an RFC 9457 body, on one line, or "".
func problemDetail(body []byte) string {
	var problem struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &problem) != nil {
		return ""
	}
	return strings.Join(strings.Fields(problem.Detail), " ")
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
