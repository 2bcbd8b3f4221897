package websocket

import (
	"cmp"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/bellwire/bellwire/websocket/deflate"
	"github.com/bellwire/bellwire/websocket/endpoint"
	"github.com/bellwire/bellwire/websocket/frame"
	"github.com/bellwire/bellwire/websocket/handshake"
)

// Upgraded is a line whose opening handshake is done, for those who drive an
// endpoint themselves. Most programs want [Accept].
type Upgraded struct {
	Line         net.Conn
	First        []byte // came with the handshake, before anything that is read
	Subprotocol  string
	Config       *endpoint.Config
	Deflate      *deflate.Conn // nil unless compression was agreed
	WriteTimeout time.Duration // negative: none
}

// responses are the buffers that answers to handshakes are written in.
var responses = sync.Pool{New: func() any { return new([]byte) }}

// Upgrade answers an opening handshake as Accept does, and returns what it took over.
func Upgrade(w http.ResponseWriter, r *http.Request, opts *AcceptOptions) (*Upgraded, error) {
	if opts == nil {
		opts = new(AcceptOptions)
	}
	origins, err := handshake.ParseOrigins(opts.OriginPatterns)
	if err != nil {
		return nil, refuse(w, r, &handshake.Refusal{Status: http.StatusInternalServerError, Reason: "the server is misconfigured"}, err)
	}
	policy := opts.Limits.policy()
	policy.Subprotocols = opts.Subprotocols
	policy.Origins = origins
	policy.AnyOrigin = opts.InsecureSkipOriginCheck
	accepted, refusal := policy.Check(request(r))
	if refusal != nil {
		return nil, refuse(w, r, refusal, nil)
	}
	if opts.Admit != nil {
		if err := opts.Admit(); err != nil {
			return nil, &HandshakeError{Reason: "not admitted", Err: err}
		}
	}

	u := &Upgraded{
		Config:       opts.config(),
		Subprotocol:  accepted.Subprotocol,
		WriteTimeout: cmp.Or(opts.WriteTimeout, writeTimeoutDefault),
	}
	agreed, compressed := deflate.Choose(accepted.Extensions, opts.Compression.mode())
	var extension string
	if compressed {
		extension = agreed.String()
		u.Deflate = deflate.New(agreed, true, compressors)
	}
	if r.ProtoMajor == 2 {
		handshake.SetResponse(w.Header(), accepted, extension, opts.Header)
		u.Line, err = openStream(w, r)
		return u, err
	}
	response := responses.Get().(*[]byte)
	defer responses.Put(response)
	*response = handshake.AppendResponse((*response)[:0], accepted, extension, opts.Header)
	u.Line, u.First, err = hijack(w, r, *response, u.WriteTimeout)
	if err != nil {
		return nil, err
	}
	return u, nil
}

// EndError says how a connection ended, in the errors that Conn uses: from the
// last event of its endpoint, and what went wrong on the line if anything did.
func EndError(last endpoint.Event, lineErr error) error {
	closed := &CloseError{Code: StatusCode(last.Status), Reason: string(last.Payload)}
	switch {
	case last.Violation != nil:
		return &violationError{violation: last.Violation, closed: closed}
	case last.Status != frame.StatusAbnormal:
		return closed
	case lineErr != nil:
		return &lostError{lineErr}
	}
	return &lostError{io.EOF}
}
