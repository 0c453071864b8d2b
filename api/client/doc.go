// Package client asks the REST API of a Conclave node. The commands of the node
// program are made of it; other Go programs may use it as well.
//
// A method for each operation would say again what package v1 says: instead there are
// [Get], [List], [Send] and [Client.Stream], which take the path and the type.
package client
