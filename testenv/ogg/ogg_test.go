package ogg

import (
	"bytes"
	"reflect"
	"testing"
)

func TestOggIsReadAsWritten(t *testing.T) {
	packets := [][]byte{{1, 2, 3}, bytes.Repeat([]byte{7}, 255), bytes.Repeat([]byte{8}, 1000), {9}}
	if got := Packets(Stream(OpusHeaders(48000), packets, 960)); !reflect.DeepEqual(got, packets) {
		t.Errorf("%d packets came back", len(got))
	}
}
