package history

// ring is a queue in one array whose length is 0 or a power of two. It grows and shrinks with what it holds.
type ring[T any] struct {
	items []T // len is 0 or a power of two; unused places are zero
	head  int // place of the oldest
	count int
}

const ringLengthMin = 4

func (r *ring[T]) len() int { return r.count }

// at returns the i-th, 0 being the oldest.
func (r *ring[T]) at(i int) T { return r.items[(r.head+i)&(len(r.items)-1)] }

// slice returns a copy of count items from the first-th on, nil for none.
func (r *ring[T]) slice(first, count int) []T {
	if count <= 0 {
		return nil
	}
	items := make([]T, count)
	begin := (r.head + first) & (len(r.items) - 1)
	n := copy(items, r.items[begin:])
	copy(items[n:], r.items)
	return items
}

func (r *ring[T]) push(item T) {
	if r.count == len(r.items) {
		r.resize(max(ringLengthMin, 2*len(r.items)))
	}
	r.items[(r.head+r.count)&(len(r.items)-1)] = item
	r.count++
}

// pop removes the oldest. There must be one.
func (r *ring[T]) pop() T {
	var zero T
	item := r.items[r.head]
	r.items[r.head] = zero
	r.head = (r.head + 1) & (len(r.items) - 1)
	r.count--
	switch {
	case r.count == 0:
		r.items, r.head = nil, 0
	case len(r.items) > 4*ringLengthMin && r.count <= len(r.items)/4:
		r.resize(len(r.items) / 2)
	}
	return item
}

func (r *ring[T]) resize(length int) {
	items := make([]T, length)
	for i := range r.count {
		items[i] = r.at(i)
	}
	r.items, r.head = items, 0
}
