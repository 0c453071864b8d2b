package playout

import "slices"

// Bounds of the queue. A full queue makes room by giving up its oldest packets:
// what came last is what will be heard if the delay is cut to its bound.
const (
	maxPackets = 24   // 240 ms in packets of 10 ms
	maxPayload = 1024 // octets of the largest packet that is taken
	heldTime   = 300  // ms of payload that there may be room for, at the stream's bit rate

	firstPackets = 3 // for which there is room at first
)

// packet is one that waits. Its payload lies in the queue's bytes.
type packet struct {
	sequence       int64 // extended
	position       int64 // of its first sample on the sender's clock
	offset, length int32
}

// queue keeps packets in the order of their sequence numbers. It copies payloads
// into memory of its own; there are no holes in that, they are closed when a
// packet leaves, which moves a few hundred bytes. Its memory grows to what the
// network has asked for so far, a few times at most, and never beyond the bounds:
// on a good path two or three packets wait.
type queue struct {
	packets []packet
	bytes   []byte
	limit   int // octets that bytes may have
	used    int
}

func newQueue(bitRate int) queue {
	return queue{limit: max(bitRate/8*heldTime/1000, maxPayload)}
}

// front is the first packet, or nil.
func (q *queue) front() *packet {
	if len(q.packets) == 0 {
		return nil
	}
	return &q.packets[0]
}

func (q *queue) payload(p *packet) []byte { return q.bytes[p.offset : p.offset+p.length] }

// full says whether packets have to be given up before one of so many octets, at most
// maxPayload, can be inserted.
func (q *queue) full(octets int) bool {
	return len(q.packets) == maxPackets || q.used+octets > q.limit
}

// insert adds a packet, for which there is room.
func (q *queue) insert(sequence, position int64, payload []byte) {
	at := len(q.packets)
	for at > 0 && q.packets[at-1].sequence > sequence {
		at--
	}
	q.packets = slices.Insert(q.packets, at, packet{sequence: sequence, position: position, offset: int32(q.used), length: int32(len(payload))})
	if need := q.used + len(payload); need > len(q.bytes) {
		more := make([]byte, min(max(2*len(q.bytes), firstPackets*len(payload), need), q.limit))
		copy(more, q.bytes[:q.used])
		q.bytes = more
	}
	q.used += copy(q.bytes[q.used:], payload)
}

// pop removes the first packet.
func (q *queue) pop() {
	if len(q.packets) == 0 {
		return
	}
	gone := q.packets[0]
	copy(q.bytes[gone.offset:], q.bytes[gone.offset+gone.length:q.used])
	q.used -= int(gone.length)
	q.packets = slices.Delete(q.packets, 0, 1)
	for i := range q.packets {
		if q.packets[i].offset > gone.offset {
			q.packets[i].offset -= gone.length
		}
	}
}

func (q *queue) clear() { q.packets, q.used = q.packets[:0], 0 }
