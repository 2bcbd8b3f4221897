package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bellwire/bellwire/websocket"
)

// start runs the program's server until the test ends, and returns its address.
func start(t *testing.T, arguments ...string) string {
	t.Helper()
	o, err := parse(append([]string{"--listen", "127.0.0.1:0"}, arguments...))
	if err != nil {
		t.Fatal(err)
	}
	addresses := make(chan net.Addr, 1)
	o.listening = func(a net.Addr) { addresses <- a }
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, o) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return (<-addresses).String()
}

func TestEcho(t *testing.T) {
	for _, driver := range []string{"goroutine", "reactor"} {
		for _, compression := range []string{"off", "no-takeover", "takeover"} {
			t.Run(driver+"/"+compression, func(t *testing.T) {
				var mode websocket.CompressionMode
				if err := mode.UnmarshalText([]byte(compression)); err != nil {
					t.Fatal(err)
				}
				checkEcho(t, "ws://"+start(t, "--driver", driver, "--compression", compression), &websocket.DialOptions{Compression: mode})
			})
		}
	}
}

// checkEcho sends small messages and one above the default queue of a reactor.
func checkEcho(t *testing.T, url string, opts *websocket.DialOptions) {
	t.Helper()
	opts.Limits.MessageBytes = 3 << 20
	conn, _, err := websocket.Dial(t.Context(), url, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	for _, size := range []int{0, 900, 3 << 20} {
		message := bytes.Repeat([]byte("b"), size)
		sent := make(chan error, 1)
		go func() { sent <- conn.Write(context.Background(), websocket.TextMessage, message) }()
		if _, got, err := conn.Read(t.Context()); err != nil || !bytes.Equal(got, message) {
			t.Fatalf("%d bytes: got %d, %v", size, len(got), err)
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}

// With either driver TLS is served, and nobody need know by which.
func TestEchoOverTLS(t *testing.T) {
	roots, certFile, keyFile := certificate(t)
	for _, driver := range []string{"goroutine", "reactor"} {
		t.Run(driver, func(t *testing.T) {
			address := start(t, "--driver", driver, "--cert", certFile, "--key", keyFile)
			checkEcho(t, "wss://"+address, &websocket.DialOptions{TLSConfig: &tls.Config{RootCAs: roots}})
		})
	}
}

// certificate writes a certificate for 127.0.0.1, and its key.
func certificate(t *testing.T) (roots *x509.CertPool, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	roots = x509.NewCertPool()
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(cert)
	return roots, write("cert.pem", "CERTIFICATE", der), write("key.pem", "PRIVATE KEY", keyDER)
}

func TestMessageLimit(t *testing.T) {
	for _, driver := range []string{"goroutine", "reactor"} {
		conn, _, err := websocket.Dial(t.Context(), "ws://"+start(t, "--driver", driver, "--message-limit", "10"), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.CloseNow()
		conn.Write(t.Context(), websocket.BinaryMessage, make([]byte, 11))
		if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
			t.Errorf("%s: %v", driver, err)
		}
	}
}

// A server that stops closes its connections with a handshake.
func TestStop(t *testing.T) {
	for _, driver := range []string{"goroutine", "reactor"} {
		t.Run(driver, func(t *testing.T) {
			closed := make(chan error, 1)
			t.Run("serving", func(t *testing.T) { // the server stops when this ends
				conn, _, err := websocket.Dial(context.Background(), "ws://"+start(t, "--driver", driver), nil)
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					defer conn.CloseNow()
					_, _, err := conn.Read(context.Background())
					closed <- err
				}()
			})
			if err := <-closed; websocket.CloseStatus(err) != websocket.StatusGoingAway {
				t.Error(err)
			}
		})
	}
}

func TestFlags(t *testing.T) {
	for _, arguments := range [][]string{{"--driver", "magic"}, {"--compression", "much"}, {"--unknown"}} {
		if _, err := parse(arguments); err == nil {
			t.Errorf("%q is taken", arguments)
		}
	}
}
