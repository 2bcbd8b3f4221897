package conformance_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bellwire/bellwire/internal/leak"
	"github.com/bellwire/bellwire/websocket"
	"github.com/bellwire/bellwire/websocket/frame"
	ws "github.com/bellwire/bellwire/websocket/websockettest"
)

// The catalogue of faults, where it is about more than one frame: what peers do to memory, to the line and to time.

// VC-02: peers that declare as much as they may, and send ten bytes of it, cost about what they have sent: less than a
// fiftieth of what they declared.
func TestDeclaredCostsLittle(t *testing.T) {
	const peers, declared = 200, 1 << 20
	for _, d := range drivers(t) {
		t.Run(d.name, func(t *testing.T) {
			address := listen(t, d, nil)
			liveness(t, "ws://"+address)
			before := heap()
			for range peers {
				line := ws.Connect(t, address)
				peer, err := ws.ClientPeer(line, "")
				if err != nil {
					t.Fatal(err)
				}
				wire := frame.Append(nil, frame.Header{Fin: true, Opcode: frame.Binary, Masked: true, Length: declared})
				peer.Send(ping("before")) // whose pong says that all before was read
				line.Write(append(wire, "0123456789"...))
				if got, err := peer.Receive(); err != nil || !got.Equal(pong("before")) {
					t.Fatal(got, err)
				}
			}
			liveness(t, "ws://"+address)
			if grown := (heap() - before) / peers; grown > declared/50 { // with what the HTTP server and the test hold
				t.Errorf("a connection holds %d bytes", grown)
			}
		})
	}
}

// CP-05: a compressed message may be empty: of no byte, of one, of an empty block.
func TestEmptyCompressed(t *testing.T) {
	for _, d := range drivers(t) {
		for name, payload := range map[string]string{"no byte": "", "one byte": "\x00", "an empty block": "\x02\x00"} {
			t.Run(d.name+"/"+name, func(t *testing.T) {
				address := listen(t, d, &websocket.AcceptOptions{Compression: websocket.CompressionNoContextTakeover})
				peer, err := ws.ClientPeer(ws.Connect(t, address), "Sec-WebSocket-Extensions: permessage-deflate\r\n")
				if err != nil {
					t.Fatal(err)
				}
				peer.Send(ws.Frame{Fin: true, RSV1: true, Opcode: frame.Text, Payload: []byte(payload)})
				if got, err := peer.Receive(); err != nil || got.Opcode != frame.Text || len(got.Payload) > 1 {
					t.Fatal(got, err)
				}
				checkEnd(t, normal, peer)
			})
		}
	}
}

// CP-08: who comes after a peer whose message was too large, or no DEFLATE at all, gets its own back, by the
// same pool.
func TestPoolAfterAbuse(t *testing.T) {
	for _, d := range drivers(t) {
		t.Run(d.name, func(t *testing.T) {
			address := listen(t, d, &websocket.AcceptOptions{
				Compression: websocket.CompressionContextTakeover, Limits: websocket.Limits{MessageBytes: 4 << 10},
			})
			for round := range 20 {
				peer, err := ws.ClientPeer(ws.Connect(t, address), "Sec-WebSocket-Extensions: permessage-deflate\r\n")
				if err != nil {
					t.Fatal(err)
				}
				abuse, status := []byte("\xff\xff\xff"), frame.Status(1007)
				if round%2 == 0 {
					abuse, status = newCodec(t, true, true).compress(make([]byte, 64<<10)), 1009
				}
				peer.Send(ws.Frame{Fin: true, RSV1: true, Opcode: frame.Binary, Payload: abuse})
				checkEnd(t, fails(status), peer)
				exchangeCompressed(t, "ws://"+address)
			}
		})
	}
}

func exchangeCompressed(t *testing.T, url string) {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Compression: websocket.CompressionContextTakeover})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	for _, own := range []string{strings.Repeat("honest ", 300), strings.Repeat("client ", 300)} {
		conn.Write(t.Context(), websocket.TextMessage, []byte(own))
		if _, got, err := conn.Read(t.Context()); err != nil || string(got) != own {
			t.Fatalf("%.40q, %v", got, err)
		}
	}
}

// FL-05: a peer that shows that it lives, by pongs, and takes none of what it is sent, is given up all the same.
func TestPeerPongsAndNeverReads(t *testing.T) {
	for _, side := range socketSides(t) {
		t.Run(side.name, func(t *testing.T) {
			t.Parallel()
			s := side.open(t, websocket.AcceptOptions{WriteTimeout: 250 * time.Millisecond, Limits: websocket.Limits{MessageBytes: 16 << 20}}, "")
			s.peer.Line.(*net.TCPConn).SetReadBuffer(64 << 10)
			ponging := make(chan struct{})
			go func() {
				defer close(ponging)
				s.peer.Send(binary(strings.Repeat("x", 12<<20)))
				alive := time.NewTicker(200 * time.Millisecond) // slower than the limit of pongs
				defer alive.Stop()
				for s.peer.Send(pong("")) == nil {
					<-alive.C
				}
			}()
			checkEnded(t, s, websocket.StatusAbnormalClosure)
			s.peer.Line.Close()
			<-ponging
		})
	}
}

// FL-04, FL-06, FL-15: a peer that is silent is asked, and given up when it does not answer; one that answers is kept, and asked
// again after the same time, also where it might take longer for an answer.
func TestSilentPeers(t *testing.T) {
	for _, side := range socketSides(t) {
		t.Run(side.name, func(t *testing.T) {
			t.Parallel()
			mute := side.open(t, websocket.AcceptOptions{PingInterval: 50 * time.Millisecond, PongTimeout: 50 * time.Millisecond}, "")
			checkEnded(t, mute, websocket.StatusAbnormalClosure)
			if got, err := mute.peer.Receive(); err != nil || got.Opcode != frame.Ping {
				t.Errorf("got %v, %v", got, err)
			}
			alive := side.open(t, websocket.AcceptOptions{PingInterval: 50 * time.Millisecond, PongTimeout: 20 * time.Second}, "")
			alive.peer.Line.SetDeadline(time.Now().Add(10 * time.Second)) // a bound for a hang
			for range 5 {
				asked, err := alive.peer.Receive()
				if err != nil || asked.Opcode != frame.Ping {
					t.Fatalf("got %v, %v", asked, err)
				}
				alive.peer.Send(pong(string(asked.Payload)))
			}
			checkEnd(t, normal, alive.peer)
		})
	}
}

// FL-08: a peer resets its line in the middle of a large message to it: no byte of that reaches another connection, and
// nothing is left.
func TestResetInLargeMessage(t *testing.T) {
	for _, d := range drivers(t) {
		t.Run(d.name, func(t *testing.T) {
			address := listen(t, d, nil)
			var wg sync.WaitGroup
			wg.Go(func() { exchangeOwn(t, "ws://"+address, 10) })
			for range 4 {
				wg.Go(func() {
					for range 80 / slowness {
						line := ws.Connect(t, address)
						peer, err := ws.ClientPeer(line, "")
						if err != nil {
							t.Error(err)
							return
						}
						peer.Send(binary(strings.Repeat("<foreign>", 50_000)))
						io.CopyN(io.Discard, line, 50_000)
						line.(*net.TCPConn).SetLinger(0)
						line.Close()
					}
				})
			}
			wg.Wait()
		})
	}
}

// HS-29: peers that go away around the answer to their handshake, before it, with it, after it, by FIN and by RST, leave nothing.
func TestGoneAroundTheAnswer(t *testing.T) {
	for _, d := range drivers(t) {
		t.Run(d.name, func(t *testing.T) {
			address := listen(t, d, nil)
			liveness(t, "ws://"+address)
			for n := range 200 / slowness * 2 {
				line := ws.Connect(t, address).(*net.TCPConn)
				io.WriteString(line, head+"\r\n")
				if n%2 == 0 {
					line.SetLinger(0)
				}
				switch n / 2 % 3 {
				case 0: // at once
				case 1:
					line.Read(make([]byte, 1))
				case 2:
					line.CloseWrite()
					io.ReadAll(line)
				}
				line.Close()
			}
			liveness(t, "ws://"+address)
		})
	}
	leak.Check(t)
}
