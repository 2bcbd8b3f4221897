package hostmetrics

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func at(ms int64) time.Time { return time.UnixMilli(ms) }

func TestBetween(t *testing.T) {
	rows := []struct {
		rule          string
		before, after Reading
		want          Sample
	}{
		{
			rule:   "rates are over the time between the readings",
			before: Reading{Time: at(1000), CPUBusySeconds: 10, CPUTotalSeconds: 100, ReceivedBytes: 500, SentBytes: 70},
			after: Reading{Time: at(3000), CPUBusySeconds: 11, CPUTotalSeconds: 104, Load: [3]float64{1, 0.5, 0.25},
				MemoryUsed: 3, MemoryTotal: 8, ReceivedBytes: 2500, SentBytes: 73, Host: Host{Name: "bell"}},
			want: Sample{TimeMS: 3000, CPU: 25, Load: [3]float64{1, 0.5, 0.25}, Memory: Memory{Used: 3, Total: 8},
				Network: Network{ReceivedBytesPerSecond: 1000, SentBytesPerSecond: 2}, Host: Host{Name: "bell"}},
		},
		{
			rule:   "percent has one decimal",
			before: Reading{Time: at(0)},
			after:  Reading{Time: at(1000), CPUBusySeconds: 1, CPUTotalSeconds: 3},
			want:   Sample{TimeMS: 1000, CPU: 33.3},
		},
		{
			rule:   "a processor is never busier than all of it",
			before: Reading{Time: at(0)},
			after:  Reading{Time: at(1000), CPUBusySeconds: 3.01, CPUTotalSeconds: 3},
			want:   Sample{TimeMS: 1000, CPU: 100},
		},
		{
			rule:   "a counter that went back began anew",
			before: Reading{Time: at(0), CPUBusySeconds: 9, CPUTotalSeconds: 9, ReceivedBytes: 9, SentBytes: math.MaxUint64},
			after:  Reading{Time: at(1000), CPUBusySeconds: 1, CPUTotalSeconds: 2, ReceivedBytes: 8, SentBytes: 0},
			want:   Sample{TimeMS: 1000},
		},
		{
			rule:   "no time, no rate",
			before: Reading{Time: at(1000), ReceivedBytes: 1},
			after:  Reading{Time: at(1000), ReceivedBytes: 9},
			want:   Sample{TimeMS: 1000},
		},
		{
			rule:   "a clock that jumped back gives no rate",
			before: Reading{Time: at(5000), ReceivedBytes: 1},
			after:  Reading{Time: at(1000), ReceivedBytes: 9},
			want:   Sample{TimeMS: 1000},
		},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			if got := Between(row.before, row.after); got != row.want {
				t.Errorf("got  %+v\nwant %+v", got, row.want)
			}
		})
	}
}

func TestSampleOnTheLine(t *testing.T) {
	sample := Sample{TimeMS: 1790000000000, CPU: 12.5, Load: [3]float64{0.5, 0.25, 0}, Memory: Memory{Used: 1, Total: 2},
		Network: Network{ReceivedBytesPerSecond: 3, SentBytesPerSecond: 4}, Host: Host{Name: "bell", CPUCount: 2, UptimeSeconds: 60}}
	const want = `{"time_ms":1790000000000,"cpu":12.5,"load":[0.5,0.25,0],"memory":{"used":1,"total":2},` +
		`"network":{"rx_bytes_per_s":3,"tx_bytes_per_s":4},"host":{"name":"bell","cpu_count":2,"uptime_s":60}}`
	got, err := json.Marshal(sample)
	if err != nil || string(got) != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func TestSampleOfThisMachine(t *testing.T) {
	sampler := NewSampler()
	for range 2 {
		sample, err := sampler.Sample(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if sample.Memory.Total == 0 || sample.Memory.Used > sample.Memory.Total {
			t.Errorf("memory %+v", sample.Memory)
		}
		if sample.CPU < 0 || sample.CPU > 100 {
			t.Errorf("cpu %v", sample.CPU)
		}
		if sample.Host.OS == "" || sample.Host.CPUCount == 0 {
			t.Errorf("host %+v", sample.Host)
		}
	}
}
