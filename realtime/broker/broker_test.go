package broker_test

import (
	"math"
	"testing"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

func TestHIS1LimitsAreFromOneToAThousand(t *testing.T) {
	for limit, ok := range map[int]bool{1: true, 2: true, 1000: true, 0: false, -1: false, 1001: false, math.MinInt: false, math.MaxInt: false} {
		err := broker.CheckLimit(limit)
		if (err == nil) != ok || err != nil && realtime.CodeOf(err) != realtime.CodeBadRequest {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}
