package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Demo has index.html and all that it needs.
func Demo() fs.FS { return sub("dist/demo") }

// Client has bellwire.js, the TypeScript client as one ES module without dependencies.
func Client() fs.FS { return sub("dist/client") }

// sub panics only for a path that is no path, which is a mistake in this file.
func sub(path string) fs.FS {
	files, err := fs.Sub(dist, path)
	if err != nil {
		panic("web: " + err.Error())
	}
	return files
}
