package websocket

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
)

// throughProxy opens a line to target by way of a proxy.
func (d *dialer) throughProxy(ctx context.Context, via *url.URL, target string) (net.Conn, error) {
	line, err := d.dial(ctx, hostPort(via))
	if err != nil {
		return nil, fmt.Errorf("reaching the proxy: %w", err)
	}
	if via.Scheme == "https" {
		if line, err = d.secure(ctx, line, via.Hostname()); err != nil {
			return nil, fmt.Errorf("reaching the proxy: %w", err)
		}
	}
	stop := context.AfterFunc(ctx, func() { line.SetDeadline(longAgo) })
	switch via.Scheme {
	case "http", "https":
		err = connectHTTP(line, via.User, target)
	case "socks5", "socks5h":
		err = connectSOCKS(line, via.User, target)
	default:
		err = fmt.Errorf("unknown scheme %q", via.Scheme)
	}
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		line.Close()
		return nil, fmt.Errorf("asking the proxy: %w", err)
	}
	return line, nil
}

// connectHTTP asks an HTTP proxy for a tunnel (RFC 9110 9.3.6).
func connectHTTP(line net.Conn, user *url.Userinfo, target string) error {
	request := "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n"
	if user != nil {
		password, _ := user.Password()
		credentials := base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password))
		request += "Proxy-Authorization: Basic " + credentials + "\r\n"
	}
	if _, err := io.WriteString(line, request+"\r\n"); err != nil {
		return err
	}
	// The tunnel starts right after the head, so not a byte more may be read.
	head, err := readHead(line)
	if err != nil {
		return err
	}
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(head)), &http.Request{Method: http.MethodConnect})
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the proxy answers %s", response.Status)
	}
	return nil
}

// proxyHeadMax bounds the head of a proxy's answer.
const proxyHeadMax = 4 << 10

var errProxyHead = errors.New("the proxy's answer is too large")

// readHead reads byte by byte up to an empty line.
func readHead(line net.Conn) ([]byte, error) {
	head := make([]byte, 0, 256)
	for len(head) < proxyHeadMax {
		var c [1]byte
		if _, err := io.ReadFull(line, c[:]); err != nil {
			return nil, err
		}
		if head = append(head, c[0]); bytes.HasSuffix(head, []byte("\r\n\r\n")) {
			return head, nil
		}
	}
	return nil, errProxyHead
}

// The numbers of SOCKS version 5 (RFC 1928, RFC 1929).
const (
	socksVersion     = 5
	socksNone        = 0
	socksPassword    = 2
	socksConnect     = 1
	socksIPv4        = 1
	socksName        = 3
	socksIPv6        = 4
	socksAuthVersion = 1
)

var (
	errSOCKSAnswer = errors.New("the proxy's answer is malformed")
	errSOCKSMethod = errors.New("the proxy wants another way to log in")
	errSOCKSLogin  = errors.New("the proxy refuses the user and password")
	errSOCKSLong   = errors.New("a name, user or password is longer than 255 bytes")
)

// connectSOCKS asks a SOCKS proxy for a connection. Names are resolved by the proxy.
func connectSOCKS(line net.Conn, user *url.Userinfo, target string) error {
	method := byte(socksNone)
	if user != nil {
		method = socksPassword
	}
	answer, err := askSOCKS(line, []byte{socksVersion, 1, method}, 2)
	switch {
	case err != nil:
		return err
	case answer[0] != socksVersion:
		return errSOCKSAnswer
	case answer[1] != method:
		return errSOCKSMethod
	}
	if user != nil {
		if err := loginSOCKS(line, user); err != nil {
			return err
		}
	}
	request, err := appendAddress([]byte{socksVersion, socksConnect, 0}, target)
	if err != nil {
		return err
	}
	if answer, err = askSOCKS(line, request, 4); err != nil {
		return err
	}
	if answer[0] != socksVersion {
		return errSOCKSAnswer
	}
	if answer[1] != 0 {
		return fmt.Errorf("the proxy answers with code %d", answer[1])
	}
	return skipAddress(line, answer[3])
}

// askSOCKS writes a request and reads an answer of a known size.
func askSOCKS(line net.Conn, request []byte, size int) ([]byte, error) {
	if _, err := line.Write(request); err != nil {
		return nil, err
	}
	answer := make([]byte, size)
	_, err := io.ReadFull(line, answer)
	return answer, err
}

func loginSOCKS(line net.Conn, user *url.Userinfo) error {
	password, _ := user.Password()
	if len(user.Username()) > 255 || len(password) > 255 {
		return errSOCKSLong
	}
	request := append([]byte{socksAuthVersion, byte(len(user.Username()))}, user.Username()...)
	request = append(append(request, byte(len(password))), password...)
	answer, err := askSOCKS(line, request, 2)
	if err == nil && answer[1] != 0 {
		return errSOCKSLogin
	}
	return err
}

// appendAddress writes a host and port as SOCKS has them.
func appendAddress(b []byte, target string) ([]byte, error) {
	host, port, err := net.SplitHostPort(target)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, err
	}
	address, err := netip.ParseAddr(host)
	switch {
	case err == nil && address.Is4():
		b = append(append(b, socksIPv4), address.AsSlice()...)
	case err == nil:
		b = append(append(b, socksIPv6), address.AsSlice()...)
	case len(host) > 255:
		return nil, errSOCKSLong
	default:
		b = append(append(b, socksName, byte(len(host))), host...)
	}
	return binary.BigEndian.AppendUint16(b, uint16(number)), nil
}

// skipAddress reads the address that an answer ends with, and its port.
func skipAddress(line net.Conn, kind byte) error {
	var size int
	switch kind {
	case socksIPv4:
		size = net.IPv4len
	case socksIPv6:
		size = net.IPv6len
	case socksName:
		var length [1]byte
		if _, err := io.ReadFull(line, length[:]); err != nil {
			return err
		}
		size = int(length[0])
	default:
		return errSOCKSAnswer
	}
	_, err := io.ReadFull(line, make([]byte, size+2))
	return err
}
