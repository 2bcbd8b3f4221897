package native

import (
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/hub"
	"github.com/bellwire/bellwire/realtime/session"
)

// Limits that a client gets without asking (HIS-1, STA-1, PRE-3).
const (
	historyLimitDefault  = 100
	stateLimitDefault    = 1000
	presenceLimitDefault = 1000
)

func commandOf(m wire.Command) session.Command {
	switch m := m.(type) {
	case *wire.Connect:
		return &session.Connect{Token: m.Token, Client: m.Client, Subscribe: wishesOf(m.Subscribe)}
	case *wire.Subscribe:
		return &session.Subscribe{Wishes: wishesOf(m.Channels)}
	case *wire.Unsubscribe:
		return &session.Unsubscribe{Channels: m.Channels}
	case *wire.Publish:
		return (*session.Publish)(m) // the same fields: it is what comes most
	case *wire.Update:
		return &session.Update{Update: updateOf(m)}
	case *wire.Enter:
		return &session.Enter{Channel: m.Channel, Payload: m.Payload}
	case *wire.Leave:
		return &session.Leave{Channel: m.Channel}
	case *wire.Call:
		return &session.Call{Method: m.Method, Payload: m.Payload}
	case *wire.Refresh:
		return &session.Refresh{Token: m.Token, Channel: m.Channel}
	case *wire.Ping:
		return &session.Ping{}
	default:
		return queryOf(m)
	}
}

func queryOf(m wire.Command) session.Command {
	switch m := m.(type) {
	case *wire.History:
		query := broker.HistoryQuery{Limit: limitOf(m.Limit, historyLimitDefault), Reverse: m.Reverse}
		if m.Since != nil {
			query.Since = *m.Since
		}
		return &session.History{Channel: m.Channel, Query: query}
	case *wire.State:
		return &session.State{Channel: m.Channel, Query: broker.StateQuery{
			Key: m.Key, After: m.After, Limit: limitOf(m.Limit, stateLimitDefault),
		}}
	case *wire.Presence:
		return &session.Presence{Channel: m.Channel, Query: broker.PresenceQuery{
			CountOnly: m.CountOnly, After: m.After, Limit: limitOf(m.Limit, presenceLimitDefault),
		}}
	}
	panic("a command that the decoder does not make")
}

func limitOf(asked uint32, otherwise int) int {
	if asked == 0 {
		return otherwise
	}
	return int(asked)
}

func wishesOf(items []wire.SubscribeItem) []session.Wish {
	wishes := make([]session.Wish, len(items))
	for i := range items {
		m := &items[i]
		wishes[i] = session.Wish{
			Channel: m.Channel, Since: m.Since, Rewind: int(min(m.Rewind, rewindMax)), Snapshot: m.State,
			Presence: hub.PresenceMode(m.Presence), Enter: m.Enter, Token: m.Token,
		}
	}
	return wishes
}

// rewindMax is more than any history holds.
const rewindMax = 1 << 30

func updateOf(m *wire.Update) broker.Update {
	return broker.Update{
		Channel: m.Channel, ID: m.ID, Op: broker.Op(m.Op), Key: m.Key, Value: m.Value, By: m.By, Version: m.Version,
	}
}

// The numbers of these enumerations are the same on both sides of the door.
var (
	_ = [1]struct{}{}[wire.PresenceMembers-wire.PresenceMode(hub.PresenceMembers)]
	_ = [1]struct{}{}[wire.OpSetGreater-wire.UpdateOp(broker.OpSetGreater)]
	_ = realtime.EncodingNone
)
