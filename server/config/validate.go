package config

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/bellwire/bellwire/realtime"
)

// Validate returns the first thing that is wrong, by its key. Load has called it; whoever builds a Config by hand does.
func (c *Config) Validate() error {
	return errors.Join(firstOf(
		func() error { return checkLimits("", reflect.ValueOf(*c)) },
		c.validateListen,
		c.validateTLS,
		c.validateOrigins,
		c.validateProxies,
		c.validateLog,
		c.validateTokens,
		c.validateAPIKeys,
		c.validateNamespaces,
		c.validateEverywhere,
		c.validateRelations,
	))
}

func firstOf(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) validateListen() error {
	addresses := map[string]string{"listen": c.Listen}
	if c.InternalListen != "" {
		addresses["internal_listen"] = c.InternalListen
	}
	for _, key := range slices.Sorted(maps.Keys(addresses)) {
		host, port, err := net.SplitHostPort(addresses[key])
		if err != nil || port == "" {
			return fmt.Errorf("%s is %q, and must be an address with a port, such as 127.0.0.1:8000", key, addresses[key])
		}
		if c.Dev && !isLoopback(host) {
			return fmt.Errorf("%s is %q, but development mode lets everybody do everything and therefore listens on "+
				"loopback only: use --listen 127.0.0.1:%s, or leave --dev out and configure who may connect", key, addresses[key], port)
		}
	}
	if c.InternalListen == c.Listen && !strings.HasSuffix(c.Listen, ":0") {
		return errors.New("internal_listen is the same address as listen; leave it out to serve everything on one")
	}
	if c.InternalDebug && c.InternalListen == "" {
		return errors.New("internal_debug needs internal_listen: profiles are never served on the main address")
	}
	return nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}

func (c *Config) validateTLS() error {
	if (c.TLS.CertificateFile == "") != (c.TLS.KeyFile == "") {
		return errors.New("tls.certificate_file and tls.key_file belong together; one of them is missing")
	}
	return nil
}

func (c *Config) validateOrigins() error {
	for _, origin := range c.AllowedOrigins {
		if err := checkOrigin(origin); err != nil {
			return fmt.Errorf("allowed_origins: %q: %w", origin, err)
		}
	}
	return nil
}

// checkOrigin takes scheme://host[:port], where the host may begin with "*." and the port may be "*".
func checkOrigin(origin string) error {
	if origin == "*" {
		return errors.New("any page of the web could connect in a visitor's name; list the origins")
	}
	plain := strings.TrimSuffix(origin, ":*")
	parsed, err := url.Parse(strings.Replace(plain, "://*.", "://", 1))
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Hostname() == "" {
		return errors.New("must be like https://example.com, https://*.example.com or http://localhost:*")
	}
	if parsed.Path != "" || parsed.RawQuery != "" || parsed.Fragment != "" || parsed.User != nil || strings.Contains(parsed.Host, "*") {
		return errors.New("an origin is a scheme, a host and a port, without a path")
	}
	if _, wildcard, found := strings.Cut(plain, "://*."); found && !strings.Contains(wildcard, ".") {
		return errors.New("the star would match a whole top-level domain")
	}
	return nil
}

func (c *Config) validateProxies() error {
	_, err := c.ProxyPrefixes()
	return err
}

// ProxyPrefixes returns TrustedProxies as networks.
func (c *Config) ProxyPrefixes() ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(c.TrustedProxies))
	for _, text := range c.TrustedProxies {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			address, addressErr := netip.ParseAddr(text)
			if addressErr != nil || address.Zone() != "" {
				return nil, fmt.Errorf("trusted_proxies: %q is neither an address nor a network such as 10.0.0.0/8", text)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		if prefix.Bits() == 0 {
			return nil, fmt.Errorf("trusted_proxies: %q is everybody; then anybody could claim any address", text)
		}
		prefixes = append(prefixes, prefix.Masked())
	}
	return prefixes, nil
}

func (c *Config) validateLog() error {
	if _, err := ParseLevel(c.Log.Level); err != nil {
		return fmt.Errorf("log.level: %w", err)
	}
	if !slices.Contains([]string{"auto", "text", "json"}, c.Log.Format) {
		return fmt.Errorf("log.format is %q, and must be auto, text or json", c.Log.Format)
	}
	return nil
}

// ParseLevel reads debug, info, warn or error.
func ParseLevel(word string) (slog.Level, error) {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	level, found := levels[word]
	if !found {
		return 0, fmt.Errorf("%q is no level; use debug, info, warn or error", word)
	}
	return level, nil
}

func (c *Config) validateNamespaces() error {
	for _, name := range slices.Sorted(maps.Keys(c.Namespaces)) {
		if err := validateNamespace(name, c.Namespaces[name]); err != nil {
			return fmt.Errorf("namespaces.%s: %w", name, err)
		}
	}
	return nil
}

func validateNamespace(name string, n Namespace) error {
	if name != "" {
		if err := realtime.CheckChannel(name + ":x"); err != nil || strings.Contains(name, ":") {
			return errors.New("a namespace's name is 1 to 64 of a-z 0-9 _ -")
		}
	}
	if err := checkLimits("", reflect.ValueOf(n)); err != nil {
		return err
	}
	if _, found := slowByWord[n.Slow]; !found {
		return fmt.Errorf("slow is %q, and must be disconnect, drop or newest", n.Slow)
	}
	if n.Slow == "newest" && (n.History || n.State) {
		return errors.New("slow: newest leaves publications out, so it goes only without history and state")
	}
	if n.OwnKeys && !n.State {
		return errors.New("own_keys says who may change state, but state is off")
	}
	for _, action := range realtime.Actions {
		if word := n.Allow.by()[action]; !slices.Contains([]string{"nobody", "user", "anyone"}, word) {
			return fmt.Errorf("allow.%s is %q, and must be nobody, user or anyone", action, word)
		}
	}
	return nil
}

// validateEverywhere: a pattern over all namespaces must not open one that is closed. In development mode the setting is
// not the operator's own and gives way instead.
func (c *Config) validateEverywhere() error {
	who, known := whoByWord[c.AllowEverywhere]
	if !known {
		return fmt.Errorf("allow_everywhere is %q, and must be nobody, user or anyone", c.AllowEverywhere)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Namespaces)) {
		if subscribe := c.Namespaces[name].Allow.Subscribe; !c.Dev && whoByWord[subscribe] < who {
			return fmt.Errorf("allow_everywhere is %s, but namespaces.%s.allow.subscribe is %s: allow that, or leave allow_everywhere out and "+
				"give the token of whoever needs it a grant for *", c.AllowEverywhere, name, subscribe)
		}
	}
	return nil
}

// validateRelations holds limits against each other: a namespace must not promise what a message cannot carry.
func (c *Config) validateRelations() error {
	for _, name := range slices.Sorted(maps.Keys(c.Namespaces)) {
		if n := c.Namespaces[name]; n.History && n.HistoryBytes < n.PayloadBytes {
			return fmt.Errorf("namespaces.%s: history_bytes is smaller than payload_bytes, so the largest payload could never be kept", name)
		}
	}
	if c.Limits.CommandsBurst < c.Limits.CommandsPerSecond {
		return fmt.Errorf("limits.commands_burst is %d, and must be at least limits.commands_per_second", c.Limits.CommandsBurst)
	}
	if Size(c.HTTP.LineBytes) > c.HTTP.HeadBytes || c.HTTP.URLBytes > c.HTTP.HeadBytes {
		return errors.New("http.line_bytes and http.url_bytes must not be larger than http.head_bytes")
	}
	return nil
}
