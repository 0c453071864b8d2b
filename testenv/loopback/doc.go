// Package loopback hands out ports of 127.0.0.1 to tests.
//
// Programs such as SIPp must be told a port before they bind it, so "port 0" will
// not do, and asking the kernel for a free port and closing it again gives the
// same port to two tests sooner or later. Here a test process claims blocks of
// ports by a file lock, which the kernel releases when the process ends however
// it ends, and then deals out ports of its blocks. The blocks lie below the range
// from which Linux takes the ports of outgoing connections (32768 and up).
package loopback
