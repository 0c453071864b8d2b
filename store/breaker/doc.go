// Package breaker remembers that the store cannot be asked, so that the calls that come
// next do not wait to find out for themselves.
//
// A question is given a short time. One that fails opens the breaker: from then on
// questions fail at once (ErrOpen), and a goroutine of the breaker's own asks the store
// how it is, from time to time, so that no caller ever waits for that. When the store
// answers, the breaker closes. If it opens again soon afterwards, as it does when the
// store answers easy questions and not the others, it stays open longer and longer, up to
// a limit.
//
// An answer is no failure: that something does not exist, or that there is no money, is
// what was asked.
package breaker
