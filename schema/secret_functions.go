package schema

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// sensitive marks values that must not be shown.
type sensitive struct{}

// secretError is a secret that is not to be found.
type secretError struct{ summary, detail string }

func (e *secretError) Error() string { return e.detail }

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// secretFunctions are env, file and exec. Where secrets are not read, all of them give an unknown value.
func (l *loader) secretFunctions(ctx context.Context, read bool) map[string]function.Function {
	fn := func(spec function.Spec, check func(string) error, get func([]string) (string, error)) function.Function {
		spec.Type = function.StaticReturnType(cty.String)
		spec.Impl = func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			texts := make([]string, len(args))
			for i, a := range args {
				texts[i] = a.AsString()
			}
			if err := check(texts[0]); err != nil {
				return cty.NilVal, err
			}
			if !read {
				return cty.UnknownVal(cty.String).Mark(sensitive{}), nil
			}
			s, err := get(texts)
			if err != nil {
				return cty.NilVal, l.hide(err)
			}
			l.secrets = append(l.secrets, s)
			return cty.StringVal(s).Mark(sensitive{}), nil
		}
		return function.New(&spec)
	}
	param := func(name string) []function.Parameter { return []function.Parameter{{Name: name, Type: cty.String}} }
	anything := func(string) error { return nil }
	return map[string]function.Function{
		fnEnv:  fn(function.Spec{Params: param("name")}, checkVariable, func(args []string) (string, error) { return l.readEnv(args[0]) }),
		fnFile: fn(function.Spec{Params: param("path")}, anything, func(args []string) (string, error) { return l.readSecretFile(args[0]) }),
		fnExec: fn(function.Spec{Params: param("command"), VarParam: &function.Parameter{Name: "arguments", Type: cty.String}}, anything,
			func(args []string) (string, error) { return l.runCommand(ctx, args) }),
	}
}

// hide takes the secrets that were read out of what an error tells of the next one: the path of a file can hold a variable.
func (l *loader) hide(err error) error {
	var e *secretError
	if !errors.As(err, &e) {
		return err
	}
	hidden := *e
	for _, secret := range l.secrets {
		if len(secret) >= 4 { // shorter ones would tear words apart
			hidden.detail = strings.ReplaceAll(hidden.detail, secret, "(hidden)")
		}
	}
	return &hidden
}

// secretFunctionNames are the names of secretFunctions.
var secretFunctionNames = []string{fnEnv, fnFile, fnExec}

func checkVariable(name string) error {
	if variableName.MatchString(name) {
		return nil
	}
	return &secretError{"Invalid name of a variable", "The name of an environment variable has letters, digits and _ only, such as GONG_ACCESS_KEY."}
}

func (l *loader) readEnv(name string) (string, error) {
	v, ok := l.opts.Env(name)
	if !ok || v == "" {
		return "", &secretError{"Missing environment variable",
			fmt.Sprintf("%s is not set, or empty. Set it in the environment of the process that runs the jobs, and start it again.", name)}
	}
	return v, nil
}

// readSecretFile reads a file of the directory, or one that an absolute path names, such as a mounted secret.
func (l *loader) readSecretFile(name string) (string, error) {
	b, err := l.readBounded(name)
	switch {
	case err != nil:
		return "", &secretError{"File cannot be read", fmt.Sprintf("%s: %s.", name, reason(err))}
	case len(b) > maxFile:
		return "", &secretError{"File too large", fmt.Sprintf("%s has more than the %d bytes that are read at most.", name, maxFile)}
	}
	return trimLineBreak(string(b)), nil
}

// runCommand runs a command, once for however many places want its output.
func (l *loader) runCommand(ctx context.Context, args []string) (string, error) {
	if l.opts.Exec == nil {
		return "", &secretError{"No commands here", "This program runs no commands to read secrets from."}
	}
	key := strings.Join(args, "\x00")
	if text, ok := l.printed[key]; ok {
		return text, nil
	}
	text, err := l.opts.Exec(ctx, args[0], args[1:]...)
	if err != nil {
		return "", &secretError{"Command failed", fmt.Sprintf("No secret from %v.", err)}
	}
	if text = trimLineBreak(text); text == "" {
		return "", &secretError{"Command printed nothing", fmt.Sprintf("%s printed nothing that could be a secret.", args[0])}
	}
	l.printed[key] = text
	return text, nil
}

// trimLineBreak removes the line break that most files and commands end with: it is no part of the secret.
func trimLineBreak(text string) string {
	return strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
}

// readBounded reads a file, or as much of it as shows that it is too large: a device never ends.
func (l *loader) readBounded(name string) ([]byte, error) {
	var f fs.File
	var err error
	if filepath.IsAbs(name) {
		f, err = os.Open(name)
	} else {
		f, err = l.fsys.Open(path.Clean(filepath.ToSlash(name)))
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}
