package deflate

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/bellwire/bellwire/websocket/handshake"
)

func extensions(t testing.TB, field string) []handshake.Extension {
	t.Helper()
	all, err := handshake.ParseExtensions([]string{field}, 8)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// The server's answers; "" stands for no compression.
func TestChoose(t *testing.T) {
	const no = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	rows := []struct {
		rule  string
		mode  Mode
		offer string
		want  string
	}{
		{"off", Off, "permessage-deflate", ""},
		{"plain offer", ContextTakeover, "permessage-deflate", "permessage-deflate"},
		{"plain offer, no takeover", NoContextTakeover, "permessage-deflate", no},
		{"browser's offer", ContextTakeover, "permessage-deflate; client_max_window_bits", "permessage-deflate"},
		{"other extension", ContextTakeover, "x-webkit-deflate-frame", ""},
		{"other case is another name", ContextTakeover, "Permessage-Deflate", ""},
		{"second of two", ContextTakeover, "bzip2, permessage-deflate", "permessage-deflate"},
		{"first that can be kept", ContextTakeover, "permessage-deflate; x, permessage-deflate; server_max_window_bits=9", "permessage-deflate; server_max_window_bits=9"},
		{"13.7: three offers", ContextTakeover, "permessage-deflate; server_no_context_takeover; server_max_window_bits=9, permessage-deflate; server_no_context_takeover, permessage-deflate", "permessage-deflate; server_no_context_takeover; server_max_window_bits=9"},
		{"client's takeover is off if offered", ContextTakeover, "permessage-deflate; client_no_context_takeover", "permessage-deflate; client_no_context_takeover"},
		{"client's bits need no answer", ContextTakeover, "permessage-deflate; client_max_window_bits=10", "permessage-deflate"},
		{"unknown parameter", ContextTakeover, "permessage-deflate; level=9", ""},
		{"duplicate parameter", ContextTakeover, "permessage-deflate; server_no_context_takeover; server_no_context_takeover", ""},
		{"flag with a value", ContextTakeover, "permessage-deflate; server_no_context_takeover=1", ""},
		{"client flag with a value", ContextTakeover, "permessage-deflate; client_no_context_takeover=true", ""},
		{"bits without value", ContextTakeover, "permessage-deflate; server_max_window_bits", ""},
		{"bits quoted", ContextTakeover, `permessage-deflate; server_max_window_bits="10"`, "permessage-deflate; server_max_window_bits=10"},
		{"bits with a zero before", ContextTakeover, "permessage-deflate; server_max_window_bits=09", ""},
		{"bits with a sign", ContextTakeover, "permessage-deflate; server_max_window_bits=+9", ""},
		{"bits not a number", ContextTakeover, "permessage-deflate; client_max_window_bits=x", ""},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			agreed, ok := Choose(extensions(t, row.offer), row.mode)
			if got := agreed.String(); ok != (row.want != "") || ok && got != row.want {
				t.Errorf("got %v %q, want %q", ok, got, row.want)
			}
		})
	}
}

// HS-17, VC-07: each value of both window sizes.
func TestEveryWindowBits(t *testing.T) {
	for bits := range 21 {
		valid := bits >= 8 && bits <= 15
		for _, name := range []string{serverMaxWindowBits, clientMaxWindowBits} {
			all := extensions(t, fmt.Sprintf("%s; %s=%d", Name, name, bits))
			agreed, ok := Choose(all, ContextTakeover)
			if ok != valid {
				t.Errorf("offer %s=%d: %v", name, bits, ok)
			}
			if want := map[bool]int{true: bits}[valid && name == serverMaxWindowBits]; agreed.ServerMaxWindowBits != want {
				t.Errorf("offer %s=%d: answered %d", name, bits, agreed.ServerMaxWindowBits)
			}
			if _, ok, err := Agree(all, Offer(ContextTakeover)); ok != valid || (err == nil) != valid {
				t.Errorf("answer %s=%d: %v, %v", name, bits, ok, err)
			}
		}
	}
}

// The client's verdict on an answer.
func TestAgree(t *testing.T) {
	rows := []struct {
		rule   string
		offer  Params
		answer string
		ok     bool
		err    error
	}{
		{"takeover", Offer(ContextTakeover), "permessage-deflate", true, nil},
		{"takeover, refused by the server", Offer(ContextTakeover), "permessage-deflate; server_no_context_takeover", true, nil},
		{"takeover, the client's not wanted", Offer(ContextTakeover), "permessage-deflate; client_no_context_takeover", true, nil},
		{"no takeover", Offer(NoContextTakeover), "permessage-deflate; server_no_context_takeover; client_no_context_takeover", true, nil},
		{"no takeover, the client's left out", Offer(NoContextTakeover), "permessage-deflate; server_no_context_takeover", true, nil},
		{"no takeover, not kept to", Offer(NoContextTakeover), "permessage-deflate", false, errUnasked},
		{"window", Offer(ContextTakeover), "permessage-deflate; client_max_window_bits=9", true, nil},
		{"window without value", Offer(ContextTakeover), "permessage-deflate; client_max_window_bits", false, errValue},
		{"window not offered", Params{}, "permessage-deflate; client_max_window_bits=9", false, errUnasked},
		{"server's window unasked", Params{}, "permessage-deflate; server_max_window_bits=9", true, nil},
		{"server's window smaller", Params{ServerMaxWindowBits: 10}, "permessage-deflate; server_max_window_bits=9", true, nil},
		{"server's window larger", Params{ServerMaxWindowBits: 10}, "permessage-deflate; server_max_window_bits=11", false, errUnasked},
		{"server's window ignored", Params{ServerMaxWindowBits: 10}, "permessage-deflate", false, errUnasked},
		{"other extension", Offer(ContextTakeover), "bzip2", false, errName},
		{"two extensions", Offer(ContextTakeover), "permessage-deflate, permessage-deflate", false, errCount},
		{"unknown parameter", Offer(ContextTakeover), "permessage-deflate; x", false, errUnknown},
		{"duplicate parameter", Offer(ContextTakeover), "permessage-deflate; server_no_context_takeover; server_no_context_takeover", false, errDuplicate},
	}
	for _, row := range rows {
		t.Run(row.rule, func(t *testing.T) {
			agreed, ok, err := Agree(extensions(t, row.answer), row.offer)
			if ok != row.ok || err != row.err {
				t.Fatalf("got %v, %v", ok, err)
			}
			if ok && row.offer.ClientNoContextTakeover && !agreed.ClientNoContextTakeover {
				t.Error("the client forgot its own word")
			}
		})
	}
	if _, ok, err := Agree(nil, Offer(ContextTakeover)); ok || err != nil {
		t.Errorf("declined: got %v, %v", ok, err)
	}
}

func TestOfferString(t *testing.T) {
	for mode, want := range map[Mode]string{
		ContextTakeover:   "permessage-deflate; client_max_window_bits",
		NoContextTakeover: "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits",
	} {
		if got := Offer(mode).String(); got != want {
			t.Errorf("mode %d: %q", mode, got)
		}
	}
}

// FuzzNegotiation: what a server agrees to is always in one of the offers, and a
// client that made the offer accepts the answer.
func FuzzNegotiation(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits", true)
	f.Add("permessage-deflate; server_max_window_bits=9; server_no_context_takeover, permessage-deflate", false)
	f.Add("permessage-deflate; client_max_window_bits=8; x=y", false)
	f.Fuzz(func(t *testing.T, field string, takeover bool) {
		all, err := handshake.ParseExtensions([]string{field}, 8)
		if err != nil {
			return
		}
		mode := map[bool]Mode{false: NoContextTakeover, true: ContextTakeover}[takeover]
		agreed, ok := Choose(all, mode)
		if !ok {
			return
		}
		for _, e := range all {
			offer, err := parse(e, false)
			if err != nil {
				continue
			}
			if _, ok, err := Agree(extensions(t, agreed.String()), offer); !ok || err != nil {
				t.Fatalf("%q answered with %q: %v", field, agreed, err)
			}
			break
		}
		if bits := agreed.ServerMaxWindowBits; bits != 0 && (bits < 8 || bits > 15) {
			t.Fatal(strconv.Itoa(bits))
		}
	})
}
