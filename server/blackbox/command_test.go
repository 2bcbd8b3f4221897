package blackbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// whole is each command with every field that it has.
var whole = map[string]string{
	"subscribe":   `{"channels":[{"channel":"chat:a","since":{"epoch":"e","offset":1},"state":true,"presence":"members","enter":{"a":1}}]}`,
	"unsubscribe": `{"channels":["chat:a"]}`,
	"publish":     `{"channel":"chat:a","data":{"a":1},"id":"x1","echo":true}`,
	"history":     `{"channel":"chat:a","since":{"epoch":"e","offset":1},"limit":5,"reverse":true}`,
	"state":       `{"channel":"chat:a","key":"k"}`,
	"update":      `{"channel":"chat:a","op":"increment","key":"k","by":1,"id":"x2"}`,
	"presence":    `{"channel":"chat:a","count_only":true}`,
	"enter":       `{"channel":"chat:a","data":1}`,
	"leave":       `{"channel":"chat:a"}`,
	"call":        `{"method":"m","data":1}`,
	"refresh":     `{"token":"x.y.z"}`,
}

// opaque fields hold any JSON value, null included (MSG-5).
var opaque = map[string]bool{"data": true, "enter": true}

// MSG-5: every field of every command as null, as every wrong type, and beside an unknown one is a bad_request that names
// it, and the line lives.
func TestMSG5EveryFieldOfEveryCommand(t *testing.T) {
	x := start(t, nil)
	tried := 0
	for command, text := range whole {
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &fields); err != nil {
			t.Fatal(err)
		}
		l := x.connected()
		try := func(field, value string) {
			t.Helper()
			if tried++; tried%15 == 0 { // CON-7
				l.conn.Close()
				l = x.connected()
			}
			changed := map[string]json.RawMessage{field: json.RawMessage(value)}
			for name, value := range fields {
				if name != field {
					changed[name] = value
				}
			}
			body, err := json.Marshal(changed)
			if err != nil {
				t.Fatal(err)
			}
			l.say(fmt.Sprintf(`{"id":7,%q:%s}`, command, body))
			if m := l.next(); errorOf(m) != 100 || !strings.Contains(m, field) {
				t.Errorf("%s with %s %s: %s", command, field, value, m)
			}
			l.say(`{"id":8,"ping":{}}`)
			if m := l.next(); !strings.HasPrefix(m, `{"id":8,"ping"`) {
				t.Fatalf("%s with %s %s: the line does not live: %s", command, field, value, m)
			}
		}
		for field, value := range fields {
			if opaque[field] {
				continue
			}
			for kind, other := range map[byte]string{'n': `null`, '"': `"!"`, '0': `1.5`, 't': `true`, '[': `[]`, '{': `{}`} {
				if kind != kindOf(value) {
					try(field, other)
				}
			}
		}
		try("zzz", `1`)
		l.conn.Close()
	}
	x.honest()
}

func kindOf(value json.RawMessage) byte {
	switch c := value[0]; {
	case c >= '0' && c <= '9':
		return '0'
	case c == 'f':
		return 't'
	default:
		return c
	}
}

// CON-6, CON-2, CON-4, CON-8: what cannot be decoded ends the line with its documented code.
func TestCON6GarbageEndsTheLine(t *testing.T) {
	x := start(t, nil)
	rows := []struct {
		name, subprotocol string
		first             byte
		payload           string
		code              int
	}{
		{"CON-6 no JSON", "json", 0x81, "{nope", 4400},
		{"CON-6 not an object", "json", 0x81, "[]", 4400},
		{"CON-6 half a document", "json", 0x81, `{"id":1,"connect":{}}` + "\n" + `{"id":`, 4400},
		{"CON-2 binary in JSON", "json", 0x82, "{}", 1003},
		{"CON-2 text in protobuf", "proto", 0x81, "{}", 1003},
		{"CON-6 a length beyond the message", "proto", 0x82, "\x7f\x08\x01", 4400},
		{"CON-6 a length that never ends", "proto", 0x82, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 4400},
		{"CON-4 ping first", "json", 0x81, `{"id":1,"ping":{}}`, 4400},
		{"CON-8 too large", "json", 0x81, strings.Repeat(" ", 65<<10), 1009},
		{"RFC 6455 8.1 text that is not UTF-8", "json", 0x81, "\xff\xfe", 1007},
		{"RFC 6455 5.2 reserved opcode", "json", 0x83, "", 1002},
		{"FR-23 another request after 101", "json", 'G', "ET / HTTP/1.1", 1002},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			l := x.open("bellwire.v1." + row.subprotocol)
			l.frame(row.first, []byte(row.payload))
			if code := l.code(); code != row.code {
				t.Errorf("ended with %d, want %d", code, row.code)
			}
		})
	}
	x.honest()
}

// MSG-5 in protobuf: fields that are unknown, of the wrong wire type or given twice are refused and the line lives.
func TestMSG5InProtobuf(t *testing.T) {
	x := start(t, nil)
	for name, message := range map[string]string{
		"unknown field":           "\x08\x07\x72\x03\xf8\x07\x01",       // ping with field 127
		"unknown command":         "\x08\x07\xfa\x07\x00",               // field 127
		"wrong wire type":         "\x08\x07\x2a\x02\x08\x01",           // publish, channel as a varint
		"channel twice":           "\x08\x07\x2a\x06\x0a\x01a\x0a\x01b", // publish
		"channel is not UTF-8":    "\x08\x07\x2a\x03\x0a\x01\xff",
		"a group, long forbidden": "\x08\x07\x2a\x02\x0b\x0c",
	} {
		t.Run(name, func(t *testing.T) {
			l := x.open("bellwire.v1.proto")
			l.say("\x04\x08\x01\x12\x00") // connect
			if opcode, _ := l.read(); opcode != 2 {
				t.Fatal("not connected")
			}
			l.say(string(rune(len(message))) + message + "\x04\x08\x08\x72\x00") // then ping
			for {
				opcode, payload := l.read()
				if opcode != 2 {
					t.Fatalf("the line ended: %d %q", opcode, payload)
				}
				if strings.Contains(string(payload), "\x08\x08\x7a") { // the answer to ping, id 8
					return
				}
			}
		})
	}
	x.honest()
}
