package api

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/session"
	"github.com/bellwire/bellwire/server/document"
)

// limitMax is the most a page may have (HIS-1, STA-1, PRE-3).
const limitMax = 1000

func (a *API) publish(ctx context.Context, in *document.Object) ([]byte, error) {
	draft, err := readPublish(in)
	if err != nil {
		return nil, err
	}
	published, err := a.config.Node.Publish(ctx, draft)
	if err != nil {
		return nil, err
	}
	return appendPublished(make([]byte, 0, publishedBytes), published), nil
}

// publishedBytes is enough for most answers and a line feed.
const publishedBytes = 96

func readPublish(in *document.Object) (broker.Draft, error) {
	draft := readDraft(in)
	draft.Channel = in.Text("channel")
	return draft, in.End()
}

// readDraft reads what publish and broadcast share.
func readDraft(in *document.Object) broker.Draft {
	draft := broker.Draft{ID: readID(in), Payload: in.Payload("data")}
	if draft.Payload.IsNone() {
		in.Require("data")
	}
	return draft
}

func readID(in *document.Object) string {
	id := in.ShortText("id", realtime.PublicationIDBytesMax)
	if err := realtime.CheckPublicationID(id); err != nil {
		in.Refuse(err)
	}
	return id
}

// broadcastResult is what became of one channel: a position or a problem.
type broadcastResult struct {
	Channel   string           `json:"channel"`
	Epoch     string           `json:"epoch,omitempty"`
	Offset    uint64           `json:"offset,omitempty"`
	Duplicate bool             `json:"duplicate,omitempty"`
	Error     *problemDocument `json:"error,omitempty"`
}

func (a *API) broadcast(ctx context.Context, in *document.Object) ([]byte, error) {
	draft := readDraft(in)
	in.Require("channels")
	channels, _ := in.Texts("channels", a.config.BroadcastChannelsMax)
	if err := in.End(); err != nil {
		return nil, err
	}
	if err := checkDistinct(channels); err != nil {
		return nil, err
	}
	results := a.config.Node.Broadcast(ctx, channels, draft)
	answer := make([]broadcastResult, len(results))
	for i, result := range results {
		answer[i] = broadcastResult{
			Channel: result.Channel, Epoch: result.Published.Position.Epoch, Offset: result.Published.Position.Offset,
			Duplicate: result.Published.Duplicate,
		}
		if result.Err != nil {
			document := a.problemOf(result.Err, "broadcast").document()
			answer[i].Error = &document
		}
	}
	return json.Marshal(map[string][]broadcastResult{"results": answer})
}

// checkDistinct refuses a channel that is named twice: it would get the publication twice.
func checkDistinct(channels []string) error {
	if len(channels) == 0 {
		return realtime.NewError(realtime.CodeBadRequest, "channels is empty")
	}
	seen := make(map[string]bool, len(channels))
	for i, channel := range channels {
		if seen[channel] {
			return realtime.Errorf(realtime.CodeBadRequest, "channels[%d] was named before", i)
		}
		seen[channel] = true
	}
	return nil
}

var opByWord = map[string]broker.Op{
	"set": broker.OpSet, "remove": broker.OpRemove, "increment": broker.OpIncrement,
	"set_if": broker.OpSetIf, "set_greater": broker.OpSetGreater,
}

// update reads the fields of its op (STA-2); those of another op are not fields of this document.
func (a *API) update(ctx context.Context, in *document.Object) ([]byte, error) {
	update := broker.Update{Channel: in.Text("channel"), Key: in.Text("key"), ID: readID(in)}
	op, known := opByWord[in.Text("op")]
	if !known {
		in.Refuse(realtime.NewError(realtime.CodeBadRequest, "op is not one of set, remove, increment, set_if and set_greater"))
		for _, operand := range []string{"value", "value64", "by", "version"} {
			in.Value(operand) // of an op that is not known: neither right nor wrong
		}
		return nil, in.End()
	}
	update.Op = op
	readOperands(in, &update)
	if err := in.End(); err != nil {
		return nil, err
	}
	updated, err := a.config.Node.Update(ctx, update)
	if err != nil {
		return nil, err
	}
	return a.reply(&session.Updated{Updated: updated})
}

func readOperands(in *document.Object, update *broker.Update) {
	switch update.Op {
	case broker.OpIncrement:
		update.By = 1
		if by, given := in.Number("by"); given {
			update.By = by
		}
	case broker.OpSetIf:
		in.Require("version")
		update.Version, _ = in.Integer("version", 0, realtime.OffsetMax)
		fallthrough
	case broker.OpSet, broker.OpSetGreater:
		if update.Value = in.Payload("value"); update.Value.IsNone() {
			in.Require("value")
		}
	}
}

func (a *API) history(ctx context.Context, in *document.Object) ([]byte, error) {
	channel := in.Text("channel")
	query := broker.HistoryQuery{Limit: readLimit(in), Reverse: in.Switch("reverse")}
	if since, given := in.Object("since"); given {
		query.Since.Epoch = since.Text("epoch")
		since.Require("offset")
		query.Since.Offset, _ = since.Integer("offset", 0, realtime.OffsetMax)
	}
	if err := in.End(); err != nil {
		return nil, err
	}
	page, err := a.config.Node.History(ctx, channel, query)
	if err != nil {
		return nil, err
	}
	return a.reply(&session.HistoryPage{HistoryPage: page})
}

func readLimit(in *document.Object) int {
	limit, _ := in.Integer("limit", 1, limitMax)
	return int(limit)
}

func (a *API) state(ctx context.Context, in *document.Object) ([]byte, error) {
	channel := in.Text("channel")
	query := broker.StateQuery{
		Limit: readLimit(in), Key: in.ShortText("key", realtime.KeyBytesMax), After: in.ShortText("after", realtime.KeyBytesMax),
	}
	if err := in.End(); err != nil {
		return nil, err
	}
	page, err := a.config.Node.State(ctx, channel, query)
	if err != nil {
		return nil, err
	}
	return a.reply(&session.StatePage{StatePage: page})
}

func (a *API) presence(ctx context.Context, in *document.Object) ([]byte, error) {
	channel := in.Text("channel")
	query := broker.PresenceQuery{
		Limit: readLimit(in), CountOnly: in.Switch("count_only"), After: in.ShortText("after", realtime.UserBytesMax),
	}
	if err := in.End(); err != nil {
		return nil, err
	}
	page, err := a.config.Node.Presence(ctx, channel, query)
	if err != nil {
		return nil, err
	}
	return a.reply(&session.PresencePage{PresencePage: page})
}

// reply is the protocol's own reply without the field around it: {"publish":{…}} becomes {…}. The protocol writes it as one
// field without space, and ends it with a line feed.
func (a *API) reply(message session.Message) ([]byte, error) {
	text := bytes.TrimSuffix(a.config.Protocol.Encode(0, message), []byte("\n"))
	_, value, found := bytes.Cut(text, []byte(":"))
	if !found {
		return nil, realtime.Errorf(realtime.CodeInternal, "the protocol's reply is %q", text)
	}
	return bytes.TrimSuffix(value, []byte("}")), nil
}
