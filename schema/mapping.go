package schema

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// mapping compiles the map block, and maps by itself what the block leaves out.
func (j *jobCompiler) mapping(b, destination *hclsyntax.Block) {
	var given hclsyntax.Attributes
	if b != nil {
		given = b.Body.Attributes
		j.report(unknownItems(j.file, b.Body, "in a map block", slices.Collect(maps.Keys(given)), nil)...)
	}
	if j.object == nil {
		for _, a := range inOrder(given) {
			j.expression(a, nil)
		}
		return
	}
	known := map[string]bool{}
	for _, attr := range j.object.Attributes {
		known[attr.Name] = true
		if m := j.mapAttribute(attr, given[attr.Name]); m != nil {
			j.plan.Map = append(j.plan.Map, *m)
		} else if attr.Required && attr.Name != j.object.ResolvedBy && given[attr.Name] == nil && j.stream != nil {
			at := destination.DefRange()
			if b != nil {
				at = b.DefRange()
			}
			j.missing(CodeMissingAttribute, at, "Missing attribute",
				"A %s needs the attribute %q%s, and no field of a %s means the same: map it in the map block.",
				j.object.Name, attr.Name, meaning(attr.Doc), j.stream.Record)
		}
	}
	for _, a := range inOrder(given) {
		if !known[a.Name] {
			names := attributeNames(j.object.Attributes)
			j.report(misnamed(CodeUnknownAttribute, a.NameRange, a.Name, names, "Unknown attribute",
				"A %s has no attribute %q.", j.object.Name, a.Name))
			j.expression(a, nil)
		}
	}
}

// mapAttribute returns what gives an attribute its value, or nil if nothing does.
func (j *jobCompiler) mapAttribute(attr plugin.Attribute, given *hclsyntax.Attribute) *plan.Mapping {
	m := &plan.Mapping{Attribute: attr.Name, Required: attr.Required, Type: planType(attr.Type), MaxLength: attr.MaxLength}
	if attr.Name == j.object.ResolvedBy {
		if given != nil {
			j.report(problem(CodeInvalidValue, given.NameRange, "Attribute cannot be mapped",
				"%s is found from the people of each %s. The resolve block says how.", attr.Name, j.recordName()))
		}
		return nil
	}
	switch {
	case given != nil:
		m.Origin, m.Expr = plan.OriginJob, j.expression(given, &attr)
		if attr.Locked {
			d := doubt(CodeLocked, given.NameRange, "Locked attribute",
				"%s is locked: its value is part of what a %s means, and this job gives it another one.", attr.Name, j.object.Name)
			j.report(d)
		}
	case j.auto(attr, m):
		m.Origin = plan.OriginAuto
	case attr.Default != nil:
		v, err := defaultValue(attr)
		if err != nil || v.IsNull() {
			return nil // newDescription has checked it: it is null
		}
		m.Origin = plan.OriginDefault
		m.Expr = &plan.Expression{Source: string(hclwrite.TokensForValue(v).Bytes())}
	default:
		return nil
	}
	return m
}

func (j *jobCompiler) recordName() string {
	if j.stream == nil {
		return "record"
	}
	return j.stream.Record
}

// auto maps an attribute to the field of the same semantic, if there is one that fits.
func (j *jobCompiler) auto(attr plugin.Attribute, m *plan.Mapping) bool {
	if j.stream == nil || attr.Semantic == "" {
		return false
	}
	if attr.Semantic == plugin.MeetingNotes {
		if attr.Type.Kind == plugin.KindString {
			m.Notes = j.notes()
		}
		return m.Notes != nil
	}
	for _, f := range j.stream.Fields {
		if f.Semantic != attr.Semantic {
			continue
		}
		path := j.stream.Record + "." + f.Name
		source := ""
		if member := textMember(f); member != "" && attr.Type.Kind == plugin.KindList && attr.Type.Elem.Kind == plugin.KindString {
			source = fmt.Sprintf("[for x in %s : x.%s if x.%s != null]", path, member, member)
		} else if _, err := convertStrictly(cty.UnknownVal(ctyType(planType(f.Type))), ctyType(m.Type)); err == nil {
			source = path
		}
		if source != "" {
			j.used.add(f.Name)
			m.Expr = &plan.Expression{Source: source}
			return true
		}
	}
	return false
}

// textMember names the member that stands for an element of a list of structures, such as a participant's address.
func textMember(f plugin.Field) string {
	return member(f, plugin.ParticipantEmail, plugin.ItemName)
}

// member names the member of a list's structures that has one of the semantics, or "".
func member(f plugin.Field, semantics ...string) string {
	if f.Type.Kind != plugin.KindList || f.Type.Elem.Kind != plugin.KindStruct {
		return ""
	}
	for _, m := range f.Type.Elem.Fields {
		if slices.Contains(semantics, m.Semantic) {
			return m.Name
		}
	}
	return ""
}

// notes names the fields that the standard text of a meeting is made of, or nil if the stream has none of them.
func (j *jobCompiler) notes() *plan.Notes {
	n := &plan.Notes{}
	some := false
	for _, f := range j.stream.Fields {
		list := plan.List{Field: f.Name, Item: member(f, plugin.ItemName), Duration: member(f, plugin.ItemDuration)}
		switch f.Semantic {
		case plugin.MeetingStarted:
			n.Started = f.Name
		case plugin.MeetingDuration:
			n.Duration = f.Name
		case plugin.MeetingPurpose:
			n.Purpose = f.Name
		case plugin.MeetingURL:
			n.URL = f.Name
		case plugin.MeetingBrief:
			n.Brief = f.Name
		case plugin.MeetingKeyPoints:
			n.KeyPoints = list
		case plugin.MeetingAgenda:
			n.Agenda = list
		case plugin.MeetingTopics:
			n.Topics = list
		case plugin.MeetingActionItems:
			n.ActionItems = list
		default:
			continue
		}
		some = true
		j.used.add(f.Name)
	}
	if !some {
		return nil
	}
	return n
}

// resolve compiles how the target of a record is found.
func (j *jobCompiler) resolve(b, source *hclsyntax.Block) {
	s := j.open(b, "on_ambiguous", "internal_domains")
	policy := s.choice("on_ambiguous", string(plan.MostParticipants),
		string(plan.MostParticipants), string(plan.First), string(plan.Skip))
	domains := j.domains(s)
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
	r := plan.Resolve{OnAmbiguous: plan.Policy(policy), InternalDomains: domains}
	if j.stream != nil {
		j.people(&r)
		if r.Participants == "" && r.Host == "" {
			j.report(problem(CodeInvalidReference, source.DefRange(), "Nobody to resolve by",
				"The %s of a %s is found from the people of the record, and a %s has none.",
				j.object.ResolvedBy, j.object.Name, j.stream.Record))
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

func (j *jobCompiler) domains(s *settings) []string {
	list, _ := s.list("internal_domains")
	var out []string
	for _, d := range list {
		d = strings.ToLower(strings.TrimSpace(d))
		if !domainForm.MatchString(d) {
			s.diags = append(s.diags, problem(CodeInvalidValue, s.attr("internal_domains").Expr.Range(), "Invalid domain",
				"%q is no domain of e-mail addresses; write what stands after the @, such as \"example.com\".", d))
			continue
		}
		out = append(out, d)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
