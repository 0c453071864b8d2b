// Package browser drives a real browser, Chromium without a window, for tests of pages.
package browser
