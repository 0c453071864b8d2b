package registry

import "fmt"

// Assign asks for a room to be hosted by Candidate. What is in force stays in force
// unless it is void or has exactly the epoch Replace. The result's Assignment is
// what is in force afterwards.
type Assign struct {
	Room      string
	Candidate Instance
	Kind      Kind
	Replace   uint64 // epoch to replace; 0 for none
	Floor     uint64 // highest epoch of the room in the database; at most MaxFloor
}

func (a Assign) code() opcode { return opAssign }

func (a Assign) validate() error {
	if err := validateName("room id", a.Room); err != nil {
		return err
	}
	if a.Kind != KindMain && a.Kind != KindLocal {
		return fmt.Errorf("kind %d is neither main nor local", a.Kind)
	}
	if a.Floor > MaxFloor {
		return fmt.Errorf("floor %d is above %d", a.Floor, MaxFloor)
	}
	return a.Candidate.validate()
}

func (a Assign) apply(s *State) Result {
	current, assigned := s.rooms[a.Room]
	if assigned && !s.void(current, a.Floor) && current.Epoch != a.Replace {
		return Result{Assignment: current}
	}
	if !s.alive(a.Candidate) {
		return Result{Refusal: Unknown, Assignment: current}
	}
	if s.drains(a.Candidate.Node) {
		return Result{Refusal: Draining, Assignment: current}
	}
	if !assigned && len(s.rooms) >= MaxRooms && !s.dropVoidRoom() {
		return Result{Refusal: Full}
	}
	s.epoch = max(s.epoch+1, a.Floor+1, s.index)
	next := Assignment{Room: a.Room, Focus: a.Candidate, Kind: a.Kind, Epoch: s.epoch}
	s.rooms[a.Room] = next
	return Result{Changed: true, Assignment: next}
}

func (a Assign) again(_ *State, r Result) Result { return r }

// void says whether an assignment is in force in name only: its focus is over, or
// the database has seen a later one, which a site that lost its disks has forgotten.
func (s *State) void(a Assignment, floor uint64) bool {
	return s.over(a.Focus) || a.Epoch < floor
}

// dropVoidRoom makes a place by forgetting the oldest assignment whose focus is
// over. No one can write under its epoch once the room has a new one.
func (s *State) dropVoidRoom() bool {
	oldest := Assignment{}
	for _, a := range s.rooms {
		if s.over(a.Focus) && (oldest.Epoch == 0 || a.Epoch < oldest.Epoch) {
			oldest = a
		}
	}
	delete(s.rooms, oldest.Room)
	return oldest.Epoch != 0
}

// Release ends a room's assignment, if its epoch is still this one.
type Release struct {
	Room  string
	Epoch uint64
}

func (r Release) code() opcode { return opRelease }

func (r Release) validate() error { return validateName("room id", r.Room) }

func (r Release) apply(s *State) Result {
	current, ok := s.rooms[r.Room]
	if !ok || current.Epoch != r.Epoch {
		return Result{}
	}
	delete(s.rooms, r.Room)
	return Result{Changed: true}
}

func (r Release) again(_ *State, earlier Result) Result { return earlier }
