package journal

// tally counts what waits, by key.
type tally map[string]*waiting

// waiting is how many records of a key wait.
type waiting struct {
	records int
	none    chan struct{} // closed when there are none
}

func (t tally) add(key string) {
	w := t[key]
	if w == nil {
		w = &waiting{none: make(chan struct{})}
		t[key] = w
	}
	w.records++
}

// drop counts one less. A key may be unknown: that of a record that has become unreadable.
func (t tally) drop(key string) {
	w := t[key]
	if w == nil {
		return
	}
	if w.records--; w.records == 0 {
		close(w.none)
		delete(t, key)
	}
}
