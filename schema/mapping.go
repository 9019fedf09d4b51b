package schema

import (
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// argOverride is the only argument of the map block that is no attribute of an object.
const argOverride = "override"

// mapping compiles the map block, and maps by itself what the block leaves out.
func (j *jobCompiler) mapping(b, destination *hclsyntax.Block) {
	given := hclsyntax.Attributes{}
	s := &settings{}
	if b != nil {
		s.body = b.Body
		maps.Copy(given, b.Body.Attributes)
		j.report(unknownItems(j.file, b.Body, "in a map block", slices.Collect(maps.Keys(given)), nil)...)
		delete(given, argOverride)
	}
	override := s.flag(argOverride, s.attr(argOverride) != nil) // what is malformed was meant to allow it
	j.report(s.diags...)
	if j.object == nil {
		for _, a := range inOrder(given) {
			j.expression(a, nil)
		}
		return
	}
	j.locked(s, override, given)
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
			names := append(attributeNames(j.object.Attributes), argOverride)
			j.report(misnamed(CodeUnknownAttribute, a.NameRange, a.Name, names, "Unknown attribute",
				"A %s has no attribute %q.", j.object.Name, a.Name))
			j.expression(a, nil)
		}
	}
}

// locked refuses locked attributes that the job sets without saying that it means to.
func (j *jobCompiler) locked(s *settings, allowed bool, given hclsyntax.Attributes) {
	some := false
	for _, attr := range j.object.Attributes {
		a := given[attr.Name]
		if a == nil || !attr.Locked {
			continue
		}
		some = true
		if !allowed {
			j.report(problem(CodeLocked, a.NameRange, "Locked attribute",
				"%s is locked: its value is part of what a %s means. To set it all the same, write override = true beside it in the map block.",
				attr.Name, j.object.Name))
		}
	}
	if allowed && !some && s.diags == nil {
		j.report(doubt(CodeLocked, s.attr(argOverride).NameRange, "Override without effect", "The map block sets no locked attribute."))
	}
}

// mapAttribute returns what gives an attribute its value, or nil if nothing does.
func (j *jobCompiler) mapAttribute(attr plugin.Attribute, given *hclsyntax.Attribute) *plan.Mapping {
	m := &plan.Mapping{
		Attribute: attr.Name, Required: attr.Required, Locked: attr.Locked, Type: planType(attr.Type), MaxLength: attr.MaxLength,
	}
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
			source = pluck(path, member)
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
