package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestSummary(t *testing.T) {
	rows := []struct {
		rule, events, out, line string
	}{
		{
			"a package that passes is one line",
			`{"Action":"start","Package":"p"}
{"Action":"run","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestA","Output":"noise\n"}
{"Action":"pass","Package":"p","Test":"TestA","Elapsed":0.1}
{"Action":"skip","Package":"p","Test":"TestB","Elapsed":0}
{"Action":"output","Package":"p","Output":"ok p 0.2s\n"}
{"Action":"pass","Package":"p","Elapsed":0.2}
`,
			"ok    p 0.2 s\n",
			"go test: 1 passed, 0 failed, 1 skipped; 1 packages, 0 failed",
		},
		{
			"a test that fails is shown whole, its passing neighbour is not",
			`{"Action":"output","Package":"p","Test":"TestA","Output":"quiet\n"}
{"Action":"output","Package":"p","Test":"TestB","Output":"    b_test.go:7: wrong\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"fail","Package":"p","Test":"TestB"}
{"Action":"output","Package":"p","Output":"FAIL p\n"}
{"Action":"fail","Package":"p"}
`,
			"    b_test.go:7: wrong\nFAIL p\n",
			"go test: 1 passed, 1 failed, 0 skipped; 1 packages, 1 failed",
		},
		{
			"what ran when the process ended is shown",
			`{"Action":"output","Package":"p","Test":"TestA","Output":"panic: boom\n"}
{"Action":"output","Package":"p","Output":"exit status 2\n"}
{"Action":"fail","Package":"p"}
`,
			"panic: boom\nexit status 2\n",
			"go test: 0 passed, 0 failed, 0 skipped; 1 packages, 1 failed",
		},
		{
			"build errors are shown",
			`{"ImportPath":"p [p.test]","Action":"build-output","Output":"p/a.go:1:1: undefined: x\n"}
{"ImportPath":"p [p.test]","Action":"build-fail"}
{"Action":"output","Package":"p","Output":"FAIL p [build failed]\n"}
{"Action":"fail","Package":"p"}
`,
			"p/a.go:1:1: undefined: x\nFAIL p [build failed]\n",
			"go test: 0 passed, 0 failed, 0 skipped; 1 packages, 1 failed",
		},
		{
			"a package without tests is not mentioned, and lines that are no events are passed on",
			"go: downloading something\n" + `{"Action":"skip","Package":"p"}`,
			"go: downloading something\n",
			"go test: 0 passed, 0 failed, 0 skipped; 0 packages, 0 failed",
		},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			var s summary
			var out bytes.Buffer
			if err := s.read(strings.NewReader(row.events), &out); err != nil {
				t.Fatal(err)
			}
			if out.String() != row.out || s.line() != row.line {
				t.Fatalf("got\n%s%s\nwant\n%s%s", out.String(), s.line(), row.out, row.line)
			}
		})
	}
}
