package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// connection finds the connection that a block refers to, with its connector's description. Either is nil if it cannot be had,
// which is then reported.
func (j *jobCompiler) connection(s *settings, b *hclsyntax.Block) (*connection, *description) {
	c := refer(j, s, b, "connection", "connection", j.loader.connections)
	if c == nil {
		return nil, nil
	}
	j.held = j.held || c.invalid
	return c, j.loader.descriptions[c.Type]
}

// refer finds the block of a kind that the attribute of a block names, among those that there are by ID. It returns nil if the
// block is not to be had, which is then reported.
func refer[T any](j *jobCompiler, s *settings, b *hclsyntax.Block, attribute, kind string, blocks map[string]*T) *T {
	a := s.attr(attribute)
	if a == nil {
		j.required(s, b, attribute)
		return nil
	}
	at := a.Expr.Range()
	id, ok := referenceID(kind, a.Expr)
	if !ok {
		detail := fmt.Sprintf("A %s is named by a reference: %s.TYPE.NAME, without quotes.", kind, kind)
		if v, diags := a.Expr.Value(nil); !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
			name := strings.TrimPrefix(v.AsString(), kind+".")
			if blocks[name] != nil {
				detail = fmt.Sprintf("Write %s.%s, without quotes.", kind, name)
			}
		}
		j.report(problem(CodeInvalidReference, at, "Not a reference", "%s", detail))
		return nil
	}
	found := blocks[id]
	if found == nil {
		j.unknownReference(kind, id, at, slices.Sorted(maps.Keys(blocks)))
	}
	return found
}

// referenceID reads KIND.TYPE.NAME and returns TYPE.NAME.
func referenceID(kind string, expr hclsyntax.Expression) (string, bool) {
	t, diags := hcl.AbsTraversalForExpr(expr)
	if diags.HasErrors() || len(t) != 3 || t.RootName() != kind {
		return "", false
	}
	label, ok := t[1].(hcl.TraverseAttr)
	name, ok2 := t[2].(hcl.TraverseAttr)
	return label.Name + "." + name.Name, ok && ok2
}

func (j *jobCompiler) unknownReference(kind, id string, at hcl.Range, known []string) {
	j.held = true
	label, name, _ := strings.Cut(id, ".")
	for _, f := range j.loader.order {
		if f.mentions(kind, label, name) {
			return // the block is there, and has a mistake of its own
		}
	}
	j.report(misnamed(CodeInvalidReference, at, id, known, "Unknown "+kind,
		"There is no block %s %q %q in the directory.", kind, label, name))
}
