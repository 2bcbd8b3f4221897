package node

import (
	"context"
	"unicode/utf8"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

// The methods of this file have full authority; they check names and limits. Clients come here after they have been
// permitted.

// Limits of one question (HIS-1, STA-1, PRE-3).
const (
	limitMax             = 1000
	historyLimitDefault  = 100
	presenceBytesMax     = 1 << 10 // data of a connection (section 13)
	broadcastChannelsMax = 1000
)

// namespace finds the settings of a channel or pattern whose name has been checked (NAM-3).
func (n *Node) namespace(name string) (*realtime.Namespace, error) {
	ns, ok := n.config.Namespaces(realtime.NamespaceOf(name))
	if !ok {
		return nil, realtime.NewError(realtime.CodeUnknownNamespace, "")
	}
	return ns, nil
}

// channel checks the name of a channel and finds its settings.
func (n *Node) channel(name string) (*realtime.Namespace, error) {
	if err := realtime.CheckChannel(name); err != nil {
		return nil, err
	}
	return n.namespace(name)
}

// Publish stores and delivers a publication of the application's backend. It returns later while deliveries are behind.
func (n *Node) Publish(ctx context.Context, draft broker.Draft) (broker.Published, error) {
	published, err := n.publish(ctx, draft)
	n.ease(ctx)
	return published, err
}

// ease waits until no carrier is behind: who makes them work is slowed down, and nothing is lost for want of room.
func (n *Node) ease(ctx context.Context) {
	for behind := n.hub.Behind(); behind != nil; behind = n.hub.Behind() {
		select {
		case <-behind:
		case <-ctx.Done():
			return
		}
	}
}

func (n *Node) publish(ctx context.Context, draft broker.Draft) (broker.Published, error) {
	ns, err := n.channel(draft.Channel)
	if err != nil {
		return broker.Published{}, err
	}
	return n.publishIn(ctx, ns, draft)
}

// publishIn is publish in a channel whose name has been checked and whose settings are found.
func (n *Node) publishIn(ctx context.Context, ns *realtime.Namespace, draft broker.Draft) (broker.Published, error) {
	if err := realtime.CheckPublicationID(draft.ID); err != nil {
		return broker.Published{}, err
	}
	if draft.Payload.IsNone() {
		return broker.Published{}, realtime.NewError(realtime.CodeBadRequest, "data is missing")
	}
	if err := checkSize(ns, draft.Payload); err != nil {
		return broker.Published{}, err
	}
	return n.backend.Publish(ctx, ns, draft)
}

// checkSize holds PUB-4.
func checkSize(ns *realtime.Namespace, p realtime.Payload) error {
	if len(p.Bytes) > ns.PayloadBytesMax {
		return realtime.Errorf(realtime.CodeTooLarge, "the payload has %d bytes; this namespace allows %d", len(p.Bytes), ns.PayloadBytesMax)
	}
	return nil
}

func checkPresencePayload(p realtime.Payload) error {
	if len(p.Bytes) > presenceBytesMax {
		return realtime.Errorf(realtime.CodeTooLarge, "the data of a member has at most %d bytes", presenceBytesMax)
	}
	return nil
}

// BroadcastResult is what became of a draft in one of its channels.
type BroadcastResult struct {
	Channel   string
	Published broker.Published
	Err       error
}

// Broadcast publishes one draft in many channels, at most 1,000. Each has a result of its own, in the order given.
func (n *Node) Broadcast(ctx context.Context, channels []string, draft broker.Draft) []BroadcastResult {
	results := make([]BroadcastResult, len(channels))
	for i, channel := range channels {
		results[i].Channel = channel
		if i >= broadcastChannelsMax {
			results[i].Err = realtime.NewError(realtime.CodeLimitExceeded, "a broadcast has at most 1000 channels")
			continue
		}
		draft.Channel = channel
		results[i].Published, results[i].Err = n.Publish(ctx, draft)
	}
	return results
}

// Update changes a key of a channel's state. It returns later while deliveries are behind.
func (n *Node) Update(ctx context.Context, update broker.Update) (broker.Updated, error) {
	updated, err := n.update(ctx, update)
	n.ease(ctx)
	return updated, err
}

func (n *Node) update(ctx context.Context, update broker.Update) (broker.Updated, error) {
	ns, err := n.channel(update.Channel)
	if err != nil {
		return broker.Updated{}, err
	}
	if err := realtime.CheckPublicationID(update.ID); err != nil {
		return broker.Updated{}, err
	}
	if err := realtime.CheckKey(update.Key); err != nil {
		return broker.Updated{}, err
	}
	if !ns.State {
		return broker.Updated{}, notAvailable("state")
	}
	if err := checkUpdate(&update); err != nil {
		return broker.Updated{}, err
	}
	if err := checkSize(ns, update.Value); err != nil {
		return broker.Updated{}, err
	}
	return n.backend.Update(ctx, ns, update)
}

func checkUpdate(u *broker.Update) error {
	switch u.Op {
	case broker.OpSet, broker.OpSetIf, broker.OpSetGreater:
		if u.Value.IsNone() {
			return realtime.NewError(realtime.CodeBadRequest, "value is missing")
		}
	case broker.OpRemove, broker.OpIncrement:
	default:
		return realtime.NewError(realtime.CodeBadRequest, "op is missing or unknown")
	}
	return nil
}

// History reads a channel's log. A Limit of 0 is the default of 100.
func (n *Node) History(ctx context.Context, channel string, query broker.HistoryQuery) (broker.HistoryPage, error) {
	ns, err := n.channel(channel)
	if err != nil {
		return broker.HistoryPage{}, err
	}
	if query.Limit, err = checkLimit(query.Limit, historyLimitDefault); err != nil {
		return broker.HistoryPage{}, err
	}
	if !ns.History {
		return broker.HistoryPage{}, notAvailable("history")
	}
	return n.backend.History(ctx, ns, channel, query)
}

func checkLimit(limit, otherwise int) (int, error) {
	switch {
	case limit == 0:
		return otherwise, nil
	case limit < 0 || limit > limitMax:
		return 0, realtime.NewError(realtime.CodeBadRequest, "limit must be from 1 to 1000")
	}
	return limit, nil
}

// State reads a channel's state. A Limit of 0 is the default of 1,000.
func (n *Node) State(ctx context.Context, channel string, query broker.StateQuery) (broker.StatePage, error) {
	ns, err := n.channel(channel)
	if err != nil {
		return broker.StatePage{}, err
	}
	if query.Limit, err = checkLimit(query.Limit, limitMax); err != nil {
		return broker.StatePage{}, err
	}
	if !ns.State {
		return broker.StatePage{}, notAvailable("state")
	}
	return n.backend.State(ctx, ns, channel, query)
}

// Presence reads who is in a channel. A Limit of 0 is the default of 1,000.
func (n *Node) Presence(ctx context.Context, channel string, query broker.PresenceQuery) (broker.PresencePage, error) {
	ns, err := n.channel(channel)
	if err != nil {
		return broker.PresencePage{}, err
	}
	if query.Limit, err = checkLimit(query.Limit, limitMax); err != nil {
		return broker.PresencePage{}, err
	}
	if !ns.Presence {
		return broker.PresencePage{}, notAvailable("presence")
	}
	return n.backend.Presence(ctx, ns, channel, query)
}

// Channels lists channels. An empty pattern is "*", a Limit of 0 the default of 1,000.
func (n *Node) Channels(ctx context.Context, query broker.ChannelsQuery) (broker.ChannelsPage, error) {
	if query.Pattern == "" {
		query.Pattern = "*"
	}
	if err := realtime.CheckPattern(query.Pattern); err != nil {
		return broker.ChannelsPage{}, err
	}
	var err error
	if query.Limit, err = checkLimit(query.Limit, limitMax); err != nil {
		return broker.ChannelsPage{}, err
	}
	return n.backend.Channels(ctx, query)
}

// Target names connections: all of a user, or one by its id. Exactly one of the two is set.
type Target struct {
	User       string
	Connection string
}

func (t Target) check() error {
	if (t.User == "") == (t.Connection == "") {
		return realtime.NewError(realtime.CodeBadRequest, "exactly one of user and connection must be given")
	}
	return nil
}

// Disconnect ends connections of the target with a disconnect code, CodeDisconnected when it is 0.
func (n *Node) Disconnect(_ context.Context, target Target, code realtime.Code, reason string) (count int, err error) {
	if err := target.check(); err != nil {
		return 0, err
	}
	if code == 0 {
		code = realtime.CodeDisconnected
	}
	if code.Kind() != realtime.KindDisconnect {
		return 0, realtime.NewError(realtime.CodeBadRequest, "code must be from 4400 to 4599")
	}
	if err := checkReason(reason); err != nil {
		return 0, err
	}
	connections := n.index.find(target)
	for _, c := range connections {
		c.end(code, reason)
	}
	return len(connections), nil
}

// reasonBytesMax is what fits into a Close frame beside the code (RFC 6455 5.5).
const reasonBytesMax = 123

func checkReason(reason string) error {
	if len(reason) > reasonBytesMax || !utf8.ValidString(reason) {
		return realtime.NewError(realtime.CodeBadRequest, "reason must be UTF-8 of at most 123 bytes")
	}
	return nil
}

// Unsubscribe ends the target's subscriptions to a channel or pattern with CodeUnsubscribed.
func (n *Node) Unsubscribe(_ context.Context, target Target, channel string) (count int, err error) {
	if err := target.check(); err != nil {
		return 0, err
	}
	check := realtime.CheckChannel
	if realtime.IsPattern(channel) {
		check = realtime.CheckPattern
	}
	if err := check(channel); err != nil {
		return 0, err
	}
	for _, c := range n.index.find(target) {
		if c.unsubscribe(channel, "") {
			count++
		}
	}
	return count, nil
}

// CallRequest is a call of a client (CAL-1).
type CallRequest struct {
	Method     string
	User       string
	Connection string
	Payload    realtime.Payload
}

// Handler answers a call. Its error reaches the client when it is an *realtime.Error.
type Handler func(ctx context.Context, request CallRequest) (realtime.Payload, error)

// Handle registers the handler of a method; a second one for the same method takes its place.
func (n *Node) Handle(method string, handler Handler) {
	n.handlersMu.Lock()
	defer n.handlersMu.Unlock()
	n.handlers[method] = handler
}

func (n *Node) handler(method string) Handler {
	n.handlersMu.RLock()
	defer n.handlersMu.RUnlock()
	return n.handlers[method]
}
