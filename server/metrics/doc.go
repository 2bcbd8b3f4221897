// Package metrics counts what the server does, for Prometheus.
//
// All names begin with bellwire_ and end in their unit. No user, channel, address or anything else a peer chooses is a
// label, so that the number of series is fixed by the code (VC-45). docs/OPERATING.md has the table.
package metrics
