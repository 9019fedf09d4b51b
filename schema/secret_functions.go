package schema

import (
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

// secretFunctions are env and file. Without an environment, both give an unknown value.
func (l *loader) secretFunctions() map[string]function.Function {
	fn := func(param string, read func(string) (string, error)) function.Function {
		return function.New(&function.Spec{
			Params: []function.Parameter{{Name: param, Type: cty.String}},
			Type:   function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				s, err := read(args[0].AsString())
				if err != nil {
					return cty.NilVal, err
				}
				if l.opts.Env == nil {
					return cty.UnknownVal(cty.String).Mark(sensitive{}), nil
				}
				return cty.StringVal(s).Mark(sensitive{}), nil
			},
		})
	}
	return map[string]function.Function{fnEnv: fn("name", l.readEnv), fnFile: fn("path", l.readSecretFile)}
}

func (l *loader) readEnv(name string) (string, error) {
	if !variableName.MatchString(name) {
		return "", &secretError{"Invalid name of a variable",
			"The name of an environment variable has letters, digits and _ only, such as GONG_ACCESS_KEY."}
	}
	if l.opts.Env == nil {
		return "", nil
	}
	v, ok := l.opts.Env(name)
	if !ok || v == "" {
		return "", &secretError{"Missing environment variable",
			fmt.Sprintf("%s is not set, or empty. Set it in the environment of the process that runs the jobs, and start it again.", name)}
	}
	return v, nil
}

// readSecretFile reads a file of the directory, or one that an absolute path names, such as a mounted secret. The newline that
// most of them end with is no part of the secret.
func (l *loader) readSecretFile(name string) (string, error) {
	if l.opts.Env == nil {
		return "", nil
	}
	b, err := l.readBounded(name)
	switch {
	case err != nil:
		return "", &secretError{"File cannot be read", fmt.Sprintf("%s: %s.", name, reason(err))}
	case len(b) > maxFile:
		return "", &secretError{"File too large", fmt.Sprintf("%s has more than the %d bytes that are read at most.", name, maxFile)}
	}
	return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), nil
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
