package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Programs are the binaries that are measured and that measure.
type Programs struct {
	dir  string
	root string // of this module
}

func (p *Programs) path(name string) string { return filepath.Join(p.dir, name) }

// Build compiles them into a directory. root is that of this module.
func Build(root, dir string) (*Programs, error) {
	p := &Programs{dir: dir, root: root}
	for _, step := range []struct {
		dir   string
		words []string
	}{
		{".", []string{"gcc", "-O3", "-Wall", "-o", p.path("floor"), "native/floor.c"}},
		{".", []string{"gcc", "-O3", "-Wall", "-o", p.path("load"), "native/load.c", "native/line.c"}},
		{".", []string{"go", "build", "-o", p.dir, "./cmd/engine", "./cmd/peer"}},
		{"..", []string{"go", "build", "-trimpath", "-o", p.dir, "./cmd/bellwire"}}, // with its own versions of what it needs
		{"node", []string{"npm", "ci", "--no-audit", "--no-fund", "--no-progress"}},
	} {
		command := exec.Command(step.words[0], step.words[1:]...)
		command.Dir = filepath.Join(root, step.dir)
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if output, err := command.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%v: %w\n%s", step.words, err, output)
		}
	}
	return p, nil
}
