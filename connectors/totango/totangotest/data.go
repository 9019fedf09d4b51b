package totangotest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Account is a customer of the tenant.
type Account struct {
	// ID is Totango's account id, unique in the tenant.
	ID string

	Name string

	// Status is the status group, such as "paying", "free" or "cancelled". Empty means "paying".
	Status string

	// Team are the addresses of the team members who look after the account. The first is its attribute "Success Manager", the second
	// "Sales Manager", unless Attributes has them; the others are in no attribute.
	Team []string

	// Attributes are the string attributes that searches can select by and return.
	Attributes map[string]string

	// LastActivity is when one of its users was last seen; zero if never.
	LastActivity time.Time
}

// User is a person of an account. A person who belongs to several accounts is added once for each, with the same ID.
type User struct {
	// ID is the user id: normally the address, but any string, in any case. Empty means Email.
	ID string

	// Email is the user's "Email" attribute. It may be empty if ID is the address.
	Email string

	Name      string
	AccountID string

	// Contact and KeyContact are the attributes "Contact" and "Key Contact", which read "yes" or "no".
	Contact, KeyContact bool

	// Attributes are further string attributes, such as "contact_account_role".
	Attributes map[string]string
}

// TeamMember is a person who works with Totango: an internal user.
type TeamMember struct {
	// Email is also the user id.
	Email string

	Name string

	// Role is the role in Totango, such as "CSM".
	Role string

	// Status is "Active", "Created" or "Disabled". Empty means "Active".
	Status string
}

// Touchpoint is a stored touchpoint: a note with a number, and an event on the account's timeline with a string id.
type Touchpoint struct {
	NoteID  int64
	EventID string

	AccountID string
	Subject   string
	Content   string

	// TypeID and TagIDs are GUIDs of [Server.Types] and [Server.Tags]; FlowID is an id of [Server.Flows].
	TypeID string
	FlowID string
	TagIDs []string

	// CreatedBy is an address; it need not be known.
	CreatedBy string

	// Participants are addresses as they were sent.
	Participants []string

	// Date is the touchpoint's own date, to the millisecond.
	Date time.Time

	// DisableSync says that the touchpoint must not be pushed on to third parties.
	DisableSync bool

	// ParentID is the note id of the touchpoint that this one replies to; 0 for none.
	ParentID int64

	// Created is when the touchpoint was stored.
	Created time.Time

	// Edited and EditedBy say when a person last changed it; zero if nobody did.
	Edited   time.Time
	EditedBy string
}

func (t Touchpoint) clone() Touchpoint {
	t.TagIDs = slices.Clone(t.TagIDs)
	t.Participants = slices.Clone(t.Participants)
	return t
}

// AddAccount adds accounts, replacing those of the same id.
func (s *Server) AddAccount(accounts ...Account) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	for _, a := range accounts {
		if a.Status == "" {
			a.Status = "paying"
		}
		a.Team = slices.Clone(a.Team)
		a.Attributes = maps.Clone(a.Attributes)
		if i, ok := s.accountIndex[a.ID]; ok {
			s.accounts[i] = a
			continue
		}
		s.accountIndex[a.ID] = len(s.accounts)
		s.accounts = append(s.accounts, a)
	}
}

// DeleteAccount deletes an account, until one with the same id is added. Its touchpoints stay in the store and nobody finds them.
func (s *Server) DeleteAccount(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	i, ok := s.accountIndex[id]
	if !ok {
		return
	}
	s.accounts = slices.Delete(s.accounts, i, i+1)
	delete(s.accountIndex, id)
	for other, at := range s.accountIndex {
		if at > i {
			s.accountIndex[other]--
		}
	}
}

// AddUser adds users. Their account need not exist yet.
func (s *Server) AddUser(users ...User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	for _, u := range users {
		if u.ID == "" {
			u.ID = u.Email
		}
		u.Attributes = maps.Clone(u.Attributes)
		for _, name := range []string{u.ID, u.Email} {
			name = strings.ToLower(name)
			if at := s.usersByName[name]; len(at) == 0 || at[len(at)-1] != len(s.users) {
				s.usersByName[name] = append(at, len(s.users))
			}
		}
		s.users = append(s.users, u)
	}
}

// AddTeam adds team members, replacing those of the same address.
func (s *Server) AddTeam(members ...TeamMember) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	for _, m := range members {
		if m.Status == "" {
			m.Status = "Active"
		}
		same := func(o TeamMember) bool { return strings.EqualFold(o.Email, m.Email) }
		if i := slices.IndexFunc(s.team, same); i >= 0 {
			s.team[i] = m
			continue
		}
		s.team = append(s.team, m)
	}
}

// AddTouchpoint stores a touchpoint as if it had been there before, visible at once, and returns its note id. The ids and whatever
// else has a default may be left empty.
func (s *Server) AddTouchpoint(t Touchpoint) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	stored := s.store(t.clone())
	stored.visibleFrom = time.Time{}
	return stored.NoteID
}

// Touchpoints returns a copy of all touchpoints in the order of their note ids, whether searches find them yet or not.
func (s *Server) Touchpoints() []Touchpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Touchpoint, 0, len(s.touchpoints))
	for _, t := range s.touchpoints {
		out = append(out, t.clone())
	}
	return out
}

// Edit changes a touchpoint as a person does in Totango's own pages. The ids and the account stay what they are.
func (s *Server) Edit(noteID int64, by string, change func(*Touchpoint)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.find(noteID)
	if t == nil {
		return fmt.Errorf("totangotest: no touchpoint %d", noteID)
	}
	edited := t.clone()
	change(&edited)
	edited.NoteID, edited.EventID, edited.AccountID = t.NoteID, t.EventID, t.AccountID
	edited.Edited, edited.EditedBy = s.now(), by
	t.Touchpoint = edited
	return nil
}

// stored is a touchpoint with the moment from which reads show it.
type stored struct {
	Touchpoint
	visibleFrom time.Time
}

// store fills in the defaults, gives ids and keeps the touchpoint. The caller holds mu.
func (s *Server) store(t Touchpoint) *stored {
	s.lastNote++
	if t.NoteID == 0 {
		t.NoteID = s.lastNote
	}
	s.lastNote = max(s.lastNote, t.NoteID)
	if t.EventID == "" {
		t.EventID = guid(s.serviceID(), "event", fmt.Sprint(t.NoteID))
	}
	t.Created = s.now()
	if t.Date.IsZero() {
		t.Date = t.Created
	}
	t.Date = t.Date.Truncate(time.Millisecond)
	if t.FlowID == "" {
		t.FlowID = s.defaultFlow()
	}
	if t.CreatedBy == "" {
		t.CreatedBy = s.tokenUser()
	}
	kept := &stored{Touchpoint: t, visibleFrom: t.Created.Add(s.searchLag)}
	s.touchpoints = append(s.touchpoints, kept)
	s.byNote[t.NoteID] = kept
	return kept
}

// find returns the touchpoint of the note id, or nil. The caller holds mu.
func (s *Server) find(noteID int64) *stored { return s.byNote[noteID] }

// account returns the account of the id. The caller holds mu.
func (s *Server) account(id string) (Account, bool) {
	i, ok := s.accountIndex[id]
	if !ok {
		return Account{}, false
	}
	return s.accounts[i], true
}

// SetTokens replaces the app tokens that the server accepts, as an administrator does who rotates one.
func (s *Server) SetTokens(tokens ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opts.Tokens = slices.Clone(tokens)
}
