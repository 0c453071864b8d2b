// Package netns makes named network namespaces, joins them by bridges, veth pairs and
// TUN devices, and opens sockets and starts processes inside them. Everything is done
// by iproute2 and a few system calls, and needs root.
//
// A [Set] owns its namespaces. All that it makes lies inside of them: nothing is added
// to the namespace of the machine, so a namespace that is deleted leaves nothing.
// Namespaces outlive the program that made them, so each Set holds a file lock, which
// the kernel releases when the program ends, however it ends; a later [New] or [Sweep]
// deletes the namespaces of owners whose lock is free.
//
// One can look inside from a shell:
//
//	ip netns list
//	ip netns exec conclave-k2f7-alpha-1 ss -lnup
package netns
