package totangotest

import (
	"bytes"
	"cmp"
	"embed"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed page
var pageFiles embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"day":   func(t time.Time) string { return t.UTC().Format("2 January 2006") },
	"clock": func(t time.Time) string { return t.UTC().Format("15:04 UTC") },
	"stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"count": func(n int, one string) string {
		if n == 1 {
			return "1 " + one
		}
		return strconv.Itoa(n) + " " + one + "s"
	},
}).ParseFS(pageFiles, "page/*.html"))

// listed is how many touchpoints the front page shows.
const listed = 12

// personView is a person on the page.
type personView struct {
	Name, Email string
	Role        string
	Known       bool
	Contact     bool
	KeyContact  bool
}

// cardView is a touchpoint in a list.
type cardView struct {
	NoteID  int64
	Subject string
	Type    string
	Flow    string
	Account Account
	By      string
	Date    time.Time
	Teaser  string
}

type accountView struct {
	Account
	Touchpoints int
	Contacts    int
	Latest      time.Time
}

// servePage answers a person's browser.
func (s *Server) servePage(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "This page is for reading.", http.StatusMethodNotAllowed)
		return
	}
	path := r.URL.Path
	switch {
	case path == "/":
		s.render(w, "index.html", s.indexView(strings.TrimSpace(r.URL.Query().Get("q"))))
	case path == "/style.css":
		http.ServeFileFS(w, r, pageFiles, "page/style.css")
	case strings.HasPrefix(path, "/accounts/"):
		s.render(w, "account.html", s.accountPage(strings.TrimPrefix(path, "/accounts/")))
	case strings.HasPrefix(path, "/touchpoints/"):
		id, _ := strconv.ParseInt(strings.TrimPrefix(path, "/touchpoints/"), 10, 64) // 0, which nothing has, if it is no number
		s.render(w, "touchpoint.html", s.touchpointPage(id))
	default:
		s.render(w, "", nil)
	}
}

// render writes a page; without data it says that there is none.
func (s *Server) render(w http.ResponseWriter, name string, data map[string]any) {
	status := http.StatusOK
	if data == nil {
		status, name, data = http.StatusNotFound, "missing.html", map[string]any{}
	}
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a reader who is gone needs no page
}

func (s *Server) indexView(search string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	counts, latest, contacts := map[string]int{}, map[string]time.Time{}, map[string]int{}
	for _, t := range s.touchpoints {
		counts[t.AccountID]++
		if t.Date.After(latest[t.AccountID]) {
			latest[t.AccountID] = t.Date
		}
	}
	for _, u := range s.users {
		contacts[u.AccountID]++
	}
	var accounts []accountView
	for _, a := range s.accounts {
		if s.mentions(a, search) {
			accounts = append(accounts, accountView{a, counts[a.ID], contacts[a.ID], latest[a.ID]})
		}
	}
	slices.SortFunc(accounts, func(a, b accountView) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	var recent []cardView
	for _, t := range s.newest() {
		acc, _ := s.account(t.AccountID)
		if search != "" && !s.mentions(acc, search) && !contains(t.Subject, search) && !contains(readable(t.Content), search) {
			continue
		}
		if recent = append(recent, s.card(t)); len(recent) == listed {
			break
		}
	}
	return map[string]any{
		"Title": "Accounts", "Search": search, "Accounts": accounts, "Recent": recent,
		"Total": len(s.touchpoints), "TotalAccounts": len(s.accounts),
	}
}

// mentions reports whether an account, or one of its people, has the text in a name, id or address.
func (s *Server) mentions(a Account, text string) bool {
	if contains(a.Name, text) || contains(a.ID, text) {
		return true
	}
	return slices.ContainsFunc(s.users, func(u User) bool {
		return u.AccountID == a.ID && (contains(u.Name, text) || contains(u.ID, text) || contains(u.Email, text))
	})
}

func contains(s, part string) bool {
	return strings.Contains(strings.ToLower(s), strings.ToLower(part))
}

// newest returns all touchpoints, the latest first.
func (s *Server) newest() []*stored {
	out := slices.Clone(s.touchpoints)
	slices.SortStableFunc(out, func(a, b *stored) int {
		return cmp.Or(b.Date.Compare(a.Date), cmp.Compare(b.NoteID, a.NoteID))
	})
	return out
}

func (s *Server) card(t *stored) cardView {
	acc, _ := s.account(t.AccountID)
	return cardView{
		NoteID: t.NoteID, Subject: cmp.Or(t.Subject, "(no subject)"), Type: nameOf(s.types, t.TypeID), Flow: s.flowName(t.FlowID),
		Account: acc, By: s.person(t.CreatedBy, t.AccountID).Name, Date: t.Date, Teaser: teaser(readable(t.Content)),
	}
}

func nameOf(list []NamedID, id string) string {
	for _, n := range list {
		if n.ID == id {
			return n.Name
		}
	}
	return id
}

func (s *Server) flowName(id string) string {
	for _, f := range s.flows {
		if f.ID == id {
			return f.Name
		}
	}
	return id
}

// person looks an address up among the team and the account's users.
func (s *Server) person(address, accountID string) personView {
	for _, m := range s.team {
		if strings.EqualFold(m.Email, address) {
			return personView{Name: cmp.Or(m.Name, m.Email), Email: m.Email, Role: m.Role, Known: true}
		}
	}
	for _, u := range s.users {
		if u.AccountID == accountID && (strings.EqualFold(u.ID, address) || strings.EqualFold(u.Email, address)) {
			return userView(u)
		}
	}
	return personView{Name: address, Email: address}
}

func userView(u User) personView {
	return personView{
		Name: cmp.Or(u.Name, u.ID), Email: cmp.Or(u.Email, u.ID), Role: cmp.Or(u.Attributes["contact_account_role"], u.Attributes["Title"]),
		Known: true, Contact: u.Contact, KeyContact: u.KeyContact,
	}
}

func (s *Server) accountPage(id string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	acc, ok := s.account(id)
	if !ok {
		return nil
	}
	var team, contacts []personView
	for _, m := range acc.Team {
		team = append(team, s.person(m, id))
	}
	for _, u := range s.users {
		if u.AccountID == id {
			contacts = append(contacts, userView(u))
		}
	}
	slices.SortStableFunc(contacts, func(a, b personView) int {
		if a.KeyContact != b.KeyContact {
			if a.KeyContact {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	var timeline []cardView
	for _, t := range s.newest() {
		if t.AccountID == id {
			timeline = append(timeline, s.card(t))
		}
	}
	return map[string]any{"Title": acc.Name, "Account": acc, "Team": team, "Contacts": contacts, "Timeline": timeline}
}

func (s *Server) touchpointPage(id int64) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	t := s.find(id)
	if t == nil {
		return nil
	}
	var internal, external []personView
	for _, p := range t.Participants {
		if s.isTeam(p) {
			internal = append(internal, s.person(p, t.AccountID))
		} else {
			external = append(external, s.person(p, t.AccountID))
		}
	}
	var tags []string
	for _, tag := range t.TagIDs {
		tags = append(tags, nameOf(s.tags, tag))
	}
	return map[string]any{
		"Title": s.card(t).Subject, "Card": s.card(t), "Touchpoint": t.Touchpoint, "CreatedBy": s.person(t.CreatedBy, t.AccountID),
		"Internal": internal, "External": external, "Tags": tags, "Body": blocks(readable(t.Content)),
	}
}
