//go:build linux && (amd64 || arm64) && !static

package native

import (
	"fmt"

	"github.com/ebitengine/purego"
)

// load has the system's dynamic linker load a library. All its symbols are resolved now, so
// that none is missing later, and none of them is seen by other libraries.
func load(name string) (handle uintptr, err error) {
	handle, err = purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil && err.Error() == "" { // the linker's words are kept for each thread, and Go may have changed the thread
		err = fmt.Errorf("%s cannot be loaded", name)
	}
	return handle, err
}

// find looks a function up in a library and in those that it needs.
func find(handle uintptr, name string) (address uintptr, err error) {
	return purego.Dlsym(handle, name)
}

// invoke calls a function. The arguments are in memory that is on the heap already: purego
// takes the slice as it is.
func invoke(f Function, arguments []uintptr) uintptr {
	r, _, _ := purego.SyscallN(f.address, arguments...)
	return r
}
