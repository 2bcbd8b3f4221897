package config

import (
	"sync"
	"time"

	"github.com/bellwire/bellwire/realtime"
)

// What development mode uses in place of secrets. They are public: they open nothing but a server on loopback, and a
// server that is not in development mode refuses them.
const (
	DevAPIKey = "dev"
	DevSecret = "bellwire-development-secret-0123456789"
)

// devNamespacesMax bounds the namespaces that development mode makes up, since clients name them.
const devNamespacesMax = 1000

// devDefault is Default with every door open. Only loopback can reach it, see validateListen.
func devDefault() Config {
	c := Default()
	c.Dev = true
	c.AllowAnonymous = true
	c.AllowEverywhere = "anyone"
	c.AllowedHosts = []string{"localhost", "127.0.0.1", "::1"}
	c.Demo = true
	c.Drain = time.Second // whoever develops waits for it often
	c.MetricsOpen = true
	c.Tokens.HMACSecret = DevSecret
	c.Tokens.FailuresPerMinute = 10_000
	c.API.Keys = []string{DevAPIKey}
	c.Limits.UnauthenticatedPerIP = 4096
	return c
}

// devNamespace is the settings that development mode gives a namespace nobody configured.
func devNamespace(name string) Namespace {
	n := DefaultNamespace()
	n.Allow = allowAll("anyone")
	n.Presence = true
	switch name {
	case "cursor", "typing", "volatile":
		n.Slow = "newest"
	case "reaction":
		n.State = true
	default:
		n.History = true
		n.State = true
	}
	n.OwnKeys = name == "poll" || name == "seen"
	return n
}

// devLookup makes up the settings of a namespace when it is first asked for.
func devLookup(known map[string]*realtime.Namespace) func(string) (*realtime.Namespace, bool) {
	var mu sync.RWMutex
	return func(name string) (*realtime.Namespace, bool) {
		mu.RLock()
		n, found := known[name]
		mu.RUnlock()
		if found {
			return n, true
		}
		mu.Lock()
		defer mu.Unlock()
		if n, found = known[name]; found {
			return n, true
		}
		if len(known) >= devNamespacesMax {
			return nil, false
		}
		made := devNamespace(name)
		known[name] = made.realtime(name)
		return known[name], true
	}
}
