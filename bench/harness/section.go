package harness

// sections are the parts of a report, the most telling first.
func sections() []section {
	engines, servers := Engines()[1:], Servers()
	peers := servers[1:]
	const columns = "Columns are connections : bytes : messages "
	return []section{
		{title: "Server: fan-out, paced", cells: `server/fan/(10*:\d+)`, contenders: peers, value: "cpu_ns", floor: "server/fan/$1", plot: "server-fan",
			about: "One publication after the other to all subscribers, all delivered before the next one. CPU for each delivery, ratio to one `write`. Columns are subscribers : bytes. " +
				"With -sse, subscribers have Server-Sent Events; the publisher has a WebSocket as elsewhere."},
		{title: "Server: fan-out, flat out", cells: `server/flat/((10*):128:\d+)`, contenders: peers, value: "cpu_ns", floor: "server/fan/$2:128", plot: "server-flat",
			about: "As many publications as answers allow: 1, 4 or 16 unanswered. CPU for each delivered message, ratio to one `write` to as many subscribers, paced. " +
				"Columns are subscribers : bytes : unanswered. The tuned Centrifuge waits 20 ms for more; nobody else waits."},
		{title: "Server: how long a delivery takes, p50", cells: `server/fan/(10*:\d+)`, contenders: servers, value: "p50_us", scale: 1, unit: "µs",
			about: "From the publisher's send to the subscriber's read, in µs, paced. Half of it is the client, which reads all connections in one thread."},
		{title: "Server: how long a delivery takes, p99", cells: `server/fan/(10*:\d+)`, contenders: servers, value: "p99_us", scale: 1, unit: "µs", plot: "server-p99",
			about: "The same, for the slowest in a hundred."},
		{title: "Server: publish over WebSocket", cells: `server/publish/websocket/(.*)`, contenders: servers, value: "cpu_ns", scale: 1e-3, unit: "µs", plot: "server-publish-websocket", curve: "publishing connections",
			about: "CPU in µs for each publication on a channel without subscribers, each connection waiting for its answer. Columns are publishing connections. The floor reads and answers, and parses nothing."},
		{title: "Server: publish over HTTP", cells: `server/publish/http/(.*)`, contenders: peers, value: "cpu_ns", scale: 1e-3, unit: "µs", plot: "server-publish-http", curve: "publishing connections",
			about: "The same over HTTP/1.1 with kept connections. Centrifuge is behind the smallest handler that does it, without keys; Bellwire's is its own API."},
		{title: "Server: connections", contenders: servers, plot: "server-memory", plotted: 1,
			about: "Each has one subscription. Memory is that of the process, the slope over the numbers of connections: after a collection, and as it sits in rounds in which " +
				"nothing asks for one. The kernel takes about 4.8 kB more at each end, for all alike. Idle connections are pinged, and the load answers: every 25 s by Bellwire and Centrifuge, every two minutes by NATS, never by ws. " +
				"With -sse nothing answers: Bellwire sends a comment every 15 s, Centrifuge its ping.",
			columns: []column{
				{"connect and subscribe, CPU µs", "server/lines", "cpu_ns", 1e-3}, {"memory, bytes", "server/lines", "free_bytes", 1},
				{"as it sits, bytes", "server/lines", "sits_bytes", 1}, {"idle, CPU µs a second", "server/idle/TOP", "idle_ns", 1e-3},
				{"server at start, MB", "server/lines", "start_bytes", 1e-6},
			}},
		{title: "Server, both processors: fan-out", cells: `server/free/(.*)`, contenders: servers, value: "cpu_ns", scale: 1e-3, unit: "µs",
			about: "Neither server nor load is bound to a processor. CPU in µs for each delivery."},

		{title: "Growth: connect and subscribe", cells: `server/lines/(\d+)`, contenders: servers, value: "cpu_ns", scale: 1e-3, unit: "µs", plot: "growth-connect", curve: "connections",
			about: "CPU in µs for each connection, while their number grows. Flat is right."},
		{title: "Growth: memory of a connection", cells: `server/lines/(\d+)`, contenders: servers, value: "free_bytes", scale: 1, unit: "bytes", plot: "growth-memory", curve: "connections",
			about: "Bytes for each connection that came since the step before, after a collection."},
		{title: "Growth: an idle connection's CPU", cells: `server/idle/(\d+)`, contenders: servers, value: "idle_ns", scale: 1e-3, unit: "µs a second", plot: "growth-idle", curve: "connections",
			about: "CPU in µs a second for each connection on which nothing happens but pings. What a server does without any connection is in it."},
		{title: "Growth: fan-out, paced", cells: `server/fan/(\d+):128`, contenders: servers, value: "cpu_ns", scale: 1e-3, unit: "µs", plot: "growth-fan", curve: "subscribers of one channel",
			about: "CPU in µs for each delivery of 128 B. The floor grows too: more sockets fit the processor's caches less."},
		{title: "Growth: p99 of a delivery", cells: `server/fan/(\d+):128`, contenders: servers, value: "p99_us", scale: 1, unit: "µs", plot: "growth-p99", curve: "subscribers of one channel",
			about: "µs from send to read, paced. It is the time to write to all, so that it grows as the floor's does."},
		{title: "Growth: fan-out, flat out", cells: `server/flat/(\d+):128:16`, contenders: servers, value: "cpu_ns", scale: 1e-3, unit: "µs", plot: "growth-flat", curve: "subscribers of one channel",
			about: "CPU in µs for each delivered message, 16 publications unanswered."},
		{title: "Growth: channels", cells: `server/channels/(\d+)`, contenders: peers, value: "cpu_ns", scale: 1e-3, unit: "µs", plot: "growth-channels", curve: "channels of 10 subscribers",
			about: "CPU in µs for each delivery, publishing to each channel in turn."},

		{title: "Engine: echo, one message in flight", cells: `engine/echo/pinned/(10*:\d+:1)`, contenders: engines, value: "cpu_ns", floor: "engine/echo/pinned/$1", plot: "engine-echo-1",
			about: columns + "in flight on each. Ratio to the floor; server on one processor, load on the other."},
		{title: "Engine: echo, 16 messages in flight", cells: `engine/echo/pinned/(\d+:\d+:16)`, contenders: engines, value: "cpu_ns", floor: "engine/echo/pinned/$1", plot: "engine-echo-16",
			about: "The same, with bursts of 16."},
		{title: "Engine: echo, both processors", cells: `engine/echo/free/(.*)`, contenders: engines, value: "cpu_ns", floor: "engine/echo/free/$1", plot: "engine-echo-free",
			about: columns + "in flight on each. Ratio to the floor; nothing is bound to a processor."},
		{title: "Engine: echoes a second", cells: `engine/echo/free/(.*)`, contenders: Engines(), value: "rate", scale: 1e-3, unit: "thousands",
			about: "Thousands of messages a second in that setting, which depend on the load as much as on the server."},
		{title: "Engine: fan-out", cells: `engine/fan/(10*:\d+:1)`, contenders: engines, value: "cpu_ns", floor: "engine/fan/$1", plot: "engine-fan",
			about: columns + "at once, sent by the server to all. Ratio to one `write` for each."},
		{title: "Engine: fan-out of several at once", cells: `engine/fan/((\d+):128:(?:4|16))`, contenders: engines, value: "cpu_ns", floor: "engine/fan/$2:128:1", plot: "engine-fan-many",
			about: columns + "at once. CPU for each delivered message, ratio to one `write`."},
		{title: "Engine: an idle connection", contenders: Engines(), plot: "engine-memory", plotted: 0,
			about: "Each has echoed one message. Memory is that of the process: the slope over the numbers of connections.",
			columns: []column{
				{"memory, bytes", "engine/idle", "free_bytes", 1}, {"as it sits, bytes", "engine/idle", "sits_bytes", 1},
				{"connect, CPU µs", "engine/idle", "cpu_ns", 1e-3}, {"at start, MB", "engine/idle", "start_bytes", 1e-6},
			}},
		{title: "Growth: engine, echo", cells: `engine/echo/pinned/(\d+):128:1`, contenders: Engines(), value: "cpu_ns", scale: 1e-3, unit: "µs", plot: "growth-engine-echo", curve: "connections",
			about: "CPU in µs for each echo of 128 B, one in flight on each connection."},
		{title: "Growth: engine, fan-out", cells: `engine/fan/(\d+):128:1`, contenders: Engines(), value: "cpu_ns", scale: 1e-3, unit: "µs", plot: "growth-engine-fan", curve: "connections",
			about: "CPU in µs for each message of 128 B that is sent to all."},
		{title: "Growth: engine, memory", cells: `engine/idle/(\d+)`, contenders: Engines(), value: "free_bytes", scale: 1, unit: "bytes", plot: "growth-engine-memory", curve: "connections",
			about: "Bytes for each connection that came since the step before, after a collection."},
	}
}
