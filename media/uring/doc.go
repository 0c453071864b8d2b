// Package uring sends the datagrams of many sockets in one system call, by the kernel's
// io_uring(7).
//
// A caller has a socket of its own, so sendmmsg(2), which serves one socket, saves nothing.
// A [Ring] is used as a batch, not for asynchronous work: every send is told not to wait
// (MSG_DONTWAIT), hence it is done, for better or worse, when [Ring.Submit] returns. No
// descriptor or buffer is in use by the kernel after that, so there is nothing to cancel and
// nothing to wait for, and any thread may do the next Submit. Only failures are told: most
// ticks read no completion at all.
//
// What was tried and left out, with figures in BENCHMARKS.md: registered descriptors (they
// save a few per cent, and keep a port bound after its socket was closed), a thread that
// polls (a core of its own), deferred task work (it ties a ring to one thread), and receiving.
//
// Many containers forbid io_uring, by seccomp or by kernel.io_uring_disabled, and kernels
// before 6.1 cannot do all of this: ask [Probe] first.
package uring
