package websockettest

import (
	"net"
	"testing"
	"time"
)

// lineMax bounds what waits for a line of Connect for ever.
const lineMax = time.Minute

// Sockets is Lines over TCP, on the loopback address. Both ends are closed when the test ends.
func Sockets(t testing.TB) (server, client net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		line, _ := listener.Accept()
		accepted <- line
	}()
	client = Connect(t, listener.Addr().String())
	if server = <-accepted; server == nil {
		t.Fatal("the line was not accepted")
	}
	t.Cleanup(func() { server.Close() })
	return server, client
}

// Connect opens a TCP connection that ends with the test, and after a minute at the latest.
func Connect(t testing.TB, address string) net.Conn {
	t.Helper()
	line, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { line.Close() })
	line.SetDeadline(time.Now().Add(lineMax))
	return line
}
