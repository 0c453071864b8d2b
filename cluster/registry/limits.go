package registry

// What a registry holds at most. All nodes of a site must agree on these.
const (
	MaxName         = 255             // bytes of a room id, node id or call id
	MaxNodes        = 256             // nodes, gone ones included until their place is needed
	MaxAddresses    = 8               // addresses of a node, MaxName bytes each
	MaxRooms        = 65_536          // assignments at once
	MaxOrders       = 1024            // orders of operators at once
	MaxDialogs      = 65_536          // dialogs at once
	MaxDialogState  = 8 << 10         // bytes of one dialog's state
	MaxDialogBytes  = 256 << 20       // bytes of all dialogs' state
	MaxBatch        = 256             // changes in one Dialogs command
	MaxCommand      = 1 << 20         // bytes of an encoded command
	RequestWindow   = 256             // requests remembered of each node
	maxSessions     = 2 * MaxNodes    // nodes whose requests are remembered
	MaxFloor        = uint64(1) << 62 // epochs stay below what a signed 64-bit column holds
	maxRecord       = MaxCommand      // bytes of one record of a snapshot
	maxGroupID      = 64              // bytes of the group's id
	smallestDialog  = 5               // bytes of the smallest dialog change, to bound counts
	smallestAddress = 1               // bytes of the smallest address
)
