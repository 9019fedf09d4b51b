package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/spf13/cobra"

	"github.com/durasync/durasync/internal/schedules"
	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema"
	"github.com/durasync/durasync/schema/plan"
)

func (a *app) showCommand() *cobra.Command {
	var dir string
	cmd := a.reports(&cobra.Command{
		Use:   "show JOB",
		Short: "Show what a job of the files comes to",
		Long: `Show what a job of the files comes to: what it reads, what each attribute gets
and where that comes from (the source by itself, a default, or a line of a
file), how the target is found, and when it runs. Needs no Temporal and no
secrets.`,
		Args:              exactArgs(1, "the name of a job"),
		ValidArgsFunction: a.completeFileJobs(&dir),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			log, err := a.logger(cmd, hclog.Off)
			if err != nil {
				return err
			}
			found := a.connectors(dir, log)
			p, err := a.loadJob(ctx, dir, args[0], found)
			if err != nil {
				return err
			}
			job, err := effective(ctx, p, found, time.Now())
			if err != nil {
				return err
			}
			if a.json {
				a.writeJSON(job)
				return nil
			}
			job.show(a)
			return nil
		},
	})
	cmd.Flags().StringVar(&dir, "dir", ".", "directory with the job files")
	return cmd
}

// effectiveJob is what is printed with --json.
type effectiveJob struct {
	Job         string               `json:"job"`
	Description string               `json:"description,omitempty"`
	Hash        string               `json:"hash"` // of the plan
	Source      effectiveSource      `json:"source"`
	Destination effectiveDestination `json:"destination"`
	Attributes  []schema.Row         `json:"attributes"`
	Resolve     *plan.Resolve        `json:"resolve,omitempty"` // how the target is found, if there is one
	Schedule    plan.Schedule        `json:"schedule"`
	When        string               `json:"when"` // the schedule in words
	Next        []time.Time          `json:"next"`
	Notify      []plan.Notify        `json:"notify"`
}

// effectiveSource is what the job reads, and which part of it.
type effectiveSource struct {
	Connection    string           `json:"connection"`
	Stream        string           `json:"stream"`
	Where         *plan.Expression `json:"where,omitempty"`
	Initial       plan.Duration    `json:"initial"`        // how far back the first run looks
	Overlap       plan.Duration    `json:"overlap"`        // how far behind the end of the last run later ones look again
	Grace         plan.Duration    `json:"grace"`          // how long to wait for a record that is incomplete
	RetryRejected plan.Duration    `json:"retry_rejected"` // how long rejected records are looked at again
	Wait          plan.Duration    `json:"wait"`           // how long to wait for another run of the job
}

// effectiveDestination is what the job writes.
type effectiveDestination struct {
	Connection string `json:"connection"`
	Object     string `json:"object"`
}

// effective describes a job of the files.
func effective(ctx context.Context, p *plan.Plan, c *connectors, now time.Time) (*effectiveJob, error) {
	res, err := c.Describe(ctx, p.Destination.Connector)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(res.Objects, func(o plugin.Object) bool { return o.Name == p.Destination.Object })
	if i < 0 {
		return nil, invalidError("the connector %s has no object %q", p.Destination.Connector, p.Destination.Object)
	}
	next, err := schema.NextRuns(p.Schedule, now, nextRuns)
	if err != nil {
		return nil, fmt.Errorf("job %s: %w", p.Job, err)
	}
	job := &effectiveJob{
		Job: p.Job, Description: p.Description, Hash: p.Hash(),
		Source: effectiveSource{
			Connection: p.Source.Connection, Stream: p.Source.Stream, Where: p.Source.Where, Initial: p.Source.Initial,
			Overlap: p.Source.Overlap, Grace: p.Source.Grace, RetryRejected: p.Source.RetryRejected, Wait: p.Source.Wait,
		},
		Destination: effectiveDestination{p.Destination.Connection, p.Destination.Object},
		Attributes:  schema.Effective(p, res.Objects[i]), Schedule: p.Schedule, When: schedules.Words(&p.Schedule),
		Next: []time.Time{}, Notify: []plan.Notify{},
	}
	if p.Destination.ResolvedBy != "" {
		job.Resolve = &p.Resolve
	}
	if p.Schedule.Enabled && next != nil {
		job.Next = next
	}
	if p.Notify != nil {
		job.Notify = p.Notify
	}
	return job, nil
}

// show prints the job for people.
func (j *effectiveJob) show(a *app) {
	s := a.outStyle()
	a.printf("%s\n", s.bold(j.Job))
	if j.Description != "" {
		a.printf("%s\n", wrap(j.Description, "  ", a.opts.Width))
	}
	j.showSource(a)
	a.printf("\n%s\n", s.bold("destination"))
	a.showField("writes", fmt.Sprintf("%s %s", j.Destination.Connection, j.Destination.Object))
	j.showAttributes(a)
	if j.Resolve != nil {
		j.showResolve(a)
	}
	a.printf("\n%s\n", s.bold("schedule"))
	a.showField("when", j.When)
	c := change{Next: j.Next, Enabled: j.Schedule.Enabled}
	a.showField("next runs", c.nextText())
	if j.Schedule.SyncOnApply {
		a.showField("sync_on_apply", "also when it is applied and that changes something")
	}
	if len(j.Notify) > 0 {
		a.printf("\n%s\n", s.bold("notify"))
	}
	for _, n := range j.Notify {
		on := make([]string, len(n.On))
		for i, notice := range n.On {
			on[i] = string(notice)
		}
		a.showField(n.To, "of runs that are "+strings.Join(on, ", "))
	}
}

func (j *effectiveJob) showSource(a *app) {
	src := &j.Source
	a.printf("\n%s\n", a.outStyle().bold("source"))
	a.showField("reads", fmt.Sprintf("%s %s", src.Connection, src.Stream))
	if w := src.Where; w != nil {
		a.showField("where", plainText(w.Source)+" "+place(w.File, w.Line))
	}
	for _, d := range []struct {
		name, words string
		value       plan.Duration
	}{
		{"initial", "how far back the first run looks", src.Initial},
		{"overlap", "how far behind the end of the last run later ones look again", src.Overlap},
		{"grace", "how long to wait for a record that is incomplete", src.Grace},
		{"retry_rejected", "how long rejected records are looked at again", src.RetryRejected},
		{"wait", "how long to wait for another run of the job", src.Wait},
	} {
		a.showField(d.name, schedules.Duration(time.Duration(d.value))+": "+d.words)
	}
}

// place is where an expression stands, in parentheses.
func place(file string, line int) string {
	if file == "" {
		return ""
	}
	return fmt.Sprintf("(%s:%d)", file, line)
}

// shownLines is how many lines of an expression are shown.
const shownLines = 8

func (j *effectiveJob) showAttributes(a *app) {
	a.printf("\n%s\n", a.outStyle().bold(j.Destination.Object))
	const indent = "    "
	names, from := columns("ATTRIBUTE"), columns("FROM")
	for _, r := range j.Attributes {
		names, from = max(names, columns(r.Attribute)), max(from, columns(originText(&r)))
	}
	names, from = min(names, 20), min(from, 24)
	widths := []int{names, a.opts.Width - len(indent) - names - from - 4, from}
	a.sideBySide(indent, widths, []string{"ATTRIBUTE", "VALUE", "FROM"})
	for _, r := range j.Attributes {
		lines := strings.Split(strings.TrimRight(r.Value, "\n"), "\n")
		if more := len(lines) - shownLines; more > 0 {
			lines = append(lines[:shownLines], fmt.Sprintf("... %s more", plural(more, "line")))
		}
		a.sideBySide(indent, widths, []string{r.Attribute, strings.Join(lines, "\n"), originText(&r)})
	}
}

// originText says where an attribute's value comes from, and what is special about the attribute.
func originText(r *schema.Row) string {
	text := string(r.Origin)
	switch {
	case r.File != "":
		text = fmt.Sprintf("%s:%d", r.File, r.Line)
	case r.Origin == schema.OriginNone:
		text = "-"
	}
	var marks []string
	if r.Required {
		marks = append(marks, "required")
	}
	if r.Locked && !r.Overridden {
		marks = append(marks, "locked")
	}
	if r.Overridden {
		marks = append(marks, "locked, overridden")
	}
	if len(marks) == 0 {
		return text
	}
	return text + "\n" + strings.Join(marks, ", ")
}

func (j *effectiveJob) showResolve(a *app) {
	r := j.Resolve
	a.printf("\n%s\n", a.outStyle().bold("resolve"))
	a.showField("on_ambiguous", string(r.OnAmbiguous)+": "+policyWords(r.OnAmbiguous))
	domains := "those that the systems know to be"
	if len(r.InternalDomains) > 0 {
		domains = strings.Join(r.InternalDomains, ", ") + ", and " + domains
	}
	a.showField("internal", domains)
	for _, alias := range r.Aliases {
		a.showField("alias", alias.From+" is looked up as "+alias.To)
	}
	fallback := "no"
	if r.DomainFallback {
		fallback = "yes, but for domains of free mail"
	}
	a.showField("by domain", fallback)
}

// policyWords says whom a policy takes among several.
func policyWords(p plan.Policy) string {
	switch p {
	case plan.MostParticipants:
		return "the one that most participants belong to"
	case plan.ContactFirst:
		return "the one with the most key contacts among the participants"
	case plan.HostTeam:
		return "the one that the host looks after"
	case plan.First:
		return "the first by name"
	case plan.Skip:
		return "none, the record is rejected"
	}
	return "as this worker's version knows"
}
