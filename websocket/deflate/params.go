package deflate

import (
	"errors"
	"strconv"
	"strings"

	"github.com/bellwire/bellwire/websocket/handshake"
)

// Name is the extension's registered name.
const Name = "permessage-deflate"

// The names of its parameters (RFC 7692 7.1).
const (
	serverNoContextTakeover = "server_no_context_takeover"
	clientNoContextTakeover = "client_no_context_takeover"
	serverMaxWindowBits     = "server_max_window_bits"
	clientMaxWindowBits     = "client_max_window_bits"
)

// The sizes of a window, as powers of two.
const (
	windowBitsMin = 8
	windowBitsMax = 15
)

// Mode is what this side wants.
type Mode uint8

// The modes; see the options of the package websocket.
const (
	Off Mode = iota
	NoContextTakeover
	ContextTakeover
)

// Params is an offer or an agreement. Window bits are 0 where not named, which
// means 15; in an offer anyBits stands for a client_max_window_bits without value.
type Params struct {
	ServerNoContextTakeover bool
	ClientNoContextTakeover bool
	ServerMaxWindowBits     int
	ClientMaxWindowBits     int
}

const anyBits = -1

// What is wrong with the parameters of an extension.
var (
	errName      = errors.New("the extension is not permessage-deflate")
	errUnknown   = errors.New("permessage-deflate has an unknown parameter")
	errDuplicate = errors.New("permessage-deflate has a parameter twice")
	errValue     = errors.New("permessage-deflate has a parameter with a bad value")
	errCount     = errors.New("the answer has more than one extension")
	errUnasked   = errors.New("the answer does not keep to what was offered")
)

// parse reads the parameters of an offer, or with response of an answer.
// RFC 7692 7: one that is unknown, doubled or malformed spoils the whole.
func parse(extension handshake.Extension, response bool) (Params, error) {
	if extension.Name != Name {
		return Params{}, errName
	}
	var params Params
	for i, param := range extension.Params {
		for _, earlier := range extension.Params[:i] {
			if earlier.Name == param.Name {
				return Params{}, errDuplicate
			}
		}
		if err := params.set(param, response); err != nil {
			return Params{}, err
		}
	}
	return params, nil
}

func (p *Params) set(param handshake.Param, response bool) error {
	var err error
	switch param.Name {
	case serverNoContextTakeover:
		p.ServerNoContextTakeover, err = true, checkFlag(param)
	case clientNoContextTakeover:
		p.ClientNoContextTakeover, err = true, checkFlag(param)
	case serverMaxWindowBits:
		p.ServerMaxWindowBits, err = windowBits(param)
	case clientMaxWindowBits:
		if !param.HasValue && !response {
			p.ClientMaxWindowBits = anyBits
			return nil
		}
		p.ClientMaxWindowBits, err = windowBits(param)
	default:
		err = errUnknown
	}
	return err
}

func checkFlag(param handshake.Param) error {
	if param.HasValue {
		return errValue
	}
	return nil
}

// windowBits reads a decimal integer of 8 to 15 without leading zeros
// (RFC 7692 7.1.2).
func windowBits(param handshake.Param) (int, error) {
	for bits := windowBitsMin; bits <= windowBitsMax; bits++ {
		if param.HasValue && param.Value == strconv.Itoa(bits) {
			return bits, nil
		}
	}
	return 0, errValue
}

// Choose takes, as a server, the first of a client's offers that can be kept to.
func Choose(offers []handshake.Extension, mode Mode) (Params, bool) {
	if mode == Off {
		return Params{}, false
	}
	for _, extension := range offers {
		offer, err := parse(extension, false)
		if err == nil {
			return answer(offer, mode), true
		}
	}
	return Params{}, false
}

// answer agrees to an offer. RFC 7692 7.1: a server may add either
// no_context_takeover unasked; it must keep the server's window to what was asked.
func answer(offer Params, mode Mode) Params {
	agreed := Params{
		ServerNoContextTakeover: offer.ServerNoContextTakeover,
		ClientNoContextTakeover: offer.ClientNoContextTakeover,
		ServerMaxWindowBits:     offer.ServerMaxWindowBits,
	}
	if mode == NoContextTakeover {
		agreed.ServerNoContextTakeover = true
		agreed.ClientNoContextTakeover = true
	}
	return agreed
}

// Offer is what a client asks for. It names client_max_window_bits, so that a
// server may shrink the window it needs to remember.
func Offer(mode Mode) Params {
	none := mode == NoContextTakeover
	return Params{
		ServerNoContextTakeover: none,
		ClientNoContextTakeover: none,
		ClientMaxWindowBits:     anyBits,
	}
}

// Agree checks, as a client, the server's answer to an offer. It reports false
// where the server declined.
func Agree(answer []handshake.Extension, offer Params) (Params, bool, error) {
	if len(answer) == 0 {
		return Params{}, false, nil
	}
	if len(answer) > 1 {
		return Params{}, false, errCount
	}
	agreed, err := parse(answer[0], true)
	switch {
	case err != nil:
		return Params{}, false, err
	case offer.ServerNoContextTakeover && !agreed.ServerNoContextTakeover:
		return Params{}, false, errUnasked // RFC 7692 7.1.1.1
	case offer.ClientMaxWindowBits == 0 && agreed.ClientMaxWindowBits != 0:
		return Params{}, false, errUnasked // RFC 7692 7.1.2.2
	case offer.ServerMaxWindowBits > 0 && !atMost(agreed.ServerMaxWindowBits, offer.ServerMaxWindowBits):
		return Params{}, false, errUnasked // RFC 7692 7.1.2.1
	}
	// RFC 7692 7.1.1.2: to offer it is to say that the client will keep to it.
	agreed.ClientNoContextTakeover = agreed.ClientNoContextTakeover || offer.ClientNoContextTakeover
	return agreed, true, nil
}

func atMost(bits, limit int) bool { return bits != 0 && bits <= limit }

// String writes the parameters as an item of a Sec-WebSocket-Extensions field.
func (p Params) String() string {
	var b strings.Builder
	b.WriteString(Name)
	if p.ServerNoContextTakeover {
		b.WriteString("; " + serverNoContextTakeover)
	}
	if p.ClientNoContextTakeover {
		b.WriteString("; " + clientNoContextTakeover)
	}
	writeBits(&b, serverMaxWindowBits, p.ServerMaxWindowBits)
	writeBits(&b, clientMaxWindowBits, p.ClientMaxWindowBits)
	return b.String()
}

func writeBits(b *strings.Builder, name string, bits int) {
	switch {
	case bits == anyBits:
		b.WriteString("; " + name)
	case bits != 0:
		b.WriteString("; " + name + "=" + strconv.Itoa(bits))
	}
}
