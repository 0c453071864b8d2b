package native

import (
	"fmt"
	"runtime"
	"unsafe"
)

// maxArguments is more than any function has that is called here.
const maxArguments = 8

// Stream is what one encoder or decoder has in a library: a block of memory that it shares
// with Go, and objects that the library made for it. It is for one goroutine at a time.
type Stream struct {
	arguments [maxArguments]uintptr // of a call: on the heap, so that a call need not allocate them
	bytes     []byte                // the block; nil after Close
	held      *held
	cleanup   runtime.Cleanup
}

// held is what must be given back. It is apart from the Stream and does not know it, as a
// cleanup wants.
type held struct {
	block   uintptr
	free    Function
	objects []object // in the order in which they were made
}

type object struct {
	address uintptr
	destroy Function
}

// NewStream makes a stream with a block of so many octets, which are zero. The block begins
// where any C type may.
func (l *Library) NewStream(size int) (*Stream, error) {
	block := invoke(l.calloc, []uintptr{1, uintptr(size)})
	if block == 0 {
		return nil, fmt.Errorf("%s: no memory for %d octets", l.name, size)
	}
	s := &Stream{bytes: unsafe.Slice((*byte)(pointer(block)), size), held: &held{block: block, free: l.free}}
	s.cleanup = runtime.AddCleanup(s, (*held).release, s.held)
	return s, nil
}

// pointer is the address of memory that is not Go's. The detour by the variable's own
// address tells vet, which suspects every number that becomes a pointer, that it is meant:
// what the garbage collector does not know, it does not move.
func pointer(address uintptr) unsafe.Pointer {
	return *(*unsafe.Pointer)(unsafe.Pointer(&address))
}

// Call calls a function. Addresses among the arguments are those of this stream's block and
// objects, or of what the library keeps for ever. The stream must not be closed.
func (s *Stream) Call(f Function, arguments ...uintptr) Result {
	n := copy(s.arguments[:], arguments)
	if n < len(arguments) {
		panic(fmt.Sprintf("native: %d arguments, there is room for %d", len(arguments), maxArguments))
	}
	r := invoke(f, s.arguments[:n])
	runtime.KeepAlive(s) // the cleanup must not come in the middle of the call
	return Result(r)
}

// Owns has an object destroyed on Close, by a function that takes its address: before those
// that were made earlier, and before the block, where the address may be.
func (s *Stream) Owns(address uintptr, destroy Function) {
	s.held.objects = append(s.held.objects, object{address, destroy})
}

// Address is that of an octet of the block, or of the one after its end.
func (s *Stream) Address(offset int) uintptr {
	if offset < 0 || offset > len(s.bytes) {
		panic(fmt.Sprintf("native: octet %d of a block of %d", offset, len(s.bytes)))
	}
	return s.held.block + uintptr(offset)
}

// Bytes are n octets of the block, as long as the stream is not closed.
func (s *Stream) Bytes(offset, n int) []byte { return s.bytes[offset : offset+n : offset+n] }

// Samples are n samples in the block, from an even offset, as long as the stream is not
// closed.
func (s *Stream) Samples(offset, n int) []int16 {
	if n == 0 {
		return nil
	}
	b := s.Bytes(offset, 2*n)
	if offset%2 != 0 {
		panic(fmt.Sprintf("native: samples at the odd offset %d", offset))
	}
	return unsafe.Slice((*int16)(unsafe.Pointer(&b[0])), n)
}

// Closed says whether Close was called.
func (s *Stream) Closed() bool { return s.bytes == nil }

// Close destroys the objects and gives the block back. Closing twice is harmless.
func (s *Stream) Close() {
	if s.Closed() {
		return
	}
	s.cleanup.Stop()
	s.bytes = nil
	s.held.release()
}

func (h *held) release() {
	for len(h.objects) > 0 {
		last := h.objects[len(h.objects)-1]
		h.objects = h.objects[:len(h.objects)-1]
		invoke(last.destroy, []uintptr{last.address})
	}
	invoke(h.free, []uintptr{h.block})
}

// Memory is what a library keeps at an address: n octets that Go may read and write. It is
// for those few fields of a library's structs that no function of it gives.
func (s *Stream) Memory(address uintptr, n int) []byte {
	return unsafe.Slice((*byte)(pointer(address)), n)
}
