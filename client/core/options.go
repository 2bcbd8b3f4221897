package core

// Options say how a client lives. Every limit that is 0 gets its default; none can be switched off.
type Options struct {
	URLs        []string // the first attempt uses the first, a failed one leads to the next
	Client      string   // names the library in connect (CNT-1)
	Token       string   // held from the start, or ""
	TokenSource bool     // FetchToken may be asked

	// Random draws uniformly from [0, 1). It decides when to try again and the ids of publications (CLI-7), so an owner
	// of a real client gives it a source that cannot be guessed.
	Random func() float64

	ConnectTimeoutMS  int64 // the first one; 10,000
	CommandsMax       int   // given and not answered; 1,000
	CommandsBytesMax  int   // of these; 1 MiB
	CommandBurst      int64 // messages at once; 50
	CommandIntervalMS int64 // between two messages beyond the burst; 22
	EntriesMax        int   // keys, and members, that a subscription holds; 65,536
}

// Defaults of Options, and what the clauses fix.
const (
	connectTimeoutMS     = 10_000
	connectTimeoutMaxMS  = 30_000
	commandsMax          = 1000
	commandsBytesMax     = 1 << 20
	commandBurst         = 50
	commandIntervalMS    = 22
	entriesMax           = 65_536
	backoffFirstMS       = 1000
	backoffMaxMS         = 30_000
	quickRetryMS         = 200
	offlineRetryMS       = 60_000
	shortLineMS          = 5000
	windowMS             = 1000
	windowMaxMS          = 600_000
	pingMS               = 25_000
	pongMS               = 8000
	livenessMinMS        = 1000
	refreshEarlyMS       = 10_000
	messageBytes         = 65_536
	channelsInMessageMax = 128
)

func (o Options) withDefaults() Options {
	setDefault(&o.ConnectTimeoutMS, connectTimeoutMS)
	setDefault(&o.CommandsMax, commandsMax)
	setDefault(&o.CommandsBytesMax, commandsBytesMax)
	setDefault(&o.CommandBurst, commandBurst)
	setDefault(&o.CommandIntervalMS, commandIntervalMS)
	setDefault(&o.EntriesMax, entriesMax)
	return o
}

func setDefault[N int | int64](value *N, otherwise N) {
	if *value <= 0 {
		*value = otherwise
	}
}
