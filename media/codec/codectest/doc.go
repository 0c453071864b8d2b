// Package codectest runs implementations of codecs that are not ours, for tests
// to compare with: the ffmpeg program, and the spandsp library through a small C
// program that is compiled for the test.
package codectest
