package harness

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
)

// Machine says where this runs.
func Machine() [][2]string {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return [][2]string{
		{"processor", fmt.Sprintf("%s, %d visible", procValue("/proc/cpuinfo", "model name"), runtime.NumCPU())},
		{"memory", procValue("/proc/meminfo", "MemTotal")},
		{"system", "Linux " + strings.TrimSpace(string(kernel)) + ", " + runtime.GOARCH},
		{"Go", runtime.Version()},
		{"gcc", firstLine("gcc", "-dumpfullversion")},
		{"Node.js", firstLine("node", "--version")},
	}
}

func procValue(path, name string) string {
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func firstLine(program string, args ...string) string {
	output, err := exec.Command(program, args...).Output()
	if err != nil {
		return "none"
	}
	line, _, _ := strings.Cut(string(output), "\n")
	return line
}

// LoadAverage reads how busy the machine is.
func LoadAverage() string {
	text, _ := os.ReadFile("/proc/loadavg")
	words := strings.Fields(string(text))
	return strings.Join(words[:min(3, len(words))], " ")
}

// measuredModules are those whose versions a report names.
var measuredModules = []string{
	"github.com/lxzan/gws", "github.com/gorilla/websocket", "github.com/fasthttp/websocket", "github.com/lesismal/nbio", "github.com/coder/websocket",
	"github.com/gobwas/ws", "github.com/centrifugal/centrifuge", "github.com/nats-io/nats-server/v2",
}

// Modules returns the versions that were built into the binaries, and what is taken from npm.
func (p *Programs) Modules() (all [][2]string) {
	for _, binary := range []string{"engine", "peer"} {
		info, err := buildinfo.ReadFile(p.path(binary))
		if err != nil {
			continue
		}
		for _, dependency := range info.Deps {
			if slices.Contains(measuredModules, dependency.Path) {
				all = append(all, [2]string{strings.TrimPrefix(dependency.Path, "github.com/"), dependency.Version})
			}
		}
	}
	if version := quoted(p.root+"/node/package.json", `"ws": "`); version != "" {
		all = append(all, [2]string{"ws (npm)", version})
	}
	return all
}

// quoted returns what stands between a text and the next quote.
func quoted(path, after string) string {
	text, _ := os.ReadFile(path)
	_, rest, _ := strings.Cut(string(text), after)
	value, _, _ := strings.Cut(rest, `"`)
	return value
}
