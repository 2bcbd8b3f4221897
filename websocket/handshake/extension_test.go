package handshake

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestParseExtensions(t *testing.T) {
	rows := []struct {
		rule   string
		fields []string
		want   []Extension
		err    error
	}{
		{"none", nil, nil, nil},
		{"one name", []string{"foo"}, []Extension{{Name: "foo"}}, nil},
		{"RFC 6455 9.1: list", []string{"foo, bar; baz=2"}, []Extension{{Name: "foo"}, {"bar", []Param{{"baz", "2", true}}}}, nil},
		{"RFC 6455 9.1: fields joined", []string{"foo", "bar; baz=2"}, []Extension{{Name: "foo"}, {"bar", []Param{{"baz", "2", true}}}}, nil},
		{"parameter without value", []string{"a; b"}, []Extension{{"a", []Param{{"b", "", false}}}}, nil},
		{"quoted value", []string{`a; b="c"`}, []Extension{{"a", []Param{{"b", "c", true}}}}, nil},
		{"quoted value with escape", []string{`a; b="\c1"`}, []Extension{{"a", []Param{{"b", "c1", true}}}}, nil},
		{"white space everywhere", []string{" a\t;\tb = c , d "}, []Extension{{"a", []Param{{"b", "c", true}}}, {Name: "d"}}, nil},
		{"eight", []string{"a,b,c,d,e,f,g,h"}, []Extension{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}, {Name: "e"}, {Name: "f"}, {Name: "g"}, {Name: "h"}}, nil},
		{"nine", []string{"a,b,c,d,e,f,g,h,i"}, nil, errExtensionCount},
		{"nine over fields", []string{"a,b,c,d", "e,f,g,h", "i"}, nil, errExtensionCount},
		{"17 parameters", []string{"a" + strings.Repeat(";b", 17)}, nil, errParamCount},
		{"empty field", []string{""}, nil, errExtensionSyntax},
		{"empty item", []string{"a,,b"}, nil, errExtensionSyntax},
		{"comma at the end", []string{"a,"}, nil, errExtensionSyntax},
		{"empty parameter", []string{"a;"}, nil, errExtensionSyntax},
		{"empty value", []string{"a;b="}, nil, errExtensionSyntax},
		{"empty quoted value", []string{`a;b=""`}, nil, errExtensionSyntax},
		{"quoted value not a token", []string{`a;b="c d"`}, nil, errExtensionSyntax},
		{"quote not closed", []string{`a;b="c`}, nil, errExtensionSyntax},
		{"escape at the end", []string{`a;b="c\`}, nil, errExtensionSyntax},
		{"escaped quote is not a token", []string{`a;b="\""`}, nil, errExtensionSyntax},
		{"text after a quoted value", []string{`a;b="c"d`}, nil, errExtensionSyntax},
		{"name with a space", []string{"a b"}, nil, errExtensionSyntax},
		{"byte outside ASCII", []string{"a\x80"}, nil, errExtensionSyntax},
		{"NUL", []string{"a\x00"}, nil, errExtensionSyntax},
		{"parameter without name", []string{"a;=b"}, nil, errExtensionSyntax},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			got, err := ParseExtensions(row.fields, 8)
			if err != row.err || !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

// VC-08: hostile fields cost time in proportion to their length. Allocation
// stands for time here, since it does not depend on the machine.
func TestHostileExtensionsAreLinear(t *testing.T) {
	rows := map[string]func(n int) string{
		"quote not closed":   func(n int) string { return `a;b="` + strings.Repeat(`\c`, n/2) },
		"spaces":             func(n int) string { return "a" + strings.Repeat(" ", n) + "b" },
		"separators":         func(n int) string { return strings.Repeat(" ,", n/2) },
		"semicolons":         func(n int) string { return "a" + strings.Repeat(" ; ", n/3) },
		"parameters":         func(n int) string { return "a" + strings.Repeat(";b=c", n/4) },
		"extensions":         func(n int) string { return strings.Repeat("a,", n/2) + "a" },
		"one very long name": func(n int) string { return strings.Repeat("a", n) },
	}
	for name, make := range rows {
		t.Run(name, func(t *testing.T) {
			field := []string{make(16 << 10)}
			if got := testing.AllocsPerRun(1, func() { ParseExtensions(field, 8) }); got > 40 {
				t.Errorf("%v allocations", got)
			}
		})
	}
}

// write is the inverse of ParseExtensions.
func write(all []Extension) string {
	var items []string
	for _, e := range all {
		item := e.Name
		for _, p := range e.Params {
			item += "; " + p.Name
			if p.HasValue {
				item += fmt.Sprintf("=%q", p.Value)
			}
		}
		items = append(items, item)
	}
	return strings.Join(items, ", ")
}

// FuzzExtensions writes what was read and reads it again.
func FuzzExtensions(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits")
	f.Add(`a; b="c"; d=e, f`)
	f.Add(`x;y="\z"`)
	f.Fuzz(func(t *testing.T, field string) {
		got, err := ParseExtensions([]string{field}, 8)
		if err != nil {
			return
		}
		again, err := ParseExtensions([]string{write(got)}, 8)
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Fatalf("%q: %+v becomes %+v, %v", field, got, again, err)
		}
		for _, e := range got {
			if !isToken(e.Name) || len(e.Params) > paramsMax {
				t.Fatalf("%q: %+v", field, e)
			}
		}
	})
}
