package main

import (
	"strings"
	"testing"
)

const small = `{
  "$comment": "c",
  "ranges": [
    {"kind": "error", "from": 100, "to": 149, "retry": "never", "meaning": "No."},
    {"kind": "error", "from": 150, "to": 199, "retry": "later", "meaning": "Not now."},
    {"kind": "unsubscribe", "from": 300, "to": 399, "retry": "later", "meaning": "Over."},
    {"kind": "disconnect", "from": 4400, "to": 4499, "retry": "never", "meaning": "Gone."}
  ],
  "codes": [
    {"code": 100, "name": "bad_request", "kind": "error", "http": 400, "meaning": "Malformed."},
    {"code": 150, "name": "internal", "kind": "error", "http": 500, "meaning": "Our fault."},
    {"code": 300, "name": "insufficient", "kind": "unsubscribe", "meaning": "Lost."},
    {"code": 4400, "name": "bad_protocol", "kind": "disconnect", "meaning": "Broken."}
  ]
}`

func TestCatalogueAccepted(t *testing.T) {
	c, err := parseCatalogue([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Ranges) != 4 || len(c.Codes) != 4 {
		t.Fatalf("got %d ranges and %d codes, want 4 and 4", len(c.Ranges), len(c.Codes))
	}
}

func TestCatalogueRefused(t *testing.T) {
	rows := []struct {
		rule, old, new, want string
	}{
		{"unknown fields are refused", `"http": 400`, `"status": 400`, "unknown field"},
		{"nothing follows the catalogue", `"meaning": "Broken."}
  ]
}`, `"meaning": "Broken."}
  ]
} {}`, "something follows"},
		{"a range has a known kind", `"kind": "disconnect", "from"`, `"kind": "end", "from"`, "unknown kind"},
		{"ranges do not overlap", `"from": 150`, `"from": 149`, "ascend"},
		{"a range ends after its start", `"to": 199`, `"to": 140`, "end after its start"},
		{"close codes lie below 5000", `"to": 4499`, `"to": 5000`, "below 5000"},
		{"retry is never or later", `"retry": "later", "meaning": "Over."`, `"retry": "soon", "meaning": "Over."`, "never or later"},
		{"a range's meaning is a sentence", `"Over."`, `"Over"`, "full stop"},
		{"codes ascend", `"code": 150`, `"code": 100`, "ascend"},
		{"a code lies in a range", `"code": 150`, `"code": 200`, "no range"},
		{"kind and range agree", `"code": 300, "name": "insufficient", "kind": "unsubscribe"`, `"code": 300, "name": "insufficient", "kind": "error"`, "its range says"},
		{"names are lower-case words", `"bad_request"`, `"bad-request"`, "lower-case"},
		{"names are unique", `"insufficient"`, `"internal"`, "taken"},
		{"an error has an HTTP status", `, "http": 500`, ``, "HTTP status"},
		{"only errors have an HTTP status", `"meaning": "Lost."`, `"http": 500, "meaning": "Lost."`, "only errors"},
		{"a meaning holds no table separator", `"Lost."`, `"Lost | gone."`, "full stop"},
		{"a meaning is one line", `"Lost."`, `"Lost.\nGone."`, "full stop"},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			text := strings.Replace(small, row.old, row.new, 1)
			if text == small {
				t.Fatalf("the row changes nothing: %q is not in the catalogue", row.old)
			}
			_, err := parseCatalogue([]byte(text))
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Fatalf("got error %v, want one with %q", err, row.want)
			}
		})
	}
}

func TestPascal(t *testing.T) {
	for name, want := range map[string]string{"timeout": "Timeout", "bad_request": "BadRequest", "no_pong": "NoPong"} {
		if got := pascal(name); got != want {
			t.Errorf("pascal(%q) = %q, want %q", name, got, want)
		}
	}
}
