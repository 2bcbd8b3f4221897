package config

import (
	"fmt"
	"maps"
	"net"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// redacted stands where a secret is.
const redacted = "(set, not shown)"

// Check returns the effective configuration as YAML, without secrets, and what is unsafe or useless in it.
func (c *Config) Check() (effective string, warnings []string) {
	text, err := yaml.Marshal(node(reflect.ValueOf(*c)))
	if err != nil {
		return "", append(c.Warnings(), "the effective configuration cannot be shown: "+err.Error())
	}
	return string(text), c.Warnings()
}

// Warnings says what is unsafe or useless, one sentence each.
func (c *Config) Warnings() []string {
	if c.Dev {
		return []string{"development mode: anonymous connections may do everything, the secret and the API key are public; loopback only"}
	}
	var warnings []string
	warn := func(when bool, format string, args ...any) {
		if when {
			warnings = append(warnings, fmt.Sprintf(format, args...))
		}
	}
	host, _, _ := net.SplitHostPort(c.Listen)
	public := !isLoopback(host)
	verifies := c.Tokens.HMACSecret != "" || len(c.Tokens.Keys) > 0
	warn(!verifies && !c.AllowAnonymous, "nobody can connect: configure tokens.hmac_secret or tokens.keys")
	warn(len(c.Namespaces) == 0, "no channel exists: configure namespaces")
	warn(len(c.API.Keys) == 0, "nobody can use the HTTP API: configure api.keys")
	warn(c.AllowAnonymous, "anonymous connections are let in (allow_anonymous)")
	warn(public && c.TLS.CertificateFile == "" && len(c.TrustedProxies) == 0,
		"listen is %s without TLS: tokens travel readable, unless a proxy before it speaks TLS (then list it in trusted_proxies)", c.Listen)
	warn(public && c.MetricsOpen && c.InternalListen == "", "metrics_open shows the metrics to everybody who reaches %s", c.Listen)
	warn(public && c.InternalListen == "", "the API is served on the public address %s; internal_listen keeps it inside", c.Listen)
	if internal, _, err := net.SplitHostPort(c.InternalListen); err == nil {
		warn(internal == "" || internal == "0.0.0.0" || internal == "::", "internal_listen is %s: every network can reach it", c.InternalListen)
	}
	warn(c.InternalDebug, "profiles are served on %s (internal_debug): they hold names and data of clients", c.InternalListen)
	for _, origin := range c.AllowedOrigins {
		warn(strings.HasPrefix(origin, "http://") && !strings.HasPrefix(origin, "http://localhost"), "allowed_origins: %s is not https", origin)
	}
	warn(c.Demo, "the demo is served (demo)")
	return append(warnings, c.namespaceWarnings()...)
}

func (c *Config) namespaceWarnings() []string {
	var warnings []string
	for _, name := range slices.Sorted(maps.Keys(c.Namespaces)) {
		allow := c.Namespaces[name].Allow
		for action, word := range map[string]string{"publish": allow.Publish, "update": allow.Update} {
			if word == "anyone" && c.AllowAnonymous {
				warnings = append(warnings, fmt.Sprintf("namespaces.%s.allow.%s is anyone, and anonymous connections are let in", name, action))
			}
		}
	}
	slices.Sort(warnings)
	return warnings
}

// node turns a struct into YAML in the order of its fields.
func node(value reflect.Value) *yaml.Node {
	mapping := &yaml.Node{Kind: yaml.MappingNode}
	for i := range value.NumField() {
		tag := value.Type().Field(i).Tag
		content := fieldNode(value.Field(i), tag.Get("secret") != "")
		mapping.Content = append(mapping.Content, scalar(tag.Get("koanf")), content)
	}
	return mapping
}

func fieldNode(value reflect.Value, secret bool) *yaml.Node {
	switch {
	case value.Type() == reflect.TypeFor[time.Duration](), value.Type() == reflect.TypeFor[Size]():
		return scalar(describe(value))
	case value.Kind() == reflect.Struct:
		return node(value)
	case value.Kind() == reflect.Map:
		return mapNode(value)
	case value.Kind() == reflect.Slice:
		return listNode(value, secret)
	case secret && value.String() != "":
		return scalar(redacted)
	}
	encoded := &yaml.Node{}
	if err := encoded.Encode(value.Interface()); err != nil {
		return scalar(err.Error())
	}
	return encoded
}

func mapNode(value reflect.Value) *yaml.Node {
	mapping := &yaml.Node{Kind: yaml.MappingNode}
	names := value.MapKeys()
	slices.SortFunc(names, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, name := range names {
		mapping.Content = append(mapping.Content, scalar(name.String()), node(value.MapIndex(name)))
	}
	return mapping
}

func listNode(value reflect.Value, secret bool) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode}
	for i := range value.Len() {
		item := value.Index(i)
		switch {
		case item.Kind() == reflect.Struct:
			list.Content = append(list.Content, node(item))
		case secret:
			list.Content = append(list.Content, scalar(redacted))
		default:
			list.Content = append(list.Content, scalar(item.String()))
		}
	}
	return list
}

func scalar(text string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(text)
	return n
}
