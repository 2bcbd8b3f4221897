package config

import (
	"time"

	"github.com/bellwire/bellwire/realtime"
)

// Namespace is the settings of the channels whose names begin with its name and a colon.
type Namespace struct {
	History          bool          `koanf:"history" help:"keep publications, so that clients resume and read back"`
	HistoryEntries   int           `koanf:"history_entries" min:"1" max:"1000000" help:"entries kept of a channel"`
	HistoryAge       time.Duration `koanf:"history_age" min:"1s" max:"8760h" help:"how long an entry is kept"`
	HistoryBytes     Size          `koanf:"history_bytes" min:"1KiB" max:"1GiB" help:"payload bytes kept of a channel"`
	IdempotencyAge   time.Duration `koanf:"idempotency_age" min:"1s" max:"24h" help:"how long the id of a publication is remembered"`
	IdempotencyCount int           `koanf:"idempotency_count" min:"1" max:"1000000" help:"ids remembered of a channel"`
	State            bool          `koanf:"state" help:"channels have keys and values"`
	StateKeys        int           `koanf:"state_keys" min:"1" max:"1000000" help:"keys of a channel"`
	StateBytes       Size          `koanf:"state_bytes" min:"1KiB" max:"1GiB" help:"bytes of keys and values of a channel"`
	OwnKeys          bool          `koanf:"own_keys" help:"a client may change only the key that is its user"`
	Presence         bool          `koanf:"presence" help:"channels know who is there"`
	PresenceMembers  int           `koanf:"presence_members" min:"1" max:"1000000" help:"users present in a channel"`
	PayloadBytes     Size          `koanf:"payload_bytes" min:"1B" max:"16MiB" help:"largest payload"`
	Slow             string        `koanf:"slow" help:"what happens to a connection that does not keep up: disconnect, drop (the subscription) or newest (only without history and state)"`
	Allow            Allow         `koanf:"allow"`
}

// Allow says who may do what without a grant of a token: nobody, user or anyone (AUT-2).
type Allow struct {
	Subscribe string `koanf:"subscribe" help:"who may subscribe: nobody, user (any valid token) or anyone"`
	Publish   string `koanf:"publish" help:"who may publish"`
	History   string `koanf:"history" help:"who may read the history"`
	State     string `koanf:"state" help:"who may read the state"`
	Update    string `koanf:"update" help:"who may change the state"`
	Presence  string `koanf:"presence" help:"who may read who is there"`
	Enter     string `koanf:"enter" help:"who may be seen there"`
}

// DefaultNamespace is what a namespace is that says nothing: a stream without memory that nobody may use without a grant.
func DefaultNamespace() Namespace {
	return Namespace{
		HistoryEntries: 1000, HistoryAge: 5 * time.Minute, HistoryBytes: MiB,
		IdempotencyAge: 5 * time.Minute, IdempotencyCount: 10_000,
		StateKeys: 1000, StateBytes: 256 * KiB,
		PresenceMembers: 10_000,
		PayloadBytes:    64 * KiB,
		Slow:            "disconnect",
		Allow:           allowAll("nobody"),
	}
}

func allowAll(who string) Allow {
	return Allow{Subscribe: who, Publish: who, History: who, State: who, Update: who, Presence: who, Enter: who}
}

// by lists the settings in the order of realtime.Actions.
func (a *Allow) by() map[realtime.Action]string {
	return map[realtime.Action]string{
		realtime.ActionSubscribe: a.Subscribe,
		realtime.ActionPublish:   a.Publish,
		realtime.ActionHistory:   a.History,
		realtime.ActionState:     a.State,
		realtime.ActionUpdate:    a.Update,
		realtime.ActionPresence:  a.Presence,
		realtime.ActionEnter:     a.Enter,
	}
}

var whoByWord = map[string]realtime.Who{"nobody": realtime.Nobody, "user": realtime.User, "anyone": realtime.Anyone}

var slowByWord = map[string]realtime.SlowPolicy{
	"disconnect": realtime.SlowDisconnect, "drop": realtime.SlowDrop, "newest": realtime.SlowNewest,
}

// realtime returns the settings as the channel core takes them; they have been validated.
func (n *Namespace) realtime(name string) *realtime.Namespace {
	allow := make(map[realtime.Action]realtime.Who, len(realtime.Actions))
	for action, word := range n.Allow.by() {
		allow[action] = whoByWord[word]
	}
	return &realtime.Namespace{
		Name:                name,
		History:             n.History,
		HistoryEntriesMax:   n.HistoryEntries,
		HistoryAgeMax:       n.HistoryAge,
		HistoryBytesMax:     int(n.HistoryBytes),
		IdempotencyAgeMax:   n.IdempotencyAge,
		IdempotencyCountMax: n.IdempotencyCount,
		State:               n.State,
		StateKeysMax:        n.StateKeys,
		StateBytesMax:       int(n.StateBytes),
		OwnKeys:             n.OwnKeys,
		Presence:            n.Presence,
		PresenceMembersMax:  n.PresenceMembers,
		PayloadBytesMax:     int(n.PayloadBytes),
		Slow:                slowByWord[n.Slow],
		Allow:               allow,
	}
}

// Everywhere is who may subscribe to a pattern that lies in no one namespace: never more than a namespace allows.
func (c *Config) Everywhere() realtime.Who {
	everywhere := whoByWord[c.AllowEverywhere]
	for _, n := range c.Namespaces {
		everywhere = min(everywhere, whoByWord[n.Allow.Subscribe])
	}
	return everywhere
}

// NamespaceLookup returns the function by which a node finds the settings of a namespace. In development mode every
// name has some.
func (c *Config) NamespaceLookup() func(name string) (*realtime.Namespace, bool) {
	known := make(map[string]*realtime.Namespace, len(c.Namespaces))
	for name, n := range c.Namespaces {
		known[name] = n.realtime(name)
	}
	if c.Dev {
		return devLookup(known)
	}
	return func(name string) (*realtime.Namespace, bool) {
		n, found := known[name]
		return n, found
	}
}
