package harness

import (
	"debug/buildinfo"
	"strings"
)

// measured are the modules whose versions a report names.
var measured = []string{
	"github.com/gorilla/websocket", "github.com/coder/websocket", "github.com/gobwas/ws", "github.com/lxzan/gws", "github.com/fasthttp/websocket",
}

// modules returns the versions that were built into a binary.
func modules(binary string) (all [][2]string) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil
	}
	for _, name := range measured {
		for _, dependency := range info.Deps {
			if dependency.Path == name {
				all = append(all, [2]string{strings.TrimPrefix(name, "github.com/"), dependency.Version})
			}
		}
	}
	return all
}
