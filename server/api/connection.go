package api

import (
	"context"
	"encoding/json"
	"strings"
	"unicode"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
	"github.com/bellwire/bellwire/realtime/node"
	"github.com/bellwire/bellwire/server/document"
)

// reasonBytesMax is what fits into a Close frame beside the code (RFC 6455 5.5.1).
const reasonBytesMax = 123

type channelInfo struct {
	Channel string `json:"channel"`
	Epoch   string `json:"epoch,omitempty"`
	Top     uint64 `json:"top,omitempty"`
	Entries int    `json:"entries,omitempty"`
	Keys    int    `json:"keys,omitempty"`
	Members int    `json:"members,omitempty"`
}

type channelsAnswer struct {
	Channels []channelInfo `json:"channels"`
	More     bool          `json:"more,omitempty"`
}

func (a *API) channels(ctx context.Context, in *document.Object) ([]byte, error) {
	query := broker.ChannelsQuery{
		Limit: readLimit(in), Pattern: in.ShortText("pattern", realtime.ChannelBytesMax), After: in.ShortText("after", realtime.ChannelBytesMax),
	}
	if err := in.End(); err != nil {
		return nil, err
	}
	if query.Pattern != "" {
		if err := realtime.CheckPattern(query.Pattern); err != nil {
			return nil, err
		}
	}
	page, err := a.config.Node.Channels(ctx, query)
	if err != nil {
		return nil, err
	}
	answer := channelsAnswer{Channels: make([]channelInfo, len(page.Channels)), More: page.More}
	for i, channel := range page.Channels {
		answer.Channels[i] = channelInfo(channel)
	}
	return json.Marshal(answer)
}

type countAnswer struct {
	Count int `json:"count"`
}

func (a *API) disconnect(ctx context.Context, in *document.Object) ([]byte, error) {
	target := readTarget(in)
	number, given := in.Integer("code", 4400, 4599)
	reason := in.ShortText("reason", reasonBytesMax)
	if err := in.End(); err != nil {
		return nil, err
	}
	code := realtime.Code(number)
	if given && (code.Kind() != realtime.KindDisconnect || code.Name() == "") {
		return nil, realtime.NewError(realtime.CodeBadRequest, "code is no disconnect code of the catalogue")
	}
	if strings.ContainsFunc(reason, unicode.IsControl) {
		return nil, realtime.NewError(realtime.CodeBadRequest, "reason has a control character")
	}
	count, err := a.config.Node.Disconnect(ctx, target, code, reason)
	if err != nil {
		return nil, err
	}
	return json.Marshal(countAnswer{count})
}

func (a *API) unsubscribe(ctx context.Context, in *document.Object) ([]byte, error) {
	target := readTarget(in)
	channel := in.Text("channel")
	if err := in.End(); err != nil {
		return nil, err
	}
	check := realtime.CheckChannel
	if realtime.IsPattern(channel) {
		check = realtime.CheckPattern
	}
	if err := check(channel); err != nil {
		return nil, err
	}
	count, err := a.config.Node.Unsubscribe(ctx, target, channel)
	if err != nil {
		return nil, err
	}
	return json.Marshal(countAnswer{count})
}

// readTarget reads user or connection; exactly one of the two.
func readTarget(in *document.Object) node.Target {
	in.RequireOne("user", "connection")
	return node.Target{
		User: in.ShortText("user", realtime.UserBytesMax), Connection: in.ShortText("connection", realtime.UserBytesMax),
	}
}

type infoAnswer struct {
	Name          string          `json:"name"`
	Version       string          `json:"version"`
	StartedMS     int64           `json:"started_ms"`
	UptimeMS      int64           `json:"uptime_ms"`
	Connections   int             `json:"connections"`
	Users         int             `json:"users"`
	Subscriptions int             `json:"subscriptions"`
	Channels      int             `json:"channels"`
	Draining      bool            `json:"draining"`
	Reconnect     reconnectAnswer `json:"reconnect"`
}

type reconnectAnswer struct {
	WindowMS int64 `json:"window_ms"`
}

func (a *API) info(_ context.Context, in *document.Object) ([]byte, error) {
	if err := in.End(); err != nil {
		return nil, err
	}
	info := a.config.Node.Info()
	return json.Marshal(infoAnswer{
		Name: info.Name, Version: info.Version, StartedMS: info.Started.UnixMilli(), UptimeMS: info.Uptime.Milliseconds(),
		Connections: info.Connections, Users: info.Users, Subscriptions: info.Subscriptions, Channels: info.Channels,
		Draining: info.Draining, Reconnect: reconnectAnswer{info.Window.Milliseconds()},
	})
}
