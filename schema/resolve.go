package schema

import (
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// policies are the values of on_ambiguous, the default first.
var policies = []string{
	string(plan.MostParticipants), string(plan.ContactFirst), string(plan.HostTeam), string(plan.First), string(plan.Skip),
}

// resolve compiles how the target of a record is found.
func (j *jobCompiler) resolve(b, source *hclsyntax.Block) {
	s := j.open(b)
	r := plan.Resolve{
		OnAmbiguous:     plan.Policy(s.choice("on_ambiguous", policies[0], policies...)),
		InternalDomains: s.domains(), Aliases: s.aliases(), DomainFallback: s.flag("domain_fallback", false),
	}
	j.report(s.diags...)
	if j.object == nil {
		return
	}
	if j.object.ResolvedBy == "" {
		if b != nil {
			d := doubt(CodeUnknownBlock, b.TypeRange, "Block without effect",
				"A %s belongs to nothing that could be resolved.", j.object.Name)
			j.report(d)
		}
		return
	}
	if j.stream != nil {
		j.people(&r)
		if r.Participants == "" && r.Host == "" {
			j.report(problem(CodeInvalidReference, source.DefRange(), "Nobody to resolve by",
				"The %s of a %s is found from the people of the record, and a %s has none.",
				j.object.ResolvedBy, j.object.Name, j.stream.Record))
		}
		if r.OnAmbiguous == plan.HostTeam && r.Host == "" {
			j.report(problem(CodeInvalidValue, s.attr("on_ambiguous").Expr.Range(), "No host to decide by",
				"host_team takes what the host looks after, and a %s has no host.", j.stream.Record))
		}
	}
	j.plan.Resolve = r
}

// people finds the fields that say who took part.
func (j *jobCompiler) people(r *plan.Resolve) {
	for _, f := range j.stream.Fields {
		switch f.Semantic {
		case plugin.MeetingParticipants:
			email := member(f, plugin.ParticipantEmail)
			if f.Type.Kind != plugin.KindList || email == "" && f.Type.Elem.Kind != plugin.KindString {
				continue
			}
			r.Participants, r.Email, r.Affiliation = f.Name, email, member(f, plugin.ParticipantAffiliation)
		case plugin.MeetingHostEmail:
			r.Host = f.Name
		default:
			continue
		}
		j.used.add(f.Name)
	}
}

var domainForm = regexp.MustCompile(`^([a-z0-9-]+\.)+[a-z0-9-]{2,}$`)

func (s *settings) domains() []string {
	list, _ := s.list("internal_domains")
	var out []string
	for i, d := range list {
		d = strings.ToLower(strings.TrimSpace(d))
		if !domainForm.MatchString(d) {
			s.diags = append(s.diags, problem(CodeInvalidValue, elementRange(s.attr("internal_domains").Expr, i), "Invalid domain",
				"%q is no domain of e-mail addresses; write what stands after the @, such as \"example.com\".", d))
			continue
		}
		out = append(out, d)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// aliases reads the other addresses of people.
func (s *settings) aliases() []plan.Alias {
	a := s.attr("aliases")
	if a == nil {
		return nil
	}
	object, ok := a.Expr.(*hclsyntax.ObjectConsExpr)
	if !ok {
		s.diags = append(s.diags, problem(CodeWrongType, a.Expr.Range(), "Wrong type",
			`aliases is written { "other@example.com" = "known@example.com" }.`))
		return nil
	}
	var out []plan.Alias
	places := map[string]hcl.Range{}
	for _, item := range object.Items {
		from, ok := s.address(item.KeyExpr)
		to, ok2 := s.address(item.ValueExpr)
		if !ok || !ok2 {
			continue
		}
		at := item.KeyExpr.Range()
		first, twice := places[from]
		switch {
		case twice:
			s.diags = append(s.diags, problem(CodeDuplicate, at, "Duplicate alias",
				"%s has an address already, at line %d. Case does not matter.", from, first.Start.Line))
		case from == to:
			s.diags = append(s.diags, problem(CodeInvalidValue, at, "Alias of itself", "%s stands for itself; remove the line.", from))
		default:
			places[from] = at
			out = append(out, plan.Alias{From: from, To: to})
		}
	}
	for _, alias := range out {
		if _, ok := places[alias.To]; ok {
			s.diags = append(s.diags, problem(CodeInvalidValue, places[alias.From], "Alias of an alias",
				"%s is an alias itself, and aliases are looked up once: write the address that the destination knows.", alias.To))
		}
	}
	slices.SortFunc(out, func(a, b plan.Alias) int { return strings.Compare(a.From, b.From) })
	return out
}

var addressForm = regexp.MustCompile(`^[^@\s"<>,;]+@([a-z0-9-]+\.)+[a-z0-9-]{2,}$`)

// address reads an e-mail address, in lower case.
func (s *settings) address(expr hclsyntax.Expression) (string, bool) {
	at := expr.Range()
	v, diags := expr.Value(nil)
	if !diags.HasErrors() && v.Type() == cty.String && v.IsWhollyKnown() && !v.IsNull() {
		text := strings.ToLower(strings.TrimSpace(v.AsString()))
		if addressForm.MatchString(text) {
			return text, true
		}
	}
	s.diags = append(s.diags, problem(CodeInvalidValue, at, "Invalid address",
		"This is no e-mail address; write it in quotes, such as \"pat@example.com\"."))
	return "", false
}
