package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bellwire/bellwire/server/config"
	"github.com/bellwire/bellwire/websocket"
)

// makeCertificate writes a certificate for 127.0.0.1 and its key, and returns the pool that trusts it.
func makeCertificate(t *testing.T) (certificateFile, keyFile string, pool *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	certificateFile, keyFile = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	write := func(path, kind string, content []byte) {
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(certificateFile, "CERTIFICATE", der)
	write(keyFile, "PRIVATE KEY", private)
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool = x509.NewCertPool()
	pool.AddCert(certificate)
	return certificateFile, keyFile, pool
}

// HS-26, VC-20: the line over TLS 1.2 and newer, HTTP/1.1 only, and nothing else on that port.
func TestHS26TLS(t *testing.T) {
	certificateFile, keyFile, pool := makeCertificate(t)
	f := start(t, func(c *config.Config) { c.TLS = config.TLS{CertificateFile: certificateFile, KeyFile: keyFile} })
	conn, _, err := websocket.Dial(t.Context(), "wss://"+f.address()+"/ws?channels=chat:a", &websocket.DialOptions{
		TLSConfig: &tls.Config{RootCAs: pool}, Header: http.Header{"Origin": {"https://" + f.address()}},
	})
	if err != nil {
		t.Fatal(err)
	}
	l := &line{t: t, conn: conn}
	l.expect("connect")
	l.expect("subscribed")
	_ = conn.CloseNow()

	client := &http.Client{Timeout: patience, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
	defer client.CloseIdleConnections()
	response, err := client.Get("https://" + f.address() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.ProtoMajor != 1 {
		t.Errorf("HTTP/%d was agreed", response.ProtoMajor)
	}
	if status, _, closed := f.raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); status != 400 || !closed {
		t.Errorf("plain HTTP on the TLS port: %d, closed %v", status, closed)
	}
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		conn, err := tls.Dial("tcp", f.address(), &tls.Config{RootCAs: pool, MinVersion: version, MaxVersion: version})
		if err == nil {
			conn.Close()
			t.Errorf("TLS version %x was taken", version)
		}
	}
}

// HS-19 behind a proxy: the origin is what the browser sees, when a trusted proxy says so, and only then.
func TestHS19TheOriginBehindAProxy(t *testing.T) {
	origin := "Origin: https://localhost"
	trusting := start(t, func(c *config.Config) { c.TrustedProxies = []string{"127.0.0.1"} })
	for name, test := range map[string]struct {
		f      *fixture
		lines  []string
		status int
	}{
		"a trusted proxy that speaks TLS":      {trusting, []string{origin, "X-Forwarded-Proto: https"}, 101},
		"a trusted proxy that says nothing":    {trusting, []string{origin}, 403},
		"a trusted proxy, another site":        {trusting, []string{"Origin: https://evil.example", "X-Forwarded-Proto: https"}, 403},
		"somebody who claims to be one":        {start(t, nil), []string{origin, "X-Forwarded-Proto: https"}, 403},
		"an origin that the configuration has": {start(t, func(c *config.Config) { c.AllowedOrigins = []string{"https://app.example"} }), []string{"Origin: https://app.example"}, 101},
	} {
		if status, _, _ := test.f.raw(upgrade("/ws", test.lines...)); status != test.status {
			t.Errorf("%s: %d, want %d", name, status, test.status)
		}
	}
}
