package deflate

import (
	"compress/flate"
	"errors"
	"io"
)

// Why a message cannot be inflated.
var (
	ErrSize = errors.New("the message is larger than allowed")
	ErrData = errors.New("the message is not DEFLATE data")
)

const (
	windowBytes = 1 << windowBitsMax

	// finalBlocksMax bounds the blocks of a message that are marked as the last.
	// RFC 7692 7.2.3.4 allows them, but each one costs a new start.
	finalBlocksMax = 16
)

// Inflate appends an inflated message to dst, at most limit bytes. After an
// error the connection cannot go on.
func (c *Conn) Inflate(dst, message []byte, limit int64) ([]byte, error) {
	if len(message) == 0 {
		return dst, nil // not even a block: what zlib gives for it is nothing
	}
	f := c.pool.inflater()
	defer c.pool.releaseInflater(f)
	f.source = source{message: message}
	start := len(dst)
	for range finalBlocksMax {
		if err := f.restart(c.context(dst[start:])); err != nil {
			return dst, err
		}
		var err error
		if dst, err = f.readAll(dst, start, limit); err != nil {
			return dst, err
		}
		if f.source.empty() {
			c.remember(dst[start:])
			return dst, nil
		}
	}
	return dst, ErrData
}

// context returns what a message may refer to once inflated has come of it.
func (c *Conn) context(inflated []byte) []byte {
	if len(inflated) >= windowBytes || len(c.window) == 0 {
		return tail(inflated)
	}
	if len(inflated) == 0 {
		return c.window
	}
	return tail(append(append([]byte(nil), c.window...), inflated...))
}

// remember keeps the end of a message for those after it.
func (c *Conn) remember(inflated []byte) {
	if !c.receiveTakeover || len(inflated) == 0 {
		return
	}
	if c.window == nil {
		c.window = make([]byte, 0, windowBytes)
	}
	inflated = tail(inflated)
	keep := min(len(c.window), windowBytes-len(inflated))
	copy(c.window, c.window[len(c.window)-keep:])
	c.window = append(c.window[:keep], inflated...)
}

func tail(b []byte) []byte { return b[max(0, len(b)-windowBytes):] }

func (f *inflater) restart(context []byte) error {
	resetter, ok := f.flate.(flate.Resetter)
	if !ok {
		return ErrData
	}
	return resetter.Reset(&f.source, context)
}

// readAll reads up to a block marked as the last one. Memory grows with what
// comes out, up to one byte more than the limit.
func (f *inflater) readAll(dst []byte, start int, limit int64) ([]byte, error) {
	for {
		room := limit + 1 - int64(len(dst)-start)
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		free := dst[len(dst):cap(dst)]
		n, err := f.flate.Read(free[:min(int64(len(free)), room)])
		dst = dst[:len(dst)+n]
		switch {
		case int64(len(dst)-start) > limit:
			return dst, ErrSize
		case errors.Is(err, io.EOF):
			return dst, nil
		case err != nil:
			return dst, ErrData
		}
	}
}

// endBytes follow each message into the decompressor: the block that the
// sender removed (RFC 7692 7.2.2), and an empty one marked as the last, which
// makes a clean end.
const endBytes = flushBytes + "\x01\x00\x00\xff\xff"

// source gives the decompressor a message and then endBytes, byte by byte where
// it asks so, so that nothing is read beyond a block.
type source struct {
	message []byte
	ended   int // of endBytes, how many were read
}

func (s *source) empty() bool { return len(s.message) == 0 && s.ended == len(endBytes) }

// ReadByte gives the next byte.
func (s *source) ReadByte() (byte, error) {
	if len(s.message) > 0 {
		c := s.message[0]
		s.message = s.message[1:]
		return c, nil
	}
	if s.ended < len(endBytes) {
		s.ended++
		return endBytes[s.ended-1], nil
	}
	return 0, io.EOF
}

// Read gives what is there of the message, or of its end.
func (s *source) Read(b []byte) (int, error) {
	if len(s.message) > 0 {
		n := copy(b, s.message)
		s.message = s.message[n:]
		return n, nil
	}
	if s.ended < len(endBytes) {
		n := copy(b, endBytes[s.ended:])
		s.ended += n
		return n, nil
	}
	return 0, io.EOF
}
