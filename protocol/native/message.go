package native

import (
	"time"

	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/session"
)

func (d *desk) bodyOf(id uint32, m session.Message) wire.Body {
	switch m := m.(type) {
	case *session.Connected:
		return d.connectedOf(m)
	case *session.Done:
		return &wire.Empty{Command: emptyOf(m.Command)}
	case *session.Published:
		return (*wire.Published)(&m.Published) // the same fields: it is what is said most
	case *session.HistoryPage:
		return historyOf(&m.HistoryPage)
	case *session.StatePage:
		return stateOf(&m.StatePage)
	case *session.Updated:
		return &wire.Updated{
			Applied: m.Applied, Value: m.Value, Version: m.Version, Epoch: m.Position.Epoch, Offset: m.Position.Offset,
			Duplicate: m.Duplicate,
		}
	case *session.PresencePage:
		return presenceOf(&m.PresencePage)
	case *session.Called:
		return &wire.Called{Payload: m.Payload}
	case *session.Refreshed:
		return &wire.Refreshed{ExpiresMS: millis(m.Expires)}
	case *session.Pong:
		return &wire.Pong{TimeMS: instant(m.Time)}
	case *session.Failed:
		return failedOf(id, m)
	}
	return d.pushOf(m)
}

func (d *desk) pushOf(m session.Message) wire.Body {
	switch m := m.(type) {
	case *session.Subscribed:
		return d.subscribedOf(m)
	case *session.Unsubscribed:
		return &wire.Unsubscribed{Channel: m.Channel, Code: m.Code, Reason: m.Reason}
	case *session.Notice:
		return &wire.Notice{Reconnect: reconnectOf(m.Window)}
	case *session.Disconnect:
		return &wire.Disconnect{Code: m.Code, Reason: m.Reason, Reconnect: reconnectOf(m.Window)}
	}
	return nil
}

func (d *desk) connectedOf(m *session.Connected) *wire.Connected {
	d.reconnect = wire.Reconnect{WindowMS: millis(m.Window)}
	d.connected = wire.Connected{
		Connection: m.Connection, User: m.User, Server: m.Server, Node: m.Node, PingMS: millis(m.Ping), PongMS: millis(m.Pong),
		ExpiresMS: millis(m.Expires), Reconnect: &d.reconnect, TimeMS: instant(m.Time),
		MessageBytes: uint64(max(m.MessageBytes, 0)),
	}
	return &d.connected
}

func emptyOf(command session.DoneCommand) wire.EmptyCommand {
	switch command {
	case session.DoneSubscribe:
		return wire.EmptySubscribe
	case session.DoneUnsubscribe:
		return wire.EmptyUnsubscribe
	case session.DoneEnter:
		return wire.EmptyEnter
	}
	return wire.EmptyLeave
}

func errorOf(err *realtime.Error) *wire.Error {
	return &wire.Error{Code: err.Code, Name: err.Code.Name(), Message: err.Message}
}

// failedOf names the command only where there is no id (MSG-3).
func failedOf(id uint32, m *session.Failed) *wire.Error {
	e := errorOf(m.Err)
	if id == 0 {
		e.Command = m.Command
	}
	return e
}

func historyOf(m *broker.HistoryPage) *wire.HistoryPage {
	page := &wire.HistoryPage{Epoch: m.Epoch, Top: m.Top, More: m.More, Missed: m.Missed}
	for _, p := range m.Publications {
		page.Publications = append(page.Publications, wire.PublicationOf(p))
	}
	return page
}

func stateOf(m *broker.StatePage) *wire.StatePage {
	return &wire.StatePage{Epoch: m.Epoch, AsOf: m.AsOf, Entries: m.Entries, More: m.More}
}

func presenceOf(m *broker.PresencePage) *wire.PresencePage {
	return &wire.PresencePage{Version: m.Version, Count: uint64(max(m.Count, 0)), Members: m.Members, More: m.More}
}

func (d *desk) subscribedOf(m *session.Subscribed) *wire.Subscribed {
	if m.Err != nil {
		return &wire.Subscribed{Channel: m.Channel, Error: errorOf(m.Err)} // SRV-1: alone beside the channel
	}
	body := &d.subscribed
	*body = wire.Subscribed{
		Channel: m.Channel, Epoch: m.Position.Epoch, Offset: m.Position.Offset, Top: m.Top, ExpiresMS: millis(m.Expires),
		Missed: m.Missed,
	}
	if m.Resumed {
		body.Recovered = &m.Recovered
	}
	if m.Snapshot != nil {
		body.State = stateOf(m.Snapshot)
	}
	if m.Presence != nil {
		body.Presence = presenceOf(m.Presence)
	}
	return body
}

func reconnectOf(window time.Duration) *wire.Reconnect {
	if window <= 0 {
		return nil
	}
	return &wire.Reconnect{WindowMS: millis(window)}
}

// millis rounds up, so that what has not passed is not 0, which means never.
func millis(d time.Duration) uint64 {
	return uint64(max(d+time.Millisecond-1, 0) / time.Millisecond)
}

func instant(t time.Time) uint64 { return uint64(max(t.UnixMilli(), 0)) }
