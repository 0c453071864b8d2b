package wan

import (
	"container/heap"
	"time"
)

// delivery is a packet under way.
type delivery struct {
	at     time.Time
	number uint64 // in the order of arrival at the router, for equal times
	packet []byte
	from   *path
	class  int
}

// deliveries is a heap: the next to arrive is the first.
type deliveries []delivery

func (q deliveries) Len() int      { return len(q) }
func (q deliveries) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q deliveries) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].number < q[j].number
}
func (q *deliveries) Push(x any) { *q = append(*q, x.(delivery)) }
func (q *deliveries) Pop() any {
	last := len(*q) - 1
	d := (*q)[last]
	(*q)[last] = delivery{} // the packet is not held by the spare room
	*q = (*q)[:last]
	return d
}

// due takes the next delivery if its time has come, and else says how long to wait;
// idle if there is none.
func (q *deliveries) due(now time.Time) (d delivery, wait time.Duration, ok bool) {
	const idle = time.Hour
	if len(*q) == 0 {
		return d, idle, false
	}
	if wait = (*q)[0].at.Sub(now); wait > 0 {
		return d, wait, false
	}
	return heap.Pop(q).(delivery), 0, true
}
