package native_test

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/protocol/native"
	"github.com/bellwire/bellwire/realtime/session"
)

// What a client says and is told when it connects with a subscription.

func BenchmarkConnectRequest(b *testing.B) {
	message := []byte(`{"id":1,"connect":{"subscribe":[{"channel":"chat:lobby"}]}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := native.JSON.Next(message, false); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkConnectAnswer(b *testing.B) {
	connected := &session.Connected{
		Connection: "AAECAwQFBgcICQoLDA0ODw", User: "anonymous-AAECAwQFBgcICQoLDA0ODw", Server: "bellwire/1.0.0", Node: "node-1",
		Ping: 25 * time.Second, Pong: 10 * time.Second, Window: time.Second, Time: time.Unix(1_800_000_000, 0), MessageBytes: 64 << 10,
	}
	subscribed := &session.Subscribed{Channel: "chat:lobby"}
	b.ReportAllocs()
	for b.Loop() {
		native.JSON.Encode(1, connected)
		native.JSON.Encode(0, subscribed)
	}
}
