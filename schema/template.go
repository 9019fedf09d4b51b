package schema

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
)

// template is a file that templatefile renders.
type template struct {
	text  string
	expr  hclsyntax.Expression // nil if the file is not well-formed
	diags hcl.Diagnostics
}

func parseTemplate(name, text string) *template {
	t := &template{text: text}
	if d := tooDeep(name, []byte(text), hclsyntax.LexTemplate); d != nil {
		t.diags = hcl.Diagnostics{d}
		return t
	}
	expr, diags := hclsyntax.ParseTemplate([]byte(text), name, hcl.InitialPos)
	t.diags = classify(CodeSyntax, diags)
	if !diags.HasErrors() {
		countSteps(expr)
		t.expr = expr
	}
	return t
}

// templateFiles reads each template of the directory once. It is safe for concurrent use.
type templateFiles struct {
	fsys fs.FS

	mu    sync.Mutex
	files map[string]*template // by clean path; nil for files that cannot be read
	errs  map[string]error
}

func (f *templateFiles) template(name string, at hcl.Range) (*template, *hcl.Diagnostic) {
	clean := path.Clean(name)
	if !fs.ValidPath(clean) || strings.HasPrefix(name, "/") {
		return nil, problem(CodeFile, at, "Path outside of the directory",
			"Templates lie in the directory of the job files, or below; %q does not.", name)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	t, ok := f.files[clean]
	if !ok {
		var err error
		if t, err = readTemplate(f.fsys, clean); err != nil {
			f.errs[clean] = err
		}
		f.files[clean] = t
	}
	if t != nil {
		return t, nil
	}
	if err := f.errs[clean]; !errors.Is(err, fs.ErrNotExist) {
		return nil, problem(CodeFile, at, "Template cannot be read", "%s: %s.", name, reason(err))
	}
	known, err := fs.Glob(f.fsys, path.Join(path.Dir(clean), "*.tmpl"))
	if err != nil {
		known = nil // the pattern comes from the path; without matches there is just no suggestion
	}
	return nil, misnamed(CodeFile, at, clean, known, "No such template", "There is no file %q in the directory of the job files.", name)
}

func readTemplate(fsys fs.FS, name string) (*template, error) {
	text, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("the file has %d bytes; at most %d are read", len(text), maxFile)
	}
	return parseTemplate(name, string(text)), nil
}

// sources returns the texts that were read, for the snippets of diagnostics.
func (f *templateFiles) sources() map[string]*sourceFile {
	out := map[string]*sourceFile{}
	for name, t := range f.files {
		if t != nil {
			out[name] = &sourceFile{name: name, src: []byte(t.text)}
		}
	}
	return out
}

// reason is an error's text without the path that fs errors repeat.
func reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}

// templateError carries the diagnostics of a template through the function call that rendered it.
type templateError struct{ diags hcl.Diagnostics }

func (e *templateError) Error() string { return e.diags[0].Summary + ": " + e.diags[0].Detail }

// withTemplates returns the functions of expressions, with a templatefile that knows the given templates by path.
func withTemplates(templates map[string]hclsyntax.Expression) map[string]function.Function {
	if len(templates) == 0 {
		return pureFunctions
	}
	all := maps.Clone(pureFunctions)
	all[fnTemplateFile] = function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: "path", Type: cty.String},
			// No value of a record is marked, and to look for marks goes through all of it, twice.
			{Name: "variables", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true, AllowMarked: true},
		},
		Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			expr, ok := templates[args[0].AsString()]
			if !ok {
				return cty.NilVal, function.NewArgErrorf(0, "the job has no template %q", args[0].AsString())
			}
			if t := args[1].Type(); !t.IsObjectType() && !t.IsMapType() || !args[1].IsKnown() {
				return cty.UnknownVal(cty.String), nil
			}
			return renderTemplate(expr, args[1].AsValueMap())
		},
	})
	return all
}

func renderTemplate(expr hclsyntax.Expression, vars map[string]cty.Value) (cty.Value, error) {
	v, diags := expr.Value(withSteps(&hcl.EvalContext{Variables: vars, Functions: pureFunctions}, maxTemplateSteps))
	if diags.HasErrors() {
		return cty.NilVal, &templateError{diags}
	}
	v, err := convert.Convert(v, cty.String)
	switch {
	case err != nil:
		return cty.NilVal, err
	case v.IsNull():
		return cty.NilVal, errors.New("the template has one expression only, and it is null")
	case v.IsKnown() && len(v.AsString()) > maxResult:
		return cty.NilVal, errTooLarge
	}
	return v, nil
}
