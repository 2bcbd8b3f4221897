package conformance_test

import (
	"testing"

	"github.com/bellwire/bellwire/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
