package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/durasync/durasync/internal/schedules"
	"github.com/durasync/durasync/schema/plan"
)

// planDiff returns what a new plan of a job changes, by the names of the job language; when it runs is compared with the schedule
// itself elsewhere. Plans that differ in nothing that a job says differ as compiled, and then that is the difference.
func planDiff(old, now *plan.Plan) []schedules.Difference {
	before, after := planFields(old), planFields(now)
	var out []schedules.Difference
	for _, f := range after {
		if was := before.get(f.name); was != f.value {
			out = append(out, schedules.Difference{Field: f.name, Old: was, New: f.value})
		}
	}
	for i, f := range before {
		if _, ok := after.find(f.name); !ok {
			out = slices.Insert(out, min(i, len(out)), schedules.Difference{Field: f.name, Old: f.value})
		}
	}
	if len(out) == 0 && old.Hash() != now.Hash() && sameSchedule(old, now) {
		out = append(out, schedules.Difference{
			Field: "compiled form", Old: old.Hash(), New: now.Hash() + " (another version of a connector, or of durasync)",
		})
	}
	return out
}

func sameSchedule(x, y *plan.Plan) bool { return x.Schedule == y.Schedule }

// planField is something that a job says, as it would be written.
type planField struct{ name, value string }

type fieldList []planField

func (l fieldList) find(name string) (string, bool) {
	for _, f := range l {
		if f.name == name {
			return f.value, true
		}
	}
	return "", false
}

func (l fieldList) get(name string) string {
	v, _ := l.find(name)
	return v
}

func (l *fieldList) add(name, value string) {
	if value != "" {
		*l = append(*l, planField{name, value})
	}
}

// planFields lists what a job says and what it is by default, without when it runs.
func planFields(p *plan.Plan) fieldList {
	var l fieldList
	l.add("description", p.Description)
	l.add("source", p.Source.Connection+" "+p.Source.Stream)
	if p.Source.Where != nil {
		l.add("where", p.Source.Where.Source)
	}
	for _, d := range []struct {
		name  string
		value plan.Duration
	}{
		{"initial", p.Source.Initial}, {"overlap", p.Source.Overlap}, {"grace", p.Source.Grace},
		{"retry_rejected", p.Source.RetryRejected}, {"wait", p.Source.Wait},
	} {
		l.add(d.name, schedules.Duration(time.Duration(d.value)))
	}
	l.add("destination", p.Destination.Connection+" "+p.Destination.Object)
	for _, m := range p.Map {
		l.add("map."+m.Attribute, mappingText(&m))
	}
	for _, t := range p.Templates {
		l.add("template "+t.Path, t.Text)
	}
	resolveFields(&l, &p.Resolve)
	for _, n := range p.Notify {
		on := make([]string, len(n.On))
		for i, notice := range n.On {
			on[i] = string(notice)
		}
		l.add("notify "+n.To, strings.Join(on, ", "))
	}
	if p.Schedule.SyncOnApply {
		l.add("sync_on_apply", "true")
	}
	return l
}

func resolveFields(l *fieldList, r *plan.Resolve) {
	l.add("on_ambiguous", string(r.OnAmbiguous))
	l.add("internal_domains", strings.Join(r.InternalDomains, ", "))
	for _, alias := range r.Aliases {
		l.add("alias "+alias.From, alias.To)
	}
	if r.DomainFallback {
		l.add("domain_fallback", "true")
	}
}

// mappingText is what gives an attribute its value, with where it comes from if that is not the job's file.
func mappingText(m *plan.Mapping) string {
	text := "the standard notes of a meeting"
	if m.Expr != nil {
		text = m.Expr.Source
	}
	if m.Origin == plan.OriginJob {
		return text
	}
	return fmt.Sprintf("%s (%s)", text, m.Origin)
}

// changedLines returns what of a text that has several lines differs: the lines that go with "-", those that come with "+".
func changedLines(old, now string) []string {
	a, b := strings.Split(old, "\n"), strings.Split(now, "\n")
	start := 0
	for start < len(a) && start < len(b) && a[start] == b[start] {
		start++
	}
	end := 0
	for end < len(a)-start && end < len(b)-start && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	var out []string
	for _, line := range a[start : len(a)-end] {
		out = append(out, "- "+line)
	}
	for _, line := range b[start : len(b)-end] {
		out = append(out, "+ "+line)
	}
	return out
}

// digest is a short hash of anything that JSON can hold.
func digest(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("digest: %v", err)) // what is digested is ours
	}
	return shortHash(b)
}

// orNone stands for a value that is not there.
func orNone(value string) string { return cmp.Or(value, "(none)") }
