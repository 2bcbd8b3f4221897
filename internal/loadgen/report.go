package loadgen

import (
	"maps"
	"time"
)

// Report is what a workload found. Its JSON is for programs; new fields may come.
type Report struct {
	Workload     string  `json:"workload"`
	Connections  int     `json:"connections"` // lines at the end
	Channels     int     `json:"channels"`
	Subscribers  int     `json:"subscribers,omitempty"`
	Publishers   int     `json:"publishers,omitempty"`
	PayloadBytes int     `json:"payload_bytes,omitempty"`
	Seconds      float64 `json:"seconds"` // of the part that was measured

	Published  uint64            `json:"published"` // answered with success
	Delivered  uint64            `json:"delivered"` // once each
	Lost       uint64            `json:"lost"`
	CutOff     uint64            `json:"cut_off"` // what lines that ended by themselves have missed since
	Duplicates uint64            `json:"duplicates"`
	Failures   map[string]uint64 `json:"failures,omitempty"` // commands answered with an error, by its name
	Ended      map[string]uint64 `json:"ended,omitempty"`    // lines that ended by themselves, by why

	Connect  *Latency `json:"connect,omitempty"`  // from the first packet to the confirmed subscription
	Answer   *Latency `json:"answer,omitempty"`   // from a publication to its position
	Delivery *Latency `json:"delivery,omitempty"` // from a publication to its delivery

	Server    *Cost `json:"server,omitempty"` // nil: its process is not known
	Generator *Cost `json:"generator,omitempty"`
}

// Latency is a distribution in microseconds.
type Latency struct {
	Count uint64  `json:"count"`
	P50   float64 `json:"p50_us"`
	P90   float64 `json:"p90_us"`
	P99   float64 `json:"p99_us"`
	P999  float64 `json:"p99_9_us"`
	Max   float64 `json:"max_us"`
}

// Cost is what a process needed. Times for one thing are in microseconds; nil means not measured.
type Cost struct {
	PID                 int      `json:"pid,omitempty"`
	CPUSeconds          float64  `json:"cpu_s"`
	RSSBytes            uint64   `json:"rss_bytes"` // at the end
	CPUPerConnect       *float64 `json:"cpu_per_connect_us,omitempty"`
	CPUPerPublication   *float64 `json:"cpu_per_publication_us,omitempty"`
	CPUPerDelivery      *float64 `json:"cpu_per_delivery_us,omitempty"`
	CPUPerIdleSecond    *float64 `json:"cpu_per_idle_connection_second_us,omitempty"`
	RSSPerConnection    *float64 `json:"rss_per_connection_bytes,omitempty"`
	RSSBytesFewer       uint64   `json:"rss_bytes_fewer,omitempty"` // idle: with the smaller number of connections
	ConnectionsFewer    int      `json:"connections_fewer,omitempty"`
	CPUPerSecondAtFewer float64  `json:"cpu_share_fewer,omitempty"`
	CPUPerSecondAtMore  float64  `json:"cpu_share,omitempty"`
}

// report gathers what was counted.
func (r *run) report(workload string, measured time.Duration) *Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &Report{
		Workload: workload, Seconds: measured.Seconds(),
		Published: r.published.Load(), Delivered: r.delivered.Load(), Lost: r.lost.Load(), CutOff: r.cutOff.Load(), Duplicates: r.duplicates.Load(),
		Failures: maps.Clone(r.failures), Ended: maps.Clone(r.endings),
		Connect: latencyOf(&r.connect), Answer: latencyOf(&r.answer), Delivery: latencyOf(&r.delivery),
	}
}

// latencyOf is nil for a histogram without entries.
func latencyOf(h *Histogram) *Latency {
	count := h.Count()
	if count == 0 {
		return nil
	}
	return &Latency{
		Count: count, P50: micros(h.Percentile(50)), P90: micros(h.Percentile(90)), P99: micros(h.Percentile(99)),
		P999: micros(h.Percentile(99.9)), Max: micros(h.Max()),
	}
}

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// cost adds what both processes needed between two looks.
func (report *Report) cost(before, after reading) {
	report.Server = costOf(before.server, after.server)
	report.Generator = costOf(before.generator, after.generator)
}

func costOf(before, after *Usage) *Cost {
	if before == nil || after == nil {
		return nil
	}
	return &Cost{CPUSeconds: (after.CPU - before.CPU).Seconds(), RSSBytes: after.RSS}
}

// each is the processor time of one of count things in microseconds; nil when nothing was done.
func (c *Cost) each(count uint64) *float64 {
	if count == 0 {
		return nil
	}
	value := c.CPUSeconds * 1e6 / float64(count)
	return &value
}

// idle adds the slope between two levels.
func (report *Report) idle(fewer, more idleLevel) {
	connections := float64(more.connections - fewer.connections)
	rss := (float64(more.rss) - float64(fewer.rss)) / connections
	cpu := (more.cpuPerSecond - fewer.cpuPerSecond) * 1e6 / connections
	report.Server = &Cost{
		CPUSeconds: more.cpuPerSecond * report.Seconds, RSSBytes: more.rss, RSSPerConnection: &rss, CPUPerIdleSecond: &cpu,
		RSSBytesFewer: fewer.rss, ConnectionsFewer: fewer.connections,
		CPUPerSecondAtFewer: fewer.cpuPerSecond, CPUPerSecondAtMore: more.cpuPerSecond,
	}
}
