package schema

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// Severity says whether a diagnostic prevents the use of what it is about.
type Severity string

// The severities.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Code classifies a [Diagnostic] for programs; the words are for people and may change. The list is append-only.
type Code string

// The codes of diagnostics.
const (
	CodeFile              Code = "file"               // a file cannot be read, or is too large
	CodeSyntax            Code = "syntax"             // a file or template is not well-formed
	CodeUnknownBlock      Code = "unknown_block"      // a block that the language does not have there
	CodeUnknownAttribute  Code = "unknown_attribute"  // likewise an attribute
	CodeMissingBlock      Code = "missing_block"      // a required block is not there
	CodeMissingAttribute  Code = "missing_attribute"  // a required attribute is not there
	CodeDuplicate         Code = "duplicate"          // a block or a name that is there already
	CodeInvalidLabel      Code = "invalid_label"      // the labels of a block are too few, too many or malformed
	CodeInvalidValue      Code = "invalid_value"      // a value that is not allowed
	CodeInvalidDuration   Code = "invalid_duration"   // a text that is no duration, or one that cannot work
	CodeInvalidSchedule   Code = "invalid_schedule"   // a schedule that cannot work
	CodeInvalidReference  Code = "invalid_reference"  // a reference to a connection that does not exist or does not fit
	CodeWrongType         Code = "wrong_type"         // a value of the wrong type
	CodeUnknownField      Code = "unknown_field"      // an expression reads a field that does not exist
	CodeUnknownVariable   Code = "unknown_variable"   // an expression reads a variable that does not exist
	CodeUnknownFunction   Code = "unknown_function"   // an expression calls a function that does not exist
	CodeInvalidExpression Code = "invalid_expression" // an expression that can never be evaluated
	CodeConnector         Code = "connector"          // a connector's description cannot be had, or is invalid
	CodeEnvironment       Code = "environment"        // a secret is not to be found where the program runs
	CodeExposedSecret     Code = "exposed_secret"     // a secret is written down in the file
	CodeLocked            Code = "locked"             // a job changes what an attribute is meant to hold
)

// Diagnostic is a mistake in the files of a directory, or a warning about them.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Code     Code     `json:"code"`
	Summary  string   `json:"summary"` // a few words, without a full stop
	Detail   string   `json:"detail"`  // sentences: what is wrong and what to do

	// Suggestion is the name that was probably meant; empty if there is none.
	Suggestion string `json:"suggestion,omitempty"`

	// Range is where the mistake is; nil if it is in no file. Snippet is its source line, without secrets.
	Range   *Range   `json:"range,omitempty"`
	Snippet *Snippet `json:"snippet,omitempty"`
}

// Range is a part of a file. End is exclusive.
type Range struct {
	Filename string `json:"filename"`
	Start    Pos    `json:"start"`
	End      Pos    `json:"end"`
}

// Pos is a place in a file: line and column (in characters) count from 1, byte from 0.
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// Snippet is the source line at which a diagnostic's range starts, in the form of Terraform's validate -json.
type Snippet struct {
	// Context names the enclosing blocks; nil if there are none.
	Context   *string `json:"context"`
	Code      string  `json:"code"`
	StartLine int     `json:"start_line"`

	// The highlighted part of Code, in bytes.
	HighlightStartOffset int `json:"highlight_start_offset"`
	HighlightEndOffset   int `json:"highlight_end_offset"`

	// Values is there for programs that know Terraform's form. It is always empty: values may be secrets.
	Values []struct{} `json:"values"`
}

// Diagnostics is what [Load] has to say: without duplicates, ordered by file, line and column, those without a place first.
type Diagnostics []Diagnostic

// HasErrors reports whether any of the diagnostics is an error.
func (d Diagnostics) HasErrors() bool { return d.count(SeverityError) > 0 }

// Error returns the first error in one line and says how many there are. It makes Diagnostics an error, for callers that
// have no place to show them all.
func (d Diagnostics) Error() string {
	n := d.count(SeverityError)
	for _, x := range d {
		if x.Severity != SeverityError {
			continue
		}
		text := x.Summary + ": " + x.Detail
		if x.Range != nil {
			text = fmt.Sprintf("%s:%d:%d: %s", x.Range.Filename, x.Range.Start.Line, x.Range.Start.Column, text)
		}
		if n > 1 {
			text += fmt.Sprintf(" (and %s)", plural(n-1, "more error"))
		}
		return text
	}
	return "no errors"
}

// Err returns the diagnostics as an error if there is an error among them, else nil.
func (d Diagnostics) Err() error {
	if !d.HasErrors() {
		return nil
	}
	return d
}

// WriteJSON writes the diagnostics in the form of Terraform's validate -json, with the members code and suggestion added.
func (d Diagnostics) WriteJSON(w io.Writer) error {
	out := struct {
		FormatVersion string      `json:"format_version"`
		Valid         bool        `json:"valid"`
		ErrorCount    int         `json:"error_count"`
		WarningCount  int         `json:"warning_count"`
		Diagnostics   Diagnostics `json:"diagnostics"`
	}{"1.0", !d.HasErrors(), d.count(SeverityError), d.count(SeverityWarning), d}
	if out.Diagnostics == nil {
		out.Diagnostics = Diagnostics{}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func (d Diagnostics) count(s Severity) int {
	n := 0
	for _, x := range d {
		if x.Severity == s {
			n++
		}
	}
	return n
}

func (d Diagnostics) sort() Diagnostics {
	slices.SortStableFunc(d, func(a, b Diagnostic) int {
		return cmp.Or(a.place().compare(b.place()), cmp.Compare(a.Severity, b.Severity),
			cmp.Compare(a.Summary, b.Summary), cmp.Compare(a.Detail, b.Detail))
	})
	return slices.CompactFunc(d, func(a, b Diagnostic) bool {
		return a.place() == b.place() && a.Severity == b.Severity && a.Summary == b.Summary && a.Detail == b.Detail
	})
}

func (d Diagnostic) place() Range {
	if d.Range == nil {
		return Range{}
	}
	return *d.Range
}

func (r Range) compare(o Range) int {
	return cmp.Or(cmp.Compare(r.Filename, o.Filename), cmp.Compare(r.Start.Line, o.Start.Line),
		cmp.Compare(r.Start.Column, o.Start.Column), cmp.Compare(r.End.Byte, o.End.Byte))
}

// note is what our own diagnostics carry in hcl.Diagnostic.Extra.
type note struct {
	code       Code
	suggestion string
}

// problem makes an error. The detail ends in a full stop, which is dropped where what it ends in has a mark of its own.
func problem(code Code, at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	detail = fmt.Sprintf(detail, args...)
	if strings.HasSuffix(detail, "?.") || strings.HasSuffix(detail, "..") {
		detail = detail[:len(detail)-1]
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: &at, Extra: note{code: code},
	}
}

// doubt makes a warning.
func doubt(code Code, at hcl.Range, summary, detail string, args ...any) *hcl.Diagnostic {
	d := problem(code, at, summary, detail, args...)
	d.Severity = hcl.DiagWarning
	return d
}

// misnamed makes an error about a name that does not exist, with the one of known that was probably meant, or else with all of
// them if they are few.
func misnamed(code Code, at hcl.Range, name string, known []string, summary, detail string, args ...any) *hcl.Diagnostic {
	d := problem(code, at, summary, detail, args...)
	if s := suggest(name, known); s != "" {
		d.Detail += fmt.Sprintf(" Did you mean %q?", s)
		d.Extra = note{code: code, suggestion: s}
	} else if len(known) > 0 && len(known) <= 12 {
		verb := "is"
		if len(known) > 1 {
			verb = "are"
		}
		d.Detail += fmt.Sprintf(" There %s %s.", verb, allOf(known))
	}
	return d
}

// classify gives the diagnostics of HCL itself a code.
func classify(code Code, diags hcl.Diagnostics) hcl.Diagnostics {
	for _, d := range diags {
		if _, ok := d.Extra.(note); !ok {
			d.Extra = note{code: code}
		}
	}
	return diags
}

func toDiagnostic(d *hcl.Diagnostic, files map[string]*sourceFile) Diagnostic {
	out := Diagnostic{Severity: SeverityError, Code: CodeInvalidExpression, Summary: d.Summary, Detail: d.Detail}
	if d.Severity == hcl.DiagWarning {
		out.Severity = SeverityWarning
	}
	if n, ok := d.Extra.(note); ok {
		out.Code, out.Suggestion = n.code, n.suggestion
	}
	if d.Subject == nil {
		return out
	}
	r := d.Subject
	out.Range = &Range{
		Filename: r.Filename,
		Start:    Pos{Line: r.Start.Line, Column: r.Start.Column, Byte: r.Start.Byte},
		End:      Pos{Line: r.End.Line, Column: r.End.Column, Byte: r.End.Byte},
	}
	if f := files[r.Filename]; f != nil {
		out.Snippet = f.snippet(*r)
		out.Range.Start.Byte, out.Range.End.Byte = f.original(r.Start.Byte), f.original(r.End.Byte)
	}
	return out
}
