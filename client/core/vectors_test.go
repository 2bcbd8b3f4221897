package core_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/bellwire/bellwire/client/core"
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

// The shapes of spec/vectors/README.md.

type trace struct {
	Name    string       `json:"name"`
	Note    string       `json:"note"`
	Clauses []string     `json:"clauses"`
	Options traceOptions `json:"options"`
	Random  []float64    `json:"random"`
	Steps   []traceStep  `json:"steps"`
}

type traceOptions struct {
	URLs              []string `json:"urls"`
	Client            string   `json:"client"`
	Token             string   `json:"token"`
	TokenSource       bool     `json:"token_source"`
	ConnectTimeoutMS  int64    `json:"connect_timeout_ms"`
	CommandsMax       int      `json:"commands_max"`
	CommandsBytesMax  int      `json:"commands_bytes_max"`
	CommandBurst      int64    `json:"command_burst"`
	CommandIntervalMS int64    `json:"command_interval_ms"`
	EntriesMax        int      `json:"entries_max"`
}

type traceStep struct {
	Note   string                     `json:"note"`
	AtMS   int64                      `json:"at_ms"`
	Input  map[string]json.RawMessage `json:"input"`
	Expect struct {
		Outputs       []any                     `json:"outputs"`
		State         core.State                `json:"state"`
		DeadlineMS    *int64                    `json:"deadline_ms"`
		Subscriptions map[string]map[string]any `json:"subscriptions"`
	} `json:"expect"`
}

// traceInput has the members of every input.
type traceInput struct {
	Line      int             `json:"line"`
	Code      realtime.Code   `json:"code"`
	Reason    string          `json:"reason"`
	Message   json.RawMessage `json:"message"`
	Token     string          `json:"token"`
	Permanent bool            `json:"permanent"`
	Channel   string          `json:"channel"`
	Online    bool            `json:"online"`
	Options   *struct {
		Since *struct {
			Epoch  string `json:"epoch"`
			Offset uint64 `json:"offset"`
		} `json:"since"`
		Rewind      uint32          `json:"rewind"`
		State       bool            `json:"state"`
		Presence    string          `json:"presence"`
		Enter       json.RawMessage `json:"enter"`
		Token       string          `json:"token"`
		TokenSource bool            `json:"token_source"`
	} `json:"options"`
	Request int64           `json:"request"`
	Command json.RawMessage `json:"command"`
	Wait    *bool           `json:"wait"`
}

func TestLifecycleVectors(t *testing.T) {
	files, err := filepath.Glob("../../spec/vectors/lifecycle/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) { runTrace(t, readTrace(t, file)) })
	}
}

func readTrace(t *testing.T, file string) *trace {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var vector trace
	if err := decoder.Decode(&vector); err != nil {
		t.Fatal(err)
	}
	return &vector
}

func runTrace(t *testing.T, vector *trace) {
	t.Helper()
	drawn := 0
	c := core.New(core.Options{
		URLs: vector.Options.URLs, Client: vector.Options.Client, Token: vector.Options.Token, TokenSource: vector.Options.TokenSource,
		ConnectTimeoutMS: vector.Options.ConnectTimeoutMS, CommandsMax: vector.Options.CommandsMax, CommandsBytesMax: vector.Options.CommandsBytesMax,
		CommandBurst: vector.Options.CommandBurst, CommandIntervalMS: vector.Options.CommandIntervalMS, EntriesMax: vector.Options.EntriesMax,
		Random: func() float64 {
			drawn++
			return vector.Random[(drawn-1)%len(vector.Random)]
		},
	})
	for i, step := range vector.Steps {
		name := fmt.Sprintf("step %d at %d ms", i, step.AtMS)
		for input, members := range step.Input {
			give(t, c, step.AtMS, input, members)
		}
		outputs := []any{}
		for _, output := range c.Drain() {
			outputs = append(outputs, plain(t, output))
		}
		dropDefaultPrev(step.Expect.Outputs)
		if !reflect.DeepEqual(outputs, step.Expect.Outputs) {
			t.Fatalf("%s: outputs\n got %s\nwant %s", name, text(t, outputs), text(t, step.Expect.Outputs))
		}
		if c.State() != step.Expect.State {
			t.Fatalf("%s: state %s, want %s", name, c.State(), step.Expect.State)
		}
		checkDeadline(t, name, c, step.Expect.DeadlineMS)
		for channel, want := range step.Expect.Subscriptions {
			checkSubscription(t, name, channel, c.Subscription(channel), want)
		}
	}
}

// dropDefaultPrev takes away what means the same as nothing: a prev that is the offset before (POS-2).
func dropDefaultPrev(value any) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			dropDefaultPrev(element)
		}
	case map[string]any:
		prev, hasPrev := value["prev"].(float64)
		offset, hasOffset := value["offset"].(float64)
		if hasPrev && hasOffset && prev == offset-1 {
			delete(value, "prev")
		}
		for _, member := range value {
			dropDefaultPrev(member)
		}
	}
}

func checkDeadline(t *testing.T, name string, c *core.Core, want *int64) {
	t.Helper()
	at, ok := c.Deadline()
	if ok != (want != nil) || ok && at != *want {
		t.Fatalf("%s: deadline %d %t, want %s", name, at, ok, text(t, want))
	}
}

func checkSubscription(t *testing.T, name, channel string, view core.SubscriptionView, want map[string]any) {
	t.Helper()
	got := map[string]any{"state": string(view.State), "position": nil, "count": float64(view.Count)}
	if !view.Position.IsZero() {
		got["position"] = map[string]any{"epoch": view.Position.Epoch, "offset": float64(view.Position.Offset)}
	}
	entries := map[string]any{}
	for key, entry := range view.Entries {
		entries[key] = parse(t, entry.Value.Bytes)
	}
	members := []any{}
	for _, user := range slices.Sorted(maps.Keys(view.Members)) {
		members = append(members, user)
	}
	got["entries"], got["members"] = entries, members
	for member, value := range want {
		if !reflect.DeepEqual(got[member], value) {
			t.Fatalf("%s: %s of %s is %s, want %s", name, member, channel, text(t, got[member]), text(t, value))
		}
	}
}

func give(t *testing.T, c *core.Core, now int64, input string, members json.RawMessage) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(members))
	decoder.DisallowUnknownFields()
	var in traceInput
	if err := decoder.Decode(&in); err != nil {
		t.Fatalf("input %s: %v", input, err)
	}
	switch input {
	case "connect":
		c.Connect(now)
	case "close":
		c.Close(now)
	case "woke":
		c.Woke(now)
	case "tick":
		c.Tick(now)
	case "line_opened":
		c.LineOpened(now, in.Line)
	case "line_closed":
		c.LineClosed(now, in.Line, in.Code, in.Reason)
	case "received":
		c.Received(now, in.Line, serverMessage(t, in.Message))
	case "token_ready":
		c.TokenReady(now, in.Token)
	case "token_failed":
		c.TokenFailed(now, in.Permanent)
	case "subscription_token_ready":
		c.SubscriptionTokenReady(now, in.Channel, in.Token)
	case "subscription_token_failed":
		c.SubscriptionTokenFailed(now, in.Channel, in.Permanent)
	case "network":
		c.Network(now, in.Online)
	case "subscribe":
		c.Subscribe(now, in.Channel, subscribeOptions(t, &in))
	case "unsubscribe":
		c.Unsubscribe(now, in.Channel)
	case "request":
		c.Request(now, in.Request, clientCommand(t, in.Command), in.Wait == nil || *in.Wait)
	default:
		t.Fatalf("unknown input %q", input)
	}
}

func subscribeOptions(t *testing.T, in *traceInput) *core.SubscribeOptions {
	t.Helper()
	if in.Options == nil {
		return nil
	}
	options := &core.SubscribeOptions{Rewind: in.Options.Rewind, State: in.Options.State, Token: in.Options.Token, TokenSource: in.Options.TokenSource}
	if in.Options.Since != nil {
		options.Since = &realtime.Position{Epoch: in.Options.Since.Epoch, Offset: in.Options.Since.Offset}
	}
	switch in.Options.Presence {
	case "", "none":
	case "count":
		options.Presence = wire.PresenceCount
	case "members":
		options.Presence = wire.PresenceMembers
	default:
		t.Fatalf("presence %q", in.Options.Presence)
	}
	if in.Options.Enter != nil {
		options.Enter = realtime.JSON(in.Options.Enter)
	}
	return options
}

func serverMessage(t *testing.T, document []byte) *wire.ServerMessage {
	t.Helper()
	message, err := wire.DecodeServer(wire.JSON, compact(t, document)).Next()
	if err != nil {
		t.Fatalf("message %s: %v", document, err)
	}
	return &message
}

func clientCommand(t *testing.T, document []byte) wire.Command {
	t.Helper()
	message, err := wire.DecodeClient(wire.JSON, compact(t, document)).Next()
	if err != nil {
		t.Fatalf("command %s: %v", document, err)
	}
	return message.Command
}

func compact(t *testing.T, document []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, document); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// object is a JSON object in the making: members with their default are left out.
type object map[string]any

func (o object) with(name string, value any) object {
	if reflect.ValueOf(value).IsValid() && !reflect.ValueOf(value).IsZero() {
		o[name] = value
	}
	return o
}

// plain is an output as it stands in a vector.
func plain(t *testing.T, output core.Output) any {
	t.Helper()
	name, members := describe(t, output)
	return parse(t, []byte(text(t, object{name: members})))
}

func describe(t *testing.T, output core.Output) (string, any) {
	t.Helper()
	switch o := output.(type) {
	case *core.Open:
		return "open", object{"line": o.Line, "url": o.URL}
	case *core.Send:
		document, err := wire.AppendClient(nil, wire.JSON, &o.Message)
		if err != nil {
			t.Fatal(err)
		}
		return "send", object{"line": o.Line, "message": json.RawMessage(document)}
	case *core.Close:
		return "close", object{"line": o.Line, "code": o.Code}
	case *core.FetchToken:
		return "fetch_token", object{}
	case *core.FetchSubscriptionToken:
		return "fetch_subscription_token", object{"channel": o.Channel}
	case *core.StateChange:
		return "state", describeState(t, o)
	case *core.Reply:
		return "reply", object{"request": o.Request, "result": body(t, 1, o.Result)}
	case *core.Failed:
		return "failed", object{"request": o.Request, "error": body(t, 1, &o.Error)}
	case *core.ServerError:
		return "error", body(t, 0, &o.Error)
	case *core.Notice:
		return "notice", object{"window_ms": o.WindowMS}
	case *core.RoundTrip:
		return "round_trip", object{"ms": o.MS}
	}
	return describeSubscription(t, output)
}

func describeState(t *testing.T, o *core.StateChange) object {
	t.Helper()
	members := object{"state": o.State}
	if o.Session != nil {
		members["session"] = body(t, 1, o.Session)
	}
	if o.State == core.Waiting {
		members["retry_at_ms"] = o.RetryAtMS
	}
	if o.Code != 0 {
		members["code"], members["reason"] = o.Code, o.Reason
	}
	return members.with("reason", o.Reason)
}

func describeSubscription(t *testing.T, output core.Output) (string, any) {
	t.Helper()
	switch o := output.(type) {
	case *core.SubscriptionStarted:
		members := object{"channel": o.Channel}.with("epoch", o.Epoch).with("offset", o.Offset).with("top", o.Top)
		if o.Recovered != nil {
			members["recovered"] = *o.Recovered
		}
		return "subscribed", members
	case *core.Missed:
		return "missed", object{"channel": o.Channel}.with("from", o.From).with("to", o.To)
	case *core.SubscriptionStopped:
		members := object{"channel": o.Channel, "code": o.Code, "reason": o.Reason}
		if o.Again {
			members["retry_at_ms"] = o.RetryAtMS
		}
		return "unsubscribed", members
	case *core.Publication:
		return "publication", object{"subscription": o.Subscription, "publication": body(t, 0, o.Publication)}.with("replayed", o.Replayed)
	case *core.ChannelState:
		members := object{"channel": o.Channel}.with("removed", o.Removed).with("reset", o.Reset).with("time_ms", o.TimeMS).with("replayed", o.Replayed)
		if len(o.Set) > 0 {
			members["set"] = member(t, &wire.ServerMessage{ID: 1, Body: &wire.StatePage{Entries: o.Set}}, "state", "entries")
		}
		if o.From != (realtime.Publisher{}) {
			members["from"] = object{}.with("user", o.From.User).with("connection", o.From.Connection)
		}
		return "state_changed", members
	case *core.PresenceChange:
		members := object{"channel": o.Channel}.with("version", o.Version).with("count", o.Count).with("left", o.Left).with("reset", o.Reset)
		if len(o.Set) > 0 {
			members["set"] = member(t, &wire.ServerMessage{ID: 1, Body: &wire.PresencePage{Members: o.Set}}, "presence", "members")
		}
		return "presence", members
	}
	t.Fatalf("unknown output %T", output)
	return "", nil
}

// body is what stands in a message beside its id.
func body(t *testing.T, id uint32, b wire.Body) any {
	t.Helper()
	document := serverDocument(t, &wire.ServerMessage{ID: id, Body: b})
	delete(document, "id")
	for _, members := range document {
		return members
	}
	t.Fatalf("%T is empty", b)
	return nil
}

func member(t *testing.T, message *wire.ServerMessage, path ...string) any {
	t.Helper()
	var value any = serverDocument(t, message)
	for _, name := range path {
		value = value.(map[string]any)[name]
	}
	return value
}

func serverDocument(t *testing.T, message *wire.ServerMessage) map[string]any {
	t.Helper()
	document, err := wire.AppendServer(nil, wire.JSON, message)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, document).(map[string]any)
}

func parse(t *testing.T, document []byte) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(document, &value); err != nil {
		t.Fatalf("%s: %v", document, err)
	}
	return value
}

func text(t *testing.T, value any) string {
	t.Helper()
	document, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(document)
}
