package deflate

import "errors"

// reference is a second reading of RFC 1951, slow and plain. Besides the data it
// tells the largest distance, which no library does.
type reference struct {
	in       []byte
	bit      int
	out      []byte
	distance int // the largest
	finals   int // blocks marked as the last one
}

var errReference = errors.New("not DEFLATE data")

// inflateReference reads blocks until the input ends, as RFC 7692 7.2.2 has it:
// a block marked as the last one ends at a byte, and others may follow.
func inflateReference(in, window []byte) (out []byte, r *reference, err error) {
	r = &reference{in: in, out: append([]byte(nil), window...)}
	defer func() {
		if recover() != nil { // the input ended inside a block
			err = errReference
		}
	}()
	for r.bit < 8*len(in) {
		final := r.bits(1) == 1
		switch r.bits(2) {
		case 0:
			err = r.stored()
		case 1:
			err = r.coded(fixedLengths())
		case 2:
			err = r.dynamic()
		default:
			err = errReference
		}
		if err != nil {
			return nil, r, err
		}
		if final {
			r.finals++
			r.align()
		}
	}
	return r.out[len(window):], r, nil
}

func (r *reference) bits(n int) (v int) {
	for i := range n {
		v |= int(r.in[r.bit/8]>>(r.bit%8)&1) << i
		r.bit++
	}
	return v
}

func (r *reference) align() { r.bit = (r.bit + 7) / 8 * 8 }

func (r *reference) stored() error {
	r.align()
	n, not := r.bits(16), r.bits(16)
	if n != ^not&0xffff {
		return errReference
	}
	for range n {
		r.out = append(r.out, byte(r.bits(8)))
	}
	return nil
}

func fixedLengths() (literals, distances []int) {
	for i := range 288 {
		n := 8
		switch {
		case i >= 144 && i < 256:
			n = 9
		case i >= 256 && i < 280:
			n = 7
		}
		literals = append(literals, n)
	}
	for range 30 {
		distances = append(distances, 5)
	}
	return literals, distances
}

func (r *reference) dynamic() error {
	literals, distances, codes := r.bits(5)+257, r.bits(5)+1, r.bits(4)+4
	order := []int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	lengths := make([]int, 19)
	for _, i := range order[:codes] {
		lengths[i] = r.bits(3)
	}
	var all []int
	if literals > 286 || distances > 30 || !complete(lengths) {
		return errReference
	}
	for len(all) < literals+distances {
		symbol, err := r.symbol(lengths)
		if err != nil {
			return err
		}
		value, times := symbol, 1
		switch symbol {
		case 16:
			if len(all) == 0 {
				return errReference
			}
			value, times = all[len(all)-1], 3+r.bits(2)
		case 17:
			value, times = 0, 3+r.bits(3)
		case 18:
			value, times = 0, 11+r.bits(7)
		}
		for range times {
			all = append(all, value)
		}
	}
	if len(all) != literals+distances || !complete(all[:literals]) || !complete(all[literals:]) {
		return errReference
	}
	return r.coded(all[:literals], all[literals:])
}

// complete reports whether code lengths use up all codes, or are the one code
// of one bit, or none, that encoders make where there is no choice.
func complete(lengths []int) bool {
	used, longest := 0, 0
	for _, length := range lengths {
		if length > 0 {
			used += 1 << (15 - length)
			longest = max(longest, length)
		}
	}
	return used == 1<<15 || used == 1<<14 && longest == 1 || used == 0
}

// symbol reads one code, trying each length in turn (RFC 1951 3.2.2).
func (r *reference) symbol(lengths []int) (int, error) {
	code, first, at := 0, 0, 0
	for n := 1; n <= 15; n++ {
		code = code<<1 | r.bits(1)
		first <<= 1
		count := 0
		for symbol, length := range lengths {
			if length == n {
				if code-first == count {
					return symbol, nil
				}
				count++
			}
		}
		first += count
		at += count
	}
	return 0, errReference
}

func (r *reference) coded(literals, distances []int) error {
	for {
		symbol, err := r.symbol(literals)
		switch {
		case err != nil:
			return err
		case symbol < 256:
			r.out = append(r.out, byte(symbol))
			continue
		case symbol == 256:
			return nil
		case symbol > 285:
			return errReference
		}
		length := 258
		if symbol != 285 {
			length = r.extended(symbol-257, 4, 3)
		}
		code, err := r.symbol(distances)
		if err != nil || code > 29 {
			return errReference
		}
		distance := r.extended(code, 2, 1)
		if distance > len(r.out) {
			return errReference
		}
		r.distance = max(r.distance, distance)
		for range length {
			r.out = append(r.out, r.out[len(r.out)-distance])
		}
	}
}

// extended reads a length or distance: codes double their step every few.
func (r *reference) extended(code, steps, base int) int {
	if code < 2*steps {
		return base + code
	}
	extra := code/steps - 1
	value := base + (steps+code%steps)<<extra
	return value + r.bits(extra)
}
