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

// BeginInflate starts a message that is inflated in steps, anew where that had begun. Until it is done or DropInflate
// is called, it takes a decompressor (some 40 KiB), and message must stay as it is.
func (c *Conn) BeginInflate(message []byte) {
	if c.inflating == nil {
		c.inflating = c.pool.inflater()
	}
	c.inflating.begin(message)
}

// AppendInflated appends to dst, which is what the steps before have returned, up to step bytes of the message, and reports
// whether that was all. The message as a whole may have limit bytes. After an error the connection cannot go on.
func (c *Conn) AppendInflated(dst []byte, step int, limit int64) (_ []byte, done bool, _ error) {
	end := limit + 1
	if left := end - int64(len(dst)); int64(step) < left {
		end = int64(len(dst) + step)
	}
	dst, done, err := c.inflateTo(dst, end)
	if err == nil && int64(len(dst)) > limit {
		err = ErrSize
	}
	if done || err != nil {
		c.DropInflate()
	}
	return dst, done, err
}

func (c *Conn) inflateTo(dst []byte, end int64) (_ []byte, done bool, _ error) {
	f := c.inflating
	if f.blocks == 0 && len(f.source.message) == 0 {
		return dst, true, nil // not even a block: what zlib gives for it is nothing
	}
	for {
		if !f.inBlock {
			if err := f.restart(c.context(dst)); err != nil {
				return dst, false, err
			}
		}
		var err error
		if dst, err = f.readTo(dst, end); err != nil || f.inBlock {
			return dst, false, err
		}
		if f.source.empty() {
			c.remember(dst)
			return dst, true, nil
		}
	}
}

// DropInflate gives up a message that was begun.
func (c *Conn) DropInflate() {
	if c.inflating != nil {
		c.pool.releaseInflater(c.inflating)
		c.inflating = nil
	}
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

func (f *inflater) begin(message []byte) {
	f.source = source{message: message}
	f.blocks, f.inBlock = 0, false
}

// restart begins the next run of blocks, which ends with one that is marked as the last.
func (f *inflater) restart(context []byte) error {
	resetter, ok := f.flate.(flate.Resetter)
	if !ok || f.blocks == finalBlocksMax {
		return ErrData
	}
	f.blocks++
	f.inBlock = true
	return resetter.Reset(&f.source, context)
}

// readTo reads until dst has end bytes, or up to a block marked as the last one. Memory grows with what
// comes out, up to one byte more than the limit.
func (f *inflater) readTo(dst []byte, end int64) ([]byte, error) {
	for int64(len(dst)) < end {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		free := dst[len(dst):cap(dst)]
		n, err := f.flate.Read(free[:min(int64(len(free)), end-int64(len(dst)))])
		dst = dst[:len(dst)+n]
		switch {
		case errors.Is(err, io.EOF):
			f.inBlock = false
			return dst, nil
		case err != nil:
			return dst, ErrData
		}
	}
	return dst, nil
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
