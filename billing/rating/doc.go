// Package rating tells what a stay costs and how long money lasts. It is pure and
// exact: no clock, no floating point.
//
// The rules:
//
//   - A duration counts in whole seconds; a fraction of a second is not charged
//     (the "billable seconds" of telephone switches).
//   - A stay is charged the rate's first interval as soon as it has begun, and then
//     every started next interval. A stay of less than one second is charged the
//     first interval too: the service was given.
//   - The amount is the price per minute times the billed seconds over 60, rounded
//     once, half away from zero, to four digits after the point.
//
// How long money lasts is found with the very function that charges, so that what
// was promised and what is charged cannot differ.
package rating
