package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/conclave-voice/conclave/api/v1"
	"github.com/conclave-voice/conclave/store"
)

func (s *server) rooms() {
	register(s, endpoint{method: http.MethodGet, path: "/rooms", id: "list-rooms", tag: "Rooms",
		summary: "List rooms", access: seer}, s.listRooms)
	register(s, endpoint{method: http.MethodPost, path: "/rooms", id: "add-room", tag: "Rooms",
		summary: "Add a room", doc: "Codes that are left out are random ones that nobody has.",
		access: manager, status: http.StatusCreated, errors: []int{http.StatusConflict}}, s.addRoom)
	register(s, endpoint{method: http.MethodGet, path: "/rooms/{room}", id: "get-room", tag: "Rooms",
		summary: "Show a room", access: seer, errors: []int{http.StatusNotFound}}, s.getRoom)
	register(s, endpoint{method: http.MethodPatch, path: "/rooms/{room}", id: "edit-room", tag: "Rooms",
		summary: "Change a room", doc: "A conference that goes on keeps the settings that it began with; codes count at once.",
		access: manager, errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed}}, s.editRoom)
	register(s, endpoint{method: http.MethodDelete, path: "/rooms/{room}", id: "remove-room", tag: "Rooms",
		summary: "Remove a room", doc: "Its codes are free at once; its past conferences and usage records stay. End its conference first.",
		access: manager, errors: []int{http.StatusNotFound, http.StatusConflict}}, s.removeRoom)
}

// InRoom is a room in a path.
type InRoom struct {
	Room string `path:"room" maxLength:"64" doc:"Id"`
}

func (in InRoom) id() store.RoomID { return store.RoomID(in.Room) }

func roomView(r store.Room) v1.Room {
	view := v1.Room{ID: string(r.ID), CustomerID: string(r.CustomerID), AccountID: string(r.AccountID), Name: r.Name, CodeSpace: r.CodeSpace,
		HostCode: r.HostCode, GuestCode: r.GuestCode, HomeSite: r.HomeSite, Moderated: r.Moderated,
		EndGraceSeconds: int(r.EndGrace / time.Second), LostGraceSeconds: int(r.LostGrace / time.Second), MaxParticipants: r.MaxParticipants,
		GuestRole: string(r.GuestRole), EntrySound: string(r.EntrySound), ExitSound: string(r.ExitSound), AnnounceCount: r.AnnounceCount,
		Music: r.Music, Language: r.Language, Recording: roomRecordingView(r.Recording), Version: r.Version, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	if r.Keys != nil {
		view.Keys = map[string]string{}
		for key, action := range r.Keys {
			view.Keys[key] = string(action)
		}
	}
	return view
}

func roomRecordingView(r store.RecordingSettings) v1.RoomRecording {
	view := v1.RoomRecording{Mode: string(r.Mode), Format: string(r.Format), Tracks: r.Tracks, Announce: !r.Silent, RetentionDays: r.Retention}
	if r.Mode == store.RecordOff {
		view.Mode = "off"
	}
	if r.Format == "" {
		view.Format = string(store.FormatWAV)
	}
	return view
}

func changeRecording(r *store.RecordingSettings, given *v1.RoomRecordingEdit) {
	if given == nil {
		return
	}
	set((*string)(&r.Mode), given.Mode)
	if r.Mode == "off" {
		r.Mode = store.RecordOff
	}
	set((*string)(&r.Format), given.Format)
	set(&r.Tracks, given.Tracks)
	if given.Announce != nil {
		r.Silent = !*given.Announce
	}
	set(&r.Retention, given.RetentionDays)
}

// change sets what is given.
func change(r *store.Room, settings v1.RoomSettings) {
	set(&r.HostCode, settings.HostCode)
	set(&r.GuestCode, settings.GuestCode)
	set(&r.HomeSite, settings.HomeSite)
	set(&r.Moderated, settings.Moderated)
	setSeconds(&r.EndGrace, settings.EndGraceSeconds)
	setSeconds(&r.LostGrace, settings.LostGraceSeconds)
	set(&r.MaxParticipants, settings.MaxParticipants)
	set((*string)(&r.GuestRole), settings.GuestRole)
	set((*string)(&r.EntrySound), settings.EntrySound)
	set((*string)(&r.ExitSound), settings.ExitSound)
	set(&r.AnnounceCount, settings.AnnounceCount)
	set(&r.Music, settings.Music)
	set(&r.Language, settings.Language)
	changeRecording(&r.Recording, settings.Recording)
	if settings.Keys == nil {
		return
	}
	r.Keys = nil
	for key, action := range *settings.Keys {
		if r.Keys == nil {
			r.Keys = map[string]store.Action{}
		}
		r.Keys[key] = store.Action(action)
	}
}

// set changes a value where a new one is given.
func set[T any](value, given *T) {
	if given != nil {
		*value = *given
	}
}

func setSeconds(value *time.Duration, given *int) {
	if given != nil {
		*value = time.Duration(*given) * time.Second
	}
}

func (s *server) listRooms(ctx context.Context, in *struct {
	Tenant
	Paging
}) (*reply[v1.Page[v1.Room]], error) {
	scope, err := in.scope(callerOf(ctx))
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.ListRooms(ctx, scope, in.page())
	if err != nil {
		return nil, err
	}
	return pageOf(in.page(), rows, func(r store.Room) string { return string(r.ID) }, roomView), nil
}

func (s *server) addRoom(ctx context.Context, in *struct{ Body v1.NewRoom }) (*reply[v1.Room], error) {
	a, err := s.accountIn(ctx, in.Body.Account)
	if err != nil {
		return nil, err
	}
	if err := s.mayLeadTo(ctx, &in.Body.CodeSpace, a.CustomerID); err != nil {
		return nil, err
	}
	now := s.now()
	r := store.Room{ID: store.NewRoomID(), CustomerID: a.CustomerID, AccountID: a.ID, Name: in.Body.Name, CodeSpace: in.Body.CodeSpace,
		HomeSite: s.Place.Site, GuestRole: store.RoleSpeaker, EntrySound: store.SoundTone, ExitSound: store.SoundTone,
		AnnounceCount: true, Music: true, Recording: store.RecordingSettings{Mode: store.RecordOnDemand}, CreatedAt: now, UpdatedAt: now}
	change(&r, in.Body.RoomSettings)
	if r, err = s.Store.CreateRoom(ctx, r, in.Body.CodeDigits); err != nil {
		return nil, err
	}
	return &reply[v1.Room]{roomView(r)}, nil
}

func (s *server) getRoom(ctx context.Context, in *InRoom) (*reply[v1.Room], error) {
	r, err := s.Store.Room(ctx, callerOf(ctx).scope, in.id())
	if err != nil {
		return nil, err
	}
	return &reply[v1.Room]{roomView(r)}, nil
}

func (s *server) editRoom(ctx context.Context, in *struct {
	InRoom
	IfMatch string `header:"If-Match" doc:"The version that was read, in quotes"`
	Body    v1.RoomEdit
}) (*reply[v1.Room], error) {
	expected, err := expectedVersion(in.IfMatch, in.Body.Version)
	if err != nil {
		return nil, err
	}
	scope := callerOf(ctx).scope
	for {
		r, err := s.Store.Room(ctx, scope, in.id())
		if err != nil {
			return nil, err
		}
		if expected != 0 {
			r.Version = expected
		}
		set(&r.Name, in.Body.Name)
		change(&r, in.Body.RoomSettings)
		r.UpdatedAt = s.now()
		r, err = s.Store.UpdateRoom(ctx, scope, r)
		if expected == 0 && errors.Is(err, store.ErrVersion) {
			continue // someone else was faster; this edit comes on top of theirs
		}
		if err != nil {
			return nil, err
		}
		return &reply[v1.Room]{roomView(r)}, nil
	}
}

// expectedVersion is the version that an edit is made on; 0: whatever there is.
func expectedVersion(ifMatch string, version *int64) (int64, error) {
	expected := int64(0)
	set(&expected, version)
	if ifMatch == "" || ifMatch == "*" {
		return expected, nil
	}
	n, err := strconv.ParseInt(strings.Trim(ifMatch, `"`), 10, 64)
	if err != nil || n < 1 || version != nil && n != expected {
		return 0, problem(http.StatusUnprocessableEntity, "If-Match %s: write the version of the room in quotes, and no other version in the body", ifMatch)
	}
	return n, nil
}

func (s *server) removeRoom(ctx context.Context, in *InRoom) (*empty, error) {
	return &empty{}, s.Store.DeleteRoom(ctx, callerOf(ctx).scope, in.id())
}

// mayLeadTo checks that a code space is one whose numbers lead to rooms of a customer,
// or finds the only one there is. Else a customer could take codes of numbers that are
// another's, and learn by trying which are taken.
func (s *server) mayLeadTo(ctx context.Context, space *string, customer store.CustomerID) error {
	var known []string
	for p := (store.Page{Limit: maxPage}); ; {
		rows, err := s.Store.ListAccessNumbers(ctx, store.Scope{CustomerID: customer}, p)
		if err != nil {
			return err
		}
		for _, n := range rows {
			if *space == n.CodeSpace {
				return nil
			}
			if len(known) == 0 || known[0] != n.CodeSpace {
				known = append(known, n.CodeSpace)
			}
		}
		if len(rows) < p.Limit {
			break
		}
		p.After = string(rows[len(rows)-1].ID)
	}
	switch {
	case *space != "":
		return problem(http.StatusUnprocessableEntity, "codeSpace %q: no access number that may lead to this customer's rooms has it; a list of numbers shows what there is", *space)
	case len(known) == 0:
		return problem(http.StatusUnprocessableEntity, "codeSpace: there is no access number yet that may lead to this customer's rooms; an operator adds numbers")
	case len(known) > 1:
		return problem(http.StatusUnprocessableEntity, "codeSpace: there are several, such as %s and %s; say by which the room is reached", known[0], known[1])
	}
	*space = known[0]
	return nil
}
