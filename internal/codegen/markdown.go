package main

import (
	"bytes"
	"errors"
	"fmt"
)

const (
	markerBegin = "<!-- codes:begin -->\n"
	markerEnd   = "<!-- codes:end -->\n"
)

var errNoMarkers = errors.New("wants one line `<!-- codes:begin -->` and after it one line `<!-- codes:end -->`")

// renderMarkdown replaces what stands between the markers and leaves every other byte alone.
func renderMarkdown(c *catalogue, present []byte) ([]byte, error) {
	head, rest, okBegin := bytes.Cut(present, []byte(markerBegin))
	_, tail, okEnd := bytes.Cut(rest, []byte(markerEnd))
	if !okBegin || !okEnd || bytes.Contains(tail, []byte(markerBegin)) {
		return nil, errNoMarkers
	}
	var b bytes.Buffer
	b.Write(head)
	b.WriteString(markerBegin)
	writeRangeTable(&b, c)
	for _, kind := range kinds {
		writeCodeTable(&b, c, kind)
	}
	b.WriteString(markerEnd)
	b.Write(tail)
	return b.Bytes(), nil
}

func writeRangeTable(b *bytes.Buffer, c *catalogue) {
	b.WriteString("\n| range | kind | retry | meaning |\n|---|---|---|---|\n")
	for _, r := range c.Ranges {
		fmt.Fprintf(b, "| %d to %d | %s | %s | %s |\n", r.From, r.To, r.Kind, r.Retry, r.Meaning)
	}
	b.WriteString("\n")
}

func writeCodeTable(b *bytes.Buffer, c *catalogue, kind string) {
	withHTTP := kind == "error"
	if withHTTP {
		fmt.Fprintf(b, "| %s | name | HTTP | retry | meaning |\n|---|---|---|---|---|\n", kind)
	} else {
		fmt.Fprintf(b, "| %s | name | retry | meaning |\n|---|---|---|---|\n", kind)
	}
	for _, entry := range c.ofKind(kind) {
		status := ""
		if withHTTP {
			status = fmt.Sprintf(" %d |", entry.HTTP)
		}
		fmt.Fprintf(b, "| %d | `%s` |%s %s | %s |\n", entry.Code, entry.Name, status, c.rangeOf(entry.Code).Retry, entry.Meaning)
	}
	b.WriteString("\n")
}
