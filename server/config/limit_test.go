package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// RS-16: every numeric limit, alone, at one below its least, its least, its most and one above, and at -1 and 0.
func TestRS16EveryLimitAtItsEdges(t *testing.T) {
	tested := 0
	for _, field := range Fields() {
		switch field.Type {
		case "number", "size", "duration":
		default:
			continue
		}
		tested++
		t.Run(field.Key, func(t *testing.T) { testLimit(t, field) })
	}
	if tested < 40 {
		t.Errorf("only %d limits were found", tested)
	}
}

func testLimit(t *testing.T, field Field) {
	if field.Min == "" || field.Max == "" {
		t.Fatal("a number without limits")
	}
	least, most := limitOf(field.goType, field.Min), limitOf(field.goType, field.Max)
	for _, test := range []struct {
		value int64
		ok    bool
	}{{-1, false}, {0, least == 0}, {least - 1, false}, {least, true}, {most, true}, {most + 1, false}} {
		_, err := loadYAML(t, yamlOf(field.Key, valueText(field.goType, test.value))+companions(field.Key, test.value))
		if test.ok && err != nil {
			t.Errorf("%d was refused: %v", test.value, err)
		}
		if !test.ok && (err == nil || !strings.Contains(err.Error(), field.Min+" to "+field.Max)) {
			t.Errorf("%d: got %v, want its limits named", test.value, err)
		}
	}
}

// companions are the settings without which an allowed edge would contradict another limit.
func companions(key string, value int64) string {
	switch key {
	case "limits.commands_per_second":
		return "\n  commands_burst: 1000000"
	case "limits.commands_burst":
		return "\n  commands_per_second: 1"
	case "http.line_bytes", "http.url_bytes":
		return "\n  head_bytes: 1MiB"
	case "http.head_bytes":
		return "\n  line_bytes: 1KiB\n  url_bytes: 1KiB"
	}
	return ""
}

func valueText(t reflect.Type, value int64) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return time.Duration(value).String()
	case reflect.TypeFor[Size]():
		return fmt.Sprintf("%dB", value)
	}
	return fmt.Sprint(value)
}

// yamlOf writes a.<name>.b: v as nested YAML whose last level is indented by two spaces.
func yamlOf(key, value string) string {
	parts := strings.Split(strings.ReplaceAll(key, "<name>", "chat"), ".")
	if len(parts) == 3 {
		return fmt.Sprintf("%s:\n %s:\n  %s: %s", parts[0], parts[1], parts[2], value)
	}
	if len(parts) == 2 {
		return fmt.Sprintf("%s:\n  %s: %s", parts[0], parts[1], value)
	}
	return fmt.Sprintf("%s: %s", key, value)
}

func TestSizeReadsWhatItWrites(t *testing.T) {
	for _, test := range []struct {
		text string
		want Size
	}{{"0B", 0}, {"1B", 1}, {"512B", 512}, {"1KiB", 1024}, {"64KiB", 65536}, {"1MiB", 1 << 20}, {"3GiB", 3 << 30}, {"1025B", 1025}, {"-1KiB", -1024}} {
		got, err := ParseSize(test.text)
		if err != nil || got != test.want || got.String() != test.text {
			t.Errorf("%s: %d %v %s", test.text, got, err, got)
		}
	}
	if got, err := ParseSize("65536"); err != nil || got != 64*KiB {
		t.Errorf("plain number: %d %v", got, err)
	}
	for _, wrong := range []string{"", "B", "KiB", "1 KB", "1kib", "+1B", "0x10", "1e3", "9223372036854775808", "1.5MiB", "- 1B"} {
		if got, err := ParseSize(wrong); err == nil {
			t.Errorf("%q was read as %d", wrong, got)
		}
	}
}
