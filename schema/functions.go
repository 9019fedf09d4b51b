package schema

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

const (
	fnTry          = "try"
	fnCan          = "can"
	fnTemplateFile = "templatefile"
	fnEnv          = "env"
	fnFile         = "file"
	fnExec         = "exec"
)

// Function describes a function, for documentation.
type Function struct {
	Name string

	// Group says what the function is about.
	Group string

	// Signature shows the function with its arguments. Those in brackets may be left out.
	Signature string

	Doc string

	// Example is a call, and Result its value as a literal. Result is empty if there is nothing to show.
	Example, Result string

	impl function.Function
}

// The groups of functions.
const (
	groupText   = "Text"
	groupLists  = "Lists and objects"
	groupTime   = "Time"
	groupNumber = "Numbers"
	groupTypes  = "Types and mistakes"
	groupFiles  = "Files and secrets"
)

// Functions returns all functions, in groups, with those that exist in some places only.
func Functions() []Function {
	return slices.Concat(textFunctions, listFunctions, timeFunctions, numberFunctions, typeFunctions, fileFunctions)
}

var typeFunctions = []Function{
	{fnTry, groupTypes, "try(expression, ...)", "The first of the expressions that can be evaluated. Names must be right all the same.",
		`try(tonumber("x"), 0)`, `0`, tryfunc.TryFunc},
	{fnCan, groupTypes, "can(expression)", "Whether the expression can be evaluated.", `can(tonumber("x"))`, `false`, tryfunc.CanFunc},
	{"tostring", groupTypes, "tostring(value)", "A number or a bool as text.",
		`tostring(1.5)`, `"1.5"`, stdlib.MakeToFunc(cty.String)},
	{"tonumber", groupTypes, "tonumber(value)", "A text as a number. Texts do not become numbers by themselves.", `tonumber("1.5")`, `1.5`,
		stdlib.MakeToFunc(cty.Number)},
	{"tobool", groupTypes, "tobool(value)", "A text as a bool.", `tobool("true")`, `true`, stdlib.MakeToFunc(cty.Bool)},
	{"tolist", groupTypes, "tolist(value)", "A value as a list whose elements are all of one type.", `tolist(["a", 1])`, `["a", "1"]`,
		stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType))},
	{"jsonencode", groupTypes, "jsonencode(value)", "A value as JSON.", `jsonencode({ a = [1, true] })`, `"{\"a\":[1,true]}"`,
		stdlib.JSONEncodeFunc},
}

// fileFunctions have no implementation here: what they give depends on where they stand.
var fileFunctions = []Function{
	{Name: fnTemplateFile, Group: groupFiles, Signature: "templatefile(path, variables)",
		Doc: "The text of a file in the directory of the job files, or below, with its `${...}` and `%{...}` filled in. The path is a " +
			"literal. In jobs only; a template cannot render further ones. The text goes into the job when it is applied.",
		Example: `templatefile("notes.tmpl", { call = call })`},
	{Name: fnEnv, Group: groupFiles, Signature: "env(name)",
		Doc: "An environment variable of the worker. In `connection` and `notifier` blocks only.", Example: `env("TOTANGO_APP_TOKEN")`},
	{Name: fnFile, Group: groupFiles, Signature: "file(path)",
		Doc: "A file of the worker, without a newline at its end; relative paths start at the directory of the job files. In `connection` and " +
			"`notifier` blocks only.",
		Example: `file("/run/secrets/totango")`},
	{Name: fnExec, Group: groupFiles, Signature: "exec(command, arguments...)",
		Doc: "What a command prints, without a newline at its end. The worker runs it, without a shell, when it starts and every minute; what it " +
			"prints must not change for no reason, because a connection whose configuration has changed gets a new process. In `connection` and " +
			"`notifier` blocks only.",
		Example: `exec("vault", "kv", "get", "-field=token", "secret/totango")`},
}

// pureFunctions are the functions of expressions and templates, except templatefile. The map is never changed.
var pureFunctions = func() map[string]function.Function {
	all := map[string]function.Function{}
	for _, list := range [][]Function{textFunctions, listFunctions, timeFunctions, numberFunctions, typeFunctions} {
		for _, f := range list {
			all[f.Name] = f.impl
		}
	}
	return all
}()

// pureFunctionNames are the names of pureFunctions, sorted.
var pureFunctionNames = slices.Sorted(maps.Keys(pureFunctions))

// onlyInConnections says why a function that reads secrets cannot be called in a job; empty for other functions.
func onlyInConnections(name string) string {
	if !slices.Contains(secretFunctionNames, name) {
		return ""
	}
	return fmt.Sprintf("%s() can be called in connection and notifier blocks only: jobs are stored as text and must not hold secrets.", name)
}
