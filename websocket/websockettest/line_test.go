package websockettest

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLine(t *testing.T) {
	a, b := Lines(4)
	go func() {
		io.WriteString(a, "more than four bytes")
		a.CloseWrite()
	}()
	if got, err := io.ReadAll(b); err != nil || string(got) != "more than four bytes" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after CloseWrite: %v", err)
	}
	b.Write([]byte("back"))
	buf := make([]byte, 10)
	if n, err := a.Read(buf); err != nil || string(buf[:n]) != "back" {
		t.Errorf("%q, %v", buf[:n], err)
	}
	if a.LocalAddr().String() != b.RemoteAddr().String() || a.LocalAddr().Network() != "memory" {
		t.Error("addresses")
	}
}

func TestLineEnds(t *testing.T) {
	a, b := Lines(0)
	io.WriteString(a, "last")
	a.Close()
	if got, err := io.ReadAll(b); err != nil || string(got) != "last" {
		t.Errorf("what was written before Close: %q, %v", got, err)
	}
	if _, err := b.Write([]byte("x")); err != ErrReset {
		t.Errorf("writing to a closed end: %v", err)
	}
	if _, err := a.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading after Close: %v", err)
	}
	a, b = Lines(0)
	io.WriteString(a, "lost")
	a.Reset()
	for _, end := range []*Line{a, b} {
		if _, err := end.Read(make([]byte, 4)); err != ErrReset {
			t.Errorf("reading after Reset: %v", err)
		}
		if _, err := end.Write([]byte("x")); err != ErrReset || !strings.Contains(err.Error(), "reset") {
			t.Errorf("writing after Reset: %v", err)
		}
	}
}

// Deadlines in both directions: passed, moved while somebody waits, lifted.
func TestLineDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := Lines(1)
		start := time.Now()
		buf := make([]byte, 1)
		a.SetReadDeadline(start.Add(time.Second))
		if _, err := a.Read(buf); err != os.ErrDeadlineExceeded || time.Since(start) != time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		a.SetWriteDeadline(start.Add(2 * time.Second))
		if n, err := a.Write([]byte("xy")); n != 1 || err != os.ErrDeadlineExceeded || time.Since(start) != 2*time.Second {
			t.Errorf("after %v: %d, %v", time.Since(start), n, err)
		}
		a.SetDeadline(time.Time{})
		read := make(chan error, 1)
		go func() {
			_, err := a.Read(buf)
			read <- err
		}()
		synctest.Wait()
		a.SetReadDeadline(start.Add(time.Hour))
		a.SetReadDeadline(start.Add(time.Minute))
		if err := <-read; err != os.ErrDeadlineExceeded || time.Since(start) != time.Minute {
			t.Errorf("moved: after %v: %v", time.Since(start), err)
		}
		a.SetReadDeadline(start)
		if _, err := a.Read(buf); err != os.ErrDeadlineExceeded {
			t.Errorf("passed: %v", err)
		}
		a.SetReadDeadline(time.Time{})
		b.Write([]byte("z"))
		if n, err := a.Read(buf); n != 1 || err != nil {
			t.Errorf("lifted: %d, %v", n, err)
		}
	})
}
