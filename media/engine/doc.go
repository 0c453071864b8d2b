// Package engine is the clock of the media: it calls each [Ticker] once in every
// 20 ms, on one of a few worker goroutines.
//
// A worker is woken once per tick for all its tickers; there is no goroutine,
// timer or wake-up per call or per packet. A ticker stays on the worker that it
// was given at Add, so that its memory stays in one core's cache. What its tickers
// send leaves together ([session.Traffic]), at the latest when its tick is over. A tick that
// begins late is counted; the figures are what admission looks at.
package engine
