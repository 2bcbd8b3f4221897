package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
)

// catalogue mirrors spec/codes.json.
type catalogue struct {
	Comment string      `json:"$comment"`
	Ranges  []codeRange `json:"ranges"`
	Codes   []code      `json:"codes"`
}

// A codeRange gives every number in it, known or not, a kind and says whether to retry (COD-1).
type codeRange struct {
	Kind    string `json:"kind"`
	From    int    `json:"from"`
	To      int    `json:"to"` // inclusive
	Retry   string `json:"retry"`
	Meaning string `json:"meaning"`
}

type code struct {
	Code    int    `json:"code"`
	Name    string `json:"name"`
	Kind    string `json:"kind"`
	HTTP    int    `json:"http"` // 0: never the answer to an HTTP request
	Meaning string `json:"meaning"`
}

// kinds in the order in which every output lists them.
var kinds = []string{"error", "unsubscribe", "disconnect"}

// neverStandard are the standard WebSocket close codes after which a client stays away; all other
// numbers outside the ranges mean later. COD-1 has them in words.
var neverStandard = []int{1000, 1002, 1003, 1007, 1008, 1009, 1010}

var namePattern = regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)

func readCatalogue(path string) (*catalogue, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c, err := parseCatalogue(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func parseCatalogue(text []byte) (*catalogue, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	c := new(catalogue)
	if err := dec.Decode(c); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the catalogue")
	}
	if err := c.validateRanges(); err != nil {
		return nil, err
	}
	return c, c.validateCodes()
}

func (c *catalogue) validateRanges() error {
	if len(c.Ranges) == 0 {
		return fmt.Errorf("no ranges")
	}
	last := 0
	for _, r := range c.Ranges {
		where := fmt.Sprintf("range %d to %d", r.From, r.To)
		switch {
		case kindIndex(r.Kind) < 0:
			return fmt.Errorf("%s: unknown kind %q, want one of %v", where, r.Kind, kinds)
		case r.From <= last:
			return fmt.Errorf("%s: ranges must ascend and not overlap", where)
		case r.To < r.From || r.To > 4999:
			return fmt.Errorf("%s: must end after its start and below 5000", where)
		case r.Retry != "never" && r.Retry != "later":
			return fmt.Errorf("%s: retry is %q, want never or later", where, r.Retry)
		case !isSentence(r.Meaning):
			return fmt.Errorf("%s: the meaning must be one line that ends in a full stop", where)
		}
		last = r.To
	}
	return nil
}

func (c *catalogue) validateCodes() error {
	names := make(map[string]bool)
	last := 0
	for _, entry := range c.Codes {
		where := fmt.Sprintf("code %d %s", entry.Code, entry.Name)
		r := c.rangeOf(entry.Code)
		switch {
		case entry.Code <= last:
			return fmt.Errorf("%s: codes must ascend", where)
		case r == nil:
			return fmt.Errorf("%s: lies in no range", where)
		case r.Kind != entry.Kind:
			return fmt.Errorf("%s: kind is %q, its range says %q", where, entry.Kind, r.Kind)
		case !namePattern.MatchString(entry.Name):
			return fmt.Errorf("%s: names are lower-case words joined by underscores", where)
		case names[entry.Name]:
			return fmt.Errorf("%s: the name is taken", where)
		case entry.Kind == "error" && (entry.HTTP < 400 || entry.HTTP > 599):
			return fmt.Errorf("%s: an error needs an HTTP status from 400 to 599", where)
		case entry.Kind != "error" && entry.HTTP != 0:
			return fmt.Errorf("%s: only errors have an HTTP status", where)
		case !isSentence(entry.Meaning):
			return fmt.Errorf("%s: the meaning must be one line that ends in a full stop", where)
		}
		names[entry.Name] = true
		last = entry.Code
	}
	return nil
}

func (c *catalogue) rangeOf(number int) *codeRange {
	for i := range c.Ranges {
		if c.Ranges[i].From <= number && number <= c.Ranges[i].To {
			return &c.Ranges[i]
		}
	}
	return nil
}

// ofKind keeps the catalogue's order.
func (c *catalogue) ofKind(kind string) []code {
	var codes []code
	for _, entry := range c.Codes {
		if entry.Kind == kind {
			codes = append(codes, entry)
		}
	}
	return codes
}

func kindIndex(kind string) int {
	for i, k := range kinds {
		if k == kind {
			return i
		}
	}
	return -1
}

// isSentence also keeps out what would break a Markdown table or a Go comment.
func isSentence(text string) bool {
	return strings.HasSuffix(text, ".") && !strings.ContainsAny(text, "\n\r|")
}

// pascal turns bad_request into BadRequest.
func pascal(name string) string {
	var b strings.Builder
	for _, word := range strings.Split(name, "_") {
		b.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return b.String()
}
