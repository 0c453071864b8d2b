// Package native calls codecs in libraries of the system, which it loads while the
// program runs. The program is built without a C compiler and without the libraries'
// headers, and starts where they are not installed: [Open] then says what to install.
//
// Everything that Go cannot check is in this package, and it keeps to few rules:
//
//   - A library sees no memory of Go's. A [Stream] has a block of the C library's memory:
//     what goes in and comes out is copied, and so no rule about Go's pointers applies, nor
//     can a stack move under a call. Go sees the block as slices, with their bounds
//     checked.
//   - What a stream holds in a library is destroyed by Close; if the stream is forgotten,
//     by a cleanup of the garbage collector, which is there for mistakes alone. A stream
//     that a call goes on with is never cleaned up.
//   - Arguments and results are whole numbers or addresses. None of the libraries' functions
//     that are used here takes or gives a float or a struct.
//
// What it cannot keep out is a fault inside a library: it ends the program. Callers check
// payloads before a library sees them, as far as that is cheap.
//
// # Cost
//
// A call takes some 200 ns beside what the function does, and allocates nothing: purego's
// SyscallN allocates its list of arguments unless it is given one, and a stream has one;
// what it needs else is in a pool that the garbage collector may empty. The goroutine counts
// as being in a system call meanwhile, so a long one holds no other up.
//
// # Where it works
//
// On Linux on amd64 and arm64. Importing purego links the program to the C library's
// dynamic loader; with the build tag "static" this package leaves purego out, and so the
// program needs no other file, and every library is [ErrLeftOut]. So it is on other systems.
package native
