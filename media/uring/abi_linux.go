package uring

// What <linux/io_uring.h> has and golang.org/x/sys/unix has not. The names are the
// kernel's, without IORING_ and IOSQE_.
const (
	opSend = 26

	setupSubmitAll   = 1 << 7 // a send that fails does not stop those behind it
	setupCoopTaskrun = 1 << 8 // the kernel need not interrupt us: nothing is left to be done later

	cqeSkipSuccess = 1 << 6 // a completion only for a failure

	mapSubmissions = 0x10000000 // OFF_SQES
)

// params is struct io_uring_params.
type params struct {
	submissions, completions, flags, threadCPU, threadIdle, features, workers uint32
	_                                                                         [3]uint32
	sq                                                                        struct {
		head, tail, mask, entries, flags, dropped, array, _ uint32
		_                                                   uint64
	}
	cq struct {
		head, tail, mask, entries, overflow, cqes, flags, _ uint32
		_                                                   uint64
	}
}

// submission is struct io_uring_sqe, as a send uses it.
type submission struct {
	opcode, flags        uint8
	priority             uint16
	fd                   int32
	to, data             uint64 // addr2 and addr
	length, messageFlags uint32
	id                   uint64 // user_data
	group, personality   uint16
	toLength             uint16
	_                    uint16
	_                    [2]uint64
}

// completion is struct io_uring_cqe.
type completion struct {
	id     uint64 // user_data
	result int32
	flags  uint32
}
