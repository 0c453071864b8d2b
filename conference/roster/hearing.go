package roster

import "github.com/conclave-voice/conclave/store"

// Mode is what the mixer does for one participant.
type Mode struct {
	Speaks bool // is heard by those who hear
	Hears  bool // hears those who speak, except itself
	Music  bool // hears music on hold: waiting, or alone
}

// Mode tells what the rules give a member; the zero Mode for one who is not in.
func (r *Roster) Mode(id store.ParticipantID) Mode {
	m := r.Member(id)
	if m == nil || r.ended {
		return Mode{}
	}
	if !r.open {
		return Mode{Music: r.settings.Music}
	}
	return Mode{
		Speaks: m.Role != store.RoleListenOnly && !m.Muted && !m.MutedByModerator && !m.OnHold,
		Hears:  !m.OnHold,
		Music:  r.settings.Music && len(r.members) == 1,
	}
}

// Hears says whether listener hears what speaker says.
func (r *Roster) Hears(listener, speaker store.ParticipantID) bool {
	return listener != speaker && r.Mode(listener).Hears && r.Mode(speaker).Speaks
}
