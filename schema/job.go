package schema

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/durasync/durasync/plugin"
	"github.com/durasync/durasync/schema/plan"
)

// What a job does when it does not say otherwise.
const (
	defaultInitial       = 7 * day
	defaultOverlap       = 7 * day
	defaultGrace         = day
	defaultRetryRejected = 30 * day
	defaultWait          = time.Hour
	defaultDaily         = "23:00"
)

// jobBlock is a job's block in its file.
type jobBlock struct {
	file  *sourceFile
	block *hclsyntax.Block
}

// jobCompiler makes a plan of a job's block. Its steps go on after mistakes, with what they could find out.
type jobCompiler struct {
	*jobBlock
	loader *loader
	plan   *plan.Plan
	diags  hcl.Diagnostics

	// What the job reads and writes; nil if that could not be found out.
	stream *stream
	object *plugin.Object

	used fieldSet

	// held is set when a connection of the job is invalid, which is reported there.
	held bool
}

// compileJob returns the job's plan, nil if it cannot be used. It only reads what it shares with other jobs.
func compileJob(l *loader, b *jobBlock) (*plan.Plan, hcl.Diagnostics) {
	j := &jobCompiler{jobBlock: b, loader: l, plan: &plan.Plan{Version: plan.Version, Job: b.block.Labels[0]}}
	body := b.block.Body
	j.report(unknownItems(j.file, body, "in a job", []string{"description"}, jobBlockNames)...)
	if a := body.Attributes["description"]; a != nil {
		var diags hcl.Diagnostics
		j.plan.Description, diags = constantString(a)
		j.report(diags...)
	}
	found := map[string]*hclsyntax.Block{}
	for _, known := range jobBlocks {
		blocks, diags := blocksOf(body, &known)
		if !known.Repeatable && len(blocks) > 0 {
			found[known.Name] = blocks[0]
		}
		j.report(diags...)
	}
	j.source(found["source"])
	j.destination(found["destination"])
	j.where(found["source"])
	j.mapping(found["map"], found["destination"])
	j.resolve(found["resolve"], found["source"])
	j.settings(found["settings"])
	j.schedule(found["schedule"])
	j.notify(body)
	j.fields()
	if j.diags.HasErrors() || j.held || j.file.broken {
		return nil, j.diags
	}
	return j.plan, j.diags
}

func (j *jobCompiler) report(diags ...*hcl.Diagnostic) { j.diags = append(j.diags, diags...) }

// open starts to read the settings of a job's block.
func (j *jobCompiler) open(b *hclsyntax.Block) *settings {
	if b == nil {
		return &settings{}
	}
	attrs := argumentNames(blockNamed(jobBlocks, b.Type))
	j.report(unknownItems(j.file, b.Body, fmt.Sprintf("in a %s block", b.Type), attrs, nil)...)
	return &settings{body: b.Body, known: attrs}
}

// missing reports what a job needs, unless it may be in a part of the file that could not be read.
func (j *jobCompiler) missing(code Code, at hcl.Range, summary, detail string, args ...any) {
	if !j.file.broken {
		j.report(problem(code, at, summary, detail, args...))
	}
}

func (j *jobCompiler) source(b *hclsyntax.Block) {
	if b == nil && !misspelled(j.block.Body, "source", jobBlockNames) {
		j.missing(CodeMissingBlock, j.block.DefRange(), "Missing source block",
			"A job says what it reads: source { connection = connection.TYPE.NAME ... }.")
	}
	s := j.open(b)
	src := &j.plan.Source
	c, d := j.connection(s, b)
	if c != nil {
		src.Connection, src.Connector = c.ID(), c.Type
	}
	if d != nil && len(d.Streams) == 0 {
		j.report(problem(CodeInvalidReference, s.attr("connection").Expr.Range(), "Not a source",
			"The connector %s has no streams to read from; it can be the destination of a job.", c.Type))
		d = nil
	}
	if name, ok := j.required(s, b, "stream"); ok && d != nil {
		if j.stream = d.streams[name]; j.stream == nil {
			known := streamNames(d)
			j.report(misnamed(CodeInvalidValue, s.attr("stream").Expr.Range(), name, known, "Unknown stream",
				"The connector %s has no stream %q.", c.Type, name))
		}
	}
	if j.stream != nil {
		src.Stream, src.Record, src.MaxRead = j.stream.Name, j.stream.Record, max(1, j.stream.MaxRead)
		src.Title = j.title()
	}
	j.windows(s)
	j.report(s.diags...)
}

// title finds the field that names a record for people.
func (j *jobCompiler) title() string {
	for _, f := range j.stream.Fields {
		if f.Semantic == plugin.MeetingTitle && f.Type.Kind == plugin.KindString {
			j.used.add(f.Name)
			return f.Name
		}
	}
	return ""
}

// windows reads the durations that say what each run looks at.
func (j *jobCompiler) windows(s *settings) {
	initial := s.duration("initial", defaultInitial, time.Minute)
	overlap := s.duration("overlap", defaultOverlap, 0)
	grace := s.duration("grace", defaultGrace, 0)
	retry := s.duration("retry_rejected", defaultRetryRejected, 0)
	wait := s.duration("wait", defaultWait, 0)
	at := s.attr("overlap")
	if at == nil {
		at = s.attr("grace")
	}
	if at != nil && overlap < grace+time.Hour {
		s.diags = append(s.diags, problem(CodeInvalidDuration, at.Expr.Range(), "Overlap too short",
			"The overlap is %s and the grace period is %s. A record that is waited for until its grace period ends must still be "+
				"looked at by the run after that: the overlap is at least the grace period and an hour, here %s.",
			formatDuration(overlap), formatDuration(grace), formatDuration(grace+time.Hour)))
	}
	src := &j.plan.Source
	src.Initial, src.Overlap, src.Grace = plan.Duration(initial), plan.Duration(overlap), plan.Duration(grace)
	src.RetryRejected, src.Wait = plan.Duration(retry), plan.Duration(wait)
}

func (j *jobCompiler) destination(b *hclsyntax.Block) {
	if b == nil && !misspelled(j.block.Body, "destination", jobBlockNames) {
		j.missing(CodeMissingBlock, j.block.DefRange(), "Missing destination block",
			"A job says what it writes: destination { connection = connection.TYPE.NAME ... }.")
	}
	s := j.open(b)
	dst := &j.plan.Destination
	c, d := j.connection(s, b)
	if c != nil {
		dst.Connection, dst.Connector = c.ID(), c.Type
	}
	if d != nil && len(d.Objects) == 0 {
		j.report(problem(CodeInvalidReference, s.attr("connection").Expr.Range(), "Not a destination",
			"The connector %s has no objects to write; it can be the source of a job.", c.Type))
		d = nil
	}
	if name, ok := j.required(s, b, "object"); ok && d != nil {
		if j.object = d.objects[name]; j.object == nil {
			known := objectNames(d)
			j.report(misnamed(CodeInvalidValue, s.attr("object").Expr.Range(), name, known, "Unknown object",
				"The connector %s has no object %q.", c.Type, name))
		}
	}
	if o := j.object; o != nil {
		dst.Object, dst.MaxCreate, dst.Idempotent = o.Name, max(1, o.MaxCreate), o.Idempotent
		dst.ResolvedBy, dst.MaxResolve = o.ResolvedBy, o.MaxResolve
	}
	j.report(s.diags...)
}

// required returns a string attribute that must be there.
func (j *jobCompiler) required(s *settings, b *hclsyntax.Block, name string) (string, bool) {
	if b != nil && s.attr(name) == nil && !misspelled(b.Body, name, s.known) {
		j.missing(CodeMissingAttribute, b.DefRange(), "Missing attribute", "A %s block needs the attribute %q.", b.Type, name)
	}
	return s.text(name)
}

func (j *jobCompiler) settings(b *hclsyntax.Block) {
	s := j.open(b)
	if a := s.attr("allow_create"); a != nil && !s.flag("allow_create", true) && s.diags == nil {
		what := "objects"
		if j.object != nil {
			what = j.object.Name + "s"
		}
		j.report(problem(CodeInvalidValue, a.Expr.Range(), "Creation must be allowed",
			"The job only creates %s and never changes one that exists, so without creation it could do nothing. "+
				"To stop the job, set enabled = false in its schedule block.", what))
	}
	j.report(s.diags...)
}

// fields notes which of the record's fields the job reads.
func (j *jobCompiler) fields() {
	if j.stream == nil {
		return
	}
	src := &j.plan.Source
	src.Fields, src.Types = []string{}, []plan.Field{}
	for _, f := range j.stream.fields {
		if j.used.all || j.used.names[f.Name] {
			src.Types = append(src.Types, f)
		}
	}
	slices.SortFunc(src.Types, func(a, b plan.Field) int { return strings.Compare(a.Name, b.Name) })
	for _, f := range src.Types {
		src.Fields = append(src.Fields, f.Name)
	}
}
