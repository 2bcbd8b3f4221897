package reactor

import (
	"testing"
	"unsafe"
)

// A page of the table that is not whole pages of Go's allocator wastes the rest of the last one: with lines of 168 bytes, 8 of each.
func TestAPageOfLinesIsPagesOfTheAllocator(t *testing.T) {
	const allocatorPage = 8 << 10
	if rest := unsafe.Sizeof([pageLines]line{}) % allocatorPage; rest != 0 && unsafe.Sizeof(uintptr(0)) == 8 {
		t.Errorf("a line takes %d bytes; of %d the last page is filled by %d of %d", unsafe.Sizeof(line{}), pageLines, rest, allocatorPage)
	}
}
