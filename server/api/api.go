package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/node"
	"github.com/bellwire/bellwire/realtime/session"
	"github.com/bellwire/bellwire/server/auth"
	"github.com/bellwire/bellwire/server/document"
	"github.com/bellwire/bellwire/server/failure"
)

// Prefix begins the path of every method.
const Prefix = "/api/v1/"

// Config is what the API needs; nothing has a default.
type Config struct {
	Node       *node.Node
	Protocol   session.Protocol // the JSON framing: answers are worded as its replies
	Keys       *auth.APIKeys
	ClientAddr func(*http.Request) netip.Addr
	Now        func() time.Time
	Logger     *slog.Logger
	Metrics    Metrics

	BodyBytesMax         int64
	BroadcastChannelsMax int
	BatchCommandsMax     int
	StreamsMax           int           // at once
	StreamIdle           time.Duration // how long a stream may bring nothing
	FailuresPerMinute    int
	Timeout              time.Duration // of one request's work, or of what has arrived together on a stream
}

// Metrics counts requests. Its methods are called concurrently.
type Metrics interface {
	APIRequest(method string, status int, took time.Duration)
	APIKeyFailed(reason string)
	APIPanicked()
}

// API serves the methods.
type API struct {
	config   Config
	failures *failure.Counter
	methods  map[string]method
	draining context.Context // ended by drain
	drain    context.CancelFunc
	streams  atomic.Int64 // that are open
}

// New returns the handler of everything below Prefix.
func New(config Config) *API {
	a := &API{config: config, failures: failure.New(config.FailuresPerMinute, config.Now), methods: make(map[string]method)}
	a.draining, a.drain = context.WithCancel(context.Background())
	for _, m := range methods {
		a.methods[m.name] = m
	}
	return a
}

// method is one thing a backend can ask. It returns the whole answer as JSON.
type method struct {
	name  string
	call  func(a *API, ctx context.Context, in *document.Object) ([]byte, error)
	depth int // how much deeper than elsewhere its document may be
}

// methods is the registry, in the order of the documentation.
var methods = []method{
	{name: "publish", call: (*API).publish},
	{name: "broadcast", call: (*API).broadcast},
	{name: "batch", call: (*API).batch, depth: batchDepth},
	{name: "update", call: (*API).update},
	{name: "history", call: (*API).history},
	{name: "state", call: (*API).state},
	{name: "presence", call: (*API).presence},
	{name: "channels", call: (*API).channels},
	{name: "disconnect", call: (*API).disconnect},
	{name: "unsubscribe", call: (*API).unsubscribe},
	{name: "info", call: (*API).info},
}

// ServeHTTP answers a method, or the description of all.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, Prefix)
	if serveDescription(w, r, name) {
		return
	}
	started := a.config.Now()
	if name == streamName {
		status := a.serveStream(w, r)
		a.config.Metrics.APIRequest(name, status, a.config.Now().Sub(started))
		return
	}
	answer, failure := a.answer(w, r, name)
	status := http.StatusOK
	if failure != nil {
		status = failure.status
		failure.write(w)
	} else {
		w.Header()["Content-Type"] = typeJSON
		_, _ = w.Write(append(answer, '\n'))
	}
	if _, known := a.methods[name]; known {
		a.config.Metrics.APIRequest(name, status, a.config.Now().Sub(started))
	}
}

// typeJSON is shared by all answers; nobody may change it.
var typeJSON = []string{"application/json"}

func (a *API) answer(w http.ResponseWriter, r *http.Request, name string) ([]byte, *problem) {
	m, known := a.methods[name]
	if failure := a.admit(w, r, known); failure != nil {
		return nil, failure
	}
	body, failure := a.readBody(w, r)
	if failure != nil {
		return nil, failure
	}
	ctx := until(r.Context(), a.config.Now().Add(a.config.Timeout))
	defer ctx.end()
	answer, err := a.call(ctx, m, document.Parse(body, depthMax+m.depth))
	if err != nil {
		return nil, a.problemOf(err, name)
	}
	return answer, nil
}

// admit checks what is the same for all methods.
func (a *API) admit(w http.ResponseWriter, r *http.Request, known bool) *problem {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return newProblem(realtime.CodeBadRequest, "the method must be POST").withStatus(http.StatusMethodNotAllowed)
	}
	if failure := a.authenticate(w, r); failure != nil {
		return failure
	}
	if !known || r.URL.RawPath != "" {
		return newProblem(realtime.CodeUnknownCommand, "there is no such method; "+Prefix+"openapi.yaml lists all")
	}
	if r.URL.RawQuery != "" {
		return newProblem(realtime.CodeBadRequest, "a method takes its fields from the body, not from the query")
	}
	return nil
}

// call recovers: one request that meets a bug must not take the answer with it.
func (a *API) call(ctx context.Context, m method, in *document.Object) (answer []byte, err error) {
	defer a.recovered(m.name, &err)
	return m.call(a, ctx, in)
}

// recovered is deferred by what runs a method.
func (a *API) recovered(method string, err *error) {
	if cause := recover(); cause != nil {
		a.config.Metrics.APIPanicked()
		a.config.Logger.Error("panic in a method of the API", "method", method, "cause", cause, "stack", string(debug.Stack()))
		*err = realtime.NewError(realtime.CodeInternal, "")
	}
}

// Protect returns next behind the API's keys.
func (a *API) Protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if failure := a.authenticate(w, r); failure != nil {
			failure.write(w)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// authenticate checks the key. An address with too many wrong ones is refused without a look (VC-47, AP-12).
func (a *API) authenticate(w http.ResponseWriter, r *http.Request) *problem {
	address := a.config.ClientAddr(r)
	if wait, blocked := a.failures.Blocked(address); blocked {
		a.config.Metrics.APIKeyFailed("blocked")
		setRetryAfter(w, wait)
		return newProblem(realtime.CodeRateLimited, "too many wrong keys from this address; wait a minute")
	}
	reason := "missing"
	if fields := r.Header.Values("Authorization"); len(fields) == 1 {
		scheme, key, _ := strings.Cut(fields[0], " ")
		if strings.EqualFold(scheme, "Bearer") && a.config.Keys.Holds(key) {
			return nil
		}
		reason = "wrong"
		a.failures.Add(address)
	}
	a.config.Metrics.APIKeyFailed(reason)
	a.config.Logger.Warn("API request without a valid key", "reason", reason, "address", address.String())
	w.Header().Set("WWW-Authenticate", "Bearer")
	return newProblem(realtime.CodeUnauthorized, "send a key of this server as: Authorization: Bearer <key>")
}
