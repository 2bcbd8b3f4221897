package config

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of docs/OPERATING.md")

const operating = "../../docs/OPERATING.md"

// reference is the table of every key.
func reference() string {
	var b strings.Builder
	b.WriteString("| key | type | default | limits | what it is |\n|---|---|---|---|---|\n")
	for _, field := range Fields() {
		limits := ""
		if field.Min != "" {
			limits = field.Min + " to " + field.Max
		}
		value := ""
		if field.Default != "" {
			value = "`" + field.Default + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", field.Key, field.Type, value, limits, strings.ReplaceAll(field.Help, "|", "\\|"))
	}
	return b.String()
}

// The reference in the documentation is made of the struct tags: `go test ./server/config -update` writes it.
func TestTheDocumentationListsEveryKey(t *testing.T) {
	content, err := os.ReadFile(operating)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- config:begin -->\n", "<!-- config:end -->"
	before, rest, found := strings.Cut(string(content), begin)
	table, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the table", operating)
	}
	if *update {
		if err := os.WriteFile(operating, []byte(before+begin+reference()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != reference() {
		t.Errorf("the table of %s is not the configuration's: run go test ./server/config -update", operating)
	}
}

func TestEveryFieldHasItsHelp(t *testing.T) {
	for _, field := range Fields() {
		if field.Help == "" || field.Key == "" || strings.HasSuffix(field.Key, ".") {
			t.Errorf("%q lacks its key or its help", field.Key)
		}
		if looksSecret := strings.HasSuffix(field.Key, "secret") || strings.HasSuffix(field.Key, "api.keys"); looksSecret != field.Secret {
			t.Errorf("%s: secret is %v", field.Key, field.Secret)
		}
	}
}

// The example file is valid but for its secret, which is a sample on purpose, and a file that is not on every machine.
func TestTheExampleFileIsValid(t *testing.T) {
	content, err := os.ReadFile("../../bellwire.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loadYAML(t, string(content)); err == nil || !strings.Contains(err.Error(), "keys_file") {
		t.Errorf("as it is: %v", err)
	}
	keys := writeFile(t, "keys", "first-key-0123456789abcdef\n")
	text := strings.Replace(string(content), "/etc/bellwire/api-keys", keys, 1)
	if _, err := loadYAML(t, text); err == nil || !strings.Contains(err.Error(), "sample") {
		t.Errorf("with the sample secret: %v", err)
	}
	text = strings.Replace(text, "replace-this-with-the-output-of-openssl-rand-hex-32", "0123456789abcdef0123456789abcdef", 1)
	cfg, err := loadYAML(t, text)
	if err != nil {
		t.Fatal(err)
	}
	if warnings := cfg.Warnings(); len(warnings) > 0 {
		t.Errorf("the example is warned of: %q", warnings)
	}
}
