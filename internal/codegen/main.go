package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

func main() {
	check := flag.Bool("check", false, "write nothing; exit with 1 when a generated file is stale")
	flag.Parse()
	root, err := moduleRoot()
	if err == nil {
		err = run(root, *check, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "codegen:", err)
		os.Exit(1)
	}
}

// An output is one generated file. render gets the file's present content, nil when there is none.
type output struct {
	path   string
	render func(c *catalogue, present []byte) ([]byte, error)
}

var outputs = []output{
	{"realtime/code_generated.go", renderGo},
	{"web/client/src/codes.ts", renderTypeScript},
	{"spec/PROTOCOL.md", renderMarkdown},
}

// run brings every output up to date or, with check, says which ones are not.
func run(root string, check bool, log io.Writer) error {
	c, err := readCatalogue(filepath.Join(root, "spec", "codes.json"))
	if err != nil {
		return err
	}
	var errs []error
	for _, out := range outputs {
		if err := update(root, out, c, check, log); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", out.path, err))
		}
	}
	return errors.Join(errs...)
}

func update(root string, out output, c *catalogue, check bool, log io.Writer) error {
	path := filepath.Join(root, filepath.FromSlash(out.path))
	present, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	wanted, err := out.render(c, present)
	if err != nil {
		return err
	}
	if present != nil && bytes.Equal(present, wanted) {
		return nil
	}
	if check {
		return errors.New("stale: run `make gen` and commit the result")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	fmt.Fprintln(log, "wrote", out.path)
	return os.WriteFile(path, wanted, 0o644)
}

// moduleRoot is the nearest directory, from the working directory upwards, that holds go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no go.mod here or above: start it inside the module")
		}
		dir = parent
	}
}
