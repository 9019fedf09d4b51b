package schema

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// maxNesting bounds how deep brackets, strings and interpolations may lie within each other. HCL's parser takes some
// kilobytes of stack for each level and overflows, which no program survives, at about a hundred thousand.
const maxNesting = 250

// tooDeep returns a diagnostic at the first token of a file or template that is nested too deeply, or nil.
func tooDeep(name string, src []byte, lex func([]byte, string, hcl.Pos) (hclsyntax.Tokens, hcl.Diagnostics)) *hcl.Diagnostic {
	// Tokens cost as much as parsing. Almost always, counting what may open a level is enough.
	opening := 0
	for _, b := range src {
		if b == '(' || b == '[' || b == '{' {
			opening++
		}
	}
	if opening <= maxNesting {
		return nil
	}
	tokens, _ := lex(src, name, hcl.InitialPos) // the parser reports what is wrong with them
	depth := 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp,
			hclsyntax.TokenTemplateControl:
			depth++
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
			depth--
		}
		if depth > maxNesting {
			return problem(CodeSyntax, t.Range, "Nested too deeply", "Brackets lie in each other %d levels deep; %d are read.",
				depth, maxNesting)
		}
	}
	return nil
}
