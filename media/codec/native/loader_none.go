//go:build !linux || !(amd64 || arm64) || static

package native

func load(string) (uintptr, error) { return 0, ErrLeftOut }

func find(uintptr, string) (uintptr, error) { return 0, ErrLeftOut }

// invoke is never reached: there are no functions where nothing can be loaded.
func invoke(Function, []uintptr) uintptr { panic("native: a call without a library") }
