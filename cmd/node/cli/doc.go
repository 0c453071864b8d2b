// Package cli holds the commands that see and change things of a running node, through
// its REST API: node rooms, node conferences, node accounts, node xdrs and so on.
//
// Each command says what it does with one request or a few, and prints the answer as a
// table for people or as JSON for programs. Where the API wants an id, the commands take
// names as well, and look the id up. node codecs alone asks no node: it tries what is
// installed on this machine.
package cli
