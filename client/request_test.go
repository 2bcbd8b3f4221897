package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/bellwire/bellwire/client"
	"github.com/bellwire/bellwire/client/internal/modelserver"
	"github.com/bellwire/bellwire/protocol/native/wire"
	"github.com/bellwire/bellwire/realtime"
)

func TestEveryCommandHasItsAnswer(t *testing.T) {
	for _, format := range []client.Format{client.JSON, client.Proto} {
		t.Run(format.String(), func(t *testing.T) {
			c := connect(t, startServer(t), &client.Options{Format: format})
			poll := c.Channel("poll:1", nil)
			ctx := within(t)

			set, err := poll.Set(ctx, "tea", 3)
			wantUpdated(t, "Set", set, err, true, "3")
			sum, err := poll.Increment(ctx, "tea", 1.5)
			wantUpdated(t, "Increment", sum, err, true, "4.5")
			lower, err := poll.SetGreater(ctx, "tea", 2)
			wantUpdated(t, "SetGreater", lower, err, false, "4.5")
			stale, err := poll.SetIf(ctx, "tea", set.Version, "x")
			wantUpdated(t, "SetIf of an old version", stale, err, false, "4.5")
			fresh, err := poll.SetIf(ctx, "coffee", 0, "x")
			wantUpdated(t, "SetIf absent", fresh, err, true, `"x"`)
			removed, err := poll.Remove(ctx, "coffee")
			wantUpdated(t, "Remove", removed, err, true, "")

			state, err := poll.ReadState(ctx, nil)
			if err != nil || len(state.Entries) != 1 || state.Entries[0].Key != "tea" || state.More {
				t.Errorf("ReadState: %+v, %v", state, err)
			}
			payload, err := c.Call(ctx, "echo", []byte{0, 255})
			if err != nil || payload.Encoding != realtime.EncodingBinary || string(payload.Bytes) != "\x00\xff" {
				t.Errorf("Call: %+v, %v", payload, err)
			}
			if _, err := c.Ping(ctx); err != nil {
				t.Errorf("Ping: %v", err)
			}
		})
	}
}

func wantUpdated(t *testing.T, what string, got client.Updated, err error, applied bool, value string) {
	t.Helper()
	if err != nil || got.Applied != applied || string(got.Value.Bytes) != value || got.Position.Epoch == "" {
		t.Errorf("STA-3: %s: %+v, %v; want applied %t, value %s", what, got, err, applied, value)
	}
}

func TestHistoryPagesBothWays(t *testing.T) {
	s := startServer(t)
	c := connect(t, s, nil)
	s.with(func(m *modelserver.Server) {
		for i := range 5 {
			m.Publish("chat:a", realtime.JSON(fmt.Append(nil, i+1)))
		}
	})
	lobby := c.Channel("chat:a", nil)
	page, err := lobby.History(within(t), &client.HistoryQuery{Limit: 2, Reverse: true})
	if err != nil || len(page.Publications) != 2 || page.Publications[0].Position.Offset != 5 || !page.More || page.Top != 5 {
		t.Fatalf("HIS-1: %+v, %v", page, err)
	}
	page, err = lobby.History(within(t), &client.HistoryQuery{Since: &page.Next, Limit: 9, Reverse: true})
	if err != nil || len(page.Publications) != 3 || page.Publications[2].Position.Offset != 1 || page.More {
		t.Fatalf("HIS-1: %+v, %v", page, err)
	}
}

func TestPresenceFollowsEnterAndLeave(t *testing.T) {
	s := startServer(t)
	one, two := connect(t, s, nil), connect(t, s, nil)
	watching := one.Channel("chat:a", &client.ChannelOptions{Presence: client.PresenceMembers})
	events := watching.Events(within(t))
	entering := two.Channel("chat:a", &client.ChannelOptions{Enter: map[string]string{"name": "bob"}})
	if err := entering.Subscribe(within(t)); err != nil {
		t.Fatal(err)
	}
	present := map[string]string{}
	step := 0
	for event, err := range events {
		if err != nil {
			t.Fatal(err)
		}
		change, ok := event.(*client.PresenceChanged)
		if !ok {
			continue
		}
		for _, member := range change.Set {
			present[member.User] = string(member.Connections[0].Payload.Bytes)
		}
		for _, user := range change.Left {
			delete(present, user)
		}
		switch {
		case step == 0 && present["~c2"] == `{"name":"bob"}`:
			step = 1
			must(t, entering.Enter(within(t), map[string]string{"name": "Bob"}))
		case step == 1 && present["~c2"] == `{"name":"Bob"}`:
			step = 2
			page, err := watching.ReadPresence(within(t), nil)
			if err != nil || page.Count != 1 || page.Members[0].User != "~c2" {
				t.Fatalf("PRE-3: %+v, %v", page, err)
			}
			if held := watching.Snapshot(); held.Count != 1 || len(held.Members) != 1 || held.State != client.Subscribed {
				t.Fatalf("held: %+v", held)
			}
			must(t, entering.Leave(within(t)))
		case step == 2 && len(present) == 0:
			return
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRefusalsAreTyped(t *testing.T) {
	s := startServer(t)
	s.with(func(m *modelserver.Server) {
		m.Intercept = func(c *modelserver.Conn, m *wire.ClientMessage) bool {
			if _, ok := m.Command.(*wire.Publish); ok {
				c.Reply(m.ID, &wire.Error{Code: 103, Name: "permission_denied", Message: "ask for it"})
				return true
			}
			return false
		}
	})
	c := connect(t, s, nil)
	_, err := c.Channel("chat:a", nil).Publish(within(t), 1, nil)
	var refusal *realtime.Error
	if !errors.As(err, &refusal) || refusal.Code != realtime.CodePermissionDenied || refusal.Message != "ask for it" {
		t.Errorf("SRV-8: %v", err)
	}
	if err := c.Channel("chat:a", nil).Enter(within(t), nil); realtime.CodeOf(err) != realtime.CodeNotSubscribed {
		t.Errorf("PRE-1: %v", err)
	}
	big := make([]byte, 70_000)
	if _, err := c.Channel("chat:a", nil).Publish(within(t), big, nil); realtime.CodeOf(err) != realtime.CodeTooLarge {
		t.Errorf("CON-8: %v", err)
	}
}

func TestWhatCannotBeSentIsRefusedBeforeItWaits(t *testing.T) {
	s := startServer(t)
	c := newClient(t, s.url(), nil) // never connected: nothing can be answered
	lobby := c.Channel("chat:a", nil)
	rows := []struct {
		rule string
		err  error
	}{
		{"a value that encoding/json refuses", publishError(t, lobby, make(chan int))},
		{"MSG-8: raw JSON that is none", publishError(t, lobby, json.RawMessage(`{"a":`))},
		{"MSG-8: a payload that ends its message", publishError(t, lobby, realtime.JSON([]byte("1\n{\"ping\":{}}")))},
		{"NoWait while the line is down", waitError(t, lobby.PublishAsync(1, &client.PublishOptions{NoWait: true}))},
		{"SUB-12: bytes cannot be entered with in JSON", c.Channel("chat:a", &client.ChannelOptions{Enter: []byte{1}}).Subscribe(within(t))},
	}
	for _, row := range rows {
		if row.err == nil {
			t.Errorf("%s: no error", row.rule)
		}
	}
}

func publishError(t *testing.T, ch *client.Channel, data any) error {
	t.Helper()
	_, err := ch.Publish(within(t), data, nil)
	return err
}

func waitError(t *testing.T, pending *client.Pending[client.Published]) error {
	t.Helper()
	_, err := pending.Wait(within(t))
	return err
}

func TestPublishesGivenWhileTheServerIsDownAreStoredOnceAndInOrder(t *testing.T) {
	s := startServer(t)
	c := connect(t, s, nil)
	lobby := c.Channel("chat:a", nil)
	lost := 0
	s.with(func(m *modelserver.Server) { m.Intercept = loseAnswers(m, 10, &lost) })
	var pending []*client.Pending[client.Published]
	for i := range 10 {
		pending = append(pending, lobby.PublishAsync(i, nil))
	}
	waitFor(t, s, func(m *modelserver.Server) bool { return len(m.Log("chat:a")) == 10 })
	s.stop()
	for i := range 10 {
		pending = append(pending, lobby.PublishAsync(10+i, nil))
	}
	s.start()
	for i, each := range pending {
		published, err := each.Wait(within(t))
		if err != nil || published.Offset != uint64(i+1) || published.Duplicate != (i < 10) {
			t.Errorf("CLI-7: publication %d is %+v, %v", i, published, err)
		}
	}
	s.with(func(m *modelserver.Server) {
		for i, p := range m.Log("chat:a") {
			if string(p.Payload.Bytes) != fmt.Sprint(i) {
				t.Errorf("CLI-7: at %d stands %s", i, p.Payload.Bytes)
			}
		}
		if len(m.Log("chat:a")) != 20 {
			t.Errorf("CLI-7: %d are stored", len(m.Log("chat:a")))
		}
	})
}

// loseAnswers stores so many publications without an answer.
func loseAnswers(m *modelserver.Server, max int, lost *int) func(*modelserver.Conn, *wire.ClientMessage) bool {
	return func(conn *modelserver.Conn, message *wire.ClientMessage) bool {
		if _, ok := message.Command.(*wire.Publish); !ok || *lost >= max {
			return false
		}
		*lost++
		own := m.Intercept
		m.Intercept = nil
		conn.Receive(message)
		conn.Take()
		m.Intercept = own
		return true
	}
}

// waitFor waits until the model is so; the client's next message wakes it.
func waitFor(t *testing.T, s *server, is func(*modelserver.Server) bool) {
	t.Helper()
	ctx := within(t)
	for {
		changed := s.changed()
		ok := false
		s.with(func(m *modelserver.Server) { ok = is(m) })
		if ok {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatal("it never became so")
		}
	}
}

func TestACommandThatWasNeverSentIsForgottenWithItsContext(t *testing.T) {
	s := startServer(t)
	c := newClient(t, s.url(), nil)
	lobby := c.Channel("chat:a", nil)
	ctx, cancel := context.WithCancel(t.Context())
	pending := lobby.PublishAsync("forgotten", nil)
	cancel()
	if _, err := pending.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	must(t, c.Connect(within(t)))
	if published, err := lobby.Publish(within(t), "kept", nil); err != nil || published.Offset != 1 {
		t.Errorf("published %+v, %v", published, err)
	}
}
