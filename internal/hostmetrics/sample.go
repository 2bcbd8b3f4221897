package hostmetrics

import (
	"math"
	"time"
)

// A Reading is what the system counted up to one moment. Counters only grow, until they begin anew.
type Reading struct {
	Time            time.Time
	CPUBusySeconds  float64 // over all processors
	CPUTotalSeconds float64 // busy, idle and waiting for disks
	Load            [3]float64
	MemoryUsed      uint64
	MemoryTotal     uint64
	ReceivedBytes   uint64 // all interfaces but the loopback
	SentBytes       uint64
	Host            Host
}

// A Sample is what is published of the machine once a second; the field names are those of the line.
type Sample struct {
	TimeMS  int64      `json:"time_ms"`
	CPU     float64    `json:"cpu"`  // percent of all processors together, one decimal
	Load    [3]float64 `json:"load"` // averages over 1, 5 and 15 minutes
	Memory  Memory     `json:"memory"`
	Network Network    `json:"network"`
	Host    Host       `json:"host"`
}

// Memory is in bytes.
type Memory struct {
	Used  uint64 `json:"used"`
	Total uint64 `json:"total"`
}

// Network is what passed the interfaces, the loopback left out.
type Network struct {
	ReceivedBytesPerSecond uint64 `json:"rx_bytes_per_s"`
	SentBytesPerSecond     uint64 `json:"tx_bytes_per_s"`
}

// Host holds facts that rarely change.
type Host struct {
	Name          string `json:"name,omitempty"`
	OS            string `json:"os,omitempty"`       // linux, darwin, windows
	Platform      string `json:"platform,omitempty"` // debian 13
	Kernel        string `json:"kernel,omitempty"`
	Architecture  string `json:"architecture,omitempty"`
	CPUModel      string `json:"cpu_model,omitempty"`
	CPUCount      int    `json:"cpu_count,omitempty"` // logical processors
	UptimeSeconds uint64 `json:"uptime_s,omitempty"`
}

// Between returns what happened between two readings. A counter that went back began anew: its part of the sample is 0,
// and so is every rate when no time has passed.
func Between(before, after Reading) Sample {
	seconds := after.Time.Sub(before.Time).Seconds()
	return Sample{
		TimeMS: after.Time.UnixMilli(),
		CPU:    percent(after.CPUBusySeconds-before.CPUBusySeconds, after.CPUTotalSeconds-before.CPUTotalSeconds),
		Load:   after.Load,
		Memory: Memory{Used: after.MemoryUsed, Total: after.MemoryTotal},
		Network: Network{
			ReceivedBytesPerSecond: rate(before.ReceivedBytes, after.ReceivedBytes, seconds),
			SentBytesPerSecond:     rate(before.SentBytes, after.SentBytes, seconds),
		},
		Host: after.Host,
	}
}

func percent(part, whole float64) float64 {
	if !(whole > 0) || !(part > 0) {
		return 0
	}
	return math.Round(1000*min(part/whole, 1)) / 10
}

func rate(before, after uint64, seconds float64) uint64 {
	if after < before || !(seconds > 0) {
		return 0
	}
	return uint64(math.Round(float64(after-before) / seconds))
}
