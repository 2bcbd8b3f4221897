package wire

import (
	"encoding/json"
	"math/rand/v2"
	"strings"

	"github.com/bellwire/bellwire/realtime"
)

// random makes valid messages from a seed: every field absent or present, small and large, of every kind.
type random struct{ *rand.Rand }

func newRandom(seed uint64) random { return random{rand.New(rand.NewPCG(seed, 1))} }

func (r random) maybe() bool { return r.IntN(2) == 0 }

func (r random) text(max int) string {
	letters := []rune("abzAZ09_-./=@+~,: äß€\U0001F514\"\\\n\u2028")
	var b strings.Builder
	for range r.IntN(12) {
		if c := letters[r.IntN(len(letters))]; b.Len()+4 <= max {
			b.WriteRune(c)
		}
	}
	return b.String()
}

func (r random) name() string { return "n" + r.text(200) }

func (r random) number() uint64 {
	switch r.IntN(4) {
	case 0:
		return 0
	case 1:
		return uint64(r.IntN(200))
	case 2:
		return realtime.OffsetMax
	}
	return r.Uint64N(realtime.OffsetMax)
}

func (r random) payload() realtime.Payload {
	if r.maybe() {
		b := make([]byte, r.IntN(40))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return realtime.Binary(b)
	}
	return r.jsonPayload()
}

func (r random) jsonPayload() realtime.Payload {
	values := []any{nil, true, 1.5, "x\n\u2028", []any{}, map[string]any{"a": []any{1.0, nil}}, strings.Repeat("y", 300), r.text(40)}
	b, err := json.Marshal(values[r.IntN(len(values))])
	if err != nil {
		panic(err)
	}
	return realtime.JSON(b)
}

func (r random) maybePayload() realtime.Payload {
	if r.maybe() {
		return realtime.Payload{}
	}
	return r.payload()
}

func (r random) position() *realtime.Position {
	if r.maybe() {
		return nil
	}
	return &realtime.Position{Epoch: "kf" + string(rune('a'+r.IntN(26))), Offset: r.number()}
}

func (r random) item() SubscribeItem {
	m := SubscribeItem{
		Channel: r.name(), Since: r.position(), Rewind: uint32(r.number()), State: r.maybe(),
		Presence: PresenceMode(r.IntN(3)), Token: r.text(100),
	}
	if r.maybe() {
		m.Enter = r.jsonPayload()
	}
	return m
}

func many[T any](r random, max int, one func() T) []T {
	var items []T
	for range r.IntN(max + 1) {
		items = append(items, one())
	}
	return items
}

func (r random) command() Command {
	switch r.IntN(13) {
	case 0:
		return &Connect{Token: r.text(100), Client: r.text(60), Subscribe: many(r, 3, r.item)}
	case 1:
		return &Subscribe{Channels: append(many(r, 3, r.item), r.item())}
	case 2:
		return &Unsubscribe{Channels: append(many(r, 3, r.name), r.name())}
	case 3:
		return &Publish{Channel: r.name(), Payload: r.payload(), ID: r.text(60), NoEcho: r.maybe()}
	case 4:
		return &History{Channel: r.name(), Since: r.position(), Limit: uint32(r.IntN(1001)), Reverse: r.maybe()}
	case 5:
		return &State{Channel: r.name(), Key: r.text(60), After: r.text(60), Limit: uint32(r.IntN(1001))}
	case 6:
		return r.update()
	case 7:
		return &Presence{Channel: r.name(), CountOnly: r.maybe(), After: r.text(60), Limit: uint32(r.IntN(1001))}
	case 8:
		return &Enter{Channel: r.name(), Payload: r.maybePayload()}
	case 9:
		return &Leave{Channel: r.name()}
	case 10:
		return &Call{Method: "m" + r.text(60), Payload: r.maybePayload()}
	case 11:
		return &Refresh{Token: "t" + r.text(60), Channel: r.text(60)}
	}
	return &Ping{}
}

func (r random) update() *Update {
	m := &Update{Channel: r.name(), Op: UpdateOp(1 + r.IntN(5)), Key: r.name(), ID: r.text(60)}
	switch m.Op {
	case OpSet, OpSetGreater:
		m.Value = r.payload()
	case OpSetIf:
		m.Value, m.Version = r.payload(), r.number()
	case OpIncrement:
		m.By = []float64{1, 0, -1.5, 1e300, 5e-324, 3}[r.IntN(6)]
	}
	return m
}

func (r random) client() ClientMessage {
	m := ClientMessage{Command: r.command()}
	if r.maybe() {
		m.ID = []uint32{1, 127, 128, IDMax}[r.IntN(4)]
	}
	return m
}

func (r random) member() realtime.Member {
	m := realtime.Member{User: r.name(), Connections: many(r, 2, func() realtime.MemberConnection {
		return realtime.MemberConnection{Connection: r.name(), Payload: r.maybePayload()}
	})}
	if r.maybe() {
		m.Info = []byte(`{"name":"Ann","n":[1,2]}`)
	}
	return m
}

func (r random) missed() *realtime.Missed {
	if r.maybe() {
		return nil
	}
	return &realtime.Missed{From: r.number(), To: r.number()}
}

func (r random) entry() realtime.Entry {
	return realtime.Entry{Key: r.name(), Value: r.payload(), Version: r.number()}
}

func (r random) statePage() *StatePage {
	return &StatePage{Epoch: r.text(20), AsOf: r.number(), Entries: many(r, 3, r.entry), More: r.maybe()}
}

func (r random) presencePage() *PresencePage {
	return &PresencePage{Version: r.number(), Count: r.number(), Members: many(r, 3, r.member), More: r.maybe()}
}

func (r random) publication() Publication {
	m := Publication{Channel: r.name(), Offset: r.number(), ID: r.text(60), TimeMS: r.number(), Pattern: r.maybe()}
	if m.Offset != 0 {
		m.Prev = m.Offset - 1
		if r.maybe() {
			m.Prev = r.Uint64N(m.Offset)
		}
	}
	if r.maybe() {
		m.From = realtime.Publisher{User: r.text(20), Connection: r.name()}
	}
	switch r.IntN(4) {
	case 0:
		m.Skipped = true
	case 1:
		m.State = &realtime.StateChange{Key: r.name(), Removed: true}
	case 2:
		m.State = &realtime.StateChange{Key: r.name(), Value: r.payload()}
	default:
		m.Payload = r.payload()
	}
	return m
}

func (r random) window() *Reconnect {
	if r.maybe() {
		return nil
	}
	return &Reconnect{WindowMS: r.number()}
}

func (r random) fault() *Error {
	return &Error{Code: realtime.Code(r.IntN(5000)), Name: r.text(20), Message: r.text(60), Command: r.text(20)}
}

func (r random) subscribed() *Subscribed {
	m := &Subscribed{Channel: r.name(), Epoch: r.text(20), Offset: r.number(), Top: r.number(), Missed: r.missed(), ExpiresMS: r.number()}
	if r.maybe() {
		recovered := r.maybe()
		m.Recovered = &recovered
	}
	if r.maybe() {
		m.State = r.statePage()
	}
	if r.maybe() {
		m.Presence = r.presencePage()
	}
	if r.maybe() {
		m.Error = r.fault()
	}
	return m
}

func (r random) reply() Body {
	switch r.IntN(11) {
	case 0:
		return r.fault()
	case 1:
		return &Connected{
			Connection: r.name(), User: r.name(), Server: r.text(30), Node: r.text(20), PingMS: r.number(), PongMS: r.number(),
			ExpiresMS: r.number(), Reconnect: r.window(), TimeMS: r.number(), MessageBytes: r.number(),
		}
	case 2:
		return &Empty{Command: EmptyCommand(1 + r.IntN(4))}
	case 3:
		return &Published{Position: realtime.Position{Epoch: r.text(20), Offset: r.number()}, Duplicate: r.maybe()}
	case 4:
		return &HistoryPage{Epoch: r.text(20), Top: r.number(), Publications: many(r, 3, r.publication), More: r.maybe(), Missed: r.missed()}
	case 5:
		return r.statePage()
	case 6:
		return &Updated{Applied: r.maybe(), Value: r.maybePayload(), Version: r.number(), Epoch: r.text(20), Offset: r.number(), Duplicate: r.maybe()}
	case 7:
		return r.presencePage()
	case 8:
		return &Called{Payload: r.maybePayload()}
	case 9:
		return &Refreshed{ExpiresMS: r.number()}
	}
	return &Pong{TimeMS: r.number()}
}

func (r random) push() Body {
	switch r.IntN(6) {
	case 0:
		return r.subscribed()
	case 1:
		m := r.publication()
		return &m
	case 2:
		return &PresenceChange{Channel: r.name(), Version: r.number(), Count: r.number(), Set: many(r, 3, r.member), Left: many(r, 3, r.name)}
	case 3:
		return &Unsubscribed{Channel: r.name(), Code: realtime.Code(r.IntN(400)), Reason: r.text(60)}
	case 4:
		return &Notice{Reconnect: r.window()}
	}
	return &Disconnect{Code: realtime.Code(r.IntN(5000)), Reason: r.text(60), Reconnect: r.window()}
}

func (r random) server() ServerMessage {
	if r.maybe() {
		return ServerMessage{ID: 1 + uint32(r.IntN(1000)), Body: r.reply()}
	}
	return ServerMessage{Body: r.push()}
}
