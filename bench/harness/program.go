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

	nodeError error // why what needs Node.js cannot be measured
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
		{".", []string{"go", "build", "-mod=mod", "-o", p.dir, "./cmd/engine", "./cmd/peer"}},
		{"..", []string{"go", "build", "-trimpath", "-o", p.dir, "./cmd/bellwire"}}, // with its own versions of what it needs
	} {
		if err := p.step(step.dir, step.words...); err != nil {
			return nil, err
		}
	}
	p.nodeError = p.step("node", "npm", "ci", "--no-audit", "--no-fund", "--no-progress")
	return p, nil
}

func (p *Programs) step(dir string, words ...string) error {
	command := exec.Command(words[0], words[1:]...)
	command.Dir = filepath.Join(p.root, dir)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", words, err, output)
	}
	return nil
}
