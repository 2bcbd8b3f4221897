package config

import "time"

// Config is everything an operator can say. The tags are the key, the smallest and largest value, and the help.
type Config struct {
	Dev             bool     `koanf:"dev" help:"development mode: open to everybody, on loopback only"`
	Name            string   `koanf:"name" help:"name of this node; the host's name when empty"`
	Listen          string   `koanf:"listen" help:"address of the WebSocket, the API and everything else"`
	InternalListen  string   `koanf:"internal_listen" help:"when set, the API and the metrics are served on this address instead, and health on both"`
	TLS             TLS      `koanf:"tls"`
	HTTP2WebSocket  bool     `koanf:"http2_websocket" help:"offer WebSocket over HTTP/2 (RFC 8441) on the main address; off, it speaks HTTP/1.1 alone"`
	AllowAnonymous  bool     `koanf:"allow_anonymous" help:"connections without a token are let in; they may do what a namespace allows to anyone"`
	AllowEverywhere string   `koanf:"allow_everywhere" help:"who may subscribe to a pattern that lies in no one namespace, such as *: nobody, user or anyone; not more than every namespace allows"`
	AllowedOrigins  []string `koanf:"allowed_origins" help:"origins of web pages that may connect, besides the server's own: https://example.com, https://*.example.com, http://localhost:*"`
	AllowedHosts    []string `koanf:"allowed_hosts" help:"host names, without port, by which this server may be called; any when empty"`
	TrustedProxies  []string `koanf:"trusted_proxies" help:"addresses and networks of proxies whose X-Forwarded-For is believed"`
	Demo            bool     `koanf:"demo" help:"serve the demo at /"`
	MetricsOpen     bool     `koanf:"metrics_open" help:"/metrics on the main address needs no API key"`
	InternalDebug   bool     `koanf:"internal_debug" help:"serve Go's profiles below /debug/ on internal_listen, to everybody who reaches it"`

	Drain  time.Duration `koanf:"drain" min:"0s" max:"10m" help:"over how long clients are moved away before the process ends"`
	Tokens Tokens        `koanf:"tokens"`
	API    API           `koanf:"api"`
	HTTP   HTTP          `koanf:"http"`
	Limits Limits        `koanf:"limits"`
	Log    Log           `koanf:"log"`

	// Namespaces is keyed by the name that stands before the colon; "" holds the channels without one.
	Namespaces map[string]Namespace `koanf:"namespaces"`
}

// TLS says with which certificate the server speaks TLS itself.
type TLS struct {
	CertificateFile string `koanf:"certificate_file" help:"PEM file of the certificate and its chain; with it the main address speaks TLS 1.2 or newer"`
	KeyFile         string `koanf:"key_file" help:"PEM file of the certificate's private key"`
}

// Tokens says which tokens are valid (PROTOCOL.md section 7).
type Tokens struct {
	HMACSecret        string        `koanf:"hmac_secret" secret:"true" help:"secret of HS256 tokens without a key id, at least 32 bytes"`
	HMACSecretFile    string        `koanf:"hmac_secret_file" help:"file that holds hmac_secret; a line feed at its end is not part of it"`
	Issuer            string        `koanf:"issuer" help:"the iss claim every token must have; not looked at when empty"`
	Audience          string        `koanf:"audience" help:"what the aud claim of every token must contain; when empty, tokens with an aud claim are refused"`
	Leeway            time.Duration `koanf:"leeway" min:"0s" max:"5m" help:"how far the clocks of token makers may differ"`
	FailuresPerMinute int           `koanf:"failures_per_minute" min:"1" max:"1000000" help:"invalid tokens from one address in a minute before its handshakes get 429 for a minute; expired ones do not count"`
	Keys              []Key         `koanf:"keys" help:"further keys"`
}

// Key is one key that may have signed a token. It has one algorithm, which the token's header cannot change (AUT-5).
type Key struct {
	ID            string `koanf:"id" help:"the kid header of the tokens it signed; one key may have none"`
	Algorithm     string `koanf:"algorithm" help:"HS256, HS384, HS512, RS256, RS384, RS512, ES256, ES384 or EdDSA"`
	Secret        string `koanf:"secret" secret:"true" help:"for HS: the secret"`
	SecretFile    string `koanf:"secret_file" help:"for HS: file that holds the secret"`
	PublicKey     string `koanf:"public_key" help:"for the others: the public key in PEM"`
	PublicKeyFile string `koanf:"public_key_file" help:"for the others: file that holds the public key in PEM"`
}

// API says who may use the HTTP API, and how much at once.
type API struct {
	Keys              []string      `koanf:"keys" secret:"true" help:"keys of the application's backends, at least 24 bytes each"`
	KeysFile          string        `koanf:"keys_file" help:"file with one key on each line, besides keys"`
	BodyBytes         Size          `koanf:"body_bytes" min:"1KiB" max:"64MiB" help:"largest body of a request"`
	BroadcastChannels int           `koanf:"broadcast_channels" min:"1" max:"100000" help:"most channels of one broadcast"`
	BatchCommands     int           `koanf:"batch_commands" min:"1" max:"100000" help:"most commands of one batch"`
	Streams           int           `koanf:"streams" min:"1" max:"100000" help:"most streams of publications at once"`
	StreamIdle        time.Duration `koanf:"stream_idle" min:"100ms" max:"24h" help:"how long a stream of publications may bring nothing before it is ended"`
	FailuresPerMinute int           `koanf:"failures_per_minute" min:"1" max:"10000" help:"wrong keys from one address in a minute before it gets 429 for a minute"`
	Timeout           time.Duration `koanf:"timeout" min:"100ms" max:"5m" help:"how long one request may take"`
}

// HTTP bounds what a request may be before anything is known about who sends it.
type HTTP struct {
	HeadBytes     Size          `koanf:"head_bytes" min:"8KiB" max:"1MiB" help:"largest head of a request"`
	HeaderLines   int           `koanf:"header_lines" min:"16" max:"1000" help:"most header lines of a request"`
	LineBytes     Size          `koanf:"line_bytes" min:"1KiB" max:"1MiB" help:"longest header line"`
	URLBytes      Size          `koanf:"url_bytes" min:"256B" max:"1MiB" help:"longest URL"`
	Cookies       int           `koanf:"cookies" min:"1" max:"1000" help:"most cookies of a request"`
	HeaderTimeout time.Duration `koanf:"header_timeout" min:"100ms" max:"5m" help:"how long the head of a request may take"`
	BodyTimeout   time.Duration `koanf:"body_timeout" min:"100ms" max:"5m" help:"how long a whole request may take to come"`
	IdleTimeout   time.Duration `koanf:"idle_timeout" min:"1s" max:"1h" help:"how long a connection may wait for its next request"`
}

// Limits bounds what clients can make the server hold or do (PROTOCOL.md section 13).
type Limits struct {
	Connections          int           `koanf:"connections" min:"1" max:"10000000" help:"connections of this node; more get 503"`
	UnauthenticatedPerIP int           `koanf:"unauthenticated_per_ip" min:"1" max:"1000000" help:"connections of one address that have not connected yet; more are closed"`
	AdmissionPerSecond   int           `koanf:"admission_per_second" min:"1" max:"1000000" help:"connections taken in a second; the reconnect window follows from it"`
	MessageBytes         Size          `koanf:"message_bytes" min:"1KiB" max:"16MiB" help:"largest message from a client"`
	Fragments            int           `koanf:"fragments" min:"1" max:"131072" help:"most frames of one message"`
	FrameBytes           Size          `koanf:"frame_bytes" min:"4KiB" max:"16MiB" help:"messages to a client are gathered up to this size"`
	TokenBytes           Size          `koanf:"token_bytes" min:"512B" max:"8KiB" help:"longest token"`
	Subscriptions        int           `koanf:"subscriptions" min:"1" max:"100000" help:"subscriptions of a connection"`
	ChannelsPerCommand   int           `koanf:"channels_per_command" min:"1" max:"1000" help:"channels in one command"`
	CommandsPerSecond    int           `koanf:"commands_per_second" min:"1" max:"1000000" help:"commands of a connection in a second, in the long run"`
	CommandsBurst        int           `koanf:"commands_burst" min:"1" max:"1000000" help:"commands of a connection at once"`
	HeldBytes            Size          `koanf:"held_bytes" min:"1MiB" max:"1024GiB" help:"what all channels together may hold; the oldest entries give way first"`
	Channels             int           `koanf:"channels" min:"1" max:"100000000" help:"channels that may exist at once"`
	QueueBytes           Size          `koanf:"queue_bytes" min:"16KiB" max:"1GiB" help:"bytes waiting for a connection"`
	QueueMessages        int           `koanf:"queue_messages" min:"16" max:"1000000" help:"messages waiting for a connection"`
	ConnectTimeout       time.Duration `koanf:"connect_timeout" min:"100ms" max:"5m" help:"how long a connection may take to send connect"`
	Ping                 time.Duration `koanf:"ping" min:"1s" max:"1h" help:"a line on which nothing came for so long is pinged"`
	Pong                 time.Duration `koanf:"pong" min:"100ms" max:"10m" help:"how long the answer to a ping may take"`
	WriteTimeout         time.Duration `koanf:"write_timeout" min:"100ms" max:"5m" help:"how long a connection may take nothing while something waits for it"`
	CloseTimeout         time.Duration `koanf:"close_timeout" min:"100ms" max:"1m" help:"how long the close handshake may take"`
}

// Log says what is logged, and how.
type Log struct {
	Level  string `koanf:"level" help:"debug, info, warn or error"`
	Format string `koanf:"format" help:"text, json, or auto: text on a terminal and json elsewhere"`
}

// Default is the configuration of an empty file: safe, and useless until somebody is let in.
func Default() Config {
	return Config{
		Listen: "127.0.0.1:8000", AllowEverywhere: "nobody",
		Drain:  10 * time.Second,
		Tokens: Tokens{Leeway: 30 * time.Second, FailuresPerMinute: 10},
		API: API{
			BodyBytes: MiB, BroadcastChannels: 1000, BatchCommands: 1000, Streams: 256, StreamIdle: 5 * time.Minute, FailuresPerMinute: 10, Timeout: 10 * time.Second,
		},
		HTTP: HTTP{
			HeadBytes: 16 * KiB, HeaderLines: 64, LineBytes: 8 * KiB, URLBytes: 8 * KiB, Cookies: 32,
			HeaderTimeout: 5 * time.Second, BodyTimeout: 10 * time.Second, IdleTimeout: time.Minute,
		},
		Limits: Limits{
			Connections: 100_000, UnauthenticatedPerIP: 64, AdmissionPerSecond: 500,
			MessageBytes: 64 * KiB, Fragments: 1024, FrameBytes: 64 * KiB, TokenBytes: 8 * KiB,
			Subscriptions: 128, ChannelsPerCommand: 128, CommandsPerSecond: 50, CommandsBurst: 100,
			HeldBytes: 256 * MiB, Channels: 1_000_000, QueueBytes: MiB, QueueMessages: 1024,
			ConnectTimeout: 10 * time.Second, Ping: 25 * time.Second, Pong: 8 * time.Second,
			WriteTimeout: 5 * time.Second, CloseTimeout: 5 * time.Second,
		},
		Log:        Log{Level: "info", Format: "auto"},
		Namespaces: map[string]Namespace{},
	}
}
