package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bellwire/bellwire/realtime"
)

// module makes a directory that holds the small catalogue and a document with markers.
func module(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write(t, root, "spec/codes.json", small)
	write(t, root, "spec/PROTOCOL.md", "before\n"+markerBegin+"old\n"+markerEnd+"after\n")
	return root
}

func write(t *testing.T, root, path, text string) {
	t.Helper()
	full := filepath.Join(root, path)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, root, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestRunWritesAllAndThenNothing(t *testing.T) {
	root := module(t)
	var log bytes.Buffer
	if err := run(root, false, &log); err != nil {
		t.Fatal(err)
	}
	want := "wrote realtime/code_generated.go\nwrote web/client/src/codes.ts\nwrote spec/PROTOCOL.md\n"
	if log.String() != want {
		t.Fatalf("log %q, want %q", log.String(), want)
	}
	log.Reset()
	if err := run(root, false, &log); err != nil || log.Len() > 0 {
		t.Fatalf("second run: error %v, log %q, want neither", err, log.String())
	}
}

func TestCheckNamesEachStaleFileAndWritesNone(t *testing.T) {
	root := module(t)
	err := run(root, true, io.Discard)
	if err == nil {
		t.Fatal("no error for stale files")
	}
	for _, out := range outputs {
		if !strings.Contains(err.Error(), out.path+": stale: run `make gen`") {
			t.Errorf("%q does not name %s", err, out.path)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "realtime")); !os.IsNotExist(err) {
		t.Errorf("check wrote realtime/: %v", err)
	}
}

func TestMarkdownKeepsWhatIsOutsideTheMarkers(t *testing.T) {
	root := module(t)
	if err := run(root, false, io.Discard); err != nil {
		t.Fatal(err)
	}
	text := read(t, root, "spec/PROTOCOL.md")
	if !strings.HasPrefix(text, "before\n"+markerBegin) || !strings.HasSuffix(text, markerEnd+"after\n") {
		t.Fatalf("text outside the markers changed:\n%s", text)
	}
	for _, line := range []string{
		"| 150 to 199 | error | later | Not now. |",
		"| 100 | `bad_request` | 400 | never | Malformed. |",
		"| 300 | `insufficient` | later | Lost. |",
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
	if strings.Contains(text, "old") {
		t.Error("the old table is still there")
	}
}

func TestMarkdownRefusesBadMarkers(t *testing.T) {
	for rule, text := range map[string]string{
		"no file":          "",
		"no begin":         markerEnd,
		"no end":           markerBegin,
		"end before begin": markerEnd + markerBegin,
		"begin twice":      markerBegin + markerEnd + markerBegin,
	} {
		t.Run(rule, func(t *testing.T) {
			if _, err := renderMarkdown(new(catalogue), []byte(text)); err != errNoMarkers {
				t.Fatalf("got %v, want errNoMarkers", err)
			}
		})
	}
}

func TestTypeScriptOfTheSmallCatalogue(t *testing.T) {
	c, err := parseCatalogue([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	got, err := renderTypeScript(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"export const errorCodes = {\n  bad_request: 100,\n  internal: 150,\n} as const;\n",
		"export type Code = ErrorCode | UnsubscribeCode | DisconnectCode;\n",
		"(code >= 100 && code <= 149) ||\n    (code >= 4400 && code <= 4499) ||\n",
	} {
		if !strings.Contains(string(got), part) {
			t.Errorf("no %q in\n%s", part, got)
		}
	}
	if strings.Contains(string(got), "Malformed") {
		t.Error("a meaning reached the client")
	}
}

// The repository's own generated Go code says what the repository's own catalogue says.
func TestGeneratedGoAgreesWithTheCatalogue(t *testing.T) {
	c, err := readCatalogue("../../spec/codes.json")
	if err != nil {
		t.Fatal(err)
	}
	kindOf := map[string]realtime.Kind{
		"error": realtime.KindError, "unsubscribe": realtime.KindUnsubscribe, "disconnect": realtime.KindDisconnect,
	}
	for _, entry := range c.Codes {
		got := realtime.Code(entry.Code)
		if got.Name() != entry.Name || got.Meaning() != entry.Meaning || got.HTTPStatus() != entry.HTTP || got.Kind() != kindOf[entry.Kind] {
			t.Errorf("%d: got %q, %q, %d, %d", entry.Code, got.Name(), got.Meaning(), got.HTTPStatus(), got.Kind())
		}
		if byName, ok := realtime.CodeByName(entry.Name); !ok || byName != got {
			t.Errorf("CodeByName(%q) = %d, %t", entry.Name, byName, ok)
		}
		if entry.HTTP != 0 && http.StatusText(entry.HTTP) == "" {
			t.Errorf("%d: %d is no registered HTTP status", entry.Code, entry.HTTP)
		}
	}
}

// COD-1: the number's range says whether to retry, also for unknown codes; the standard codes are listed.
func TestGeneratedRetry(t *testing.T) {
	rows := []struct {
		code realtime.Code
		want bool
	}{
		{100, false}, {149, false}, {150, true}, {199, true},
		{300, false}, {349, false}, {350, true}, {399, true},
		{4400, false}, {4499, false}, {4500, true}, {4599, true},
		{1000, false}, {1001, true}, {1002, false}, {1003, false}, {1006, true}, {1007, false}, {1008, false},
		{1009, false}, {1010, false}, {1011, true}, {1012, true}, {1013, true}, {0, true}, {3000, true}, {4000, true},
	}
	for _, row := range rows {
		if got := row.code.Retry(); got != row.want {
			t.Errorf("Retry of %d = %t, want %t", row.code, got, row.want)
		}
	}
	if name, meaning, kind := realtime.Code(148).Name(), realtime.Code(148).Meaning(), realtime.Code(148).Kind(); name != "" || meaning != "" || kind != realtime.KindError {
		t.Errorf("unknown code 148: %q, %q, %d", name, meaning, kind)
	}
	if _, ok := realtime.CodeByName("no_such_code"); ok {
		t.Error("CodeByName knows no_such_code")
	}
}
