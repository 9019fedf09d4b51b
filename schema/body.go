package schema

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

var identifier = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

func invalidName(name string) bool { return !identifier.MatchString(name) }

// declare finds the blocks of all the files and checks their headers. Of blocks with the same name the first one counts.
func (l *loader) declare() {
	declared := map[string]hcl.Range{}
	for _, f := range l.order {
		l.diags = append(l.diags, unknownItems(f, f.body, "at the top of a file", nil, topBlockNames)...)
		for _, b := range f.body.Blocks {
			known := blockNamed(language, b.Type)
			if known == nil {
				continue
			}
			if !l.labels(f, b, known.Labels) || l.duplicate(f, b, declared) {
				if b.Type != "job" {
					f.hideBody(b.Body)
				}
				continue
			}
			switch at := *toDiagnostic(&hcl.Diagnostic{Subject: b.DefRange().Ptr()}, nil).Range; b.Type {
			case "connection":
				c := &connection{Connection: Connection{Type: b.Labels[0], Name: b.Labels[1], Range: at}, secretBlock: secretBlock{file: f, block: b}}
				l.connections[c.ID()] = c
			case "notifier":
				n := &notifier{Notifier: Notifier{Type: b.Labels[0], Name: b.Labels[1], Range: at}, secretBlock: secretBlock{file: f, block: b}}
				l.notifiers[n.ID()] = n
			case "job":
				l.jobs = append(l.jobs, &jobBlock{file: f, block: b})
			}
		}
	}
}

func (l *loader) labels(f *sourceFile, b *hclsyntax.Block, want []string) bool {
	form := b.Type
	for _, w := range want {
		form += fmt.Sprintf(" %q", w)
	}
	if len(b.Labels) != len(want) {
		if !f.broken {
			l.diags = append(l.diags, problem(CodeInvalidLabel, b.DefRange(), "Wrong number of labels",
				"The block is written %s { ... }.", form))
		}
		return false
	}
	good := true
	for i, label := range b.Labels {
		if invalidName(label) {
			good = false
			l.diags = append(l.diags, problem(CodeInvalidLabel, b.LabelRanges[i], "Invalid name",
				"The %s of a %s has lower-case letters, digits, _ and -, starts with a letter and is at most 64 characters long.",
				strings.ToLower(want[i]), b.Type))
		}
	}
	return good
}

// duplicate reports a block whose name another one has already, and notes it otherwise.
func (l *loader) duplicate(f *sourceFile, b *hclsyntax.Block, declared map[string]hcl.Range) bool {
	name := strings.Join(b.Labels, ".")
	first, ok := declared[b.Type+" "+name]
	if !ok {
		declared[b.Type+" "+name] = b.DefRange()
		return false
	}
	at := hcl.RangeBetween(b.LabelRanges[0], b.LabelRanges[len(b.LabelRanges)-1])
	at.Filename = f.name
	l.diags = append(l.diags, problem(CodeDuplicate, at, "Duplicate "+b.Type,
		"There is already a %s %q at %s:%d:%d. The files of a directory form one configuration, in which names are unique.",
		b.Type, name, first.Filename, first.Start.Line, first.Start.Column))
	return true
}

// unknownItems reports the attributes and blocks of a body that the language does not have there, and hides their values.
func unknownItems(f *sourceFile, body *hclsyntax.Body, where string, attrs, blocks []string) hcl.Diagnostics {
	var diags hcl.Diagnostics
	// In a file that is not well-formed, the parser can take a secret for a name: those that resemble nothing are left out.
	unsure := func(name string) bool {
		return f.broken && suggest(name, append(attrs, blocks...)) == "" && !slices.Contains(append(attrs, blocks...), name)
	}
	for name, a := range body.Attributes {
		if slices.Contains(attrs, name) || unsure(name) {
			continue
		}
		if suggest(name, attrs) == "" {
			f.hide(a.Expr) // it may be a secret that got into the wrong place
		}
		d := problem(CodeUnknownAttribute, a.NameRange, "Unknown attribute",
			"There is no attribute %q %s. %s is a block: write %s { ... }, without an equals sign.", name, where, name, name)
		if !slices.Contains(blocks, name) {
			d = misnamed(CodeUnknownAttribute, a.NameRange, name, attrs, "Unknown attribute", "There is no attribute %q %s.", name, where)
		}
		diags = append(diags, d)
	}
	for _, b := range body.Blocks {
		if slices.Contains(blocks, b.Type) || unsure(b.Type) {
			continue
		}
		f.hideBody(b.Body)
		d := problem(CodeUnknownBlock, b.TypeRange, "Unknown block",
			"There is no block %q %s. %s is an attribute: write %s = ..., with an equals sign.", b.Type, where, b.Type, b.Type)
		if !slices.Contains(attrs, b.Type) {
			d = misnamed(CodeUnknownBlock, b.TypeRange, b.Type, blocks, "Unknown block", "There is no block %q %s.", b.Type, where)
		}
		diags = append(diags, d)
	}
	return diags
}

// blocksOf returns the blocks of a kind in a job, and reports labels, and blocks that are one too many.
func blocksOf(body *hclsyntax.Body, kind *Block) ([]*hclsyntax.Block, hcl.Diagnostics) {
	var found []*hclsyntax.Block
	var diags hcl.Diagnostics
	for _, b := range body.Blocks {
		if b.Type != kind.Name {
			continue
		}
		if len(found) > 0 && !kind.Repeatable {
			diags = append(diags, problem(CodeDuplicate, b.TypeRange, fmt.Sprintf("Duplicate %s block", kind.Name),
				"There is already one at line %d; a job has one.", found[0].TypeRange.Start.Line))
			continue
		}
		if len(b.Labels) > 0 {
			diags = append(diags, problem(CodeInvalidLabel, b.LabelRanges[0], "Wrong number of labels",
				"A %s block has no label.", kind.Name))
		}
		found = append(found, b)
	}
	return found, diags
}

// misspelled reports whether a body that lacks an attribute or block has it under a wrong name, or as the other of the two. What
// is wrong with that has been reported, so that it is not missing as well.
func misspelled(body *hclsyntax.Body, name string, known []string) bool {
	wrong := func(n string) bool { return !slices.Contains(known, n) && suggest(n, known) == name }
	for n := range body.Attributes {
		if n == name || wrong(n) {
			return true
		}
	}
	return slices.ContainsFunc(body.Blocks, func(b *hclsyntax.Block) bool { return b.Type == name || wrong(b.Type) })
}

// inOrder returns the attributes of a body in the order of the file.
func inOrder(attrs hclsyntax.Attributes) []*hclsyntax.Attribute {
	return slices.SortedFunc(maps.Values(attrs), func(a, b *hclsyntax.Attribute) int {
		return a.NameRange.Start.Byte - b.NameRange.Start.Byte
	})
}
