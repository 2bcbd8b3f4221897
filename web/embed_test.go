package web_test

import (
	"io/fs"
	"testing"

	"github.com/bellwire/bellwire/web"
)

func TestEmbeddedFilesAreThere(t *testing.T) {
	rows := []struct {
		files fs.FS
		path  string
	}{
		{web.Demo(), "index.html"},
		{web.Demo(), "demo.js"},
		{web.Demo(), "licences.txt"},
		{web.Client(), "bellwire.js"},
	}
	for _, row := range rows {
		if info, err := fs.Stat(row.files, row.path); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v; run `make web`", row.path, err)
		}
	}
}
