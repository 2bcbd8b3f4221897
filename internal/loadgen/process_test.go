package loadgen

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestCPUOf(t *testing.T) {
	for _, test := range []struct {
		rule, stat string
		want       time.Duration
		ok         bool
	}{
		{"user and system", "12 (bellwire) S 1 1 1 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 9 0 1 2 3", 3 * time.Second, true},
		{"a name with parentheses and spaces", "12 (a) b (c) S 1 1 1 0 -1 4194560 9 0 0 0 1 2 0 0", 30 * time.Millisecond, true},
		{"cut short", "12 (bellwire) S 1 1 1 0 -1 4194560 9 0 0 0 250", 0, false},
		{"no number", "12 (bellwire) S 1 1 1 0 -1 4194560 9 0 0 0 x 50 0 0", 0, false},
		{"nothing", "", 0, false},
	} {
		got, err := cpuOf([]byte(test.stat))
		if got != test.want || (err == nil) != test.ok {
			t.Errorf("%s: %v, %v", test.rule, got, err)
		}
	}
}

func TestRSSOf(t *testing.T) {
	if got, err := rssOf([]byte("Name:\tx\nVmHWM:\t   900 kB\nVmRSS:\t    20480 kB\nThreads:\t9\n")); got != 20<<20 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	for _, text := range []string{"", "VmRSS:\tmany kB\n"} {
		if _, err := rssOf([]byte(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
}

const tcpTable = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F40 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0000000000000000 20 4 30 10 -1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000 100 0 0 10 0
`

func TestListenersOf(t *testing.T) {
	if got := listenersOf([]byte(tcpTable), 8000); !slices.Equal(got, []string{"socket:[4711]"}) {
		t.Errorf("%v", got)
	}
	if got := listenersOf([]byte(tcpTable), 8001); got != nil {
		t.Errorf("%v", got)
	}
}

func TestFindListener(t *testing.T) {
	root := t.TempDir()
	for _, folder := range []string{"net", "31/fd", "42/fd"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "net", "tcp"), []byte(tcpTable), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"31/fd/3": "socket:[4712]", "42/fd/5": "socket:[4711]"} {
		if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	if pid, err := findListener(root, 8000); pid != 42 || err != nil {
		t.Errorf("%d, %v", pid, err)
	}
	for _, port := range []int{8001, 22} {
		if pid, err := findListener(root, port); err == nil {
			t.Errorf("port %d is of %d", port, pid)
		}
	}
}

func TestSlopes(t *testing.T) {
	report := Report{Seconds: 10}
	report.idle(idleLevel{connections: 100, rss: 20 << 20, cpuPerSecond: 0.001}, idleLevel{connections: 1100, rss: 20<<20 + 3_000_000, cpuPerSecond: 0.003})
	if got := *report.Server.RSSPerConnection; got != 3000 {
		t.Errorf("%v bytes", got)
	}
	if got := *report.Server.CPUPerIdleSecond; got < 1.999 || got > 2.001 {
		t.Errorf("%v µs", got)
	}
	cost := Cost{CPUSeconds: 0.5}
	if got := cost.each(1000); *got != 500 {
		t.Errorf("%v µs", *got)
	}
	if cost.each(0) != nil {
		t.Error("nothing was done, and it cost something")
	}
}
