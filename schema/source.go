package schema

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

const (
	// maxFile bounds job files and templates, and with them how long chains of operators can be.
	maxFile = 256 << 10

	hidden = "(hidden)"
)

// sourceFile is a job file or a template.
type sourceFile struct {
	name   string
	src    []byte
	body   *hclsyntax.Body // nil for a template
	broken bool            // it has syntax errors, so that parts of it may be missing from body

	// inserted are the places in src, in ascending order, of bytes that are not in the file.
	inserted []int

	// secrets are the ranges that no diagnostic may show. The jobs of a file are compiled in parallel.
	mu      sync.Mutex
	secrets []hcl.Range

	tops [][]int // the lines that topLine finds, and an end mark; for snippets only
}

// parseSource parses a job file. The result is usable whatever the diagnostics say.
func parseSource(name string, src []byte) (*sourceFile, hcl.Diagnostics) {
	f := &sourceFile{name: name, src: src}
	if len(src) > maxFile {
		f.broken, f.src = true, nil
		f.body = &hclsyntax.Body{}
		return f, hcl.Diagnostics{tooLarge(name, len(src))}
	}
	if d := tooDeep(name, src, hclsyntax.LexConfig); d != nil {
		f.broken, f.body = true, &hclsyntax.Body{}
		return f, hcl.Diagnostics{d}
	}
	file, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	diags, file = f.closeStrings(diags, file)
	f.broken = diags.HasErrors()
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok || body == nil {
		body = &hclsyntax.Body{}
	}
	f.body = body
	return f, classify(CodeSyntax, diags)
}

// closeStrings closes the strings that run past the end of their line and parses again: to the parser, a missing quote turns the
// meaning of all that follows around, so that nothing else in the file could be checked.
func (f *sourceFile) closeStrings(diags hcl.Diagnostics, file *hcl.File) (hcl.Diagnostics, *hcl.File) {
	var missing hcl.Diagnostics
	for range 20 {
		i := slices.IndexFunc(diags, func(d *hcl.Diagnostic) bool { return d.Summary == "Invalid multi-line string" })
		if i < 0 || diags[i].Subject == nil {
			break
		}
		end := diags[i].Subject.Start
		if end.Byte > len(f.src) || len(missing) > 0 && end.Line <= missing[len(missing)-1].Subject.Start.Line {
			break
		}
		missing = append(missing, problem(CodeSyntax, hcl.Range{Filename: f.name, Start: end, End: end}, "String without an end",
			"A string that starts on this line has no closing quote."))
		f.src = slices.Insert(slices.Clone(f.src), end.Byte, '"')
		f.inserted = append(f.inserted, end.Byte)
		file, diags = hclsyntax.ParseConfig(f.src, f.name, hcl.InitialPos)
	}
	return append(missing, diags...), file
}

func tooLarge(name string, size int) *hcl.Diagnostic {
	return problem(CodeFile, hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}, "File too large",
		"The file has %d bytes; at most %d are read.", size, maxFile)
}

// hide keeps an expression out of diagnostics, unless it is a call that itself shows no secret, and with it a comment that follows:
// a quote in the wrong place makes one of the rest of a secret.
func (f *sourceFile) hide(expr hclsyntax.Expression) {
	if readsSecret(expr) {
		return
	}
	at := expr.Range()
	if rest, _, _ := bytes.Cut(f.src[min(at.End.Byte, len(f.src)):], []byte("\n")); bytes.ContainsAny(rest, "#/") {
		at.End.Byte += len(rest)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.secrets = append(f.secrets, at)
}

// hideBody keeps all the values of a body out of diagnostics.
func (f *sourceFile) hideBody(body *hclsyntax.Body) {
	for _, a := range body.Attributes {
		f.hide(a.Expr)
	}
	for _, b := range body.Blocks {
		f.hideBody(b.Body)
	}
}

// snippet returns the line on which r starts.
func (f *sourceFile) snippet(r hcl.Range) *Snippet {
	start := 0
	for range r.Start.Line - 1 {
		start += bytes.IndexByte(f.src[start:], '\n') + 1
	}
	end := len(f.src)
	if i := bytes.IndexByte(f.src[start:], '\n'); i >= 0 {
		end = start + i
	}
	at := min(max(r.Start.Byte, start), end)
	parts := f.replacements(start, end)
	var code strings.Builder
	pos := start
	for _, p := range parts {
		code.Write(f.src[pos:p.start])
		code.WriteString(p.text)
		pos = p.end
	}
	code.Write(f.src[pos:end])
	text := strings.TrimSuffix(code.String(), "\r")

	// offset says where a byte of the file is in the text. What is replaced is highlighted as a whole or not at all.
	offset := func(at int, isEnd bool) int {
		n := at - start
		for _, p := range parts {
			switch {
			case at >= p.end:
				n += len(p.text) - (p.end - p.start)
			case at > p.start:
				n -= at - p.start
				if isEnd {
					n += len(p.text)
				}
			}
		}
		return min(n, len(text))
	}
	return &Snippet{
		Context: f.context(r.Start), Code: text, StartLine: r.Start.Line, Values: []struct{}{},
		HighlightStartOffset: offset(at, false),
		HighlightEndOffset:   offset(min(max(r.End.Byte, at), end), true),
	}
}

// original returns the place in the file of a byte of src.
func (f *sourceFile) original(at int) int {
	n := 0
	for _, i := range f.inserted {
		if i < at {
			n++
		}
	}
	return at - n
}

// context names the blocks around a place, such as `job "x", map`. It names nothing that the language does not know: in a file
// that is not well-formed, the parser can take a secret for a block or a label.
func (f *sourceFile) context(pos hcl.Pos) *string {
	if f.body == nil {
		return nil
	}
	at := func(blocks hclsyntax.Blocks) *hclsyntax.Block {
		i := slices.IndexFunc(blocks, func(b *hclsyntax.Block) bool { return b.Range().ContainsPos(pos) })
		if i < 0 {
			return nil
		}
		return blocks[i]
	}
	b := at(f.body.Blocks)
	if b == nil || slices.ContainsFunc(b.Labels, invalidName) {
		return nil
	}
	if known := blockNamed(language, b.Type); known == nil || len(b.Labels) != len(known.Labels) {
		return nil
	}
	context := b.Type
	for _, l := range b.Labels {
		context += fmt.Sprintf(" %q", l)
	}
	if inner := at(b.Body.Blocks); inner != nil && b.Type == "job" && slices.Contains(jobBlockNames, inner.Type) {
		context += ", " + inner.Type
	}
	return &context
}

// replacement is a part of src that a snippet shows as another text.
type replacement struct {
	start, end int
	text       string
}

// replacements returns what is to be replaced in a line, in order and without overlaps.
func (f *sourceFile) replacements(start, end int) []replacement {
	var all []replacement
	add := func(from, to int, text string) {
		if from < end && to > start {
			all = append(all, replacement{max(from, start), min(to, end), text})
		}
	}
	if f.broken && f.body != nil {
		if from, to, ok := f.hiddenInBroken(start, end); ok {
			add(from, to, hidden)
		}
	} else {
		for _, r := range f.secrets {
			add(r.Start.Byte, r.End.Byte, hidden)
		}
	}
	for _, i := range f.inserted {
		add(i, i+1, "")
	}
	slices.SortFunc(all, func(a, b replacement) int { return cmp.Compare(a.start, b.start) })
	var out []replacement
	for _, r := range all {
		if n := len(out); n == 0 || r.start >= out[n-1].end {
			out = append(out, r)
		}
	}
	return out
}

var (
	// topLine finds the lines that start a top-level block, or may do so: those that are not indented, and those that look like
	// the header of a block with secrets.
	topLine    = regexp.MustCompile(`(?m)^(?:[^\s}#/].*|.*\b(?:connection|notifier)[ \t]+["A-Za-z_].*)$`)
	secretLine = regexp.MustCompile(`^(?:connection|notifier)[ \t]+["A-Za-z_]`)
	jobLine    = regexp.MustCompile(`^job[ \t]+["A-Za-z_]`)
	inJobLine  = regexp.MustCompile(`\b(?:connection|notifier) "`)
	harmless   = regexp.MustCompile(`^\s*(?:[{}\s]*|(?:env|file)\("[^"]*"\)\s*}?\s*)$`)
)

// hiddenInBroken hides by the look of a line, since a file with syntax errors has no reliable structure: outside of jobs,
// everything after an equals sign or the opening brace of a block with secrets, or the whole line if it has neither.
func (f *sourceFile) hiddenInBroken(start, end int) (from, to int, ok bool) {
	stops := "="
	if f.tops == nil {
		f.tops = append(topLine.FindAllIndex(f.src, -1), []int{len(f.src) + 1, len(f.src) + 1})
	}
	if i := slices.IndexFunc(f.tops, func(top []int) bool { return top[0] >= end }); i > 0 {
		last := f.tops[i-1]
		line := f.src[last[0]:last[1]]
		switch {
		case jobLine.Match(line) && !inJobLine.Match(line):
			return 0, 0, false
		case secretLine.Match(line) && last[0] >= start:
			if !bytes.ContainsAny(line, "={") {
				return 0, 0, false
			}
			stops = "={"
		}
	}
	from = start
	if i := bytes.IndexAny(f.src[start:end], stops); i >= 0 {
		from = start + i + 1
	}
	for from < end && (f.src[from] == ' ' || f.src[from] == '\t') {
		from++
	}
	return from, end, !harmless.Match(f.src[from:end])
}

// mentions reports whether a file that is not well-formed, or has a block header that is not, seems to define a block of a kind.
func (f *sourceFile) mentions(kind, label, name string) bool {
	if !f.broken || invalidName(label) || invalidName(name) {
		return false
	}
	return regexp.MustCompile(`(?m)^[ \t]*` + kind + `[ \t]+"?` + regexp.QuoteMeta(label) + `"?[ \t]+"?` + regexp.QuoteMeta(name) + `\b`).
		Match(f.src)
}
