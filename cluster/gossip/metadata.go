package gossip

import (
	"errors"
	"fmt"
	"net/netip"

	"google.golang.org/protobuf/encoding/protowire"
)

// metadataVersion changes only when older nodes can no longer make sense of the
// encoding. Fields may be added without: a field that is not known is skipped, one
// that is missing is zero.
const metadataVersion = 1

// maxRaft is the longest announcement to the Raft group, in bytes.
const maxRaft = 160

// metadata is a member as it is sent: without Alive and Since. memberlist takes 512
// bytes and panics over more, which [Config.Validate] excludes; it is 150 to 350.
type metadata struct{ Member }

// Field numbers of the encoding: never used again for anything else.
const (
	fieldSite protowire.Number = iota + 1
	fieldNode
	fieldIncarnation
	fieldRole
	fieldSIP
	fieldRPC
	fieldHTTP
	fieldLocalGossip
	fieldWideGossip
	fieldParticipants
	fieldCapacity
	fieldDraining
	fieldLeft
	fieldRaft
	fieldVersion
)

// encode gives the version byte and then fields in the protocol buffers wire format,
// zero values left out.
func (m metadata) encode() []byte {
	e := encoder{metadataVersion}
	e.text(fieldSite, m.Site)
	e.text(fieldNode, m.Node)
	e.number(fieldIncarnation, m.Incarnation)
	e.number(fieldRole, uint64(m.Role))
	e.text(fieldSIP, m.Addresses.SIP)
	e.text(fieldRPC, m.Addresses.RPC)
	e.text(fieldHTTP, m.Addresses.HTTP)
	e.address(fieldLocalGossip, m.Addresses.LocalGossip)
	e.address(fieldWideGossip, m.Addresses.WideGossip)
	e.number(fieldParticipants, uint64(m.Load.Participants))
	e.number(fieldCapacity, uint64(m.Load.Capacity))
	e.number(fieldDraining, protowire.EncodeBool(m.Draining))
	e.number(fieldLeft, protowire.EncodeBool(m.Left))
	e.text(fieldRaft, string(m.Raft))
	e.text(fieldVersion, m.Version)
	return e
}

type encoder []byte

func (e *encoder) number(field protowire.Number, v uint64) {
	if v != 0 {
		*e = protowire.AppendVarint(protowire.AppendTag(*e, field, protowire.VarintType), v)
	}
}

func (e *encoder) text(field protowire.Number, v string) {
	if v != "" {
		*e = protowire.AppendString(protowire.AppendTag(*e, field, protowire.BytesType), v)
	}
}

func (e *encoder) address(field protowire.Number, v netip.AddrPort) {
	if v.IsValid() {
		b, _ := v.MarshalBinary() // never fails
		*e = protowire.AppendBytes(protowire.AppendTag(*e, field, protowire.BytesType), b)
	}
}

// decode reads what encode made, here or in another version of the program. Nothing of
// the result points into b.
func decode(b []byte) (metadata, error) {
	if len(b) == 0 {
		return metadata{}, errors.New("no metadata")
	}
	if b[0] != metadataVersion {
		return metadata{}, fmt.Errorf("metadata of version %d, this program reads %d: upgrade the older node",
			b[0], metadataVersion)
	}
	var m metadata
	for b = b[1:]; len(b) > 0; {
		n, err := m.consume(b)
		if err != nil {
			return metadata{}, fmt.Errorf("metadata: %w", err)
		}
		b = b[n:]
	}
	if m.Site == "" || m.Node == "" {
		return metadata{}, errors.New("metadata without site or node")
	}
	return m, nil
}

// consume reads one field and tells its length.
func (m *metadata) consume(b []byte) (int, error) {
	field, kind, tag := protowire.ConsumeTag(b)
	if tag < 0 {
		return 0, protowire.ParseError(tag)
	}
	var n int
	var err error
	switch kind {
	case protowire.VarintType:
		var v uint64
		v, n = protowire.ConsumeVarint(b[tag:])
		m.setNumber(field, v)
	case protowire.BytesType:
		var v []byte
		if v, n = protowire.ConsumeBytes(b[tag:]); n >= 0 {
			err = m.setBytes(field, v)
		}
	default:
		n = protowire.ConsumeFieldValue(field, kind, b[tag:])
	}
	if n < 0 {
		err = protowire.ParseError(n)
	}
	if err != nil {
		return 0, fmt.Errorf("field %d: %w", field, err)
	}
	return tag + n, nil
}

func (m *metadata) setNumber(field protowire.Number, v uint64) {
	switch field {
	case fieldIncarnation:
		m.Incarnation = v
	case fieldRole:
		m.Role = Role(v)
	case fieldParticipants:
		m.Load.Participants = uint32(v)
	case fieldCapacity:
		m.Load.Capacity = uint32(v)
	case fieldDraining:
		m.Draining = v != 0
	case fieldLeft:
		m.Left = v != 0
	}
}

func (m *metadata) setBytes(field protowire.Number, v []byte) error {
	switch field {
	case fieldSite:
		m.Site = string(v)
	case fieldNode:
		m.Node = string(v)
	case fieldSIP:
		m.Addresses.SIP = string(v)
	case fieldRPC:
		m.Addresses.RPC = string(v)
	case fieldHTTP:
		m.Addresses.HTTP = string(v)
	case fieldLocalGossip:
		return readAddress(&m.Addresses.LocalGossip, v)
	case fieldWideGossip:
		return readAddress(&m.Addresses.WideGossip, v)
	case fieldRaft:
		m.Raft = append([]byte(nil), v...)
	case fieldVersion:
		m.Version = string(v)
	}
	return nil
}

func readAddress(to *netip.AddrPort, v []byte) error {
	if err := to.UnmarshalBinary(v); err != nil {
		return err
	}
	if !to.IsValid() {
		return errors.New("a port without an address")
	}
	return nil
}

func validateRaft(b []byte) error {
	if len(b) > maxRaft {
		return fmt.Errorf("the announcement to the Raft group takes %d bytes, over %d", len(b), maxRaft)
	}
	return nil
}
