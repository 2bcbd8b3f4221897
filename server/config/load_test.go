package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
)

func writeFile(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func loadYAML(t *testing.T, content string, environ ...string) (*Config, error) {
	t.Helper()
	return Load(Sources{File: writeFile(t, "bellwire.yaml", content), Environ: environ})
}

func TestAnEmptyFileGivesTheSafeDefaults(t *testing.T) {
	cfg, err := loadYAML(t, "")
	if err != nil {
		t.Fatal(err)
	}
	if want := Default(); !reflect.DeepEqual(*cfg, want) {
		t.Errorf("got %+v\nwant %+v", *cfg, want)
	}
	if cfg.AllowAnonymous || cfg.Demo || cfg.MetricsOpen || len(cfg.AllowedOrigins) > 0 || len(cfg.API.Keys) > 0 ||
		cfg.Tokens.HMACSecret != "" || cfg.Listen != "127.0.0.1:8000" {
		t.Errorf("the default is not safe: %+v", *cfg)
	}
}

func TestEverySettingOfAFileArrives(t *testing.T) {
	cfg, err := loadYAML(t, `
name: bell-1
listen: "[::1]:9000"
internal_listen: 127.0.0.1:9001
allow_anonymous: true
allowed_origins: [https://example.com, "https://*.example.org", "http://localhost:*"]
trusted_proxies: [10.0.0.0/8, "::1"]
drain: 1m30s
tokens:
  hmac_secret: 0123456789abcdef0123456789abcdef
  issuer: shop
api:
  keys: [abcdefghijklmnopqrstuvwxyz]
limits:
  message_bytes: 128KiB
  subscriptions: 7
namespaces:
  "":
    allow: {subscribe: anyone}
  chat:
    history: true
    history_age: 1h
    slow: drop
    allow:
      publish: user
`)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Name, want.Listen, want.InternalListen = "bell-1", "[::1]:9000", "127.0.0.1:9001"
	want.AllowAnonymous = true
	want.AllowedOrigins = []string{"https://example.com", "https://*.example.org", "http://localhost:*"}
	want.TrustedProxies = []string{"10.0.0.0/8", "::1"}
	want.Drain = 90 * time.Second
	want.Tokens.HMACSecret, want.Tokens.Issuer = "0123456789abcdef0123456789abcdef", "shop"
	want.API.Keys = []string{"abcdefghijklmnopqrstuvwxyz"}
	want.Limits.MessageBytes, want.Limits.Subscriptions = 128*KiB, 7
	plain, chat := DefaultNamespace(), DefaultNamespace()
	plain.Allow.Subscribe = "anyone"
	chat.History, chat.HistoryAge, chat.Slow, chat.Allow.Publish = true, time.Hour, "drop", "user"
	want.Namespaces = map[string]Namespace{"": plain, "chat": chat}
	if !reflect.DeepEqual(*cfg, want) {
		t.Errorf("got  %+v\nwant %+v", *cfg, want)
	}
	lookup := cfg.NamespaceLookup()
	ns, found := lookup("chat")
	if !found || !ns.History || ns.HistoryAgeMax != time.Hour || ns.Slow != realtime.SlowDrop ||
		ns.Allow[realtime.ActionPublish] != realtime.User || ns.Allow[realtime.ActionSubscribe] != realtime.Nobody {
		t.Errorf("lookup: %v %+v", found, ns)
	}
	if _, found := lookup("other"); found {
		t.Error("a namespace nobody configured was found (NAM-3)")
	}
}

func TestFlagsWinOverTheEnvironmentAndThatOverTheFile(t *testing.T) {
	file := writeFile(t, "b.yaml", "name: file\nlisten: 127.0.0.1:1\nlimits: {subscriptions: 1, fragments: 2}\nallowed_hosts: [a]\n")
	cfg, err := Load(Sources{
		File: file,
		Environ: []string{
			"BELLWIRE_LISTEN=127.0.0.1:2", "BELLWIRE_LIMITS_SUBSCRIPTIONS=3", "BELLWIRE_LIMITS_PING=40s", "BELLWIRE_ALLOWED_HOSTS=b, c",
			"BELLWIRE_LIMITS_MESSAGE_BYTES=1MiB", "BELLWIRE_DEMO=true", "BELLWIRE_TOKEN=a.b.c", "PATH=/bin",
		},
		Flags: map[string]any{"listen": "127.0.0.1:4"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Name != "file" || cfg.Listen != "127.0.0.1:4" || cfg.Limits.Subscriptions != 3 || cfg.Limits.Fragments != 2 ||
		cfg.Limits.Ping != 40*time.Second || !reflect.DeepEqual(cfg.AllowedHosts, []string{"b", "c"}) ||
		cfg.Limits.MessageBytes != MiB || !cfg.Demo {
		t.Errorf("got %+v", *cfg)
	}
}

func TestWhatIsWrongIsRefusedByItsName(t *testing.T) {
	tests := []struct{ name, yaml, want string }{
		{"unknown key", "lissten: x", `unknown key "lissten"; did you mean "listen"?`},
		{"unknown nested key", "limits: {mesage_bytes: 1KiB}", `unknown key "limits.mesage_bytes"; did you mean "limits.message_bytes"?`},
		{"unknown key of a namespace", "namespaces: {chat: {histroy: true}}", `unknown key "namespaces.chat.histroy"; did you mean "namespaces.chat.history"?`},
		{"unknown key of a list", "tokens: {keys: [{idd: a}]}", `unknown key "tokens.keys[0].idd"; did you mean "tokens.keys[0].id"?`},
		{"key like no other", "zzzzzzzz: 1", `unknown key "zzzzzzzz"; known here: `},
		{"letter case counts", "Listen: x", `unknown key "Listen"; did you mean "listen"?`},
		{"key without value", "name:", "name has no value"},
		{"duplicate key", "name: a\nname: b", "already defined"},
		{"not YAML", "a: [", "did not find expected"},
		{"a list at the top", "- a", "cannot unmarshal"},
		{"text where settings belong", "limits: many", "limits must hold settings"},
		{"a list of settings as text", "tokens: {keys: abc}", "tokens.keys must be a list"},
		{"names as list", "namespaces: [chat]", "namespaces must hold names"},
		{"duration without a unit", "limits: {ping: 25}", "limits.ping: 25 is not a duration"},
		{"duration as a word", "limits: {ping: soon}", `limits.ping: "soon" is not a duration`},
		{"size as a word", "limits: {message_bytes: much}", `"much" is not a size`},
		{"size of a decimal unit", "limits: {message_bytes: 1MB}", `"1MB" is not a size`},
		{"fraction", "limits: {fragments: 1.5}", "limits.fragments: 1.5 is not a whole number"},
		{"number as a word", "limits: {fragments: few}", `limits.fragments: "few" is not a whole number`},
		{"everywhere as another word", "allow_everywhere: all", `allow_everywhere is "all", and must be nobody, user or anyone`},
		{"everywhere opens no namespace", "allow_everywhere: user\nnamespaces: {chat: {allow: {subscribe: anyone}}, secret: {}}", "allow_everywhere is user, but namespaces.secret.allow.subscribe is nobody"},
		{"switch as a word", "demo: maybe", `demo: "maybe" is not a switch`},
		{"number where text belongs", "name: 12", "name: "},
		{"size larger than 64 bits", "limits: {message_bytes: 99999999999GiB}", "is too large"},
		{"a namespace of a wrong name", "namespaces: {Chat: {}}", "namespaces.Chat: a namespace's name"},
		{"who is nobody knows", "namespaces: {chat: {allow: {publish: admin}}}", `namespaces.chat: allow.publish is "admin"`},
		{"slow policy unknown", "namespaces: {chat: {slow: wait}}", `slow is "wait"`},
		{"newest with history", "namespaces: {chat: {slow: newest, history: true}}", "only without history and state"},
		{"own keys without state", "namespaces: {chat: {own_keys: true}}", "state is off"},
		{"history smaller than a payload", "namespaces: {chat: {history: true, history_bytes: 1KiB}}", "history_bytes is smaller than payload_bytes"},
		{"every origin", `allowed_origins: ["*"]`, "any page of the web"},
		{"origin without scheme", "allowed_origins: [example.com]", "must be like"},
		{"origin with a path", "allowed_origins: [https://example.com/]", "without a path"},
		{"origin of a whole top-level domain", `allowed_origins: ["https://*.com"]`, "top-level domain"},
		{"origin with a star inside", `allowed_origins: ["https://a*.example.com"]`, "without a path"},
		{"proxy that is no address", "trusted_proxies: [proxy.local]", "neither an address nor a network"},
		{"everybody is a proxy", "trusted_proxies: [0.0.0.0/0]", "everybody"},
		{"listen without port", "listen: localhost", "listen is"},
		{"the same address twice", "internal_listen: 127.0.0.1:8000", "the same address"},
		{"certificate without key", "tls: {certificate_file: a.pem}", "belong together"},
		{"log level", "log: {level: loud}", `log.level: "loud" is no level`},
		{"log format", "log: {format: xml}", "log.format is"},
		{"burst below the rate", "limits: {commands_burst: 10}", "limits.commands_burst is 10"},
		{"url longer than the head", "http: {url_bytes: 32KiB}", "must not be larger than http.head_bytes"},
		{"development on every address", "dev: true\nlisten: 0.0.0.0:8000", "listens on loopback only: use --listen 127.0.0.1:8000"},
		{"development on a name", "dev: true\nlisten: example.com:80", "listens on loopback only"},
		{"development inside on every address", "dev: true\ninternal_listen: \":9000\"", "internal_listen is"},
		{"secret file that is not there", "tokens: {hmac_secret_file: /nonexistent}", "tokens.hmac_secret_file"},
		{"api keys file that is not there", "api: {keys_file: /nonexistent}", "api.keys_file"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := loadYAML(t, test.yaml)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v\nwant something with %q", err, test.want)
			}
		})
	}
}

func TestAnUnknownVariableIsRefused(t *testing.T) {
	_, err := Load(Sources{Environ: []string{"BELLWIRE_LISTENN=1"}})
	if err == nil || !strings.Contains(err.Error(), `unknown environment variable BELLWIRE_LISTENN; did you mean "BELLWIRE_LISTEN"?`) {
		t.Errorf("got %v", err)
	}
}

func TestEveryVariableNamesOneKey(t *testing.T) {
	names := make(map[string]string)
	for _, field := range Fields() {
		if strings.ContainsAny(field.Key, "<[") {
			continue
		}
		name := environmentName(field.Key)
		if other, taken := names[name]; taken {
			t.Errorf("%s is both %s and %s", name, other, field.Key)
		}
		names[name] = field.Key
		for _, client := range clientEnvironment {
			if name == client {
				t.Errorf("%s is a variable of the clients", name)
			}
		}
	}
}

func TestAFileThatIsNotThereIsAnError(t *testing.T) {
	if _, err := Load(Sources{File: filepath.Join(t.TempDir(), "none.yaml")}); err == nil {
		t.Error("no error")
	}
}

func TestSecretsComeFromFilesWithoutTheirLineFeed(t *testing.T) {
	secret := writeFile(t, "secret", "0123456789abcdef0123456789abcdef\n")
	keys := writeFile(t, "keys", "first-key-0123456789abcdef\nsecond-key-0123456789abcdef\n")
	cfg, err := loadYAML(t, "tokens: {hmac_secret_file: "+secret+"}\napi: {keys_file: "+keys+", keys: [zeroth-key-0123456789abcdef]}")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Tokens.HMACSecret != "0123456789abcdef0123456789abcdef" {
		t.Errorf("secret %q", cfg.Tokens.HMACSecret)
	}
	if want := []string{"zeroth-key-0123456789abcdef", "first-key-0123456789abcdef", "second-key-0123456789abcdef"}; !reflect.DeepEqual(cfg.API.Keys, want) {
		t.Errorf("keys %q", cfg.API.Keys)
	}
	_, err = loadYAML(t, "tokens: {hmac_secret: fedcba9876543210fedcba9876543210, hmac_secret_file: "+secret+"}")
	if err == nil || !strings.Contains(err.Error(), "both given") {
		t.Errorf("both: %v", err)
	}
}

func TestDevelopmentModeOpensEverythingOnLoopback(t *testing.T) {
	cfg, err := Load(Sources{Flags: map[string]any{"dev": true}})
	if err != nil {
		t.Fatal(err)
	}
	if !cfg.AllowAnonymous || !cfg.Demo || cfg.API.Keys[0] != "dev" || cfg.Listen != "127.0.0.1:8000" {
		t.Errorf("%+v", *cfg)
	}
	lookup := cfg.NamespaceLookup()
	for name, want := range map[string][3]bool{ // history, state, own keys
		"chat": {true, true, false}, "": {true, true, false}, "cursor": {false, false, false}, "typing": {false, false, false},
		"volatile": {false, false, false}, "reaction": {false, true, false}, "poll": {true, true, true}, "seen": {true, true, true},
	} {
		ns, found := lookup(name)
		if !found || ns.History != want[0] || ns.State != want[1] || ns.OwnKeys != want[2] || !ns.Presence {
			t.Errorf("%q: %+v", name, ns)
		}
		for _, action := range realtime.Actions {
			if ns.Allow[action] != realtime.Anyone {
				t.Errorf("%q: %s is not for anyone", name, action)
			}
		}
		if again, _ := lookup(name); again != ns {
			t.Errorf("%q: made twice", name)
		}
	}
	if _, found := lookup("x" + strings.Repeat("y", 3)); !found {
		t.Error("a new namespace was refused")
	}
	for i := range devNamespacesMax {
		lookup("n" + strings.Repeat("x", i%60) + strings.Repeat("y", i/60))
	}
	if _, found := lookup("one-more"); found {
		t.Error("clients can make up namespaces without end")
	}
}
