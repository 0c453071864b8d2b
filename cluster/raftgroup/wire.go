package raftgroup

import "fmt"

// kind says what is asked of another node.
type kind byte

// The kinds. Their numbers are on the wire between versions: never change one.
const (
	kindPropose kind = 1 // body: a registry.Command; answer: a registry.Result
	kindSync    kind = 2 // answer: the log index that a read must have reached
	kindHas     kind = 3 // body: a server id; answer: 1 if it is a member, else 0
	kindReached kind = 4 // answered by any node: the index of its last log entry
)

// status says how an answer is to be taken.
type status byte

const (
	statusDone      status = 1 // body: the answer
	statusNotLeader status = 2 // certainly not carried out; ask the leader
	statusUnknown   status = 3 // perhaps carried out; body: why
	statusFailed    status = 4 // not carried out, and asking again will not help; body: why
)

const wireVersion = 1

// message is a request or an answer: a version, a kind or status, a body.
type message[T ~byte] struct {
	is   T
	body []byte
}

func (m message[T]) encode() []byte { return append([]byte{wireVersion, byte(m.is)}, m.body...) }

func decodeMessage[T ~byte](data []byte) (message[T], error) {
	if len(data) < 2 {
		return message[T]{}, fmt.Errorf("a Raft message of %d bytes is too short", len(data))
	}
	if data[0] != wireVersion {
		return message[T]{}, fmt.Errorf("a Raft message of version %d; this program knows %d", data[0], wireVersion)
	}
	return message[T]{is: T(data[1]), body: data[2:]}, nil
}

type (
	request = message[kind]
	answer  = message[status]
)

func done(body []byte) answer { return answer{statusDone, body} }

func because(is status, err error) answer { return answer{is, []byte(err.Error())} }
