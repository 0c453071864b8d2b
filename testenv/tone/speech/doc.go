// Package speech lets callers of tests speak sentences.
package speech
