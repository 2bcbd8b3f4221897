package realtime_test

import (
	"testing"
	"time"

	"github.com/bellwire/bellwire/realtime"
)

func whole() *realtime.Publication {
	return &realtime.Publication{
		Channel: "chat:a", Epoch: "e", Offset: 7, Prev: 6, ID: "id", Time: time.UnixMilli(5),
		From: realtime.Publisher{User: "alice", Connection: "c1"}, Payload: realtime.JSON([]byte("1")), SkipConnection: "c1",
	}
}

func TestMarkHasThePositionAndNothingElse(t *testing.T) {
	p := whole()
	mark := p.Mark()
	if mark.Channel != "chat:a" || mark.Epoch != "e" || mark.Offset != 7 || mark.Prev != 6 {
		t.Errorf("PUB-2 the mark is not at the publication's position: %+v", mark)
	}
	if !mark.IsMark() || !mark.Payload.IsNone() || mark.State != nil || mark.ID != "" || mark.From != (realtime.Publisher{}) {
		t.Errorf("SRV-2 the mark tells something: %+v", mark)
	}
	if p.IsMark() || (&realtime.Publication{State: &realtime.StateChange{Key: "k"}}).IsMark() {
		t.Error("SRV-2 a publication is taken for a mark")
	}
}

func TestWithoutPositionChangesNothingElse(t *testing.T) {
	p := whole()
	bare := p.WithoutPosition()
	if bare.Epoch != "" || bare.Offset != 0 || bare.Prev != 0 || string(bare.Payload.Bytes) != "1" || bare.Channel != "chat:a" {
		t.Errorf("SUB-10 %+v", bare)
	}
	if p.Offset != 7 || p.Epoch != "e" {
		t.Error("the publication itself was changed")
	}
}

func TestPositionZeroIsNone(t *testing.T) {
	if !(realtime.Position{}).IsZero() || (realtime.Position{Epoch: "e"}).IsZero() || (realtime.Position{Offset: 1}).IsZero() {
		t.Error("only a position without epoch and offset is none")
	}
}

func TestHasLog(t *testing.T) {
	for _, history := range []bool{false, true} {
		for _, state := range []bool{false, true} {
			ns := realtime.Namespace{History: history, State: state}
			if ns.HasLog() != (history || state) {
				t.Errorf("POS-1 history %t, state %t: log %t", history, state, ns.HasLog())
			}
		}
	}
}
