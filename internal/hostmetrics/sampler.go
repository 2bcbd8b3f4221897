package hostmetrics

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/shirou/gopsutil/v4/cpu"
	"github.com/shirou/gopsutil/v4/host"
	"github.com/shirou/gopsutil/v4/load"
	"github.com/shirou/gopsutil/v4/mem"
	gonet "github.com/shirou/gopsutil/v4/net"
)

// Sampler takes a Sample at each call, over the time since the call before.
type Sampler struct {
	facts Host // read once, except the uptime
	last  Reading
}

// firstWindow is what the first Sample covers: rates since the machine started would be a spike beside those of a second.
const firstWindow = 250 * time.Millisecond

// NewSampler returns a Sampler.
func NewSampler() *Sampler { return &Sampler{} }

// Sample reads the machine. The first call reads it twice, firstWindow apart.
func (s *Sampler) Sample(ctx context.Context) (Sample, error) {
	if s.last.Time.IsZero() {
		if err := s.begin(ctx); err != nil {
			return Sample{}, err
		}
	}
	now, err := s.read(ctx)
	if err != nil {
		return Sample{}, err
	}
	before := s.last
	s.last = now
	return Between(before, now), nil
}

func (s *Sampler) begin(ctx context.Context) error {
	first, err := s.read(ctx)
	if err != nil {
		return err
	}
	select {
	case <-time.After(firstWindow):
		s.last = first
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// read fails only when neither processor nor memory can be read: then there is nothing worth showing.
func (s *Sampler) read(ctx context.Context) (Reading, error) {
	r := Reading{Time: time.Now()}
	cpuErr := readCPU(ctx, &r)
	memoryErr := readMemory(ctx, &r)
	if cpuErr != nil && memoryErr != nil {
		return Reading{}, fmt.Errorf("reading the machine: %w", errors.Join(cpuErr, memoryErr))
	}
	if average, err := load.AvgWithContext(ctx); err == nil {
		r.Load = [3]float64{average.Load1, average.Load5, average.Load15}
	}
	readNetwork(ctx, &r)
	if s.facts.OS == "" {
		s.facts = readFacts(ctx)
	}
	r.Host = s.facts
	if uptime, err := host.UptimeWithContext(ctx); err == nil {
		r.Host.UptimeSeconds = uptime
	}
	return r, nil
}

func readCPU(ctx context.Context, r *Reading) error {
	times, err := cpu.TimesWithContext(ctx, false)
	if err != nil {
		return err
	}
	for _, t := range times {
		// Linux counts the time of guests in user and nice already.
		busy := t.User + t.System + t.Nice + t.Irq + t.Softirq + t.Steal
		r.CPUBusySeconds += busy
		r.CPUTotalSeconds += busy + t.Idle + t.Iowait
	}
	return nil
}

func readMemory(ctx context.Context, r *Reading) error {
	memory, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return err
	}
	r.MemoryUsed, r.MemoryTotal = memory.Used, memory.Total
	return nil
}

func readNetwork(ctx context.Context, r *Reading) {
	counters, err := gonet.IOCountersWithContext(ctx, true)
	if err != nil {
		return
	}
	loopback := loopbackNames()
	for _, c := range counters {
		if loopback[c.Name] {
			continue
		}
		r.ReceivedBytes += c.BytesRecv
		r.SentBytes += c.BytesSent
	}
}

func loopbackNames() map[string]bool {
	names := map[string]bool{"lo": true}
	interfaces, err := net.Interfaces()
	if err != nil {
		return names
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagLoopback != 0 {
			names[i.Name] = true
		}
	}
	return names
}

func readFacts(ctx context.Context) Host {
	var facts Host
	if info, err := host.InfoWithContext(ctx); err == nil {
		facts.Name, facts.OS = info.Hostname, info.OS
		facts.Platform = strings.TrimSpace(info.Platform + " " + info.PlatformVersion)
		facts.Kernel, facts.Architecture = info.KernelVersion, info.KernelArch
	}
	if infos, err := cpu.InfoWithContext(ctx); err == nil && len(infos) > 0 {
		facts.CPUModel = infos[0].ModelName
	}
	if count, err := cpu.CountsWithContext(ctx, true); err == nil {
		facts.CPUCount = count
	}
	return facts
}
