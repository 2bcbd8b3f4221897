package state

import (
	"math"

	"github.com/bellwire/bellwire/realtime"
	"github.com/bellwire/bellwire/realtime/broker"
)

// Change is what an update does. When it is not Applied nothing changes, and Value and Version are the key's present
// ones (STA-3). When it is, Value is the key's new value, or Removed is true, and Commit gives the version.
type Change struct {
	Applied bool
	Removed bool
	Value   realtime.Payload
	Version uint64
}

// Evaluate says what an update would do now. It changes nothing.
func (s *State) Evaluate(update *broker.Update, limits Limits) (Change, error) {
	present, found := s.Get(update.Key)
	change := Change{Value: present.Value, Version: present.Version}
	switch update.Op {
	case broker.OpSet:
		change.Applied = true
	case broker.OpSetIf:
		change.Applied = update.Version == present.Version // 0 when the key is absent
	case broker.OpRemove:
		change.Applied, change.Removed = found, found
	case broker.OpIncrement:
		return s.increment(update, present.Value, limits)
	case broker.OpSetGreater:
		greater, err := isGreater(update.Value, present.Value)
		if err != nil {
			return Change{}, err
		}
		change.Applied = greater
	default:
		return Change{}, realtime.NewError(realtime.CodeBadRequest, "op is not one of set, remove, increment, set_if, set_greater")
	}
	if !change.Applied {
		return change, nil
	}
	if change.Removed {
		return Change{Applied: true, Removed: true}, nil
	}
	return s.change(update.Key, update.Value, limits)
}

// Commit carries out a Change that Evaluate returned as Applied, with nothing else in between.
func (s *State) Commit(key string, change Change, version uint64) {
	if change.Removed {
		s.remove(key)
	} else {
		s.put(&realtime.Entry{Key: key, Value: change.Value, Version: version})
	}
}

// change checks the limits of a new value (STA-6). What makes the state smaller is always allowed.
func (s *State) change(key string, value realtime.Payload, limits Limits) (Change, error) {
	if value.IsNone() {
		return Change{}, realtime.NewError(realtime.CodeBadRequest, "value is missing")
	}
	present, found := s.Get(key)
	grows := len(value.Bytes) - len(present.Value.Bytes)
	if !found {
		grows += len(key)
		if len(s.entries) >= limits.KeysMax {
			return Change{}, realtime.Errorf(realtime.CodeLimitExceeded, "the channel's state has its most keys, %d; remove one first", limits.KeysMax)
		}
	}
	if grows > 0 && s.bytes+grows > limits.BytesMax {
		return Change{}, realtime.Errorf(realtime.CodeLimitExceeded, "the channel's state would be larger than %d bytes", limits.BytesMax)
	}
	return Change{Applied: true, Value: value}, nil
}

func (s *State) increment(update *broker.Update, present realtime.Payload, limits Limits) (Change, error) {
	number := 0.0
	if !present.IsNone() {
		var ok bool
		if number, ok = parseNumber(present); !ok {
			return Change{}, errPresentNotNumber()
		}
	}
	sum := number + update.By
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		return Change{}, realtime.NewError(realtime.CodeBadRequest, "by would make a number that is not finite")
	}
	return s.change(update.Key, realtime.JSON(appendNumber(nil, sum)), limits)
}

func isGreater(value, present realtime.Payload) (bool, error) {
	number, ok := parseNumber(value)
	if !ok {
		return false, realtime.NewError(realtime.CodeBadRequest, "value is not a finite number")
	}
	if present.IsNone() {
		return true, nil
	}
	presentNumber, ok := parseNumber(present)
	if !ok {
		return false, errPresentNotNumber()
	}
	return number > presentNumber, nil
}

func errPresentNotNumber() error {
	return realtime.NewError(realtime.CodeBadRequest, "key has a value that is not a finite number; set it first")
}
