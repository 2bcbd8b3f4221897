package wire

import (
	"testing"

	"github.com/bellwire/bellwire/realtime"
)

func benchmarkDecodePublish(b *testing.B, f Format) {
	m := ClientMessage{ID: 7, Command: &Publish{Channel: "chat:lobby", ID: "b6Jx", Payload: realtime.JSON([]byte(`{"text":"hello, how are you today?","name":"Ann"}`))}}
	bytes, err := AppendClient(nil, f, &m)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(bytes)))
	for b.Loop() {
		d := DecodeClient(f, bytes)
		if _, err := d.Next(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodePublishJSON(b *testing.B)  { benchmarkDecodePublish(b, JSON) }
func BenchmarkDecodePublishProto(b *testing.B) { benchmarkDecodePublish(b, Proto) }

func benchmarkAppendPublication(b *testing.B, f Format) {
	p := &realtime.Publication{
		Channel: "chat:lobby", Offset: 4242, Prev: 4241, ID: "b6Jx", From: realtime.Publisher{User: "alice", Connection: "AAECAwQFBgcICQoLDA0ODw"},
		Payload: realtime.JSON([]byte(`{"text":"hello, how are you today?","name":"Ann"}`)),
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendPublication(dst[:0], f, p)
	}
}

func BenchmarkAppendPublicationJSON(b *testing.B)  { benchmarkAppendPublication(b, JSON) }
func BenchmarkAppendPublicationProto(b *testing.B) { benchmarkAppendPublication(b, Proto) }
