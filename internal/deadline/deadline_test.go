package deadline

import (
	"testing"
	"time"
)

func passed(d *Deadline) bool {
	select {
	case <-d.Passed():
		return true
	default:
		return false
	}
}

func TestDeadline(t *testing.T) {
	var d Deadline
	if passed(&d) {
		t.Error("the zero value has passed")
	}
	waiting := d.Passed()
	d.Set(time.Now().Add(time.Hour))
	if passed(&d) {
		t.Error("an hour has passed")
	}
	d.Set(time.Now().Add(time.Millisecond)) // who waits is told of an earlier one
	<-waiting
	if !passed(&d) {
		t.Error("it has not passed any more")
	}
	d.Set(time.Now().Add(time.Hour))
	if passed(&d) {
		t.Error("it was not moved")
	}
	d.Set(time.Unix(1, 0))
	if !passed(&d) {
		t.Error("the past has not passed")
	}
	d.Set(time.Unix(2, 0))
	if !passed(&d) {
		t.Error("another past has not passed")
	}
	d.Set(time.Time{})
	if passed(&d) {
		t.Error("none has passed")
	}
}

// A deadline that was set before anybody waited is met too.
func TestDeadlineBeforeWait(t *testing.T) {
	var d Deadline
	d.Set(time.Now().Add(time.Millisecond))
	<-d.Passed()
}
