package backendtest

import (
	"fmt"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

func testChannels(t *testing.T, open Open) {
	t.Run("channels that hold something, by name", testChannelList(open))
	t.Run("limit is 1 to 1000", func(t *testing.T) {
		f := newFixture(t, open)
		for _, limit := range []int{-1, 0, 1001} {
			_, err := f.backend.Channels(t.Context(), broker.ChannelsQuery{Pattern: "*", Limit: limit})
			f.wantCode(err, realtime.CodeBadRequest)
		}
	})
	t.Run("it is ready", func(t *testing.T) {
		f := newFixture(t, open)
		if err := f.backend.Ready(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func testChannelList(open Open) func(t *testing.T) {
	return func(t *testing.T) {
		f := newFixture(t, open)
		published := f.publishDraft(broker.Draft{Channel: "room:b", Payload: text("0")})
		f.publishDraft(broker.Draft{Channel: "room:b", Payload: text("0")})
		f.publishDraft(broker.Draft{Channel: "roof:a", Payload: text("0")})
		f.update(broker.Update{Channel: "room:a", Op: broker.OpSet, Key: "k", Value: text("0")})
		if err := f.backend.Enter(t.Context(), f.ns, "room:c", broker.Entrant{User: "u", Connection: "c"}); err != nil {
			t.Fatal(err)
		}
		if _, err := f.backend.Resume(t.Context(), f.ns, "room:d", broker.ResumeQuery{}); err != nil {
			t.Fatal(err)
		}
		list := func(query broker.ChannelsQuery) string {
			page, err := f.backend.Channels(t.Context(), query)
			if err != nil {
				t.Fatal(err)
			}
			var text string
			for _, c := range page.Channels {
				text += fmt.Sprintf("%s/%d/%d/%d/%d ", c.Channel, c.Top, c.Entries, c.Keys, c.Members)
				if c.Channel == "room:b" && c.Epoch != published.Position.Epoch {
					t.Errorf("epoch %q, want %q", c.Epoch, published.Position.Epoch)
				}
			}
			return text + fmt.Sprint(page.More)
		}
		rows := []struct {
			query broker.ChannelsQuery
			want  string
		}{
			{broker.ChannelsQuery{Pattern: "*", Limit: 10}, "roof:a/1/1/0/0 room:a/1/1/1/0 room:b/2/2/0/0 room:c/0/0/0/1 false"},
			{broker.ChannelsQuery{Pattern: "*", Limit: 2}, "roof:a/1/1/0/0 room:a/1/1/1/0 true"},
			{broker.ChannelsQuery{Pattern: "*", After: "room:a", Limit: 2}, "room:b/2/2/0/0 room:c/0/0/0/1 false"},
			{broker.ChannelsQuery{Pattern: "room:*", Limit: 1}, "room:a/1/1/1/0 true"},
			{broker.ChannelsQuery{Pattern: "room:c*", Limit: 1}, "room:c/0/0/0/1 false"},
			{broker.ChannelsQuery{Pattern: "room:b", Limit: 1}, "room:b/2/2/0/0 false"},
			{broker.ChannelsQuery{Pattern: "other:*", Limit: 1}, "false"},
		}
		for _, row := range rows {
			if got := list(row.query); got != row.want {
				t.Errorf("%+v: %s, want %s", row.query, got, row.want)
			}
		}
		f.control.Advance(2 * time.Minute)
		if got := list(broker.ChannelsQuery{Pattern: "*", Limit: 10}); got != "room:a/1/0/1/0 room:c/0/0/0/1 false" {
			t.Errorf("after the entries have aged away: %s", got)
		}
	}
}
