package uring

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestProbeAgreesWithNew(t *testing.T) {
	r, err := New(2)
	if err != nil {
		if Probe() == nil {
			t.Error("Probe promises what New cannot: ", err)
		}
		return
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

// forbidden makes the test's own program the one that may not use io_uring.
const forbidden = "URING_TEST_FORBIDDEN"

// Where seccomp forbids io_uring, as container runtimes do, Probe says so.
func TestProbeWhereItIsForbidden(t *testing.T) {
	if os.Getenv(forbidden) != "" {
		forbid(t)
		if err := Probe(); !errors.Is(err, unix.EPERM) {
			t.Errorf("Probe: %v, want EPERM", err)
		}
		return
	}
	child := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
	child.Env = append(os.Environ(), forbidden+"=1")
	if said, err := child.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}

// forbid has io_uring_setup fail with EPERM in all threads of this process (seccomp(2)).
func forbid(t *testing.T) {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the system call's number comes first in struct seccomp_data
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: unix.SYS_IO_URING_SETUP},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread() // for both calls; the second is for all threads
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		t.Skip("no seccomp here: ", err)
	}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		t.Skip("no seccomp here: ", errno)
	}
}
