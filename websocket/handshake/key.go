package handshake

import (
	"crypto/sha1"
	"encoding/base64"
)

// keyBytes is the size of the nonce behind a key (RFC 6455 4.1).
const keyBytes = 16

// acceptGUID follows the key into the hash (RFC 6455 1.3).
const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// Key makes the value of Sec-WebSocket-Key from a random nonce.
func Key(nonce [keyBytes]byte) string {
	return base64.StdEncoding.EncodeToString(nonce[:])
}

// Accept makes the value of Sec-WebSocket-Accept that answers a key. The hash
// proves that the server understood the handshake; it protects nothing.
func Accept(key string) string {
	var text [len(acceptGUID) + 24]byte // 24: of a valid key
	sum := sha1.Sum(append(append(text[:0], key...), acceptGUID...))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// validKey reports whether a key is the base64 of 16 bytes.
func validKey(key string) bool {
	if len(key) != base64.StdEncoding.EncodedLen(keyBytes) {
		return false
	}
	var nonce [keyBytes + 2]byte // what as many characters stand for without padding
	n, err := base64.StdEncoding.Decode(nonce[:], []byte(key))
	return err == nil && n == keyBytes
}
